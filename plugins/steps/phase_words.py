"""Phase words: what people are told of a branch's new phase, drafted from the schedule."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from plugins.steps.announcement_draft import DRAFT

if TYPE_CHECKING:
    from plugins.model.release import Phase, Release
    from plugins.model.schedule import Schedule
    from plugins.ports.schedules import Schedules
    from plugins.ports.templates import Templates

__all__ = ["draft", "following_series"]


def draft(
    release: Release, phase: Phase, schedules: Schedules, templates: Templates, author: str
) -> dict[str, str]:
    """A draft of what forum and blog are told is in ``made/announcement.md`` (L22, L24).

    The last release and the end of support are those of the schedule. Raises StepFailed if that
    does not have the series.
    """
    series, schedule = release.version.series, schedules.schedule()
    branch = schedule.branches.get(series)
    if branch is None:
        raise StepFailed(
            where="python-releases.toml",
            problem=f"does not have series {series}",
            remedy="check version in release.toml",
        )
    out = [each.version for each in schedule.stages[series] if each.actual]
    text = templates.fill(
        "phase.md",
        {
            "phase": phase.value,
            "series": series,
            "last": str(max(out)) if out else "",
            "ends": f"{branch.end_of_life:%B %Y}",
            "following": following_series(schedule, series),
            "pep": branch.pep,
            "signed": f"Your release manager,\n{author}",
        },
    )
    write_whole(release.layout.made / DRAFT, text.encode())
    return {"digest": hashlib.sha256(text.encode()).hexdigest()}


def following_series(schedule: Schedule, series: str) -> str:
    """The oldest series after this one that has begun and is not at its end.

    Raises StepFailed if the schedule has none.
    """
    ours = _key(series)
    later = [
        name
        for name, each in schedule.branches.items()
        if _key(name) > ours and each.phase and each.phase.value != "end-of-life"
    ]
    if not later:
        raise StepFailed(
            where="python-releases.toml",
            problem=f"has no supported series after {series}",
            remedy="have the schedule corrected in the PEPs' repository",
        )
    return min(later, key=_key)


def _key(series: str) -> tuple[int, ...]:
    return tuple(map(int, series.split(".")))
