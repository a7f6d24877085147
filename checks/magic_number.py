"""Magic number: what compiled files of a series begin with, as the tree itself gives it.

The number is in one file, with a table of all earlier ones; the launcher of Windows and a
test of importlib repeat it. Nothing here knows a number: the tree's places are compared with
each other, and with the candidates and finals of the series that were tagged before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import BadVersion, ReleaseError
from doit_receipts.finding import Finding, Severity
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugins.model.release import Release
    from plugins.ports.git import Base, Clone

__all__ = ["HEADER", "IMPORTER", "LAUNCHER", "TEST", "magic_numbers_agree"]

IMPORTER: Final = "Lib/importlib/_bootstrap_external.py"
"""Where the number is up to 3.13."""
HEADER: Final = "Include/internal/pycore_magic_number.h"
"""Where it is from 3.14 on."""
LAUNCHER: Final = "PC/launcher.c"
"""Where Windows looks up which Python a compiled file is for, by ranges of the number."""
TEST: Final = "Lib/test/test_importlib/test_util.py"
"""Where the number of candidates and finals is expected."""

_NUMBER: Final = {
    IMPORTER: r"^MAGIC_NUMBER = \((\d+)\)\.to_bytes",
    HEADER: r"^#define[ \t]+PYC_MAGIC_NUMBER[ \t]+(\d+)\b",
}
# A line of the table: "Python 3.14rc3 3627 (why it changed)", or with "3.5.2" or a colon.
_TABLE: Final = r"^[# \t]*Python {}(?:\.\d+)?(?:a|b|rc)?\d*:?[ \t]+(\d{{4,5}})\b"
_NEXT_STARTS: Final = r"^[# \t]*Python 3\.(\d+) will start with (\d+)"
_RANGE: Final = r'\{{[ \t]*(\d+),[ \t]*(\d+),[ \t]*L"{}"[ \t]*\}}'
_EXPECTED: Final = r"^[ \t]+EXPECTED_MAGIC_NUMBER = (\d+)$"


@judges("source.magic", blind="source.unreadable")
def magic_numbers_agree(
    release: Release, clone: Clone, *, after: str, base: Base | None = None
) -> tuple[Finding, ...]:
    """Compiled files begin with one number, wherever the tree gives it (Z06).

    From rc1 on the table of numbers, the test of importlib and the launcher have to agree with
    it, and so have the candidates and finals that ``base`` has tags of. Before that it may be
    on the move, and only what leaves the range of the series is reported. Source: the comments of
    the tree's own table; PEP 745 needed one more candidate because of it.
    """

    def text(path: str) -> str:
        return (clone.read(f"refs/release/{after}", path) or b"").decode(errors="replace")

    found = _numbers(text)
    if not found:
        return (_block(f"neither {' nor '.join(_NUMBER)} gives a magic number"),)
    if len(set(found.values())) > 1:
        return (_block(", ".join(f"{name} says {number}" for name, number in found.items())),)
    place, number = next(iter(found.items()))
    series = release.version.series
    if release.version.level < Level.CANDIDATE:
        return tuple(_out_of_range(series, number, text, place, Severity.WARN))
    findings = list(_disagreeing(series, number, text, place))
    findings += _out_of_range(series, number, text, place, Severity.BLOCK)
    if base is not None:
        findings += _moved(release.version, number, base, place)
    return tuple(findings)


def _numbers(text: Callable[[str], str]) -> dict[str, int]:
    found = {}
    for name, form in _NUMBER.items():
        match = re.search(form, text(name), flags=re.MULTILINE)
        if match:
            found[name] = int(match[1])
    return found


def _disagreeing(
    series: str, number: int, text: Callable[[str], str], place: str
) -> Iterator[Finding]:
    """What the table and the test say, if it is something else or nothing at all."""
    table = _TABLE.format(re.escape(series))
    listed = [int(each) for each in re.findall(table, text(place), flags=re.MULTILINE)]
    expected = re.search(_EXPECTED, text(TEST), flags=re.MULTILINE)
    if not listed and expected is None:
        yield _block(
            f"the magic number is {number}, and neither the table there nor {TEST} says which "
            f"one {series} is known by",
            place,
            "write it into both on the branch, as the comments there say",
        )
    if listed and max(listed) != number:
        yield _block(
            f"the magic number is {number}, and the newest of {series} in the table above it "
            f"is {max(listed)}",
            place,
            _back(max(listed)),
        )
    if expected is not None and int(expected[1]) != number:
        yield _block(
            f"expects the magic number {expected[1]}, and {place} says {number}",
            TEST,
            f"have both name the number that {series} is known by, on the branch",
        )


def _out_of_range(
    series: str, number: int, text: Callable[[str], str], place: str, severity: Severity
) -> Iterator[Finding]:
    """What the launcher of Windows, and the next series, would take for another Python."""
    minor = int(series.partition(".")[2])
    for later, start in re.findall(_NEXT_STARTS, text(place), flags=re.MULTILINE):
        if int(later) > minor and int(start) <= number:
            yield Finding(
                "source.magic",
                severity,
                f"the magic number is {number}, and those of 3.{later} start with {start}",
                place,
                "take a number of this series on the branch",
            )
    launcher = text(LAUNCHER)
    if not launcher:
        return
    found = re.search(_RANGE.format(re.escape(series)), launcher)
    if found is None:
        problem = f"has no range of magic numbers for {series}"
    elif not int(found[1]) <= number <= int(found[2]):
        problem = f"has {found[1]} to {found[2]} for {series}, and the magic number is {number}"
    else:
        return
    yield Finding(
        "source.magic", severity, problem, LAUNCHER, "correct the ranges there on the branch"
    )


def _moved(version: Version, number: int, base: Base, place: str) -> Iterator[Finding]:
    """The last candidate or final of the series that is tagged and had another number."""
    earlier = []
    for tag in base.tags():
        try:
            tagged = Version.parse(tag.name.removeprefix("v"))
        except BadVersion:
            continue
        same = (tagged.series, tagged.level >= Level.CANDIDATE) == (version.series, True)
        if same and tagged < version:
            earlier.append((tagged, tag))
    if not earlier:
        return
    tagged, tag = max(earlier, key=lambda pair: pair[0])

    def text(path: str) -> str:
        try:
            return base.text(tag.commit, path) or ""
        except ReleaseError:  # the RM's clone may be shallow: what it lacks proves nothing
            return ""

    before = set(_numbers(text).values())
    if before and before != {number}:
        yield _block(
            f"the magic number is {number}, and {tagged} had {', '.join(map(str, sorted(before)))}",
            place,
            _back(*before),
        )


def _back(*numbers: int) -> str:
    """What to do about a number that moved. Source: PEP 745, for rc3 of 3.14."""
    return (
        f"write {' or '.join(map(str, sorted(numbers)))} there again on the branch: it must not"
        " move from rc1 on"
    )


def _block(message: str, where: str = "", remedy: str = "") -> Finding:
    return Finding("source.magic", Severity.BLOCK, message, where, remedy)
