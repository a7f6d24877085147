"""Schedule: whether release.toml agrees with what the PEPs say of branch and day on this day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import ReleaseError, ServiceFailed, SettingsError, StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.next_schedule import following
from plugins.model.release import Phase, ReleaseType, type_of
from plugins.model.schedule_edit import ends_bugfix
from plugins.model.series import TABLE_DAY
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from datetime import date

    from plugins.model.release import Release
    from plugins.model.schedule import CycleEntry
    from plugins.ports.clock import Clock
    from plugins.ports.schedules import Schedules

__all__ = ["day_is_expected", "phase_is_current", "series_follow"]

# Nobody expects these: they come when there is something to fix (the schedule lists past ones).
_UNDATED: Final = (ReleaseType.SECURITY_FINAL, ReleaseType.SECURITY_CANDIDATE)
_SOON: Final = timedelta(weeks=14)


@judges("release.pep", blind="release.phase")
def phase_is_current(
    release: Release, declared: Phase | None, schedules: Schedules, clock: Clock
) -> tuple[Finding, ...]:
    """Phase and PEP of the branch are those that release-cycle.json gives today (R01).

    Where that cannot be reached, what is declared or known here counts, with a warning.
    """
    try:
        entry = schedules.branch(release.version.series)
    except ServiceFailed as error:
        return (_by_the_table(release, declared, clock, error),)
    except StepFailed as error:
        return (
            Finding(
                "release.phase",
                Severity.BLOCK,
                error.problem,
                error.where,
                "have it corrected in the PEPs' repository, or waive release.phase",
            ),
        )
    if entry is None:
        return (
            Finding(
                "release.phase",
                Severity.BLOCK,
                f"peps.python.org does not list Python {release.version.series}",
                "[series] phase",
                "have the series added to the schedule of the PEPs, or waive release.phase",
            ),
        )
    return (*_phase_findings(release, declared, entry), *_pep_findings(release, entry))


def _by_the_table(
    release: Release, declared: Phase | None, clock: Clock, error: ServiceFailed
) -> Finding:
    days = (clock.now().date() - TABLE_DAY).days
    known = (
        f"its phase, {declared.value}, is taken from release.toml"
        if declared
        else (
            f"{_kind(release)} is what the schedule of {TABLE_DAY} says, {counted(days, 'day')} old"
        )
    )
    return Finding(
        "release.phase",
        Severity.WARN,
        f"the phase of {release.version.series} can't be looked up ({error.problem}); {known}",
        error.where,
        "look at peps.python.org/api/release-cycle.json, or run the same command again",
    )


def _phase_findings(
    release: Release, declared: Phase | None, entry: CycleEntry
) -> tuple[Finding, ...]:
    version, now = release.version, entry.phase
    if now is None:
        problem, wanted = f"{version.series} is only planned", "see that version is right"
    elif declared and declared is not now and not _has_just_begun(release, declared, now):
        problem = f"it is {declared.value} in release.toml, and {now.value} at peps.python.org"
        wanted = _remedy(version, now)
    elif not _fits(release, now):
        problem = (
            f"{version.series} is {now.value} at peps.python.org, which does not go with {version},"
        )
        problem += f" a {_kind(release)}"
        wanted = _remedy(version, now)
    elif now is Phase.END_OF_LIFE and declared is None:
        problem = f"{version.series} reached its end of life, {entry.end_of_life}"
        wanted = 'if it is released all the same, write phase = "end-of-life" under [series]'
    else:
        problem, wanted = "", ""
    if not problem:
        return ()
    return (Finding("release.phase", Severity.BLOCK, problem, "[series] phase", wanted),)


def _fits(release: Release, now: Phase) -> bool:
    try:
        return type_of(release.version, now) is release.type
    except SettingsError:
        return False


def _remedy(version: Version, now: Phase) -> str:
    try:
        type_of(version, now)
    except SettingsError:
        return "see that version is the one to release, or waive release.phase"
    return f'write phase = "{now.value}" under [series]'


def _kind(release: Release) -> str:
    """Its type in words, such as ``bugfix final``."""
    return release.type.name.lower().replace("_", " ")


def _has_just_begun(release: Release, declared: Phase | None, now: Phase) -> bool:
    """Whether the phase is the one that begins with this release, recorded meanwhile."""
    begun = {
        ReleaseType.NEW_BRANCH: (Phase.FEATURE, Phase.PRERELEASE),
        ReleaseType.FEATURE_FINAL: (Phase.PRERELEASE, Phase.BUGFIX),
    }
    return begun.get(release.type) == (declared, now)


def _pep_findings(release: Release, entry: CycleEntry) -> tuple[Finding, ...]:
    if release.series.release_pep == entry.pep:
        return ()
    known = release.series.release_pep
    return (
        Finding(
            "release.pep",
            Severity.BLOCK,
            f"the schedule of {release.version.series} is PEP {entry.pep}, and "
            + (f"PEP {known} is used here" if known else "no PEP is known here"),
            "[series] release_pep",
            f"write release_pep = {entry.pep}",
        ),
    )


@judges("schedule.day", "schedule.released")
def day_is_expected(
    release: Release,
    declared: date | None,
    schedules: Schedules,
    clock: Clock,
    *,
    is_unplanned: bool = False,
) -> tuple[Finding, ...]:
    """The declared day of the release, or today, is the one that the schedule expects (R05).

    What is expected later keeps its days; an unplanned release, such as a hotfix, moves its
    numbers. A schedule that can't be read is no reason to stop.
    """
    version, day = release.version, declared or clock.now().date()
    try:
        stage = schedules.schedule().stage(version)
    except ReleaseError as error:
        message = f"the expected day can't be looked up: {error.problem}"
        return (Finding("schedule.day", Severity.WARN, message, error.where, error.remedy),)
    if stage is None and release.type in _UNDATED:
        return ()
    if stage is None:
        return (
            Finding(
                "schedule.day",
                Severity.WARN,
                f"the schedule does not expect {version}; date_pep inserts it with {day}",
                "[series] and date",
                "see whether later releases of the series need new numbers or dates there",
            ),
        )
    if stage.day == day or (is_unplanned and not stage.actual):
        return ()
    if stage.actual:
        return (
            Finding(
                "schedule.released",
                Severity.BLOCK,
                f"the schedule says that {stage.name} was released on {stage.day},"
                f" and this release is dated {day}",
                "[series] and date",
                f"if it is the same release, write date = {stage.day}; if not, write the version"
                ' that it is: version = "…"',
            ),
        )
    return (
        Finding(
            "schedule.day",
            Severity.WARN,
            f"the schedule expects {stage.name} on {stage.day}, and this release is dated {day}",
            "[series] and date",
            f"write date = {stage.day}, or release on {day}; if it was made besides what was"
            " planned, write unplanned = true under [series]",
        ),
    )


@judges("schedule.next_series", "schedule.last_bugfix")
def series_follow(
    release: Release,
    becomes: Phase | None,
    schedules: Schedules,
    clock: Clock,
    *,
    is_proposed: bool = False,
) -> tuple[Finding, ...]:
    """What begins with this release is in the schedule, or declared: X.Y+1, or the next phase.

    X.Y+1 is main from X.Y.0b1 on, and has to be planned some weeks before; alphas say so, unless
    they propose it themselves (P14). Source: python/peps f29099efb, ten weeks before 3.15.0b1.
    """
    version = release.version
    try:
        schedule = schedules.schedule()
    except ReleaseError:
        return ()  # reported by schedule.day
    series = following(version)
    if series not in schedule.branches:
        if release.type is ReleaseType.NEW_BRANCH:
            return (
                _not_planned(
                    f"{series}, which main is from {version} on",
                    f"have {series} added there with its PEP; date_pep waits for it",
                ),
            )
        beta = schedule.stage(Version(version.major, version.minor, 0, Level.BETA, 1))
        is_soon = beta is not None and beta.day - clock.now().date() <= _SOON
        if release.type is ReleaseType.ALPHA and beta and is_soon and not is_proposed:
            return (
                _not_planned(
                    f"{series}, which main is from {beta.name} on, expected on {beta.day}",
                    "write manager, login and pep under [next_series]; propose_series asks for it",
                ),
            )
    if becomes is None and ends_bugfix(schedule, version):
        return (
            Finding(
                "schedule.last_bugfix",
                Severity.WARN,
                f"the schedule expects no bugfix release after {version}",
                "[series] becomes",
                'write becomes = "security", or leave it if another bugfix release comes',
            ),
        )
    return ()


def _not_planned(what: str, remedy: str) -> Finding:
    return Finding(
        "schedule.next_series",
        Severity.WARN,
        f"the schedule has no {what}",
        "python-releases.toml",
        remedy,
    )
