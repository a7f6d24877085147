"""Source archives of a small tag, exactly as they have to be, to be spoilt in one place."""

from __future__ import annotations

import io
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from checks.archives import archives_are_sound
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from tests.packing import TarEntry, packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.model.tarstream import Member
    from plugins.ports.programs import Programs

__all__ = [
    "EPOCH_S",
    "ROOT",
    "TREE",
    "Repository",
    "Tarball",
    "all_findings",
    "make_repository",
    "write",
]

EPOCH_S = 1_700_000_000
ROOT = "Python-3.13.6"
TREE = {
    ".gitattributes": b"*.bat text eol=crlf\n",
    ".github/CODEOWNERS": b"* @me\n",
    "Lib/os.py": b"x = 1\n",
    "Lib/test/link": b"",
    "Misc/NEWS.d/next/x.rst": b"news\n",
    "Misc/ACKS": b"Ada\n",
    "PCbuild/build.bat": b"echo\n",
    "configure": b"#!/bin/sh\n",
}


@dataclass
class Repository:
    """A repository with one commit."""

    folder: Path
    commit: str = ""

    def git(self, *words: str) -> str:
        argv = ["git", "-c", "user.name=t", "-c", "user.email=t", *words]
        return MachinePrograms().run(argv, folder=self.folder).stdout.strip()


def make_repository(folder: Path, form: str = "sha1") -> Repository:
    """A repository whose one commit holds the tree; its objects have names of that form."""
    made = Repository(folder)
    for name, content in TREE.items():
        path = made.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (made.folder / "configure").chmod(0o755)
    (made.folder / "Lib/test/link").unlink()
    (made.folder / "Lib/test/link").symlink_to("../os.py")
    made.git("init", "-q", f"--object-format={form}")
    made.git("add", "-A")
    made.git("commit", "-qm", "all")
    made.commit = made.git("rev-parse", "HEAD")
    return made


@dataclass
class Tarball:
    """A source archive as it should be, to be spoilt in one way."""

    members: dict[str, tuple[tarfile.TarInfo, bytes]] = field(default_factory=dict)

    @classmethod
    def of_the_tag(cls) -> Tarball:
        made = cls()
        folder: dict[str, Any] = {"type": tarfile.DIRTYPE, "mode": 0o755}
        made.put("", **folder)
        made.put("Lib", **folder)
        made.put("Lib/os.py", b"x = 1\n")
        made.put("Lib/test", **folder)
        made.put("Lib/test/link", type=tarfile.SYMTYPE, linkname="../os.py", mode=0o755)
        made.put("Misc", **folder)
        made.put("Misc/ACKS", b"Ada\n")
        made.put("Misc/NEWS", b"merged news\n")
        made.put("PCbuild", **folder)
        made.put("PCbuild/build.bat", b"echo\r\n")
        made.put("configure", b"#!/bin/sh\n", mode=0o755)
        return made

    def put(self, name: str, content: bytes = b"", *, root: str = ROOT, **parts: Any) -> None:
        full = f"{root}/{name}".rstrip("/")
        info = TarEntry(full)
        info.size, info.mtime, info.mode = len(content), EPOCH_S, 0o644
        for key, value in parts.items():
            setattr(info, key, value)
        self.members[f"{full}#{len(self.members)}" if full in self.members else full] = (
            info,
            content,
        )

    def change(self, name: str, **parts: object) -> None:
        for key, value in parts.items():
            setattr(self.members[f"{ROOT}/{name}"][0], key, value)

    def replace(self, name: str, content: bytes) -> None:
        self.drop(name)
        self.put(name, content)

    def drop(self, name: str) -> None:
        del self.members[f"{ROOT}/{name}"]

    def stream(self) -> bytes:
        stream = io.BytesIO()
        with tarfile.open(
            fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, errors="surrogateescape"
        ) as tar:
            for info, content in self.members.values():
                tar.addfile(info, io.BytesIO(content))
        return stream.getvalue()


def write(release: Release, tgz: bytes, xz: bytes | None = None) -> None:
    release.layout.src.mkdir(parents=True, exist_ok=True)
    release.layout.tarball(".tgz").write_bytes(packed(tgz, "gz"))
    release.layout.tarball(".tar.xz").write_bytes(packed(tgz if xz is None else xz, "xz"))


@contextmanager
def merged(
    release: Release,  # noqa: ARG001
    entries: Iterable[Member],
    folder: Path,  # noqa: ARG001
    programs: Programs,  # noqa: ARG001
) -> Iterator[Callable[[], bytes]]:
    """News that are merged without blurb, which wants a tree of CPython."""
    (entry,) = (each for each in entries if each.content)
    yield lambda: b"merged " + entry.content


def all_findings(release: Release, clone: Repository) -> tuple[Finding, ...]:
    programs = MachinePrograms()
    found = GitClone(clone.folder, programs)
    return archives_are_sound(release, found, programs, clone.commit, EPOCH_S, merged)
