"""7. Build and check: docs, SBOMs, signatures and checksums, all judged, and CI's own build."""

from __future__ import annotations

from chapters.archives import build_tarballs, check_archives, tag_time_s, test_source
from chapters.before import deadline
from chapters.clone import approved_tools
from chapters.commit import make_tag
from chapters.docs_elsewhere import are_elsewhere, check_fetched_docs, take_docs
from chapters.hand_over import start_build
from chapters.release import at, docs_tools, plan, promised, release, services, settings, signer
from checks import built_docs, ci_artifacts, ci_attested, declared, mobile_packages, sbom_statements
from checks import exported as export
from checks import sbom as sboms
from doit_receipts.calls import call, deferred
from plugins.model.docs_source import DocsSource
from plugins.steps import checksums, ci, docs, invitation, release_clone, sbom, signing

docs_archives = [
    each for form in settings.docs.formats if release.ships_docs for each in at.docs_archives(form)
]


@plan.step(
    after=[make_tag, *approved_tools],
    only_after=[check_fetched_docs] if are_elsewhere else [],
    writes=docs_archives,
    takes={"cores": 1} if are_elsewhere else {"cores": 1, "memory_mb": 2000},
    pep="B03 B06",
    only=release.ships_docs,
)
def build_docs():
    """Build the documentation archives in every format, or take those of another machine."""
    source = deferred(
        DocsSource,
        at.clone,
        release.version.tag,
        deferred(release_clone.time_of, services.clone, plan.fact(make_tag, "commit")),
        settings.docs.constraints,
        **docs_tools,
    )
    # Both get the same arguments, and so leave the same receipt; ``take_docs`` builds here where no
    # other machine answered.
    make = take_docs if are_elsewhere else docs.build
    return call(make, release, source, settings.docs.formats, services.programs, services.progress)


@plan.gate(
    after=[build_docs],
    reads=docs_archives,
    takes={"cores": 1},
    pep="Z08",
    only=release.ships_docs,
)
def check_docs():
    """Stop unless every documentation archive exists, opens and names no unreleased version."""
    return [
        call(built_docs.archives_complete, release, settings.docs.formats),
        call(built_docs.no_unreleased, release, settings.docs.formats),
    ]


@plan.step(
    after=[check_archives],
    reads=at.tarballs,
    writes=release.sboms,
    takes={"cores": 1},
    pep="Z16",
    only=release.series.ships_sbom,
)
def build_sboms():
    """Write the SBOM of each source archive."""
    commit = plan.fact(build_tarballs, "commit")
    made = (release, services.clone, services.sboms, services.progress)
    return call(sbom.build, *made, commit=commit, epoch_s=tag_time_s, index=services.index)


@plan.gate(
    after=[build_sboms],
    reads=[*at.tarballs, *release.sboms],
    pep="Z16",
    only=release.series.ships_sbom,
)
def check_sboms():
    """Stop unless each SBOM states its archive and every file in it as they are."""
    commit = plan.fact(build_tarballs, "commit")
    return [
        call(sboms.sboms_are_true, release, services.clone, commit=commit),
        call(sbom_statements.sboms_say_nothing_else, release, services.clone, commit=commit),
    ]


@plan.step(
    after=[check_archives, test_source],
    reads=at.tarballs,
    writes=signing.signatures(release),
    signs=True,
    pep="B04 B05",
    only=release.signs_with_gpg,
)
def sign_archives():
    """Sign both source archives with the release manager's key, and verify the signatures."""
    return call(signing.sign_archives, release, services.signer)


published = [*at.tarballs, *signing.signatures(release), *release.sboms]


@plan.step(
    after=[build_tarballs, sign_archives, build_sboms],
    reads=published,
    writes=[at.checksums],
    pep="B06",
)
def write_checksums():
    """Write SHA256SUMS over everything in src."""
    return call(checksums.write, release, published)


@plan.gate(
    after=[test_source, check_docs, check_sboms, write_checksums],
    reads=[*published, at.checksums],
    pep="B13",
)
def check_export():
    """Stop unless signatures and sums are of the archives; report what release.toml leaves out."""
    return [
        call(declared.nothing_is_left_out, release, settings.tests.source, settings.docs.formats),
        call(export.archives_are_signed, release, signer),
        call(export.checksums_hold, release, published),
    ]


# What follows belongs to publishing; it stands here as the PEP has it.
run = plan.fact(start_build, "run")


@plan.step(after=[start_build], pep="Z12")
def await_build():
    """Wait until every job of CI's build has ended well."""
    return call(ci.wait, services.workflows, run, services.clock, until=deadline)


@plan.step(after=[await_build], pep="Z13 Z14 Z15")
def fetch_build():
    """Fetch what CI built, and verify each archive by the digest that GitHub reports."""
    return call(ci.fetch, release, services.workflows, run, services.progress)


@plan.gate(after=[fetch_build, check_export], reads=at.tarballs, pep="Z13")
def check_build():
    """Stop unless CI built the same source archives, sound mobile packages and nothing unknown."""
    attested, judge = settings.farm.attested, services.sigstore
    proof = call(ci_attested.ci_build_is_attested, at, attested, services.workflows, judge, run)
    return [
        call(ci_artifacts.ci_built_the_same, release),
        call(ci_artifacts.ci_files_are_known, release, promised),
        call(mobile_packages.mobile_packages_are_of_this_version, release, promised),
        *([proof] if attested else []),
    ]


@plan.step(after=[fetch_build], writes=[at.made / invitation.INVITATION], pep="U02")
def write_invitation():
    """Write a text that asks others to test what CI built; you post it, or leave it."""
    fetched = deferred(plan.receipts.facts, "fetch_build")
    return call(invitation.write, release, fetched, plan.fact(start_build, "url"))
