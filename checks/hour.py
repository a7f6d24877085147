"""Hour: whether experts have time today for what they build, and the day is that of the hour."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checks.looking import judges
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from plugins.model.people_settings import Expert
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.pipeline import Pipeline

__all__ = ["day_has_the_hour", "tag_comes_in_time"]

_EVENING: Final = time(20)
"""Nobody is expected to work after it, wherever they live."""
_LAST_RUNS: Final = 3
_BY_HAND: Final = timedelta(hours=2)
"""What a build takes of which no machine tells the time."""
_WEST: Final = timedelta(hours=12)
_MOST: Final = timedelta(days=1)
"""What took longer hung, or is no time at all."""


@judges("schedule.hour")
def tag_comes_in_time(
    release: Release,
    declared: date | None,
    experts: Sequence[Expert],
    pipeline: Pipeline | None,
    clock: Clock,
) -> tuple[Finding, ...]:
    """A tag that is handed over now can be built before the evening of each expert (R05).

    Asked of those whose time zone release.toml names. The Windows build takes as long as the
    longest of the last three that ended well; others are given two hours. ``pipeline`` is None
    where nothing is built for Windows.
    """
    now = clock.now()
    day = declared or now.date()
    found = []
    for each in experts:
        if not each.zone:
            continue
        takes, source = _BY_HAND, "assumed"
        if each.role == "windows" and pipeline is not None:
            takes, source = _longest(pipeline)
        try:
            zone = ZoneInfo(each.zone)
        except (ZoneInfoNotFoundError, ValueError):
            found.append(_unknown(each))
            continue
        latest = datetime.combine(day, _EVENING, zone).astimezone(UTC) - takes
        if now <= latest:
            continue
        there = now.astimezone(zone)
        minutes = int(takes.total_seconds()) // 60
        found.append(
            Finding(
                "schedule.hour",
                Severity.WARN,
                f"it is {there:%H:%M} on {there:%Y-%m-%d} in {each.zone}; what {each.name} builds"
                f" takes {minutes // 60} h {minutes % 60:02} min ({source}), so the tag of"
                f" {release.version} should have come by {latest:%Y-%m-%d %H:%M} UTC",
                f"[experts.{each.role}]",
                f"agree with {each.name} on the hour, or hand the tag over in the morning and"
                " write that day as date in release.toml",
            )
        )
    return tuple(found)


@judges("schedule.day")
def day_has_the_hour(declared: date | None, hour: datetime, clock: Clock) -> tuple[Finding, ...]:
    """A release that is kept back until an hour is not dated before the day of that hour.

    NEWS and the announcement would give the day on which it was prepared. What is still the day
    before west of Greenwich passes.
    """
    day = declared or clock.now().date()
    if day >= (hour - _WEST).date():
        return ()
    return (
        Finding(
            "schedule.day",
            Severity.WARN,
            f"nothing leaves before {hour:%Y-%m-%d %H:%M} UTC, and this release is dated {day}",
            "date",
            f"write date = {hour:%Y-%m-%d} into each release file of the train",
        ),
    )


def _unknown(expert: Expert) -> Finding:
    return Finding(
        "schedule.hour",
        Severity.WARN,
        f"this machine does not know the time zone {expert.zone}",
        f"[experts.{expert.role}] zone",
        "correct its name, or install tzdata",
    )


def _longest(pipeline: Pipeline) -> tuple[timedelta, str]:
    """The time of the longest of the last runs that ended well, and where it is known from."""
    try:
        ended = [each for each in pipeline.runs() if each.result == "succeeded"]
        runs = [each for each in ended if timedelta() < each.took <= _MOST]
    except ReleaseError:  # windows.busy reports it
        runs = []
    if not runs:
        return _BY_HAND, "assumed"
    longest = max(runs[:_LAST_RUNS], key=lambda each: each.took)
    return longest.took, f"as run {longest.id} did"
