"""Phase: whether it is time that a branch enters another phase, and whether it is said right."""

from __future__ import annotations

from calendar import monthrange
from typing import TYPE_CHECKING, Final

from checks.announcement import where_to_edit
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.release import Phase
from plugins.model.schedule_edit import phase_before

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.schedule import Branch, Schedule
    from plugins.ports.clock import Clock
    from plugins.ports.schedules import Schedules

__all__ = ["it_is_time", "phase_is_the_one_before", "words_are_ready"]

_TITLE_MOST: Final = 255
_WAIT: Final = "wait until then, or have the day changed in the schedule of the PEPs"


@judges(blind="phase.current")
def phase_is_the_one_before(
    release: Release, phase: Phase, schedules: Schedules
) -> tuple[Finding, ...]:
    """The schedule has the branch in the phase before this one, or in this one already (L00).

    The last bugfix release may have recorded the begin of security-only mode with itself.
    """
    series = release.version.series
    branch = schedules.schedule().branches.get(series)
    if branch is None:
        problem = f"the schedule does not have {series}"
    elif branch.phase in (phase, phase_before(phase)):
        return ()
    else:
        now = branch.phase.value if branch.phase else "planned"
        problem = f"{series} is {now} in the schedule, wanted {phase_before(phase).value}"
    return (
        Finding(
            "phase.current",
            Severity.BLOCK,
            problem,
            "version and kind",
            "write the series and kind that you mean; if the schedule is wrong, have it corrected"
            " in the PEPs' repository",
        ),
    )


@judges("phase.moment", blind="phase.current")
def it_is_time(
    release: Release,
    phase: Phase,
    schedules: Schedules,
    clock: Clock,
    declared: date | None = None,
) -> tuple[Finding, ...]:
    """What the schedule says has come: the first release, the last bugfix, or the end (L00).

    It had come on the ``declared`` day as well, which is past: the schedule and the tag get it.
    """
    schedule, today = schedules.schedule(), clock.now().date()
    branch = schedule.branches.get(release.version.series)
    if branch is None or branch.phase is phase:
        return ()
    problem = _too_early(schedule, branch, phase, today)
    if problem:
        where, remedy = "python-releases.toml", _WAIT
    elif declared and declared > today:
        problem, where = f"it says {declared}, and today is {today} in UTC", "date"
        remedy = "wait until then, or take date out"
    elif declared and (too_early := _too_early(schedule, branch, phase, declared)):
        problem, where = f"it says {declared}, and {too_early}", "date"
        remedy = "write a later day, or take date out to have today"
    else:
        return ()
    return (Finding("phase.moment", Severity.BLOCK, problem, where, remedy),)


@judges("phase.words", blind="phase.words")
def words_are_ready(release: Release, file: Path) -> tuple[Finding, ...]:
    """The settled announcement has a title that names the series, and says something below it.

    It is what it seems to be, as every text that becomes public.
    """
    from plugins.model.disguised import disguises  # noqa: PLC0415 - its patterns

    words = file.read_text(encoding="utf-8")
    title, _, text = words.partition("\n")
    title = title.removeprefix("# ").strip()
    series = release.version.series
    problems = [
        *([] if series in title else [f"its title does not name {series}"]),
        *(
            [f"its title has more than {_TITLE_MOST} characters"]
            if len(title) > _TITLE_MOST
            else []
        ),
        *([] if text.strip() else ["it has a title and no text"]),
        *disguises(words),
    ]
    remedy = where_to_edit(file)
    return tuple(
        Finding("phase.words", Severity.BLOCK, problem, file.name, remedy) for problem in problems
    )


def _too_early(schedule: Schedule, branch: Branch, phase: Phase, today: date) -> str:
    listed = schedule.stages.get(branch.series, ())
    match phase:
        case Phase.BUGFIX:
            first = f"{branch.series}.0"
            out = [each.day for each in listed if each.actual and str(each.version) == first]
            if not out:
                return f"{first} is not out; it is expected on {branch.first_release}"
            return f"{first} came out on {out[0]}" if today < out[0] else ""
        case Phase.SECURITY:
            for each in listed:
                if not each.actual and each.day <= branch.end_of_bugfix:
                    return f"{each.name} is still expected, on {each.day}"
            if today < branch.end_of_bugfix:
                return f"bugfix releases of {branch.series} end on {branch.end_of_bugfix}"
            return ""
        case _:
            last = _last_day(branch.end_of_life)
            return f"{branch.series} is supported until {last}" if today <= last else ""


def _last_day(end: date) -> date:
    """The first day of a month stands for the month, up to the end of life itself."""
    return end.replace(day=monthrange(end.year, end.month)[1]) if end.day == 1 else end
