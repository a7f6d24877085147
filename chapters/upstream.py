"""13. Push upstream: its branches and the tag, exactly and at once."""

from __future__ import annotations

from chapters.before import nothing_came_up
from chapters.lights import check_lights
from chapters.merge import approve_merge, merge_back
from chapters.release import at, is_new_branch, plan, release, services, settings
from chapters.switch import test_downloads
from checks import own_commits
from doit_receipts.calls import call
from plugins.model.release import Phase
from plugins.steps import protection, reservation, upstream_push


@plan.shared(
    after=[merge_back, approve_merge, test_downloads, check_lights],
    look=reservation.look_reserved,
    pep="M21 I11",
    only=is_new_branch,
)
def reserve_branch():
    """Let nobody but administrators push to the new branch, from before it exists."""
    return call(reservation.reserve, release, services.reservations, services.github)


reserved = [reserve_branch] if is_new_branch else []


@plan.gate(
    after=[merge_back, approve_merge, test_downloads, check_lights, *reserved],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_upstream():
    """Stop the push if a blocker, a red builder or another schedule has come up meanwhile."""
    merged = (release, services.merge_clone, services.programs)
    return [*nothing_came_up, call(own_commits.merge_is_of_true_objects, *merged)]


@plan.public(
    after=[
        merge_back,
        approve_merge,
        test_downloads,
        check_lights,
        check_before_upstream,
        *reserved,
    ],
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
    after=[copy_protection], look=reservation.look_lifted, pep="M21 I11", only=is_new_branch
)
def lift_reservation():
    """Delete the reservation of the new branch, which has its own protection now."""
    return call(reservation.lift, release, services.reservations, services.github)


@plan.shared(
    after=[push_upstream, restore_protection],
    look=protection.look_restricted,
    only=settings.series.next_phase is Phase.SECURITY,
)
def restrict_branch():
    """Let nobody but release managers merge into a branch that gets security fixes only."""
    return call(protection.restrict, release, services.github)
