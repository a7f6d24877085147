"""Tests of the checks of phase, PEP and day: as they pass, warn, block and cannot look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from checks import schedule as checks
from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed
from doit_receipts.finding import Severity
from plugins.model.layout import Layout
from plugins.model.release import Phase, Release, known_phase, type_of
from plugins.model.schedule import SCHEDULE_FILE, CycleEntry, Schedule, read_schedule
from plugins.model.series import series_of
from plugins.model.version import Version
from tests.schedule_world import DUE, a_repository

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.ports.clock import Clock

NOW = datetime(2026, 11, 30, tzinfo=UTC)
DOWN = ServiceFailed(service="https://peps.example", action="GET /api", problem="status 500")
STRANGE = StepFailed(where="https://peps.example/api", problem="3.14 status is the text 'odd'")


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


CLOCK: Clock = Still()


class Told:
    """The Schedules port, telling what a test wants; an error is raised."""

    def __init__(
        self, entry: CycleEntry | ReleaseError | None = None, schedule: Schedule | None = None
    ) -> None:
        self._entry = entry
        self._schedule = schedule

    def branch(self, series: str) -> CycleEntry | None:
        assert series
        if isinstance(self._entry, ReleaseError):
            raise self._entry
        return self._entry

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        if self._schedule is None:
            raise DOWN
        return self._schedule


def a_release(text: str, declared: Phase | None = None) -> Release:
    """A release as release.toml declares it."""
    version = Version.parse(text)
    series = series_of(version)
    kind = type_of(version, declared or known_phase(version, series))
    from pathlib import Path  # noqa: PLC0415 - for this line

    return Release(version, kind, series, Layout(Path("/w") / text, version))


def now(phase: Phase | None, pep: int = 745) -> CycleEntry:
    return CycleEntry(phase, pep, "2030-10")


def found(
    release: Release, declared: Phase | None, entry: CycleEntry | ReleaseError | None
) -> tuple[Finding, ...]:
    return checks.phase_is_current(release, declared, Told(entry), CLOCK)


@pytest.mark.parametrize(
    ("version", "declared", "phase", "pep"),
    [
        ("3.14.8", None, Phase.BUGFIX, 745),
        ("3.14.8", Phase.BUGFIX, Phase.BUGFIX, 745),
        ("3.10.21", None, Phase.SECURITY, 619),
        ("3.10.21", Phase.SECURITY, Phase.SECURITY, 619),
        ("3.9.26", Phase.END_OF_LIFE, Phase.END_OF_LIFE, 596),
        ("3.14.5rc1", None, Phase.BUGFIX, 745),
        ("3.15.0rc2", None, Phase.PRERELEASE, 790),
        ("3.16.0a1", None, Phase.FEATURE, 826),
        # once the schedule tells what began with the release
        ("3.16.0b1", Phase.FEATURE, Phase.PRERELEASE, 826),
        ("3.16.0b1", None, Phase.PRERELEASE, 826),
        ("3.15.0", Phase.PRERELEASE, Phase.BUGFIX, 790),
    ],
)
def test_phase_that_agrees_passes(
    version: str, declared: Phase | None, phase: Phase, pep: int
) -> None:
    assert found(a_release(version, declared), declared, now(phase, pep)) == ()


@pytest.mark.parametrize(
    ("version", "declared", "phase", "words"),
    [
        ("3.14.8", Phase.BUGFIX, Phase.SECURITY, "it is bugfix in release.toml, and security at"),
        (
            "3.14.15",
            None,
            Phase.BUGFIX,
            "3.14 is bugfix at peps.python.org, which does not go with 3.14.15",
        ),
        (
            "3.14.8",
            None,
            Phase.SECURITY,
            "3.14 is security at peps.python.org, which does not go with 3.14.8",
        ),
        ("3.14.8", None, Phase.PRERELEASE, "3.14 is prerelease at peps.python.org"),
        (
            "3.14.0rc1",
            None,
            Phase.BUGFIX,
            "3.14 is bugfix at peps.python.org, which does not go with 3.14.0rc1",
        ),
        ("3.14.8", None, None, "3.14 is only planned"),
        ("3.14.15", None, Phase.END_OF_LIFE, "3.14 reached its end of life, 2030-10"),
    ],
)
def test_phase_that_differs_blocks(
    version: str, declared: Phase | None, phase: Phase | None, words: str
) -> None:
    (finding,) = found(a_release(version, declared), declared, now(phase))
    assert (finding.rule, finding.severity) == ("release.phase", Severity.BLOCK)
    assert words in finding.message
    assert finding.remedy


@pytest.mark.parametrize(
    ("version", "declared", "phase"),
    [
        ("3.14.8", Phase.BUGFIX, Phase.SECURITY),
        ("3.14.8", None, Phase.SECURITY),
        ("3.14.15", None, Phase.BUGFIX),
        ("3.14.15", None, Phase.END_OF_LIFE),
    ],
)
def test_remedy_of_a_phase_works(version: str, declared: Phase | None, phase: Phase) -> None:
    (finding,) = found(a_release(version, declared), declared, now(phase))
    assert f'write phase = "{phase.value}"' in finding.remedy
    assert found(a_release(version, phase), phase, now(phase)) == ()


def test_other_pep_blocks_and_its_remedy_works() -> None:
    release = a_release("3.14.8")
    (finding,) = found(release, None, now(Phase.BUGFIX, 9999))
    assert (finding.rule, finding.severity) == ("release.pep", Severity.BLOCK)
    assert finding.remedy == "write release_pep = 9999"
    told = replace(release, series=replace(release.series, release_pep=9999))
    assert found(told, None, now(Phase.BUGFIX, 9999)) == ()
    (unknown,) = found(a_release("3.40.0a1"), None, now(Phase.FEATURE, 9999))
    assert "no PEP is known here" in unknown.message


def test_series_that_is_not_listed_blocks() -> None:
    (finding,) = found(a_release("3.14.8"), None, None)
    assert (finding.rule, finding.severity) == ("release.phase", Severity.BLOCK)
    assert "does not list Python 3.14" in finding.message


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (None, "bugfix final is what the schedule of 2026-08-22 says, 100 days old"),
        (Phase.BUGFIX, "its phase, bugfix, is taken from release.toml"),
    ],
)
def test_phase_that_cannot_be_looked_up_warns_and_tells_its_source(
    declared: Phase | None, words: str
) -> None:
    (finding,) = found(a_release("3.14.8", declared), declared, DOWN)
    assert (finding.rule, finding.severity) == ("release.phase", Severity.WARN)
    assert words in finding.message


def test_status_that_nobody_knows_blocks() -> None:
    (finding,) = found(a_release("3.14.8"), None, STRANGE)
    assert (finding.rule, finding.severity) == ("release.phase", Severity.BLOCK)
    assert "the text 'odd'" in finding.message
    assert "waive release.phase" in finding.remedy


# ── the day ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def told(tmp_path: Path) -> Told:
    """The schedule in which 3.14.8 is due."""
    repository = a_repository(tmp_path, Version.parse("3.14.8"))
    content = repository.text("release_management/python-releases.toml")
    assert content is not None
    return Told(schedule=read_schedule(content.decode()))


@pytest.mark.parametrize(
    ("version", "day", "rule", "severity", "words"),
    [
        ("3.14.8", date(2026, 10, 7), "schedule.day", Severity.WARN,
         "expects 3.14.8 on 2026-10-06, and this release is dated 2026-10-07"),
        ("3.14.8rc1", DUE, "schedule.day", Severity.WARN, "does not expect 3.14.8rc1; date_pep"),
        ("3.14.7", DUE, "schedule.released", Severity.BLOCK, "3.14.7 was released on 2026-09-01"),
    ],
)  # fmt: skip
def test_day_that_is_not_expected_is_told(
    told: Told, version: str, day: date, rule: str, severity: Severity, words: str
) -> None:
    (finding,) = checks.day_is_expected(a_release(version), day, told, CLOCK)
    assert (finding.rule, finding.severity) == (rule, severity)
    assert words in finding.message


def test_expected_and_recorded_days_pass(told: Told) -> None:
    assert checks.day_is_expected(a_release("3.14.8"), DUE, told, CLOCK) == ()
    assert checks.day_is_expected(a_release("3.14.7"), date(2026, 9, 1), told, CLOCK) == ()
    assert checks.day_is_expected(a_release("3.14.15"), DUE, told, CLOCK) == ()


def test_day_of_an_unplanned_release_passes(told: Told) -> None:
    early = date(2026, 9, 3)
    assert checks.day_is_expected(a_release("3.14.8"), early, told, CLOCK, is_unplanned=True) == ()
    (finding,) = checks.day_is_expected(a_release("3.14.7"), early, told, CLOCK, is_unplanned=True)
    assert finding.rule == "schedule.released"


def test_schedule_that_cannot_be_read_is_told() -> None:
    (finding,) = checks.day_is_expected(a_release("3.14.8"), DUE, Told(), CLOCK)
    assert (finding.rule, finding.severity) == ("schedule.day", Severity.WARN)
    assert checks.series_follow(a_release("3.14.8"), None, Told(), CLOCK) == ()


def test_last_bugfix_release_asks_what_becomes_of_the_branch(told: Told) -> None:
    assert checks.series_follow(a_release("3.14.8"), None, told, CLOCK) == ()
    (finding,) = checks.series_follow(a_release("3.14.10"), None, told, CLOCK)
    assert (finding.rule, finding.severity) == ("schedule.last_bugfix", Severity.WARN)
    assert checks.series_follow(a_release("3.14.10"), Phase.SECURITY, told, CLOCK) == ()


def test_first_beta_needs_the_next_series(tmp_path: Path) -> None:
    repository = a_repository(tmp_path, Version.parse("3.16.0b1"))
    content = repository.text("release_management/python-releases.toml")
    assert content is not None
    whole = read_schedule(content.decode())
    release = a_release("3.16.0b1")
    assert checks.series_follow(release, None, Told(schedule=whole), CLOCK) == ()
    fewer = {name: each for name, each in whole.branches.items() if name != "3.17"}
    less = Told(schedule=Schedule(fewer, whole.stages))
    (finding,) = checks.series_follow(release, None, less, CLOCK)
    assert (finding.rule, finding.severity) == ("schedule.next_series", Severity.WARN)


def test_alpha_needs_the_next_series_some_weeks_before_the_first_beta(tmp_path: Path) -> None:
    release = a_release("3.16.0a6")
    day = date(2026, 11, 30)  # b1 is two times 35 days after that
    content = a_repository(tmp_path, release.version, day).text(SCHEDULE_FILE)
    assert content is not None
    near = Told(schedule=read_schedule(content.decode()))
    (finding,) = checks.series_follow(release, None, near, CLOCK)
    assert (finding.rule, finding.severity) == ("schedule.next_series", Severity.WARN)
    assert finding.message == (
        "the schedule has no 3.17, which main is from 3.16.0 beta 1 on, expected on 2027-02-08"
    )
    assert "[next_series]" in finding.remedy
    assert checks.series_follow(release, None, near, CLOCK, is_proposed=True) == ()
    early = a_repository(tmp_path / "early", Version.parse("3.16.0a1"), day).text(SCHEDULE_FILE)
    assert early is not None
    far = Told(schedule=read_schedule(early.decode()))
    assert checks.series_follow(a_release("3.16.0a1"), None, far, CLOCK) == ()


def test_day_that_is_not_declared_is_today(told: Told) -> None:
    (finding,) = checks.day_is_expected(a_release("3.14.8"), None, told, CLOCK)
    assert "this release is dated 2026-11-30" in finding.message
