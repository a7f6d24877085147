"""Faults of a release on its way: exported, staged, or other here than in public."""

from __future__ import annotations

import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.model.remote_layout import RemoteLayout
from tests.faults.fault import OURS, TGZ, VERSION, XZ, Fault, file_of, zip_of
from tests.faults.files import flipped
from tests.faults.refs import tagged
from tests.faults.signatures import other_signed
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugins.model.published_file import PublishedFile
    from tests.released import Released

__all__ = ["elsewhere_faults", "exported_faults", "staged_faults"]

# ── the export, before anything is public ────────────────────────────────────────────────────


def _here(file: PublishedFile, act: Callable[[Path], object]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.export()
        act(world.here(file))

    return do


def _linked(path: Path) -> None:
    path.rename(path.with_name(f".{path.name}"))
    path.symlink_to(f".{path.name}")


def _sums(change: Callable[[str], str]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.export()
        path = world.local.checksums
        path.write_text(change(path.read_text()))

    return do


def _no_sums(world: Released) -> None:
    world.export()
    world.local.checksums.unlink()


def _stray_here(world: Released) -> None:
    world.export()
    (world.local.src / "notes.txt").write_text("x")


def _no_tag_here(world: Released) -> None:
    world.export()
    for path in (world.local.clone / ".git").rglob("v3.13.6"):
        path.unlink()


def _altered_object(world: Released) -> None:
    """A file of the tag holds something else under its old name; git tells no difference."""
    world.export()
    objects = world.local.clone / ".git" / "objects"
    for pack in list((objects / "pack").glob("*.pack")):
        # Loose ones: what is in a pack is found first, and may be a hard link.
        pack.with_suffix(".idx").unlink()
        with pack.open("rb") as packed:
            words = ["git", "unpack-objects", "-q"]
            subprocess.run(words, cwd=world.local.clone, stdin=packed, check=True)
        pack.unlink()
    name = git(world.local.clone, "rev-parse", "v3.13.6^{commit}:Lib/spam.py")
    path = objects / name[:2] / name[2:]
    path.unlink()
    path.write_bytes(zlib.compress(b"blob 10\0import os\n"))


def exported_faults() -> Iterator[Fault]:
    at = "local"
    for file in OURS:
        yield Fault(f"{file.name} is gone", "file.missing", _here(file, Path.unlink), at)
    for file in OURS[:4]:
        yield Fault(f"{file.name} may be written by all", "file.mode",
                    _here(file, lambda path: path.chmod(0o666)), at)  # fmt: skip
    tgz = file_of(TGZ)
    yield Fault("an archive is a link", "file.mode", _here(tgz, _linked), at)
    yield Fault("an archive can be run", "file.mode",
                _here(tgz, lambda path: path.chmod(0o755)), at)  # fmt: skip
    yield Fault("a file that no task made", "file.unrecognised", _stray_here, at)
    yield Fault("no SHA256SUMS", "checksums.missing", _no_sums, at)
    rule = "checksums.form"
    yield Fault("an empty line", rule, _sums(lambda text: text + "\n"), at)
    yield Fault("a line cut short", rule, _sums(lambda text: text[:-3]), at)
    yield Fault("a path in it", rule, _sums(lambda text: text.replace("  ", "  ../", 1)), at)
    yield Fault("a line twice", rule, _sums(lambda text: text + text.splitlines()[0] + "\n"), at)
    rule = "checksums.unlisted"
    yield Fault("a line less", rule, _sums(lambda text: text.partition("\n")[2]), at)
    more = f"{'0' * 64}  more.zip\n"
    yield Fault("a line more", rule, _sums(lambda text: text + more), at)
    yield Fault("another digest", "checksums.differs",
                _sums(lambda text: "0" * 64 + text[64:]), at)  # fmt: skip
    yield Fault("an archive changed since", "checksums.differs", _here(
        tgz, lambda path: path.write_bytes(flipped(path.read_bytes()))), at)  # fmt: skip
    yield Fault("an object that was altered in the clone", "clone.objects", _altered_object, at)
    yield Fault("no tag in the clone", "tag.missing", _no_tag_here, at)


def _staged(name: str, act: Callable[[Path], object]) -> Callable[[Released], None]:
    def do(world: Released) -> None:
        world.stage()
        act(world.staging / RemoteLayout(VERSION).downloads.staging / name)

    return do


def staged_faults() -> Iterator[Fault]:
    at = "staged"
    yield Fault("a staged file is gone", "file.missing", _staged(XZ, Path.unlink), at)
    yield Fault("an installer is gone", "file.missing",
                _staged("python-3.13.6-macos11.pkg", Path.unlink), at)  # fmt: skip
    yield Fault("a staged file is empty", "file.size",
                _staged(XZ, lambda path: path.write_bytes(b"")), at)  # fmt: skip
    yield Fault("a staged file may be written by all", "file.mode",
                _staged(XZ, lambda path: path.chmod(0o666)), at)  # fmt: skip
    yield Fault("a staged file is closed", "file.mode",
                _staged(XZ, lambda path: path.chmod(0o600)), at)  # fmt: skip
    yield Fault("a staged file is a link", "file.mode", _staged(XZ, _relinked), at)
    yield Fault("a staged file nobody knows", "file.unrecognised",
                _staged("evil.exe", lambda path: path.write_bytes(b"x" * 99)), at)  # fmt: skip
    half = _staged(f"{XZ}.partial", lambda path: path.write_bytes(b"x" * 99))
    yield Fault("a half upload", "file.unrecognised", half, at)
    for name in (TGZ, XZ, f"{TGZ}.asc", f"{TGZ}.spdx.json"):
        yield Fault(f"another {name} is staged", "staged.differs",
                    _staged(name, lambda path: path.write_bytes(flipped(path.read_bytes()))),
                    at)  # fmt: skip


def _relinked(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _at_home(world: Released) -> None:
    """Users get another file than the one that was exported; everything public agrees."""
    world.export()
    file = file_of("python-3.13.6-docs-text.zip")
    path = world.path(file)
    with zipfile.ZipFile(path) as opened:
        pages = {each.filename: opened.read(each) for each in opened.infolist()}
    world.put(file, zip_of(pages))


def _tag_at_home(world: Released) -> None:
    world.export()
    tagged(lambda payload: payload.replace(" +0000", " +0100"))(world)


def _rebuilt(world: Released) -> None:
    """Nothing is wrong with the archive but that the tag gives another: packed otherwise."""
    other_signed(world)
    world.sign(file_of(TGZ), world.manager, world.key)


def elsewhere_faults() -> Iterator[Fault]:
    at = "public"
    yield Fault("users get another file than was exported", "file.other_here", _at_home, at)
    yield Fault("upstream has another tag than was made", "tag.other_here", _tag_at_home, at)
    yield Fault("packed otherwise than the tag gives", "rebuild.differs", _rebuilt, "rebuilt")
