"""ClosingArchive: what is kept of a finished release, as one tar of fixed form.

The same members give the same bytes on any machine and in any Python: plain ustar, written and read
here, with names in order and neither times nor owners. A byte that would be otherwise is refused.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.frozen import frozen
from plugins.model.published_file import BUNDLE_SUFFIX
from plugins.model.release import KIND_NAMES
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plugins.model.release import Release

__all__ = ["MOST_BYTES", "BrokenArchive", "ClosingArchive", "closing_files", "fits", "report_file"]

_FORMAT: Final = "pep101 closing archive 1"
_FORMATS: Final = r"pep101 closing archive [1-9][0-9]{0,3}"
_HEAD: Final = "archive.json"
MOST_BYTES: Final = 256 << 20
"""A release of 2026 has 2 MB; what is larger than this is none."""
_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_MOST_NAME: Final = 100
_MOST_OF_FOLDER: Final = 40
_NAME: Final = (
    rf"(?!.*(?:^|/)\.{{0,2}}(?:/|$))[A-Za-z0-9][ -\[\]-~]{{0,{_MOST_NAME - _MOST_OF_FOLDER - 1}}}"
)
"""Printable, without a backslash; no part of it is empty or made of dots."""


class BrokenArchive(StepFailed):
    """A file in the place of a closing archive that is none."""


@frozen
class ClosingArchive:
    """Everything that is kept: ``members`` by their names below the one folder of the archive.

    ``release`` is the version, or the series and what became of it, such as 3.12-end-of-life;
    ``people`` are those who could approve, each with the full fingerprints of their keys.
    """

    release: str
    kind: str
    rehearsal: bool
    people: Mapping[str, tuple[str, ...]]
    members: Mapping[str, bytes]

    @property
    def version(self) -> Version:
        """The version; X.Y.0 stands for a series. Raises BadVersion if it is neither."""
        name, _, kind = self.release.partition("-")
        return Version.parse(f"{name}.0" if kind else name)

    @property
    def folder(self) -> str:
        """The one folder at the top of the tar."""
        return f"python-{self.release}-closing"

    def below(self, folder: str, suffix: str = "") -> dict[str, bytes]:
        """The members in this folder, by their names without folder and suffix, sorted."""
        return {
            name[len(folder) + 1 : len(name) - len(suffix)]: content
            for name, content in sorted(self.members.items())
            if name.startswith(f"{folder}/") and name.endswith(suffix)
        }

    def to_bytes(self) -> bytes:
        """The one tar of these members. Raises ValueError for a name that cannot be in it."""
        head = {
            "format": _FORMAT,
            "release": self.release,
            "kind": self.kind,
            "rehearsal": self.rehearsal,
            "people": {who: list(keys) for who, keys in self.people.items()},
        }
        text = json.dumps(head, indent=1, sort_keys=True) + "\n"
        pieces = [
            piece
            for name, content in ((_HEAD, text.encode()), *sorted(self.members.items()))
            for piece in _member(f"{self.folder}/{_fitting(name)}", content)
        ]
        size = sum(map(len, pieces))
        return b"".join([*pieces, bytes(2 * _BLOCK + -(size + 2 * _BLOCK) % _RECORD)])

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> ClosingArchive:
        """Read it back. Raises BrokenArchive for anything that ``to_bytes`` would not write."""
        try:
            read = cls._read(raw)
            found = read if read.to_bytes() == raw else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ReleaseError):
            found = None
        if found is None:
            form = _format_of(raw)
            problem = f"is not a {_FORMAT} of this tool, byte for byte"
            remedy = "take another copy of it; this one was changed or cut"
            if form not in ("", _FORMAT):
                problem = f"is a {form}, and this version of the tool reads a {_FORMAT}"
                remedy = "judge it with the version of this tool that wrote it, or a later one"
            raise BrokenArchive(where=where, problem=problem, remedy=remedy)
        return found

    @classmethod
    def _read(cls, raw: bytes) -> ClosingArchive:
        members = dict(_members(raw))
        folder = min(members).partition("/")[0]
        inner = {name.removeprefix(f"{folder}/"): content for name, content in members.items()}
        head: dict[str, Any] = json.loads(inner.pop(_HEAD))
        people = {str(who): tuple(map(str, keys)) for who, keys in head["people"].items()}
        read = cls(str(head["release"]), str(head["kind"]), bool(head["rehearsal"]), people, inner)
        if read.release not in (str(read.version), *map(read._of_a_phase, KIND_NAMES.values())):
            raise ValueError(read.release)
        return read

    def _of_a_phase(self, kind: str) -> str:
        return f"{self.version.series}-{kind}"


def closing_files(release: Release) -> tuple[Path, ...]:
    """The closing archive of the release on this machine, then its signatures."""
    path = release.layout.closing / f"python-{release.name}-closing.tar"
    suffixes = (".asc", BUNDLE_SUFFIX) if release.signs_with_gpg else (BUNDLE_SUFFIX,)
    return (path, *(path.with_name(f"{path.name}{each}") for each in suffixes))


def report_file(release: Release) -> Path:
    """The report of the whole release on this machine, a page that needs nothing else."""
    return release.layout.closing / f"python-{release.name}-report.html"


def fits(name: str) -> bool:
    """Whether a member can have this name."""
    return re.fullmatch(_NAME, name) is not None


def _fitting(name: str) -> str:
    if not fits(name):
        raise ValueError(name)
    return name


def _member(name: str, content: bytes) -> Iterator[bytes]:
    """Header and content of one regular file. Source: POSIX pax, "ustar Interchange Format"."""
    path = name.encode("ascii")
    if len(path) > _MOST_NAME:
        raise ValueError(name)
    fields = (
        path.ljust(100, b"\0"), b"0000644\0", b"0000000\0", b"0000000\0",
        b"%011o\0" % len(content), b"%011o\0" % 0, b" " * 8, b"0", bytes(100),
        b"ustar\x0000", bytes(32), bytes(32), bytes(8), bytes(8), bytes(155), bytes(12),
    )  # fmt: skip
    header = b"".join(fields)
    yield header[:148] + b"%06o\0 " % sum(header) + header[156:]
    yield content
    yield bytes(-len(content) % _BLOCK)


def _format_of(raw: bytes) -> str:
    """What the archive says that it is; "" if it does not say that in our words."""
    try:
        head = next(content for name, content in _members(raw) if name.endswith(f"/{_HEAD}"))
        form = json.loads(head)["format"]
        return form if re.fullmatch(_FORMATS, form) else ""
    except (ValueError, KeyError, TypeError, StopIteration, RecursionError):
        return ""


def _members(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Each regular file; whatever else there is makes a difference when it is written again."""
    at = 0
    if len(raw) > MOST_BYTES:
        raise ValueError
    while at + _BLOCK <= len(raw) and raw[at]:
        header = raw[at : at + _BLOCK]
        size = int(header[124:135], 8)
        begin = at + _BLOCK
        if size < 0 or begin + size > len(raw):
            raise ValueError
        yield header[:100].rstrip(b"\0").decode("ascii"), raw[begin : begin + size]
        at = begin + size + -size % _BLOCK
