"""Phase labels: what the tracker's label of a series says that its branch is open for.

Source: the labels of python/cpython, whose descriptions are "bugs and security fixes", "only
security fixes" and, under the name ``3.8 (EOL)``, "end of life".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.probe import Probe, absent, identical
from plugins.model.release import Phase

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Tracker

__all__ = ["describe", "look_described"]

_COLOUR: Final = "c2e0c6"
_SAYS: Final = {
    Phase.BUGFIX: "bugs and security fixes",
    Phase.SECURITY: "only security fixes",
}


def look_described(release: Release, phase: Phase, tracker: Tracker) -> Probe:
    """Whether the series' labels are there, and that of the series says what it is open for."""
    left = _left(release, phase, tracker)
    return absent(f"{left} not set yet") if left else identical(_facts(release, phase))


def describe(release: Release, phase: Phase, tracker: Tracker) -> dict[str, str]:
    """The label of the series says what its branch is open for, and one asks for backports."""
    there = tracker.described_labels()
    for name, description in _wanted(release, phase).items():
        if name not in there:
            tracker.make_label(name, _COLOUR, description)
        elif name == release.version.series and there[name] != description:
            tracker.describe_label(name, description)
    return _facts(release, phase)


def _wanted(release: Release, phase: Phase) -> dict[str, str]:
    series = release.version.series
    backports = f"needs backport to {series}"
    return {series: _SAYS[phase], backports: f"backport to the branch {series}"}


def _left(release: Release, phase: Phase, tracker: Tracker) -> str:
    there = tracker.described_labels()
    wanted = _wanted(release, phase)
    left = [name for name in wanted if name not in there]
    series = release.version.series
    if series in there and there[series] != wanted[series]:
        left.append(f"what {series} says")
    return ", ".join(left)


def _facts(release: Release, phase: Phase) -> dict[str, str]:
    return {"label": release.version.series, "says": _SAYS[phase]}
