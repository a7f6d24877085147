"""A branch enters another phase, 2: its end of life; the branch becomes a tag and goes."""

from __future__ import annotations

from chapters.moment import (
    check_moment,
    check_rights,
    check_words,
    choose_day,
    ends_life,
    settle_words,
)
from chapters.release import at, plan, release, services
from checks import access
from checks import branch_end as branch_checks
from doit_receipts.calls import call
from doit_receipts.task import Effect
from plugins.steps import branch_end, tag, tracker_end


@plan.step(
    effect=Effect.CLONE,
    after=[check_moment],
    writes=[at.clone_ref(branch_end.HEAD), at.made / branch_end.UNRELEASED],
    only=ends_life,
    pep="L01 L04",
)
def find_head():
    """Find the last commit of the branch, and list what no release has."""
    return call(
        branch_end.find_head,
        release,
        services.clone,
        services.base,
        services.upstream,
        services.schedules,
    )


head = plan.fact(find_head, "head")


@plan.step(
    effect=Effect.CLONE,
    after=[find_head],
    writes=[branch_end.tag_file(release)],
    signs=True,
    only=ends_life,
    pep="L05",
)
def make_end_tag():
    """Make the tag, named as the branch, on its last commit; signed where the series is."""
    return call(
        tag.make,
        release,
        services.clone,
        services.base,
        services.signer,
        services.clock,
        after=branch_end.HEAD,
        remotes=services.upstream_alone,
        named=branch_end.named(release),
    )


tagged = plan.fact(make_end_tag, "tag")


@plan.step(
    after=[check_moment],
    writes=[at.made / tracker_end.LISTED, at.made / tracker_end.SHOWN],
    only=ends_life,
    pep="L15 K05",
)
def list_tracker():
    """List every open issue and pull request of the series, and what becomes of it."""
    return call(tracker_end.list_open, release, services.tracker, services.schedules)


@plan.approval(
    who="RM",
    of=[choose_day, settle_words, check_words, find_head, make_end_tag, list_tracker],
    only=ends_life,
    pep="L01 L15",
)
def approve_end():
    """The release manager approves the end: no last release, the tag, the lists, the words."""


ready = [approve_end, check_moment, check_rights]


@plan.gate(after=[approve_end], volatile=True, only=ends_life, pep="L04 L06")
def check_end():
    """Stop unless pushes to upstream are accepted, and nothing keeps the branch from going."""
    return [
        call(access.upstream_is_protected, release, services.github),
        call(branch_checks.tag_would_be_taken, release, services.clone, services.upstream, tagged),
        call(branch_checks.no_ruleset_keeps_it, release, services.github),
    ]


@plan.public(after=[*ready, check_end], look=branch_end.look_tagged, only=ends_life, pep="L06")
def push_end_tag():
    """Push the tag that names the last state of the branch, and read it back."""
    return call(
        branch_end.push_tag,
        release,
        services.clone,
        services.upstream,
        services.progress,
        tag=tagged,
        head=head,
    )


@plan.public(after=[*ready, push_end_tag], look=tracker_end.look_closed, only=ends_life, pep="L15")
def close_pulls():
    """Close the listed pull requests into the branch, each with a word why."""
    return call(tracker_end.close_pulls, release, services.tracker, services.progress)


@plan.public(
    after=[*ready, push_end_tag, close_pulls],
    look=branch_end.look_deleted,
    only=ends_life,
    pep="L07",
)
def delete_series_branch():
    """Delete the branch, which the tag names, its protection lifted for that moment only."""
    return call(
        branch_end.delete,
        release,
        services.clone,
        services.upstream,
        services.github,
        services.progress,
        tag=tagged,
        head=head,
    )
