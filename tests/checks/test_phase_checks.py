"""Tests of the checks of a branch that enters another phase: passes, blocks, cannot look."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from checks import phase as checks
from doit_receipts.errors import ServiceFailed
from plugins.model.release import Phase
from plugins.model.schedule import Branch, Schedule, Stage
from plugins.model.version import Version

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.schedule import CycleEntry
    from tests.conftest import Builds

TODAY = date(2026, 11, 29)


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 29, 12, tzinfo=UTC)


class Told:
    """The Schedules port with this schedule, or down."""

    def __init__(self, schedule: Schedule | None) -> None:
        self._schedule = schedule

    def branch(self, series: str) -> CycleEntry | None:
        raise NotImplementedError(series)

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        if self._schedule is None:
            raise ServiceFailed(service="peps", action="GET", problem="status 500")
        return self._schedule


def a_branch(
    phase: Phase | None,
    *,
    end_of_bugfix: date = date(2026, 4, 1),
    end_of_life: date = date(2026, 10, 1),
) -> Branch:
    return Branch(
        "3.12", 693, phase, "3.12", "Thomas", date(2022, 5, 8), date(2023, 5, 22),
        date(2023, 10, 2), end_of_bugfix, end_of_life,
    )  # fmt: skip


ENDED = a_branch(Phase.SECURITY, end_of_life=date(2026, 11, 28))


def a_schedule(branch: Branch, *stages: Stage) -> Told:
    return Told(Schedule({"3.12": branch}, {"3.12": stages}))


def out(text: str, day: date = TODAY, *, actual: bool = True) -> Stage:
    return Stage(Version.parse(text), text, actual, day)


@pytest.mark.parametrize(
    ("now", "enters", "problem"),
    [
        (Phase.SECURITY, Phase.END_OF_LIFE, ""),
        (Phase.END_OF_LIFE, Phase.END_OF_LIFE, ""),
        (Phase.BUGFIX, Phase.SECURITY, ""),
        (Phase.PRERELEASE, Phase.BUGFIX, ""),
        (Phase.BUGFIX, Phase.END_OF_LIFE, "3.12 is bugfix in the schedule, wanted security"),
        (None, Phase.BUGFIX, "3.12 is planned in the schedule, wanted prerelease"),
    ],
)
def test_branch_is_in_the_phase_before_or_in_the_new_one(
    now: Phase | None, enters: Phase, problem: str, a_release: Builds
) -> None:
    schedules = a_schedule(a_branch(now))
    found = checks.phase_is_the_one_before(a_release("3.12.0"), enters, schedules)
    assert [each.message for each in found] == ([problem] if problem else [])


def test_series_that_nobody_planned_blocks(a_release: Builds) -> None:
    schedules = a_schedule(a_branch(Phase.SECURITY))
    (found,) = checks.phase_is_the_one_before(a_release("3.11.0"), Phase.SECURITY, schedules)
    assert found.message == "the schedule does not have 3.11"


@pytest.mark.parametrize(
    ("enters", "branch", "stages", "problem"),
    [
        (Phase.END_OF_LIFE, a_branch(Phase.SECURITY), (), ""),
        (
            Phase.END_OF_LIFE,
            a_branch(Phase.SECURITY, end_of_life=date(2026, 11, 1)),
            (),
            "3.12 is supported until 2026-11-30",
        ),
        (
            Phase.END_OF_LIFE,
            a_branch(Phase.SECURITY, end_of_life=date(2026, 11, 29)),
            (),
            "3.12 is supported until 2026-11-29",
        ),
        (Phase.END_OF_LIFE, a_branch(Phase.SECURITY, end_of_life=date(2026, 11, 28)), (), ""),
        (Phase.SECURITY, a_branch(Phase.BUGFIX), (out("3.12.10", date(2026, 4, 1)),), ""),
        (
            Phase.SECURITY,
            a_branch(Phase.BUGFIX),
            (out("3.12.10", date(2026, 4, 1), actual=False),),
            "3.12.10 is still expected, on 2026-04-01",
        ),
        (
            Phase.SECURITY,
            a_branch(Phase.BUGFIX, end_of_bugfix=date(2026, 12, 1)),
            (),
            "bugfix releases of 3.12 end on 2026-12-01",
        ),
        (Phase.BUGFIX, a_branch(Phase.PRERELEASE), (out("3.12.0"),), ""),
        (
            Phase.BUGFIX,
            a_branch(Phase.PRERELEASE),
            (out("3.12.0", actual=False),),
            "3.12.0 is not out; it is expected on 2023-10-02",
        ),
    ],
)
def test_it_is_time_when_the_schedule_says_so(
    enters: Phase, branch: Branch, stages: tuple[Stage, ...], problem: str, a_release: Builds
) -> None:
    schedules = a_schedule(branch, *stages)
    found = checks.it_is_time(a_release("3.12.0"), enters, schedules, Still())
    assert [each.message for each in found] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("enters", "branch", "declared", "problem"),
    [
        (Phase.END_OF_LIFE, ENDED, date(2026, 11, 29), ""),
        (
            Phase.END_OF_LIFE,
            ENDED,
            date(2031, 1, 1),
            "it says 2031-01-01, and today is 2026-11-29 in UTC",
        ),
        (
            Phase.END_OF_LIFE,
            ENDED,
            date(2020, 1, 1),
            "it says 2020-01-01, and 3.12 is supported until 2026-11-28",
        ),
        (
            Phase.BUGFIX,
            a_branch(Phase.PRERELEASE),
            date(2023, 10, 1),
            "it says 2023-10-01, and 3.12.0 came out on 2023-10-02",
        ),
        (Phase.BUGFIX, a_branch(Phase.PRERELEASE), date(2023, 10, 2), ""),
        (Phase.END_OF_LIFE, a_branch(Phase.END_OF_LIFE), date(2020, 1, 1), ""),
    ],
)
def test_declared_day_is_past_and_was_not_too_early(
    enters: Phase, branch: Branch, declared: date, problem: str, a_release: Builds
) -> None:
    """The schedule and the tag of an ended branch get that day."""
    schedules = a_schedule(branch, out("3.12.0", date(2023, 10, 2)))
    found = checks.it_is_time(a_release("3.12.0"), enters, schedules, Still(), declared)
    assert [each.message for each in found] == ([problem] if problem else [])


def test_a_schedule_that_cannot_be_read_blocks(a_release: Builds) -> None:
    release, down = a_release("3.12.0"), Told(None)
    for found in (
        checks.phase_is_the_one_before(release, Phase.END_OF_LIFE, down),
        checks.it_is_time(release, Phase.END_OF_LIFE, down, Still()),
    ):
        assert [each.rule for each in found] == ["phase.current"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# Python 3.12 ends\n\nIt does.\n", ""),
        ("# Python ends\n\nIt does.\n", "its title does not name 3.12"),
        ("# Python 3.12 ends\n", "it has a title and no text"),
        (
            "# Python 3.12 ends\n\nSee [python.org](https://evil.example/).\n",
            "has a link that reads python.org and leads to evil.example",
        ),
        (f"# 3.12 {'x' * 260}\n\nIt does.\n", "its title has more than 255 characters"),
    ],
)
def test_announcement_names_the_series_and_says_something(
    text: str, problem: str, a_release: Builds, tmp_path: Path
) -> None:
    file = tmp_path / "announcement.settled.md"
    file.write_text(text)
    found = checks.words_are_ready(a_release("3.12.0"), file)
    assert [each.message for each in found] == ([problem] if problem else [])
