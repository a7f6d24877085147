"""Checks of the rehearsed PEPs: what their repository's own checks say of a pull request.

Source: check-peps.py, and the hooks regen-schedules, end-of-file-fixer and trailing-whitespace of
.pre-commit-config.yaml, of python/peps ba4deeb79; only what is about files of a schedule.
"""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from plugins.rehearsal.peps_generator import SCHEDULE, updated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

__all__ = ["complaints"]

_HEADERS: Final = (
    "PEP", "Title", "Author", "Sponsor", "BDFL-Delegate", "PEP-Delegate", "Discussions-To",
    "Status", "Type", "Topic", "Requires", "Created", "Python-Version", "Post-History",
    "Replaces", "Superseded-By", "Resolution",
)  # fmt: skip
_NEEDED: Final = ("PEP", "Title", "Author", "Status", "Type", "Created")
_VALUES: Final = {
    "PEP": r"[1-9][0-9]{0,3}",
    "Title": r".{1,79}",
    "Author": r"[^\W\d_](?:[^\W\d_]|[ ',\-.])*",
    "Status": "Active|Draft|Final|Accepted|Withdrawn",
    "Type": "Standards Track|Informational|Process",
    "Topic": "Release",
    "Created": r"[0-9]{2}-[A-Z][a-z]{2}-[0-9]{4}",
    "Python-Version": r"3\.(?:0|[1-9][0-9]*)",
}
_PEP: Final = re.compile(r"peps/pep-([0-9]{4})\.rst")


def complaints(changed: Mapping[str, str], texts: Mapping[str, str], today: date) -> list[str]:
    """What the checks say of these files, among all that are on the branch; empty if they pass."""
    found = []
    for path, text in changed.items():
        if text != text.rstrip("\n") + "\n" or re.search(r"[ \t]$", text, flags=re.MULTILINE):
            found.append(f"{path}: white space at the end of a line or of the file")
        if match := _PEP.fullmatch(path):
            found += [f"{path}: {each}" for each in _headers(int(match[1]), text, today)]
    return [*found, *_schedules(changed, texts)]


def _headers(number: int, text: str, today: date) -> Iterator[str]:
    lines = text.partition("\n\n")[0].splitlines()
    values = dict(line.partition(": ")[::2] for line in lines)
    yield from (f"Must have required header: {each}" for each in _NEEDED if each not in values)
    yield from (f"Must not have invalid header: {each}" for each in values if each not in _HEADERS)
    if list(values) != [each for each in _HEADERS if each in values]:
        yield "Headers must be in PEP 12 order"
    for name, value in values.items():
        if not re.fullmatch(_VALUES.get(name, ".*"), value):
            yield f"{name} must not be {value}"
    if values.get("PEP") != str(number):
        yield f"PEP must be {number}"
    created = values.get("Created", "")
    if re.fullmatch(_VALUES["Created"], created):
        day = datetime.strptime(created, "%d-%b-%Y").date()  # noqa: DTZ007 - a day alone
        if day > today + timedelta(days=14):
            yield f"Created must not be in the future: {created}"


def _schedules(changed: Mapping[str, str], texts: Mapping[str, str]) -> Iterator[str]:
    """The hook makes the lists anew, and fails if that changes a file."""
    content = tomllib.loads(texts[SCHEDULE])
    for series, about in content["metadata"].items():
        path = f"peps/pep-{about['pep']:04}.rst"
        if path not in texts:
            yield f"{SCHEDULE}: {series} has no {path}"
        elif path in changed and not _is_made(texts[path], series, about, content["release"]):
            yield f"{path}: is other than update-peps makes it"


def _is_made(text: str, series: str, about: dict[str, Any], releases: dict[str, Any]) -> bool:
    """On either side of the day on which development begins; no other day counts for it."""
    begins = about["start-of-development"]
    try:
        return any(
            text == updated(text, series, about, releases[series], day)
            for day in (begins, begins - timedelta(days=1))
        )
    except (ValueError, AssertionError):
        return False
