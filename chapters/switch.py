"""12. The switch: every file becomes visible at once, and is tried as a user would.

Upstream's branches and tag come after it, as in the PEP: a push cannot be taken back, and a user's
download and build show first that the files are what was meant.
"""

from __future__ import annotations

from chapters.go import approve_release, await_others, check_before_switch, staged
from chapters.lights import check_lights
from chapters.release import (
    at,
    plan,
    release,
    remote,
    services,
    settings,
)
from chapters.stage import (
    all_files,
    area,
    docs_area,
    docs_files,
    known_digests,
    listed,
    stage_docs,
    with_bundles,
)
from doit_receipts.calls import call, deferred
from plugins.steps import clean_room, docs_hosting, purging, staging


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
        purging.purge,
        listed,
        services.downloads,
        services.cdn,
        services.progress,
        known=known_digests,
    )


@plan.step(after=[purge_files], takes={"cores": 1}, pep="V01 V02 V03 V04 V05 V06 X15")
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
        known=known_digests,
    )
