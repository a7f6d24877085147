"""A branch enters another phase, 4: the schedule of the PEPs, the forum and the blog."""

from __future__ import annotations

from chapters.bugfix_mode import mark_bugfix, open_branch
from chapters.end_of_life import approve_end, close_pulls, delete_series_branch, push_end_tag
from chapters.end_of_tracker import (
    delete_backports,
    mark_ended,
    move_issues,
    propose_builders,
    propose_guide,
)
from chapters.moment import (
    approve_change,
    author,
    choose_day,
    deadline,
    ends_life,
    enters,
    settle_words,
    today,
)
from chapters.release import at, plan, release, services, settings
from chapters.security_only import mark_security, restrict_merges
from doit_receipts.calls import call, deferred
from plugins.model.release import ReleaseType
from plugins.steps import (
    blog,
    blog_site,
    docs_site,
    forum_post,
    phase_end,
    phase_schedule,
    site_status,
)

announce = settings.announce
change = deferred(phase_schedule.entered_of, release, enters, today)
# Those of this kind alone: one that it lacks would stand for gates that are over.
happened = {
    ReleaseType.BEGIN_BUGFIX: [open_branch, mark_bugfix],
    ReleaseType.BEGIN_SECURITY: [restrict_merges, mark_security],
    ReleaseType.END_OF_LIFE: [delete_series_branch],
}.get(release.type, [])
approved = [choose_day, approve_end if ends_life else approve_change]


@plan.shared(after=[*approved, *happened], look=phase_schedule.look_entered, pep="L11 I03")
def record_phase():
    """Ask, by a pull request, that the schedule has the branch in its new phase."""
    return call(
        phase_schedule.propose_entered,
        release,
        services.peps,
        change,
        services.programs,
        services.progress,
    )


@plan.step(after=[record_phase], pep="L11 I03")
def await_phase():
    """Wait until peps.python.org has the branch in its new phase."""
    return call(
        phase_schedule.await_entered,
        release,
        services.schedules,
        services.peps,
        change,
        services.clock,
        pull=plan.fact(record_phase, "pull request"),
        until=deadline,
    )


@plan.shared(after=[await_phase], look=site_status.look_shown, pep="Z28" if ends_life else "")
def purge_status():
    """Purge the pages of python.org that show the phase, once the site has it; nothing waits."""
    return call(
        site_status.purge_shown,
        release,
        enters,
        services.schedules,
        services.public_client,
        services.cdn,
        services.clock,
        services.progress,
        until=deadline,
    )


@plan.public(after=[*approved, settle_words, *happened], look=forum_post.look_posted, pep="L22 A07")
def post_words():
    """Post to the forum what changes for the core team and for users."""
    return call(
        forum_post.post, release, services.forum, announce.forum_category, services.progress
    )


@plan.public(
    after=[*approved, settle_words, *happened],
    look=blog.look_blog,
    pep="L24",
    only=ends_life and bool(announce.blog),
)
def open_farewell():
    """Ask the blog, by a pull request, to take the announcement of the end of life."""
    return call(blog.propose_blog, release, services.blog, author, today, services.progress)


@plan.step(after=[open_farewell], pep="L24", only=ends_life and bool(announce.blog))
def await_farewell():
    """Wait until readers of the blog find the announcement of the end of life there."""
    return call(
        blog_site.await_post,
        release,
        services.blog,
        services.blog_checks,
        services.blog_reader,
        today,
        services.clock,
        until=deadline,
    )


@plan.step(after=[await_phase], only=ends_life, pep="Z28")
def await_banner():
    """Wait until the documentation of the series says that it is no longer supported."""
    return call(
        docs_site.await_banner, release, services.public_client, services.clock, until=deadline
    )


@plan.step(after=[await_phase], writes=[at.made / phase_end.RIGHTS], only=ends_life)
def write_rights():
    """List the rights that end with the series, and whom to ask for that."""
    return call(phase_end.write_rights, release, services.schedules)


@plan.step(after=[write_rights], only=ends_life)
def await_rights():
    """Wait until the administrator's role has ended, unless another series needs it."""
    return call(
        phase_end.await_rights,
        release,
        services.tracker,
        services.schedules,
        services.clock,
        until=deadline,
    )


ended = [push_end_tag, close_pulls, move_issues, mark_ended, delete_backports, propose_builders,
         propose_guide, open_farewell, await_farewell, await_banner, await_rights]  # fmt: skip
closed = [*happened, record_phase, await_phase, post_words, *(ended if ends_life else [])]


@plan.step(after=closed, writes=[at.made / phase_end.REPORT], pep="L25")
def close_series():
    """Write what was done and what came of it into one report."""
    found = {task.name: deferred(plan.receipts.facts, task.name) for task in closed}
    return call(phase_end.close, release, deferred(dict, **found))
