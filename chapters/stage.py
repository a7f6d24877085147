"""6. Stage, verify, switch: every file unseen on the host, and then visible at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chapters.before import check_access, nothing_came_up
from chapters.build import check_build, check_export, docs_archives
from chapters.hand_over import reserve_folder
from chapters.lights import awaited_files, check_lights, listed_files
from chapters.release import (
    SYSTEMS,
    at,
    contract,
    plan,
    promised,
    release,
    remote,
    roles,
    services,
    settings,
)
from doit_receipts.calls import call, deferred
from plugins.model.contract import Origin, local_path
from plugins.steps import (
    bundles,
    ci,
    clean_room,
    docs_hosting,
    experts,
    purging,
    staging,
)

if TYPE_CHECKING:
    from doit_receipts.declaration import Declared

area, docs_area = remote.downloads, remote.docs_archives
in_src = [
    path
    for file in contract.files
    if (path := local_path(file, release)) is not None and path.parent == at.src
]
from_ci = [file.name for file in contract.by_origin(Origin.CI)]
bundle_paths = bundles.bundles(contract, release)
with_bundles = release.series.signs_with_sigstore

# Sets of files, each known when its task runs: ours from src/ and CI; the documentation; Sigstore
# bundles; ours and the experts'; all that users get of the release; and what is listed of it.
archives = deferred(
    staging.wanted, deferred(plan.receipts.artifacts, deferred(ci.with_built, in_src, at, from_ci))
)
docs_files = deferred(staging.wanted, deferred(plan.receipts.artifacts, docs_archives))
bundle_files = deferred(staging.wanted, deferred(plan.receipts.artifacts, bundle_paths))
signed_files = deferred(experts.with_brought, archives, release, roles, area)
all_files = deferred(experts.with_brought, archives, release, roles, area, bundle_files)
listed = deferred(experts.with_extras, promised, all_files, area)
digests = deferred(staging.known, all_files, area, docs_files, docs_area)


@plan.shared(
    after=[reserve_folder, check_export, *([check_build] if from_ci else [])],
    reads=in_src,
    look=staging.look_staged,
    pep="U01 U05 U06 U07",
)
def stage_files():
    """Upload the source archives and what belongs to them to the hidden folder."""
    return call(staging.stage, archives, area, services.downloads, services.progress)


@plan.shared(
    after=[check_access, check_export],
    reads=docs_archives,
    look=staging.look_staged,
    pep="U01 U09",
    only=release.ships_docs,
)
def stage_docs():
    """Upload the documentation archives to a hidden folder."""
    return call(staging.stage, docs_files, docs_area, services.downloads, services.progress)


def declare_taking(origin: Origin) -> Declared:
    """The expert's files are with the others in the hidden folder."""
    role = origin.value

    @plan.shared(
        name=f"take_{role}",
        title=f"Move the {SYSTEMS[origin]} expert's files to the others, still unseen by users.",
        after=[reserve_folder, awaited_files[origin], listed_files[origin]],
        look=experts.look_taken,
        pep={"windows": "X12", "macos": "X23"}[role],
        only=role in roles,
    )
    def take_files():
        return call(experts.take, release, services.downloads, role, area)

    return take_files


taken = [declare_taking(each) for each in SYSTEMS]


@plan.shared(
    after=[stage_files, *taken, check_lights],
    writes=bundle_paths,
    look=bundles.look_signed,
    pep="Z18 Z19",
    only=with_bundles,
)
def sign_bundles():
    """Sign every file that the site lists as the release manager, by Sigstore."""
    return call(
        bundles.sign,
        release,
        promised,
        signed_files,
        release.series.manager,
        services.sigstore,
        services.downloads,
        area,
        services.progress,
    )


@plan.shared(
    after=[sign_bundles], reads=bundle_paths, look=staging.look_staged, pep="Z18", only=with_bundles
)
def stage_bundles():
    """Upload the Sigstore bundles next to their files in the hidden folder."""
    return call(staging.stage, bundle_files, area, services.downloads, services.progress)


@plan.step(after=[stage_files], pep="U08", only=release.signs_with_gpg)
def verify_staged():
    """Verify every signature for the bytes that are on the host."""
    return call(staging.verify_staged, archives, area, services.downloads, services.signer)


@plan.gate(
    after=[stage_files, *taken, stage_bundles, verify_staged, stage_docs, check_lights],
    volatile=True,
    pep="Q01 Q02 Q06 R01",
)
def check_before_switch():
    """Stop the switch if a blocker, a red builder or another schedule has come up meanwhile."""
    return nothing_came_up


@plan.public(
    after=[stage_files, *taken, stage_bundles, verify_staged, check_lights, check_before_switch],
    look=staging.look_switched,
    pep="U05 U06 U07",
)
def switch_files():
    """Publish all files of the release at once; what users saw is never replaced."""
    return call(staging.switch, all_files, area, services.downloads, services.progress)


@plan.public(
    after=[stage_docs, check_lights, check_before_switch],
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
