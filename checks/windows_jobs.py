"""Windows jobs: whether the pipeline built, packed and tested all that its form has boxes for.

A run ends well also if a box was left empty, or its tests were switched off by a variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.windows_build import jobs_of

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.pipeline import Pipeline

__all__ = ["every_job_ran"]

_WELL: Final = ("succeeded", "succeededWithIssues")
_TEST: Final = "Test "


@judges("windows.job", "windows.tests", blind="windows.unseen")
def every_job_ran(release: Release, pipeline: Pipeline, run: str) -> tuple[Finding, ...]:
    """Each job that this series has has run and succeeded, and no test of one was skipped.

    Profile, packages, installers by architecture and kind of user (X04, X08, X10, X11, WN10,
    WN11). Nothing of ARM64 is tested there, and installers go into a folder of the test's own.
    """
    records = pipeline.timeline(int(run))
    jobs = {each.name: each for each in records if each.kind == "Job"}
    where = f"Windows run {run}"
    found = []
    for kind, names in jobs_of(release).items():
        results = {name: jobs[name].result if name in jobs else "" for name in names}
        lacking = [name.removeprefix(f"{kind} ") for name in names if results[name] not in _WELL]
        if lacking:
            problem = f"{kind} did not run or succeed for {', '.join(lacking)}"
            found.append(Finding("windows.job", Severity.WARN, problem, where))
    names_by_id = {each.id: each.name for each in jobs.values() if each.name.startswith(_TEST)}
    found += [
        Finding("windows.tests", Severity.WARN, f"{name} skipped {', '.join(steps)}", where)
        for id_, name in names_by_id.items()
        if (steps := [each.name for each in records
                      if each.parent == id_ and each.kind == "Task" and each.result == "skipped"])
    ]  # fmt: skip
    return tuple(found)
