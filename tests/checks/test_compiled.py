"""Tests of what Python compiled: code that no source has is told, wherever it is planted."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import marshal
import os
import py_compile
import shlex
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.compiled import foreign_code, ignores_its_source
from checks.marshalled import is_read_safely
from checks.own_packages import packages_are_unchanged
from checks.own_tool import tool_is_released
from plugins.services.gnupg_signer import GnupgKeyring
from plugins.services.programs import MachinePrograms
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.rehearsal.gnupg_home import GnupgHome

GOOD = "answer = 'good'\n"
EVIL = "answer = 'evil'\n"
MODES = py_compile.PycInvalidationMode


def compiled(source: Path, mode: MODES = MODES.TIMESTAMP, optimize: int = 0) -> Path:
    py_compile.compile(str(source), invalidation_mode=mode, doraise=True, optimize=optimize)
    return Path(importlib.util.cache_from_source(source, optimization=optimize or ""))


def plant(source: Path, mode: MODES = MODES.TIMESTAMP, optimize: int = 0) -> Path:
    """Other code beside the source, whose header says that it is of it; the source is untouched."""
    before = source.stat()
    good = compiled(source, mode, optimize)
    head = good.read_bytes()[:16]
    source.write_text(EVIL)
    planted = compiled(source, mode, optimize)
    planted.write_bytes(head + planted.read_bytes()[16:])
    source.write_text(GOOD)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    return planted


def answer(source: Path, *options: str) -> str:
    words = [sys.executable, "-B", *options, "-c", f"import {source.stem} as m; print(m.answer)"]
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": ""}
    return subprocess.run(
        words, cwd=source.parent, capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("optimize", "options"), [(0, ()), (1, ("-O",)), (2, ("-OO",))])
def test_planted_code_runs_and_is_named(
    tmp_path: Path, mode: MODES, optimize: int, options: tuple[str, ...]
) -> None:
    source = tmp_path / "module.py"
    source.write_text(GOOD)
    made = compiled(source, mode, optimize)
    assert foreign_code([source]) == []
    assert ignores_its_source(made) == (mode is MODES.UNCHECKED_HASH)
    planted = plant(source, mode, optimize)
    assert answer(source, *options) == "evil", "the attack works on this Python"
    assert foreign_code([source]) == [planted]
    planted.unlink()
    assert (answer(source, *options), foreign_code([source])) == ("good", [])


def test_what_is_never_read_is_left_alone(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(GOOD)
    planted = plant(source)
    os.utime(source, (1, 1))
    assert (answer(source), foreign_code([source])) == ("good", [])
    planted.write_bytes(b"\0" * 40)
    assert (answer(source), foreign_code([source])) == ("good", [])
    tag = sys.implementation.cache_tag
    planted.rename(planted.with_name(planted.name.replace(str(tag), "cpython-20")))
    assert foreign_code([source]) == []


@pytest.mark.parametrize("body", [b"", b"\xff\xff\xff", b"N", b"i\1\0\0\0", b"[\xff\xff\xff\x03"])
def test_what_is_no_code_is_named(tmp_path: Path, body: bytes) -> None:
    source = tmp_path / "module.py"
    source.write_text(GOOD)
    planted = compiled(source)
    planted.write_bytes(planted.read_bytes()[:16] + body)
    assert foreign_code([source]) == [planted]


def number(count: int) -> bytes:
    return struct.pack("<I", count)


EMPTY = b")\0"
HUGE = number(0x7FFFFFFF)
BOMBS = {
    "tuple": b"(" + HUGE,
    "list": b"[" + HUGE,
    "text": b"u" + HUGE,
    "bytes": b"s" + HUGE,
    "whole number": b"l" + HUGE,
    "negative number": b"l" + number(0x80000001),
    "tuples in tuples": (b"(" + number(100_000)) * 90 + b"N" * 100_000,
    "pairs of references": b"(" + number(60) + b"\xa9\0" + b"".join(
        b"\xa9\2r" + number(each) + b"r" + number(each) for each in range(59)
    ),
    "tuple that holds itself": b"\xa9\1r" + number(0),
    "equal hashes": b">" + number(30_000) + b"i\0\0\0\0" * 30_000,
    "levels": b")\1" * 1900 + EMPTY,
}  # fmt: skip


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS)
def test_what_asks_for_more_than_it_holds_is_named_before_it_is_read(
    tmp_path: Path, body: bytes
) -> None:
    """A few bytes that asked for a tuple once took half a minute and 16 GB to be named."""
    source = tmp_path / "module.py"
    source.write_text(GOOD)
    planted = compiled(source)
    planted.write_bytes(planted.read_bytes()[:16] + body)
    assert foreign_code([source]) == [planted]
    assert not is_read_safely(body)


def test_what_marshal_writes_is_read_safely() -> None:
    found: Any = (
        0,
        -1,
        1 << 90,
        -1 << 90,
        0.5,
        2j,
        "",
        "a",
        "ä" * 300,
        b"x" * 300,
        None,
        ...,
    )
    for _ in range(20):
        found = (True, found, frozenset({1, 2}), [found[1]], StopIteration)
    for version in range(3, marshal.version + 1):
        assert is_read_safely(marshal.dumps(found, version))
    assert not is_read_safely(marshal.dumps(found)[:-1])


def test_source_that_python_cannot_compile_has_no_code_of_its_own(tmp_path: Path) -> None:
    """Its compiled file runs all the same, and compiling it ends with MemoryError."""
    source = tmp_path / "module.py"
    source.write_text(GOOD)
    planted = compiled(source)
    source.write_text("-" * 200_000 + "1\n")
    head = planted.read_bytes()[:8] + struct.pack("<II", int(source.stat().st_mtime), 200_002)
    planted.write_bytes(head + planted.read_bytes()[16:])
    assert foreign_code([source]) == [planted]


EVERY_CONSTANT = """\
def all_of(text):
    found = text[1:], text[:-1], text[1:3], text[::2], text[..., 1:2]
    if text in {"a", b"b", 1, 1.5, 2j, None, ("c", 1)}:
        return found, -0.0, 1 << 70, True, lambda: {each[:9] for each in text}
