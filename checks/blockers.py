"""Blockers: open issues and pull requests that a release must not go out with (Q01-Q05)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.version import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plugins.model.release import Release
    from plugins.ports.github import Advisories, Issue, Issues

__all__ = [
    "DEFERRED",
    "RELEASE",
    "advisories_are_closed",
    "concerns",
    "no_deferred_blockers",
    "no_release_blockers",
]

RELEASE: Final = "release-blocker"
DEFERRED: Final = "deferred-blocker"
_BACKPORT: Final = "needs backport to "
"""How bedevere's labels begin that ask for a backport."""
_SERIES: Final = re.compile(r"3\.[0-9]+")


@judges(blind="blockers.release")
def no_release_blockers(release: Release, issues: Issues) -> tuple[Finding, ...]:
    """No open issue and no open pull request blocks this release (Q01).

    An issue that is labelled for other series only concerns those; one that names no series
    concerns every release. A pull request concerns the branch that it would be merged into, as
    the backports of security fixes do (devguide, "Python Security Response Team"), and one into
    main each series that it is to be backported to.
    """
    remedy = f"resolve it, or make it a {DEFERRED} on the tracker"
    return _findings("blockers.release", release, issues, RELEASE, remedy)


@judges(blind="blockers.deferred")
def no_deferred_blockers(release: Release, issues: Issues) -> tuple[Finding, ...]:
    """For candidates and finals: nothing that was put off is open any more (Q02)."""
    if release.version.level < Level.CANDIDATE:
        return ()
    remedy = "resolve it, or take the label off on the tracker"
    return _findings("blockers.deferred", release, issues, DEFERRED, remedy)


@judges(blind="blockers.advisories")
def advisories_are_closed(release: Release, advisories: Advisories) -> tuple[Finding, ...]:
    """For candidates and finals: no accepted advisory is still open, or a person has to ask.

    Which they are stays secret, here as well: the number alone is asked for and shown (PEP 811,
    devguide "Python Security Response Team": a draft is accepted; the team announces it by mail
    once the fix is merged into main, and closes it. Nobody publishes it at GitHub).
    """
    if release.version.level < Level.CANDIDATE:
        return ()
    count = advisories.accepted_advisories()
    if count is None:
        return (
            Finding(
                "blockers.advisories",
                Severity.NOTE,
                "your account may not see security advisories, so nobody counted them",
                remedy="ask the Python Security Response Team whether one waits for this release",
            ),
        )
    if not count:
        return ()
    are = "is 1 accepted security advisory" if count == 1 else f"are {count} accepted advisories"
    return (
        Finding(
            "blockers.advisories",
            Severity.WARN,
            f"there {are} that the Python Security Response Team has not closed",
            where="https://github.com/python/cpython/security/advisories",
            remedy="ask the Python Security Response Team which of them this release has to wait "
            "for; the team itself announces each at security-announce@python.org and closes it",
        ),
    )


def concerns(release: Release, found: Iterable[Issue]) -> tuple[Issue, ...]:
    """The issues that are about this release's series, or about no series in particular."""
    return tuple(
        issue
        for issue in found
        if release.version.series in issue.labels or not any(map(_SERIES.fullmatch, issue.labels))
    )


def _findings(
    rule: str, release: Release, issues: Issues, label: str, remedy: str
) -> tuple[Finding, ...]:
    labelled = issues.open_issues(label)
    # GitHub answers with an empty list for a label that was renamed or deleted
    if not labelled and label not in map(str.lower, issues.labels()):
        return (
            Finding(
                rule,
                Severity.BLOCK,
                f"the tracker has no label {label}, so nobody knows what blocks",
                repr(issues),
                "rename the label back on the tracker, or make it again and put it on what blocks",
            ),
        )
    pulls = {release.branch: issues.open_pulls(release.branch, label)}
    if release.branch != "main":
        backport = f"{_BACKPORT}{release.version.series}"
        pulls[f"main, to be backported to {release.version.series}"] = tuple(
            pull for pull in issues.open_pulls("main", label) if backport in pull.labels
        )
    return (
        *(
            Finding(rule, Severity.BLOCK, f"issue {issue.number}: {issue.title}", issue.url, remedy)
            for issue in concerns(release, labelled)
        ),
        *(
            Finding(
                rule,
                Severity.BLOCK,
                f"pull request {pull.number} into {branch}: {pull.title}",
                pull.url,
                f"have it merged, or {remedy}",
            )
            for branch, found in pulls.items()
            for pull in found
        ),
    )
