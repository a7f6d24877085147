"""12. The go and the switch: everything shown at once, approved, visible, and tried as a user."""

from __future__ import annotations

from chapters.before import nothing_came_up
from chapters.commit import commit
from chapters.lights import check_lights
from chapters.merge import approve_merge, merge_back
from chapters.release import (
    at,
    follows,
    others,
    plan,
    promised,
    release,
    remote,
    services,
    settings,
)
from chapters.stage import (
    all_files,
    area,
    digests,
    docs_area,
    docs_files,
    listed,
    stage_bundles,
    stage_docs,
    stage_files,
    taken,
    verify_staged,
    with_bundles,
)
from chapters.texts import approve_announcement
from checks import published_set
from doit_receipts.calls import call, deferred
from plugins.steps import clean_room, docs_hosting, purging, staging, summary
from plugins.steps import merge_back as merging
from plugins.steps import train as trains

staged = [stage_files, *taken, stage_bundles, verify_staged]


@plan.gate(
    after=[*staged, stage_docs, check_lights],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_switch():
    """Stop the switch if a file is cut short, or a blocker or a red builder has come up."""
    return [
        call(published_set.sizes_fit, release, promised, all_files),
        call(published_set.sizes_fit, release, promised, docs_files),
        *nothing_came_up,
    ]


record = deferred(plan.on_record, "write_summary")
pushed = deferred(
    summary.Pushed,
    settings.repository.upstream,
    deferred(merging.made, release, services.merge_clone),
    tag=plan.fact(merge_back, "tag"),
    commit=commit,
)


@plan.step(
    after=[check_before_switch, approve_announcement, approve_merge],
    extra_inputs={"declaration": call(trains.declared, settings.file)},
    only=bool(others),
)
def tell_ready():
    """Tell the other releases of the train that this one is checked and approved, and by what."""
    return call(dict)


@plan.step(after=[tell_ready], only=bool(others), volatile=True)
def await_others():
    """Wait until the other releases of the train are ready, before any of them is public."""
    return call(trains.await_ready, others)


@plan.step(
    after=[
        *staged,
        stage_docs,
        check_before_switch,
        approve_announcement,
        approve_merge,
        await_others,
    ],
    extra_inputs={"findings": call(summary.findings_digest, record)},
    writes=[at.made / summary.SUMMARY],
    only_shown=True,
)
def write_summary():
    """Show all that users will see in one file: files, refs, texts, gates, waivers."""
    return call(
        summary.sum_up,
        release,
        promised,
        None if follows else settings.announce,
        settings.waivers,
        files=all_files,
        docs=docs_files,
        pushed=pushed,
        record=record,
    )


@plan.approval(who="RM", of=[write_summary])
def approve_release():
    """The release manager says go: the last word before users see anything of ours."""


@plan.public(
    after=[*staged, check_lights, check_before_switch, await_others, approve_release],
    look=staging.look_switched,
    pep="U05 U06 U07",
)
def switch_files():
    """Publish at once all files that are not public yet; what users saw is never replaced."""
    return call(staging.switch, all_files, area, services.downloads, services.progress)


@plan.public(
    after=[stage_docs, check_lights, check_before_switch, await_others, approve_release],
    look=staging.look_switched,
    pep="U09",
    only=release.ships_docs,
)
def switch_docs():
    """Publish all documentation archives at once."""
    return call(staging.switch, docs_files, docs_area, services.downloads, services.progress)


html = deferred(plan.receipts.artifact, at.docs_archives("html")[-1])


@plan.public(
    after=[switch_docs],
    look=docs_hosting.look_docs_hosted,
    pep="U12 U13",
    only=release.ships_docs and "html" in settings.docs.formats,
)
def unpack_docs():
    """Put the pages of the documentation on the docs host."""
    return call(docs_hosting.host_docs, html, remote.docs, services.docs_host, services.progress)


@plan.shared(
    after=[switch_docs],
    look=docs_hosting.look_current,
    pep="U10 U11",
    only=release.ships_docs and release.type.is_final,
)
def point_current():
    """Point doc/current to this documentation, if no newer series has it."""
    return call(docs_hosting.point_current, release, remote, services.downloads)


@plan.shared(
    after=[switch_files, switch_docs, unpack_docs], look=purging.look_purged, pep="U17 U18 X14"
)
def purge_files():
    """Purge these files from every cache, and check that each edge serves the new bytes."""
    return call(
        purging.purge, listed, services.downloads, services.cdn, services.progress, known=digests
    )


@plan.step(after=[purge_files], pep="V01 V02 V03 V04 V05 V06 X15")
def test_downloads():
    """Download everything as a user would, compare it, build and test the source."""
    return call(
        clean_room.visit,
        release,
        listed,
        services.downloads,
        services.cdn,
        services.programs,
        services.signer if release.signs_with_gpg else None,
        settings.tests.source,
        services.progress,
        bundles=services.sigstore if with_bundles else None,
        known=digests,
    )