"""


def test_constants_of_every_kind_are_compared(tmp_path: Path) -> None:
    """Slices are constants from Python 3.14 on."""
    source = tmp_path / "module.py"
    source.write_text(EVERY_CONSTANT)
    compiled(source)
    assert foreign_code([source]) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("1.5", "2.5"), ("-0.0", " 0.0"), ("True", "1   "), ("[:9]", "[:8]"), ("[1:3]", "[1:4]"),
     ("all_of", "all_if"), ("each", "none"), ("    if", "\n    if")],
)  # fmt: skip
def test_code_that_is_nearly_the_same_is_other_code(tmp_path: Path, old: str, new: str) -> None:
    """In another constant, name or line than the source has: in its deepest function as well."""
    source = tmp_path / "module.py"
    source.write_text(EVERY_CONSTANT)
    made = compiled(source)
    other = compile(EVERY_CONSTANT.replace(old, new), str(source), "exec", dont_inherit=True)
    made.write_bytes(made.read_bytes()[:16] + marshal.dumps(other))
    assert foreign_code([source]) == [made]


def test_every_module_of_this_project_and_of_the_standard_library_is_its_own(
    tmp_path: Path,
) -> None:
    """No compiled file is foreign that another process made of its source: no false alarm."""
    here = Path(__file__).resolve().parents[2]
    library = Path(os.__file__).parent
    sources = [
        *here.glob("checks/*.py"),
        *here.glob("doit_receipts/*.py"),
        *library.glob("[a-d]*.py"),
    ]
    copies = [tmp_path / f"{number}_{each.name}" for number, each in enumerate(sources)]
    for each, copy in zip(sources, copies, strict=True):
        shutil.copy(each, copy)
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "-o", "0", "-o", "2", str(tmp_path)], check=True
    )
    assert len(list((tmp_path / "__pycache__").iterdir())) == 2 * len(copies) > 200
    assert foreign_code(copies) == []


# ── the tool ───────────────────────────────────────────────────────────────────────────────


class Unpacked:
    """A version of a small tool beside the list of its files."""

    def __init__(self, folder: Path, keys: GnupgHome, release: Release) -> None:
        self.home, self.release = folder / "pep101-1.0", release
        self.verifier = GnupgKeyring(keys.folder)
        names = ("dodo.py", "chapters/a.py", "checks/b.py", "plugins/steps/c.py")
        for name in names:
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(GOOD)
        digest = hashlib.sha256(GOOD.encode()).hexdigest()
        lines = [f"{digest}  pep101-1.0/{name}\n" for name in names]
        self.home.with_name("pep101-1.0.sha256").write_text("".join(lines))

    def found(self) -> dict[str, Finding]:
        judged = tool_is_released(self.release, MachinePrograms(), self.verifier, self.home)
        return {each.rule: each for each in judged if each.rule != "tools.unreleased"}


@pytest.fixture
def unpacked(tmp_path: Path, keyring: GnupgHome, a_release: Callable[..., Release]) -> Unpacked:
    return Unpacked(tmp_path, keyring, a_release())


@pytest.mark.parametrize("name", ["dodo.py", "chapters/a.py", "checks/b.py", "plugins/steps/c.py"])
def test_code_planted_beside_a_listed_file_blocks_until_it_is_gone(
    unpacked: Unpacked, name: str
) -> None:
    compiled(unpacked.home / name)
    assert unpacked.found() == {}
    planted = plant(unpacked.home / name)
    found = unpacked.found()["tools.altered"]
    place = planted.relative_to(unpacked.home)
    assert found.message == f"{place}: Python would run it, and its source is other code"
    assert found.remedy.startswith("run find ")
    subprocess.run(shlex.split(found.remedy.removeprefix("run ")), check=True)
    assert unpacked.found() == {}
    assert not planted.exists()


def test_code_planted_in_a_checkout_is_told_though_git_ignores_it(unpacked: Unpacked) -> None:
    (unpacked.home / ".gitignore").write_text("__pycache__/\n")
    git(unpacked.home, "init", "-q")
    git(unpacked.home, "add", "-A")
    git(unpacked.home, "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x")
    plant(unpacked.home / "chapters/a.py")
    assert git(unpacked.home, "status", "--porcelain") == ""
    message = unpacked.found()["tools.changed"].message
    assert message.endswith(".pyc, which Python would run and whose source is other code")


# ── packages ───────────────────────────────────────────────────────────────────────────────


def installed(folder: Path) -> Path:
    """A package as an installer leaves it: its list has digests, but for what was compiled."""
    module = folder / "good.py"
    module.write_text(GOOD)
    about = folder / "good-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: good\nVersion: 1.0\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(GOOD.encode()).digest()).rstrip(b"=").decode()
    cache = importlib.util.cache_from_source("good.py")
    record = f"good.py,sha256={digest},16\n\n{cache},,\ngood-1.0.dist-info/RECORD,,\n"
    (about / "RECORD").write_text(record)
    return module


def test_package_that_is_not_as_it_was_installed_is_named(
    tmp_path: Path, a_release: Callable[..., Release]
) -> None:
    release = a_release()
    module = installed(tmp_path)
    compiled(module)
    assert packages_are_unchanged(release, tmp_path) == ()
    plant(module, MODES.UNCHECKED_HASH)
    (tmp_path / "evil.pth").write_text("import evil\n")
    (found,) = packages_are_unchanged(release, tmp_path)
    cache = importlib.util.cache_from_source("good.py")
    assert found.rule == "tools.packages"
    assert found.message == (
        f"are not what was installed: {cache} is run whatever its source says,"
        " evil.pth of no package"
    )
    (tmp_path / "evil.pth").unlink()
    (tmp_path / cache).unlink()
    module.write_text(EVIL)
    (found,) = packages_are_unchanged(release, tmp_path)
    assert found.message == "are not what was installed: good.py differs"
    module.unlink()
    assert packages_are_unchanged(release, tmp_path)[0].message.endswith("good.py differs")
    module.write_text(GOOD)
    assert packages_are_unchanged(release, tmp_path) == ()


def test_package_behind_a_link_or_listed_without_a_digest_is_told(
    tmp_path: Path, a_release: Callable[..., Release]
) -> None:
    """Packages look for others by name, such as httpx for brotli: whoever is there is run."""
    folder, elsewhere = tmp_path / "packages", tmp_path / "elsewhere"
    folder.mkdir()
    installed(folder)
    elsewhere.mkdir()
    (elsewhere / "__init__.py").write_text(EVIL)
    (folder / "brotli").symlink_to(elsewhere)
    (found,) = packages_are_unchanged(a_release(), folder)
    assert found.message == "are not what was installed: brotli of no package"
    (folder / "brotli").unlink()
    (folder / "brotli.py").write_text(EVIL)
    (record,) = folder.glob("*.dist-info/RECORD")
    record.write_text(f"{record.read_text()}brotli.py,,\n")
    (found,) = packages_are_unchanged(a_release(), folder)
    assert found.message == "are not what was installed: brotli.py differs"


def test_packages_of_this_environment_are_unchanged(a_release: Callable[..., Release]) -> None:
    if sys.prefix == sys.base_prefix:
        pytest.skip("an environment of its own is asked about, and this is none")
    assert packages_are_unchanged(a_release()) == ()
