"""14. Website and CDN: the release's page, its files, and caches that serve them."""

from __future__ import annotations

from typing import Any

from chapters.before import choose_day, nothing_came_up, today_text
from chapters.page import page_text
from chapters.rebuilds import check_rebuilds, counts_rebuilds
from chapters.release import follows, others, plan, promised, services, settings
from chapters.stage import known_digests, listed
from chapters.switch import point_current, switch_docs, switch_files, unpack_docs
from chapters.texts import approve_announcement, settle_announcement
from chapters.upstream import push_upstream, restore_protection
from checks import brought, site
from doit_receipts.calls import call, deferred
from plugins.steps import page_text as pages
from plugins.steps import purging, site_files, site_release
from plugins.steps import train as trains

# Only in a train: what is made alone stays as it was made.
made_together: dict[str, Any] = {"others": deferred(trains.versions, others)} if others else {}


@plan.shared(
    after=[choose_day, push_upstream, restore_protection],
    look=site_release.look_draft,
    pep="W02 W04 W05 Z24",
)
def make_page():
    """Create the release on the website, as a draft that no list shows."""
    return call(
        site_release.make_draft,
        promised,
        today_text,
        services.site,
        services.progress,
        **made_together,
    )


@plan.shared(after=[make_page], look=site_files.look_files, pep="W06 W07 W08")
def list_files():
    """List every file on the website with the size and digest of what the host serves."""
    return call(
        site_files.put_files,
        listed,
        services.downloads,
        services.site,
        services.progress,
        known=known_digests,
    )


@plan.shared(
    after=[make_page, approve_announcement],
    reads=[page_text],
    look=pages.look_text,
    pep="W03 W05",
)
def save_text():
    """Save the approved text on the release's page."""
    return call(pages.put_text, promised, page_text, services.site, services.progress)


@plan.gate(after=[list_files, switch_files, switch_docs], volatile=True, pep="Z24")
def check_public():
    """Stop unless every file of the release is where users download it, as it was verified."""
    return call(brought.promised_is_public, listed, known_digests, services.downloads)


@plan.gate(
    after=[
        list_files,
        save_text,
        unpack_docs,
        point_current,
        check_public,
        *([check_rebuilds] if counts_rebuilds else []),
    ],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_page():
    """Keep the page hidden if a blocker, a red builder or another schedule has come up."""
    return nothing_came_up


@plan.public(
    after=[
        list_files,
        save_text,
        unpack_docs,
        point_current,
        check_public,
        *([check_rebuilds] if counts_rebuilds else []),
        check_before_page,
    ],
    look=site_release.look_public,
    pep="W05 Z24",
)
def publish_page():
    """Show the release on the website; both flags are switched at once."""
    return call(site_release.publish, promised, services.site, services.progress)


@plan.shared(after=[publish_page], look=purging.look_purged, pep="W09 U18")
def purge_pages():
    """Purge the old pages from every cache, and check that each edge serves the new ones."""
    return call(
        purging.purge,
        listed,
        services.downloads,
        services.cdn,
        services.progress,
        site=services.site,
        known=known_digests,
    )


@plan.gate(after=[purge_pages], of_published=True, pep="W06 Z24")
def check_site():
    """Stop unless the website shows the release and lists every file as it is served."""
    return [
        call(site.flags_are_right, promised, services.site),
        call(site.release_is_shown, promised, services.site),
        call(
            site.rows_are_as_served, listed, services.downloads, services.site, known=known_digests
        ),
    ]


@plan.step(after=[check_site, push_upstream, settle_announcement], only=follows)
def tell_lead():
    """Report to the train's lead that this release is public, and with which announcement."""
    return call(
        trains.tell,
        today_text,
        settings.series.next_phase,
        announcement=plan.fact(settle_announcement, "digest"),
        is_unplanned=settings.series.unplanned,
    )
