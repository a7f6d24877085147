"""A branch enters another phase, 1: whether it is time, and what people will be told."""

from __future__ import annotations

from datetime import date

from chapters.release import at, plan, release, services, settings
from checks import access, keys, phase
from doit_receipts.calls import call, deferred
from plugins.model.release import Phase, ReleaseType
from plugins.steps import announcement_draft, blog, day, phase_words, protection

enters = release.type.begins or Phase.BUGFIX
ends_life = release.type is ReleaseType.END_OF_LIFE
tell = settings.announce
author = deferred(blog.author_of, tell.author, services.base)
settled = at.made / announcement_draft.SETTLED
proposed = [
    *([services.peps] if tell.peps else []),
    *([services.blog] if ends_life and tell.blog else []),
    *([services.buildmaster, services.devguide] if ends_life else []),
]

plan.alarm(
    call(protection.lease_is_open, at),
    call(protection.restore, services.github, at),
    file=at.lease,
)


@plan.step(pep="R03")
def choose_day():
    """Choose the day of the change: the declared one, or today."""
    return call(day.choose, settings.date, services.clock)


@plan.gate(volatile=True, pep="L00")
def check_moment():
    """Stop unless the schedule has the phase before this one, and it is time."""
    return [
        call(phase.phase_is_the_one_before, release, enters, services.schedules),
        call(phase.it_is_time, release, enters, services.schedules, services.clock, settings.date),
    ]


@plan.gate(volatile=True, pep="P01 P10 P13")
def check_rights():
    """Stop unless your key can approve, and every login works with what this change needs."""
    return [
        call(keys.signing_key_is_usable, services.signer, services.clock),
        call(access.github_lets_us_release, services.github),
        # an ended branch is gone in the middle, and its rules with it
        *([] if ends_life else [call(access.upstream_is_protected, release, services.github)]),
        call(access.forum_lets_us_in, services.forum, tell.forum_category),
        *(call(access.changes_can_be_proposed, each) for each in proposed),
        *(
            [call(access.blog_knows_author, services.blog, author)]
            if ends_life and tell.blog
            else []
        ),
    ]


today = deferred(date.fromisoformat, plan.fact(choose_day, "date"))
deadline = deferred(day.deadline, today, settings.work.wait_days)


@plan.step(writes=[at.made / announcement_draft.DRAFT], pep="A07 L22 L24")
def draft_words():
    """Draft what people are told; your own text goes beside it and takes its place."""
    return call(phase_words.draft, release, enters, services.schedules, services.templates, author)


@plan.step(
    after=[draft_words],
    extra_inputs={"announcement": call(announcement_draft.edited_digest, at)},
    reads=[at.made / announcement_draft.DRAFT],
    writes=[settled],
)
def settle_words():
    """Take the announcement as it is now, to be approved and posted."""
    return call(announcement_draft.settle, release)


@plan.gate(after=[settle_words], reads=[settled], pep="A07")
def check_words():
    """Stop unless the announcement names the series, and says something."""
    return call(phase.words_are_ready, release, settled)


@plan.approval(who="RM", of=[choose_day, settle_words, check_words], only=not ends_life, pep="A07")
def approve_change():
    """The release manager approves the change, and what people are told of it."""
