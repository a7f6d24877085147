"""18. Close: the schedule of the PEPs, the tracker, and what is left on your fork."""

from __future__ import annotations

from chapters.announce import await_train
from chapters.before import choose_day, deadline, today
from chapters.release import (
    follows,
    is_new_branch,
    leads,
    others,
    plan,
    release,
    services,
    settings,
    train,
)
from chapters.upstream import push_upstream
from chapters.website import publish_page, tell_lead
from doit_receipts.calls import call, deferred
from plugins.model.release import ReleaseType
from plugins.steps import branch_opened, day, fork, next_schedule, schedule, site_status, tracker
from plugins.steps import train as trains

recorded = deferred(
    schedule.recorded_of,
    release,
    today,
    settings.series.next_phase,
    is_unplanned=settings.series.unplanned,
)


besides = {"besides": deferred(trains.besides, others)} if leads else {}


@plan.shared(
    after=[publish_page, choose_day, *([await_train] if leads else [])],
    look=schedule.look_proposed,
    pep="A09 I03 Z27",
    only=not follows,
)
def date_pep():
    """Ask, by a pull request, to record the release in the schedule and its PEP."""
    return call(
        schedule.propose,
        release,
        services.peps,
        recorded,
        services.programs,
        services.progress,
        **besides,
    )


@plan.step(
    after=[tell_lead],
    extra_inputs={"lead": call(trains.once_results, train.lead)} if train else {},
    only=follows,
)
def await_lead():
    """Take over what the lead of the train did for all releases: announcement and schedule."""
    return call(trains.take_over, train.lead) if train else None


@plan.step(after=[await_lead if follows else date_pep], pep="Z27")
def await_schedule():
    """Wait until peps.python.org has the release as released; nothing else waits for it."""
    return call(
        schedule.await_published,
        release,
        services.schedules,
        services.peps,
        recorded,
        services.clock,
        pull=plan.fact(await_lead if follows else date_pep, "pull request"),
        until=deadline,
    )


becomes = settings.series.next_phase
first_of_its_phase = is_new_branch or release.type is ReleaseType.FEATURE_FINAL


@plan.shared(
    after=[await_schedule],
    look=site_status.look_shown,
    only=first_of_its_phase or becomes is not None,
)
def purge_status():
    """Purge the pages of python.org that show the new phase, once the site has it."""
    return call(
        site_status.purge_shown,
        release,
        deferred(site_status.entered_with, release, becomes),
        services.schedules,
        services.public_client,
        services.cdn,
        services.clock,
        services.progress,
        until=deadline,
    )


# The schedule is one file: two pull requests at once would be merged by hand.
@plan.shared(
    after=[await_schedule],
    look=next_schedule.look_series,
    pep="P14",
    only=bool(settings.next_series.manager),
)
def propose_series():
    """Ask, by a pull request, for the schedule of the next series: its PEP, days and owner."""
    return call(
        next_schedule.propose_series,
        release,
        services.peps,
        settings.next_series,
        today,
        services.programs,
        services.progress,
    )


# Not before the last gate that looks for blockers: what is turned would shut it for good.
@plan.shared(after=[publish_page], look=tracker.look_flipped, pep="K01")
def flip_blockers():
    """Turn deferred blockers of this release into blockers of the next one."""
    return call(tracker.flip_deferred, release, services.github, services.progress)


@plan.shared(
    after=[push_upstream],
    look=tracker.look_labelled,
    pep="M22 Z26 K02 K04 I01 I02",
    only=is_new_branch,
)
def make_labels():
    """Make the labels of the new series: what is about it, and what is to be backported to it."""
    return call(tracker.make_labels, release, services.github)


@plan.step(after=[make_labels], pep="I07", only=is_new_branch)
def await_backports():
    """Look for some days whether the bots backport to the new branch."""
    return call(
        branch_opened.await_backports,
        release,
        services.github,
        services.clock,
        services.progress,
        until=deferred(day.deadline, today, branch_opened.BOT_DAYS),
    )


@plan.step(after=[push_upstream], pep="Q03 K03 K06")
def write_triage():
    """List the open issues of the series that are worth a look."""
    return call(tracker.write_triage, release, services.github)


@plan.shared(after=[push_upstream], look=fork.look_deleted, pep="K07")
def delete_branch():
    """Delete the release's branch on your fork; its tag stays."""
    return call(fork.delete, release, services.clone_to_read, services.fork)
