"""10. Texts: the release's page, the announcement and what goes with it, judged and approved."""

from __future__ import annotations

from chapters.before import author
from chapters.build import write_checksums
from chapters.clone import merge_news
from chapters.commit import commit, make_tag
from chapters.release import at, notes, plan, promised, release, services, settings
from checks import announcement, site
from doit_receipts.calls import call, deferred
from plugins.steps import announcement_draft, announcing, drafts, tiers

page_text = drafts.settled_page(release)
sources = deferred(plan.receipts.artifacts, at.tarballs)
digests = deferred(plan.receipts.sums, at.tarballs)
settled = at.made / announcement_draft.SETTLED


@plan.step(pep="W03 R07")
def draft_page():
    """Draft the text of the release's page; what you edit in it is kept."""
    return call(drafts.draft_page, release, promised, services.templates, notes)


@plan.step(
    after=[draft_page],
    extra_inputs={"page": call(drafts.digest_of_page, release)},
    writes=[page_text],
)
def settle_page():
    """Take the text of the page as it is now, to be approved and saved."""
    return call(drafts.settle_page, release)


@plan.gate(after=[settle_page, write_checksums], reads=at.tarballs, pep="W03")
def check_page():
    """Stop unless the text is about this release alone, and complete."""
    return call(
        site.text_is_ready,
        promised,
        page_text,
        notes,
        files=sources,
        commit=commit,
        versions=settings.announce.versions,
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
        digests=digests,
        author=author,
        notes=notes,
    )


@plan.step(
    after=[draft_announcement],
    extra_inputs={"announcement": call(announcement_draft.edited_digest, at)},
    reads=[at.made / announcement_draft.DRAFT],
    writes=[settled],
)
def settle_announcement():
    """Take the announcement as it is now, to be approved and sent."""
    return call(announcement_draft.settle, release)


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
            versions=settings.announce.versions,
        ),
        call(
            announcement.security_content_is_true, release, services.clone, settled, commit=commit
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
