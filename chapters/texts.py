"""10. Texts: the announcement and what goes with it, judged, and approved with the page."""

from __future__ import annotations

from typing import Any

from chapters.build import write_checksums
from chapters.clone import merge_news
from chapters.commit import commit, make_tag
from chapters.logins import author
from chapters.page import check_page, settle_page, sources
from chapters.release import (
    at,
    follows,
    leads,
    notes,
    others,
    plan,
    promised,
    release,
    services,
    settings,
    train,
)
from checks import announcement
from doit_receipts.calls import call, deferred
from plugins.model.train import JOINED
from plugins.steps import announcement_draft, announcing, tiers
from plugins.steps import train as trains

tarball_digests = deferred(plan.receipts.sums, at.tarballs)
settled = at.made / announcement_draft.SETTLED
drafted = at.made / (JOINED if leads else announcement_draft.DRAFT)
# Of several releases of a day each judges its own section of the text that all share.
shared: dict[str, Any] = (
    {
        "others": deferred(trains.versions, others),
        "edited": deferred(trains.edited_at, train.lead),
    }
    if train and others
    else {}
)


@plan.step(
    after=[make_tag, merge_news, write_checksums],
    writes=[at.made / announcement_draft.DRAFT],
    pep="A01",
)
def draft_announcement():
    """Draft the announcement; your own text goes beside it and takes its place."""
    return call(
        announcement_draft.draft,
        release,
        promised,
        services.templates,
        services.clone,
        commit=commit,
        changes=plan.fact(merge_news, "entries"),
        digests=tarball_digests,
        author=author,
        notes=notes,
    )


@plan.step(
    after=[draft_announcement],
    extra_inputs={"others": call(trains.results, others, "draft_announcement")},
    reads=[at.made / announcement_draft.DRAFT],
    writes=[at.made / JOINED],
    only=leads,
)
def make_announcement():
    """Make one announcement of the drafts of all releases of the train."""
    return call(trains.join, release, others)


@plan.step(
    after=[draft_announcement, make_announcement],
    extra_inputs={
        "announcement": call(trains.results, (train.lead,), "settle_announcement")
        if follows and train
        else call(announcement_draft.edited_digest, at)
    },
    reads=[drafted],
    writes=[settled],
)
def settle_announcement():
    """Take the announcement as it is now, to be approved and sent."""
    if follows and train:
        return call(trains.take_settled, release, train.lead)
    return call(announcement_draft.settle, release, *([drafted.name] if leads else []))


@plan.gate(after=[settle_announcement, write_checksums], reads=[settled, *at.tarballs], pep="A01")
def check_announcement():
    """Stop unless the text is about this release alone, complete, and true about security."""
    return [
        call(
            announcement.announcement_is_ready,
            promised,
            settled,
            notes,
            files=sources,
            commit=commit,
            versions=settings.may_be_named,
            **shared,
        ),
        call(
            announcement.security_content_is_true,
            release,
            services.clone,
            settled,
            commit=commit,
            **shared,
        ),
    ]


@plan.step(
    after=[make_tag],
    writes=[at.made / announcing.POLICY],
    pep="A07 A08",
    only=announcing.tells_policy(release),
)
def write_policy():
    """Write what the core team has to know about the phase that begins with this release."""
    return call(announcing.write_policy, release, services.templates)


@plan.step(after=[make_tag], writes=[at.made / tiers.TIERS], only=tiers.is_told(release))
def write_tiers():
    """List the platforms that nobody tests, which this release has to say something about."""
    return call(tiers.write, release, services.builders)


@plan.approval(
    who="RM",
    of=[
        settle_page,
        check_page,
        settle_announcement,
        check_announcement,
        write_policy,
        write_tiers,
    ],
    pep="W03 A01 A07",
)
def approve_announcement():
    """The release manager approves page, announcement and policy, as they will be published."""


plan.renamed("approve_page", now=approve_announcement)
