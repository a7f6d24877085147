"""9. Stage and verify: every file on the host, ours in a hidden folder that no user sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chapters.before import check_access
from chapters.build import check_build, check_export, docs_archives
from chapters.hand_over import reserve_folder
from chapters.installers import awaited_files, listed_files
from chapters.lights import check_lights
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
)
from doit_receipts.calls import call, deferred
from plugins.model.promise import local_path
from plugins.model.published_file import Origin
from plugins.steps import (
    bundles,
    ci,
    experts,
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
known_digests = deferred(staging.known, all_files, area, docs_files, docs_area)

fetched = deferred(plan.receipts.facts, "fetch_build")
built = deferred(plan.receipts.artifacts, deferred(ci.with_built, [], at, from_ci))
as_fetched = call(ci.as_fetched, at, built, fetched)


@plan.shared(
    after=[reserve_folder, check_export, *([check_build] if from_ci else [])],
    reads=in_src,
    extra_inputs={"ci": as_fetched} if from_ci else {},
    look=staging.look_staged,
    pep="U01 U05 U06 U07",
)
def stage_files():
    """Upload the source archives, what belongs to them and CI's packages, still hidden."""
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
        title=f"Move the {SYSTEMS[origin]} expert's files from their inbox into the hidden folder.",
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
