"""9. Merge back and push: upstream's branches and the tag, exactly and at once."""

from __future__ import annotations

from chapters.before import nothing_came_up
from chapters.commit import make_tag
from chapters.hand_over import push_fork
from chapters.lights import check_lights
from chapters.release import at, is_new_branch, plan, release, services, settings
from chapters.switch import test_downloads
from doit_receipts.calls import call
from doit_receipts.task import Effect
from plugins.model.release import Phase
from plugins.steps import merge_back as merging
from plugins.steps import protection, upstream_push


@plan.step(
    effect=Effect.CLONE,
    after=[make_tag, push_fork],
    writes=merging.written_refs(release, at),
    pep="M02 M03 M04 M05 M06 M07 M08 M09 M10 M11 M12 N01 N02 N04 N06 N07 N08 N09 N10 N11 N12 N13"
    " N14 N18 N19 E11 Z25",
)
def merge_back():
    """Merge the release into upstream's current branches, and set the version that follows."""
    return call(
        merging.make,
        release,
        services.clone,
        services.merge_clone,
        services.base,
        services.upstream,
        services.progress,
        by_hand=settings.repository.merged_by_hand,
    )


@plan.step(
    after=[merge_back],
    writes=[at.made / merging.DIFF.format(branch) for branch in merging.branches_of(release)],
    pep="M13",
)
def write_merge():
    """Show all that upstream's branches get, for a person to read."""
    return call(merging.review, release, services.merge_clone)


@plan.approval(who="RM", of=[write_merge], pep="M13")
def approve_merge():
    """The release manager has read what upstream's branches get."""


@plan.gate(
    after=[merge_back, approve_merge, test_downloads, check_lights],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_upstream():
    """Stop the push if a blocker, a red builder or another schedule has come up meanwhile."""
    return nothing_came_up


@plan.public(
    after=[merge_back, approve_merge, test_downloads, check_lights, check_before_upstream],
    look=upstream_push.look_pushed,
    pep="M01 M14 M15 M16 M17 M18 M19 M20a M20b M20 M23",
)
def push_upstream():
    """Push branches and tag to upstream at once, its protection lifted for that moment only."""
    return call(
        upstream_push.push,
        release,
        services.merge_clone,
        services.upstream,
        services.github,
        services.progress,
    )


@plan.shared(after=[push_upstream], look=protection.look_restored, pep="M23")
def restore_protection():
    """Restore the protection of upstream's branches to what it was before the push."""
    return call(protection.restore, services.github, at)


@plan.shared(
    after=[push_upstream, restore_protection],
    look=protection.look_copied,
    pep="M21 I11",
    only=is_new_branch,
)
def copy_protection():
    """Give the new branch the protection of the one before it."""
    return call(protection.copy_rules, release, services.github)


@plan.shared(
    after=[push_upstream, restore_protection],
    look=protection.look_restricted,
    only=settings.series.next_phase is Phase.SECURITY,
)
def restrict_branch():
    """Let nobody but release managers merge into a branch that gets security fixes only."""
    return call(protection.restrict, release, services.github)
