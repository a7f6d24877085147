"""Base commit: whether CI passed for the very commit that is released.

Source: PEP 11 ("CI failures block releases") and the status page of the devguide, which names
the workflow build.yml of python/cpython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from plugins.ports.git import Base
    from plugins.ports.github import CommitChecks, Job, Run

__all__ = ["base_commit_is_green"]

_RULE: Final = "ci.base_commit"
_WORKFLOW: Final = "build.yml"
_GOOD: Final = ("success", "neutral", "skipped")
_TELLS_NOTHING: Final = ("cancelled", "skipped", "stale", "neutral")
"""Conclusions of a run that was not finished, and so says nothing of the commit."""


@judges(blind="ci.base_commit")
def base_commit_is_green(base: Base, checks: CommitChecks) -> tuple[Finding, ...]:
    """The newest run of build.yml for the base commit passed.

    If that workflow never ran for it to an end, every check of the commit has to have passed, and
    there has to be one.
    """
    commit = base.commit()
    runs = checks.runs_of(_WORKFLOW, commit)
    telling = [each for each in runs if each.conclusion not in _TELLS_NOTHING]
    if telling:
        newest = max(telling, key=lambda run: run.id)
        return tuple(_of(newest, f"{_WORKFLOW} for {commit[:12]}", newest.conclusion))
    jobs = checks.check_runs(commit)
    if not any(each.conclusion == "success" for each in jobs):
        return (
            Finding(
                _RULE,
                Severity.BLOCK,
                f"no run of {_WORKFLOW} and no check of upstream passed for this commit",
                f"base commit {commit[:12]}",
                "wait until CI has run for it, or release from the last commit that it passed",
            ),
        )
    return tuple(
        finding
        for each in jobs
        for finding in _of(each, f"{each.name} for {commit[:12]}", each.conclusion)
    )


def _of(looked_at: Run | Job, what: str, conclusion: str) -> tuple[Finding, ...]:
    if conclusion in _GOOD:
        return ()
    message = f"{what} ended in {conclusion}" if conclusion else f"{what} is still running"
    remedy = (
        "release from a commit that CI passed, or have the run done again"
        if conclusion
        else "wait until it has ended"
    )
    return (Finding(_RULE, Severity.BLOCK, message, looked_at.url, remedy),)
