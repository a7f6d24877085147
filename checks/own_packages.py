"""Own packages: whether what is installed beside this tool is what was locked (P03)."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

from checks.compiled import CACHE, ignores_its_source
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plugins.model.release import Release

__all__ = ["packages_are_locked", "packages_are_unchanged"]

_HOME: Final = Path(__file__).resolve().parents[1]
_LOCKED: Final = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)
_RUN: Final = re.compile(r"[-_.]+")
# What Python runs at each start or imports by name, wherever it is in the folder of packages.
_RUN_AT_ONCE: Final = (".py", ".pyc", ".so", ".pth")
_SHOWN: Final = 5
_ANEW: Final = "run rm -rf .venv && make setup"


@judges("tools.packages")
def packages_are_locked(release: Release, home: Path = _HOME) -> tuple[Finding, ...]:
    """Each package that is installed here has the version that requirements.lock names."""
    if release.rehearsal:
        return ()
    locked: dict[str, set[str]] = {}
    for name, version in _LOCKED.findall((home / "requirements.lock").read_text("utf-8")):
        locked.setdefault(_key(name), set()).add(version)
    found = {_key(each.name): each.version for each in metadata.distributions() if each.name}
    wrong = [
        f"{name} {version}, locked {' or '.join(sorted(locked[name]))}"
        for name, version in sorted(found.items())
        if version not in locked.get(name, {version})
    ]
    if not wrong:
        return ()
    return (_finding(f"differ from requirements.lock: {_some(wrong)}"),)


@judges("tools.packages")
def packages_are_unchanged(release: Release, folder: Path | None = None) -> tuple[Finding, ...]:
    """Each installed file is as its package lists it, and nothing else is run in its place.

    Asked in an environment of this tool's own alone: a system's packages come with no digests.
    ``folder`` is the one of the packages. A compiled file that Python runs whatever its source
    says is named; of one that names its source's time, only the source is judged.
    """
    if release.rehearsal or (folder is None and sys.prefix == sys.base_prefix):
        return ()
    folder = folder or Path(sysconfig.get_path("purelib"))
    listed: dict[Path, str] = {}
    for package in metadata.distributions(path=[str(folder)]):
        rows = csv.reader((package.read_text("RECORD") or "").splitlines())
        listed |= {folder / row[0]: row[1] for row in rows if len(row) > 1}
    other = [file for file, digest in listed.items() if not _is_as_listed(file, digest)]
    wrong = [f"{_short(file, folder)} differs" for file in other]
    wrong += [f"{_short(file, folder)} of no package" for file in _unlisted(folder, listed)]
    wrong += [
        f"{_short(file, folder)} is run whatever its source says"
        for file in folder.rglob(f"{CACHE}/*.pyc")
        if ignores_its_source(file)
    ]
    if not wrong:
        return ()
    return (_finding(f"are not what was installed: {_some(sorted(wrong))}"),)


def _is_as_listed(file: Path, wanted: str) -> bool:
    """Whether it has its digest; its own list, and what was compiled on this machine, have none."""
    kind, _, digest = wanted.partition("=")
    if not digest:
        return file.name == "RECORD" or file.parent.name == CACHE
    try:
        found = hashlib.new(kind, file.read_bytes()).digest()
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == digest


def _unlisted(folder: Path, listed: Iterable[Path]) -> Iterator[Path]:
    """What could be imported, or is run at each start, and no package brought.

    Nothing of what is behind a link to a folder was looked at.
    """
    known = set(listed)
    for file in folder.rglob("*"):
        is_run = file.suffix in _RUN_AT_ONCE or (file.is_symlink() and file.is_dir())
        if is_run and CACHE not in file.parts and file not in known:
            yield file


def _short(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return printable(", ".join(names[:_SHOWN]) + more)


def _key(name: str) -> str:
    return _RUN.sub("-", name).lower()


def _finding(message: str) -> Finding:
    return Finding("tools.packages", Severity.WARN, message, "installed packages", _ANEW)
