"""Pylock: a lock file of the packaging standards, as requirements with hashes that any pip reads.

Source: PEP 751, and Doc/pylock.toml of trees from 3.15 on (GH-149058), from which their own
Makefile installs the documentation tools. Only the newest pip reads such a file itself.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LOCK", "Locked", "NoLock", "read_lock"]

LOCK: Final = "pylock.toml"
_FIRST: Final = "1."
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_MARKER: Final = re.compile(r"[\w .'\"<>=!~()+-]+")
_ADDRESS: Final = re.compile(r"https://[\w.-]+/[\w./%@+~-]+")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PYTHON: Final = re.compile(r">=\s*3\.(\d+)")


class NoLock(ValueError):
    """A file that is no lock of packages by their hashes; says what is wrong in it."""


class Locked(NamedTuple):
    """What is locked: lines for pip, and the least minor version of Python 3, 0 for any."""

    requirements: str
    least_minor: int


def read_lock(raw: bytes) -> Locked:
    """The packages of the lock, each with the sha256 of every file that it may be.

    pip installs nothing else from them, and everything that they need is among them. Raises NoLock
    for another format, and for a package without hashes or from a repository.
    """
    try:
        lock = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise NoLock(" ".join(str(error).split())[:200]) from error
    version = lock.get("lock-version")
    if not isinstance(version, str) or not version.startswith(_FIRST):
        _refuse(f"lock-version is {version!r:.40}, wanted 1.0")
    packages = lock.get("packages")
    if not isinstance(packages, list) or not packages:
        _refuse("it lists no packages")
    wanted = _PYTHON.search(str(lock.get("requires-python", "")))
    return Locked("".join(map(_line, packages)), int(wanted[1]) if wanted else 0)


def _line(package: object) -> str:
    if not isinstance(package, dict):
        _refuse("a package is no table")
    name = _text(package, "name", _NAME, "a package")
    hashes = "".join(f" --hash=sha256:{each}" for each in dict.fromkeys(_hashes(package, name)))
    if not hashes:
        _refuse(f"{name} has no sha256")
    archive = package.get("archive")
    if isinstance(archive, dict):
        what = f" @ {_text(archive, 'url', _ADDRESS, name)}"
    else:
        what = f"=={_text(package, 'version', _VERSION, name)}"
    marker = f" ; {_text(package, 'marker', _MARKER, name)}" if "marker" in package else ""
    if re.search(r"[\s;]-", marker):
        _refuse(f"{name} has an odd marker")
    return f"{name}{what}{marker}{hashes}\n"


def _hashes(package: Mapping[str, Any], name: str) -> Iterator[str]:
    wheels = package.get("wheels", [])
    files = [*(wheels if isinstance(wheels, list) else []), package.get("sdist")]
    for file in (*files, package.get("archive")):
        if isinstance(file, dict):
            hashes = file.get("hashes")
            yield _text(hashes if isinstance(hashes, dict) else {}, "sha256", _SHA256, name)


def _text(table: Mapping[str, Any], key: str, form: re.Pattern[str], name: str) -> str:
    text = table.get(key)
    if not isinstance(text, str) or form.fullmatch(text) is None:
        _refuse(f"{name} has {'no' if text is None else 'an odd'} {key}")
    return text


def _refuse(problem: str) -> NoReturn:
    raise NoLock(problem)
