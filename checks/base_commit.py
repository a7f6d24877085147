"""Base commit: whether CI passed for the very commit that is released.

Source: PEP 11 ("CI failures block releases") and the status page of the devguide, which names
the workflow build.yml of python/cpython. It runs for what a push ends with (``on: push``), and no
push ends with a release commit: "Post X.Y.Z" comes after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable
from plugins.ports.git import git_in

if TYPE_CHECKING:
    from plugins.ports.git import Base
    from plugins.ports.github import CommitChecks, Job, Run

__all__ = ["base_commit_is_green"]

_RULE: Final = "ci.base_commit"
_WORKFLOW: Final = "build.yml"
_GOOD: Final = ("success", "neutral", "skipped")
_TELLS_NOTHING: Final = ("cancelled", "skipped", "stale", "neutral")
"""Conclusions of a run that was not finished, and so says nothing of the commit."""
_NEAR: Final = 10
"""How many commits after a release's own are asked about: the merge, "Post X.Y.Z" and a few."""


@judges(blind="ci.base_commit")
def base_commit_is_green(base: Base, checks: CommitChecks) -> tuple[Finding, ...]:
    """The newest run of build.yml for the base commit passed.

    If that workflow never ran for it to an end, every check of the commit has to have passed, and
    there has to be one. Where neither was ever done for a release's tag, the first commit after it
    for which one was counts in its place, and a note says so.
    """
    commit = base.commit()
    told = _told(commit, checks)
    if told is not None:
        return told
    tag = next((each.name for each in base.tags() if each.commit == commit), "")
    for later in base.later(commit, _NEAR) if tag else ():
        told = _told(later, checks)
        if told is not None:
            subject = printable(base.about(later).message.partition("\n")[0])
            message = (
                f"no push ended with {tag}, so CI did not run for it; judged by the first commit "
                f"after it that has a run, {later[:12]} ({subject})"
            )
            return (Finding(_RULE, Severity.NOTE, message, f"base commit {commit[:12]}"), *told)
    fetch = git_in(base.folder, "fetch", "upstream") if tag else ""
    return (
        Finding(
            _RULE,
            Severity.BLOCK,
            f"no run of {_WORKFLOW} and no check of upstream passed for this commit"
            + (f", {tag}, or for one after it" if tag else ""),
            f"base commit {commit[:12]}",
            f"{fetch}, if the clone lacks the commits after {tag}; or have CI run for it: "
            f"gh workflow run {_WORKFLOW} --ref {tag}"
            if tag
            else "wait until CI has run for it, or release from the last commit that it passed",
        ),
    )


def _told(commit: str, checks: CommitChecks) -> tuple[Finding, ...] | None:
    """What CI says against the commit; None if it says nothing of it at all."""
    runs = checks.runs_of(_WORKFLOW, commit)
    telling = [each for each in runs if each.conclusion not in _TELLS_NOTHING]
    if telling:
        newest = max(telling, key=lambda run: run.id)
        return _of(newest, f"{_WORKFLOW} for {commit[:12]}", newest.conclusion)
    jobs = checks.check_runs(commit)
    if all(each.conclusion in _TELLS_NOTHING for each in jobs):
        return None
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
