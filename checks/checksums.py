"""Checksums: whether SHA256SUMS lists every file beside it, with its digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from plugins.model.rules import breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.finding import Finding
    from plugins.model.found_files import FoundFiles

__all__ = ["checksums_are_true"]

_LINE: Final = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>[A-Za-z0-9][\w.+-]*)", re.ASCII)
_MOST_BYTES: Final = 1 << 20


def checksums_are_true(found_files: FoundFiles) -> tuple[Finding, ...]:
    """The list beside the source archives has one line for each file there, with its digest."""
    path = found_files.layout.checksums
    if not path.is_file():
        return (breach("checksums.missing", path.name, "is not there"),)
    with path.open("rb") as stream:
        raw = stream.read(_MOST_BYTES + 1)
    lines = raw.decode(errors="replace").split("\n")
    matched = [_LINE.fullmatch(line) for line in lines[:-1]]
    listed = {each["name"]: each["sha256"] for each in matched if each is not None}
    wrong = [count for count, each in enumerate(matched, 1) if each is None]
    if wrong or lines[-1] or len(raw) > _MOST_BYTES or len(listed) != len(matched):
        place = f"line {wrong[0]}" if wrong else "it"
        return (
            breach(
                "checksums.form", path.name, f"{place} is not of the form that sha256sum writes"
            ),
        )
    return tuple(_compared(listed, found_files))


def _compared(listed: dict[str, str], found_files: FoundFiles) -> Iterator[Finding]:
    there = {
        each.source.name: each
        for each in found_files.files.values()
        if each.source is not None and each.source.parent == found_files.layout.src
    }
    for name, sha256 in listed.items():
        if name not in there:
            yield breach("checksums.unlisted", name, "is listed and does not exist")
        elif there[name].content.sha256 != sha256:
            seen = there[name].content.sha256
            yield breach("checksums.differs", name, f"is {seen[:16]}…, listed as {sha256[:16]}…")
    for name in sorted(there.keys() - listed.keys()):
        yield breach("checksums.unlisted", name, "exists and is not listed")
