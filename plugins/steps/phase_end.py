"""Phase end: rights that end with a series, and the report with which its branch is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from plugins.model.release import Phase
from plugins.steps.afterwards import not_yet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.model.schedule import Schedule
    from plugins.ports.clock import Clock
    from plugins.ports.github import Tracker
    from plugins.ports.schedules import Schedules

__all__ = ["REPORT", "RIGHTS", "await_rights", "close", "write_rights"]

RIGHTS: Final = "rights.md"
"""The file below ``made/`` that says which rights end, and whom to ask."""
REPORT: Final = "report.md"
"""The file below ``made/`` that says what was done, with what came of it."""
_OWNERS: Final = "the owners of python/cpython"


def write_rights(release: Release, schedules: Schedules) -> dict[str, str]:
    """``made/rights.md`` lists the rights that end with the series, and whom to ask (NEW44, NEW46).

    Whoever still manages a series that is not at its end keeps all of them. Source: devguide,
    development-cycle.rst ("removed as an Administrator"); python/psf-salt#642;
    python/release-tools 1d5829f.
    """
    schedule, series = schedules.schedule(), release.version.series
    branch = schedule.branches.get(series)
    manager = branch.manager if branch else "the release manager"
    kept = _managed(schedule, series)
    lines = [f"# Rights of {manager} after the end of Python {series}", ""]
    if kept:
        lines.append(f"None ends: {manager} is the release manager of {', '.join(kept)} as well.")
    else:
        lines += [
            f"{manager} manages no other supported series. Ask that these end:",
            "",
            f"- the administrator's role in python/cpython: ask {_OWNERS};",
            "- membership of the team release-managers: ask the same people;",
            "- accounts on the downloads and docs hosts: a pull request to python/psf-salt;",
            "- keys and identities stay where users look them up: the releases stay public.",
        ]
    write_whole(release.layout.made / RIGHTS, ("\n".join(lines) + "\n").encode())
    return {"manages": ", ".join(kept) or "no other series"}


def await_rights(
    release: Release, tracker: Tracker, schedules: Schedules, clock: Clock, *, until: datetime
) -> dict[str, str]:
    """The release manager is no administrator of the repository any more, unless another series is
    theirs (NEW44). Raises Waiting until then, StepFailed at ``until``.
    """
    kept = _managed(schedules.schedule(), release.version.series)
    if kept:
        return {"administrator": f"stays, for {', '.join(kept)}"}
    user = tracker.user()
    if tracker.permission(user) == "admin":
        problem = f"{user} is still an administrator of python/cpython, and manages no series"
        wanted = f"end that role (made/{RIGHTS} lists the other rights)"
        not_yet(
            problem,
            "python/cpython",
            clock,
            until=until,
            who=_OWNERS,
            remedy=wanted,
            by_hand=True,
        )
    return {"administrator": "ended"}


def close(release: Release, done: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """``made/report.md`` says of each task what came of it: the series is closed (L25)."""
    lines = [f"# Python {release.name}", ""]
    for task, facts in done.items():
        said = "; ".join(f"{name}: {value}" for name, value in sorted(facts.items()))
        lines.append(f"- `{task}`: {said or 'done'}")
    write_whole(release.layout.made / REPORT, ("\n".join(lines) + "\n").encode())
    return {"tasks": str(len(done))}


def _managed(schedule: Schedule, series: str) -> list[str]:
    """Other series of the same release manager that are not at their end."""
    ours = schedule.branches.get(series)
    return [
        name
        for name, each in schedule.branches.items()
        if ours is not None
        and name != series
        and each.manager == ours.manager
        and each.phase is not Phase.END_OF_LIFE
    ]
