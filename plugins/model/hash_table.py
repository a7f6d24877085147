"""Hash table: the digests that the pipeline of Windows leaves, read from its ``hashes.txt``.

PowerShell's Format-Table prints it: a line of titles (Name, the algorithm, Length), a line of
dashes, one line a file. There may be a second table of another algorithm below the first. Source:
python/release-tools, stage-publish-pythonorg.yml and stage-publish-pymanager.yml.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from plugins.model.content import Content, NamedFile

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST_BYTES", "BrokenTable", "read_table"]

MOST_BYTES: Final = 1 << 20
"""More than any such file has: some thirty lines."""
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.+-]{0,200}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9A-Fa-f]{64}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_MOST_FILES: Final = 1000


class BrokenTable(StepFailed):
    """A file that should be a table of digests and is none, or lists one file with two digests."""


def read_table(raw: bytes, where: str) -> dict[str, NamedFile]:
    """Name, size and sha256 of each file of the table, by name.

    Raises BrokenTable for a text that holds no table of SHA256, a line of it that is none, and
    for a name that is listed with two digests.
    """
    if len(raw) > MOST_BYTES:
        raise _broken(where, f"has more than {MOST_BYTES:,} bytes")
    # PowerShell's own choice of encoding is UTF-16; the pipeline asks for ASCII.
    text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "ascii", "replace")
    found: dict[str, NamedFile] = {}
    for number, words in _lines(text, where):
        file = _file(words)
        if file is None:
            raise _broken(where, f"line {number} is not the name, SHA256 and length of a file")
        if found.setdefault(file.name, file) != file:
            raise _broken(where, f"line {number} states other bytes of {file.name} than before")
        if len(found) > _MOST_FILES:
            raise _broken(where, f"lists more than {_MOST_FILES} files")
    if not found:
        raise _broken(where, "lists no file with its SHA256")
    return found


def _lines(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of the table of SHA256, each with its number."""
    algorithm = ""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or set(line) <= set("- "):
            continue
        if len(words) == 3 and words[0] == "Name" and words[2] == "Length":
            algorithm = words[1].upper()
        elif not algorithm:
            raise _broken(where, f"begins with line {number}, which is not the heading of a table")
        elif algorithm == "SHA256":
            yield number, words


def _file(words: list[str]) -> NamedFile | None:
    if len(words) != 3:
        return None
    name, digest, size = words
    if not (_NAME.fullmatch(name) and _SHA256.fullmatch(digest) and _SIZE.fullmatch(size)):
        return None
    return NamedFile(name, Content(int(size), digest.lower()))


def _broken(where: str, problem: str) -> BrokenTable:
    return BrokenTable(
        where=where,
        problem=problem,
        remedy="look at it in the run's artifacts; without it, the expert signs for the files",
    )
