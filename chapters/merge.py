"""11. Merge back: what upstream's branches will get, approved before users see anything."""

from __future__ import annotations

from chapters.commit import make_tag
from chapters.hand_over import push_fork
from chapters.release import at, plan, release, services, settings
from doit_receipts.calls import call
from doit_receipts.task import Effect
from plugins.steps import merge_back as merging


@plan.step(
    effect=Effect.CLONE,
    after=[make_tag, push_fork],
    writes=[at.merged_ref(branch) for branch in release.merge_branches],
    pep="M02 M03 M04 M05 M06 M07 M08 M09 M10 M11 M12 N01 N02 N04 N05 N06 N07 N08 N09 N10 N11 N12"
    " N13 N14 N18 N19 E11 Z25",
)
def merge_back():
    """Merge the release into upstream's current branches, and set the version that follows."""
    return call(
        merging.make,
        release,
        services.clone_to_read,
        services.merge_clone,
        services.base,
        services.upstream,
        services.progress,
        by_hand=settings.repository.merged_by_hand,
    )


@plan.step(
    after=[merge_back],
    writes=[at.merge_diff(branch) for branch in release.merge_branches],
    pep="M13",
)
def write_merge():
    """Show all that upstream's branches get, for a person to read."""
    return call(merging.review, release, services.merge_clone)


@plan.approval(who="RM", of=[write_merge], pep="M13")
def approve_merge():
    """The release manager has read what upstream's branches get."""
