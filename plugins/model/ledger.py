"""Ledger: a folder or repository that collects who made the archives of a release again.

``<version>/<who>/SHA256SUMS`` with its OpenPGP signature ``SHA256SUMS.asc`` beside it, a person a
folder. Source: the form of bitcoin-core/guix.sigs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = [
    "GITHUB", "SIGNATURE", "SUMS", "Entry", "Remade", "entries", "entry_folder", "read_sums",
    "sums_of",
]  # fmt: skip

SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = f"{SUMS}.asc"
GITHUB: Final = "GitHub"
"""Who makes archives again at GitHub: all its machines are one witness."""
_WHO: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,37}[a-z0-9])?")
_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._+-]{0,120})\n")
_MOST_BYTES: Final = 16 * 1024
_MOST_ENTRIES: Final = 500


@frozen
class Entry:
    """What somebody put into the ledger, as bytes; ``problem`` says why it cannot be read."""

    who: str
    sums: bytes = b""
    signature: bytes = b""
    problem: str = ""


@frozen
class Remade:
    """What somebody got who made the archives again; ``problem`` says why it does not count."""

    who: str
    where: str
    """Where it is said: an entry of the ledger, or a run."""
    signer: str
    """Whose word it is; each counts once."""
    word: str
    """What it is believed by, for people to read."""
    digests: Mapping[str, str]
    problem: str = ""


def sums_of(digests: Mapping[str, str]) -> bytes:
    """The file for these names and their sha256, as sha256sum writes and reads it."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def read_sums(raw: bytes) -> dict[str, str] | None:
    """The sha256 of each name; None for anything that ``sums_of`` would not write."""
    text = raw.decode("ascii", "replace")
    found = {name: digest for digest, name in _LINE.findall(text)}
    return found if found and sums_of(found) == raw else None


def entry_folder(ledger: Path, version: str, who: str) -> Path:
    """Where this person's rebuild of this version is.

    Raises StepFailed for a bad name, and for a symbolic link: the ledger is filled by others.
    """
    if not _WHO.fullmatch(who):
        raise StepFailed(
            where="rebuild",
            problem=f"{who!a} cannot be a name in the ledger",
            remedy="take your login: small letters, digits and hyphens, 39 at most",
        )
    folder = ledger / version / who
    for each in (folder.parent, folder):
        if each.is_symlink():
            raise StepFailed(
                where=str(each),
                problem="is a symbolic link, which may lead out of the ledger",
                remedy="find out who put it there, and remove it",
            )
    return folder


def entries(ledger: Path, version: str) -> Iterator[Entry]:
    """All that the ledger has about this version, sorted by name; it was written by others."""
    top = ledger / version
    if not top.is_dir() or top.is_symlink():
        return
    for count, folder in enumerate(sorted(top.iterdir())):
        if count == _MOST_ENTRIES:
            yield Entry("more", problem=f"there are more than {_MOST_ENTRIES} entries")
            return
        if not _WHO.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            yield Entry(folder.name, problem="is not a folder named as a person is")
            continue
        try:
            yield Entry(folder.name, _content(folder / SUMS), _content(folder / SIGNATURE))
        except OSError as error:
            yield Entry(folder.name, problem=str(error.strerror or error).lower())


def _content(file: Path) -> bytes:
    if file.is_symlink() or not file.is_file():
        message = f"{file.name} is not there, or is no plain file"
        raise OSError(message)
    raw = read_plain(file, _MOST_BYTES)
    if len(raw) > _MOST_BYTES:
        message = f"{file.name} has more than {_MOST_BYTES:,} bytes"
        raise OSError(message)
    return raw
