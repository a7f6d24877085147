"""Site status: what python.org shows visitors of a series' status: a table, and warnings.

The site asks peps.python.org once an hour; while that does not answer, the table is empty and no
page warns. Source: download_tags.py, active-releases.html and release_detail.html of
python/pythondotorg at 0a7e8d1f.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final

from plugins.model.release import Phase

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["release_paths", "status_problem", "statuses", "wanted_statuses", "warned_since"]

_CELL: Final = r'<span class="release-{}">([^<]{{0,200}})'
_ROW: Final = re.compile(_CELL.format("version") + r"</span>\s{0,200}" + _CELL.format("status"))
_SERIES: Final = re.compile(r"3\.[0-9]{1,3}", re.ASCII)
_LINK: Final = re.compile(r'<a href="(/downloads/release/[-\w]{1,200}/)">([^<]{1,300})</a>')
_WARNING: Final = re.compile(r"reached end-of-life(?: on ([-0-9]{4,10}))?\.")
_ENDED: Final = Phase.END_OF_LIFE.value
_IN_WORDS: Final = {Phase.FEATURE: "pre-release"}
"""The site's own word for a series that is developed on main; all others are the schedule's."""


def wanted_statuses(series: str, phase: Phase) -> dict[str, str]:
    """What the table has to show of the series; with its first beta, of the next one as well."""
    shown = {series: _IN_WORDS.get(phase, phase.value)}
    if phase is Phase.PRERELEASE:
        major, minor = map(int, series.split("."))
        shown[f"{major}.{minor + 1}"] = _IN_WORDS[Phase.FEATURE]
    return shown


def statuses(page: str) -> dict[str, str]:
    """The status of each series in the table of ``/downloads/``."""
    rows = ((version.strip(), " ".join(html.unescape(told).split())) for version, told in
            _ROW.findall(page))  # fmt: skip
    return {version: told for version, told in rows if _SERIES.fullmatch(version)}


def status_problem(shown: Mapping[str, str], wanted: Mapping[str, str]) -> str:
    """How the table differs; "" if it does not.

    Of ended series it has the newest alone, with its last release behind the status.
    """
    if not shown:
        return "shows no series in its table of active releases"
    for series, status in wanted.items():
        found = shown.get(series)
        if found is None and status == _ENDED and _is_behind(series, shown):
            continue
        if found != status and not (status == _ENDED and (found or "").startswith(f"{_ENDED},")):
            said = f"shows {series} as {found[:60]}" if found else f"does not list {series}"
            return f"{said}, wanted {status}"
    return ""


def release_paths(page: str, series: str) -> tuple[str, ...]:
    """The pages of the series' releases, early ones too, that ``/downloads/source/`` links."""
    own = f"Python {series}."
    found = (path for path, name in _LINK.findall(page) if name.strip().startswith(own))
    return tuple(dict.fromkeys(found))


def warned_since(page: str) -> str | None:
    """The day since which a release's page says that its series has ended; None without warning."""
    found = _WARNING.search(" ".join(page.split()))
    return None if found is None else found[1] or ""


def _is_behind(series: str, shown: Mapping[str, str]) -> bool:
    """Whether the table has the end of a later series."""
    return any(
        status.startswith(_ENDED) and _minor(other) > _minor(series)
        for other, status in shown.items()
    )


def _minor(series: str) -> int:
    return int(series.partition(".")[2])
