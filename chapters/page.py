"""10. The page: the text of the release at python.org, drafted, edited and judged."""

from __future__ import annotations

from chapters.build import write_checksums
from chapters.commit import commit
from chapters.release import at, notes, plan, promised, release, services, settings
from checks import site
from doit_receipts.calls import call, deferred
from plugins.steps import drafts

page_text = drafts.settled_page(release)
sources = deferred(plan.receipts.artifacts, at.tarballs)


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
        versions=settings.may_be_named,
    )
