"""Branch end: whether upstream would take the tag of an ended branch, and let the branch go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Finding, Severity
from plugins.ports.git import RefUpdate

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.git import Clone, Remote
    from plugins.ports.github import Rulesets

__all__ = ["no_ruleset_keeps_it", "tag_would_be_taken"]


@judges("access.push")
def tag_would_be_taken(
    release: Release, clone: Clone, remote: Remote, tag: str
) -> tuple[Finding, ...]:
    """Upstream accepts a push of this tag: it is tried without any effect."""
    ref = f"refs/tags/{release.version.series}"
    try:
        if not remote.refs(ref)[ref]:
            remote.push(clone.folder, [RefUpdate(ref, tag)], dry_run=True)
    except ServiceFailed as error:
        where = f"upstream {remote.address}"
        return (Finding("access.push", Severity.BLOCK, error.problem, where, error.remedy),)
    return ()


@judges("access.rulesets", blind="access.rulesets")
def no_ruleset_keeps_it(release: Release, rulesets: Rulesets) -> tuple[Finding, ...]:
    """No rule of a ruleset refuses that the branch is deleted by us."""
    return tuple(
        Finding(
            "access.rulesets",
            Severity.BLOCK,
            f"ruleset {each.ruleset} keeps anybody from deleting the branch",
            where=release.branch,
            remedy="ask an administrator to add release managers to those who may bypass it",
        )
        for each in rulesets.rulesets(release.branch)
        if each.kind == "deletion" and not each.passed
    )
