"""Tests of the hour of the tag: experts live elsewhere, and their builds take hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from checks.hour import day_has_the_hour, tag_comes_in_time
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Severity
from plugins.model.people_settings import Expert
from plugins.ports.pipeline import PipelineRun

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.ports.pipeline import Pipeline
    from tests.conftest import Builds

try:
    ZoneInfo("America/New_York")
except ZoneInfoNotFoundError:
    pytest.skip("this machine has no time zones", allow_module_level=True)

DAY: Final = date(2026, 12, 1)
WINDOWS: Final = Expert("windows", "Wanda Windows", (), zone="Europe/London")
MACOS: Final = Expert("macos", "Max Mac", (), zone="America/New_York")


@dataclass
class At:
    """A clock."""

    hour: int
    minute: int = 0

    def now(self) -> datetime:
        return datetime(2026, 12, 1, self.hour, self.minute, tzinfo=UTC)


class Ran:
    """A pipeline whose runs took so many minutes, newest first; None failed."""

    def __init__(self, *minutes: int | None) -> None:
        self.minutes = minutes

    def runs(self) -> tuple[PipelineRun, ...]:
        return tuple(
            PipelineRun(
                count, "3.14.1", "completed", "failed" if took is None else "succeeded", "", {}, "",
                timedelta(minutes=took or 999),
            )
            for count, took in enumerate(self.minutes, 1)
        )  # fmt: skip


def asked(
    release: Release, experts: list[Expert], pipeline: Ran | None, at: At, day: date = DAY
) -> tuple[Finding, ...]:
    return tag_comes_in_time(release, day, experts, cast("Pipeline | None", pipeline), at)


class Blind(Ran):
    def runs(self) -> tuple[PipelineRun, ...]:
        raise ServiceFailed(service="azure", action="list", problem="is down", remedy="wait")


@pytest.mark.parametrize(
    ("pipeline", "late", "word"),
    [
        (Ran(130, None, 190, 100, 500), At(16, 50), "takes 3 h 10 min (as run 3 did)"),
        (Ran(5_000_000_000, 190), At(16, 50), "takes 3 h 10 min (as run 2 did)"),
        (Ran(None), At(18), "takes 2 h 00 min (assumed)"),
        (Blind(), At(18), "takes 2 h 00 min (assumed)"),
    ],
)
def test_tag_has_to_leave_time_for_the_windows_build(
    a_release: Builds, pipeline: Ran, late: At, word: str
) -> None:
    release = a_release("3.14.2")
    assert asked(release, [WINDOWS], pipeline, late) == ()
    after = At(late.hour, late.minute + 1)
    (finding,) = asked(release, [WINDOWS], pipeline, after)
    assert (finding.rule, finding.severity) == ("schedule.hour", Severity.WARN)
    assert word in finding.message
    assert f"by 2026-12-01 {late.hour}:{late.minute:02} UTC" in finding.message


def test_evening_is_that_of_where_each_expert_lives(a_release: Builds) -> None:
    """At 22:00 in London it is late there and 17:00 in New York, where two hours are left."""
    release, experts = a_release("3.14.2"), [WINDOWS, MACOS]
    (finding,) = asked(release, experts, Ran(120), At(22))
    assert (
        "it is 22:00 on 2026-12-01 in Europe/London; what Wanda Windows builds" in finding.message
    )
    assert len(asked(release, experts, Ran(120), At(23, 30))) == 2


def test_another_day_gives_them_time_again(a_release: Builds) -> None:
    """The remedy: the tag is handed over in the morning, with that day declared."""
    release, late = a_release("3.14.2"), At(23, 30)
    (finding,) = asked(release, [MACOS], None, late)
    assert (
        "hand the tag over in the morning and write that day as date in release.toml"
        in finding.remedy
    )
    assert asked(release, [MACOS], None, late, DAY + timedelta(days=1)) == ()


def test_without_a_time_zone_nobody_is_warned_of(a_release: Builds) -> None:
    nobody = [Expert("windows", "Wanda", ())]
    assert asked(a_release("3.14.2"), nobody, Ran(), At(23, 59)) == ()


def test_zone_that_this_machine_does_not_know_is_named_and_corrected(a_release: Builds) -> None:
    release = a_release("3.14.2")
    wrong = Expert("macos", "Max", (), zone="America/New_Yrok")
    (finding,) = asked(release, [wrong], None, At(8))
    assert "does not know the time zone America/New_Yrok" in finding.message
    assert finding.remedy == "correct its name, or install tzdata"
    assert asked(release, [MACOS], None, At(8)) == ()


def test_hour_is_right_in_the_morning_of_the_day_that_is_written(a_release: Builds) -> None:
    """What its remedy says, of both: to hand the tag over in the morning, and to write that day."""
    release, evening = a_release("3.14.2"), At(18, 1)
    (finding,) = asked(release, [WINDOWS], None, evening)
    assert "hand the tag over in the morning and write that day as date" in finding.remedy
    assert asked(release, [WINDOWS], None, At(8)) == ()
    assert asked(release, [WINDOWS], None, evening, DAY + timedelta(days=1)) == ()
    odd = Expert("windows", "Wanda Windows", (), zone="Europe/Londn")
    (finding,) = asked(release, [odd], None, At(8))
    assert "correct its name" in finding.remedy
    assert asked(release, [WINDOWS], None, At(8)) == ()


@pytest.mark.parametrize(
    ("declared", "hour", "passes"),
    [
        (None, datetime(2026, 12, 1, 16, tzinfo=UTC), True),
        (None, datetime(2026, 12, 8, 16, tzinfo=UTC), False),
        (date(2026, 12, 8), datetime(2026, 12, 8, 16, tzinfo=UTC), True),
        (date(2026, 12, 9), datetime(2026, 12, 8, 16, tzinfo=UTC), True),
        # at that hour it is still the 7th in California
        (date(2026, 12, 7), datetime(2026, 12, 8, 2, tzinfo=UTC), True),
        (date(2026, 12, 7), datetime(2026, 12, 8, 16, tzinfo=UTC), False),
    ],
)
def test_day_of_what_is_kept_back_is_that_of_the_hour(
    declared: date | None, hour: datetime, *, passes: bool
) -> None:
    """Prepared on the day before, it would be dated on that day; the remedy's date passes."""
    found = day_has_the_hour(declared, hour, At(9))
    assert [each.rule for each in found] == ([] if passes else ["schedule.day"])
    assert all(f"write date = {hour:%Y-%m-%d}" in each.remedy for each in found)
    assert day_has_the_hour(hour.date(), hour, At(9)) == ()
