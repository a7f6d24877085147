"""15. Evidence: who built, tested and approved the release, signed, in one file beside it.

It is made from the receipts once everything that it states has happened, and published in a switch
of its own. Only the manifest waits for it: the files have signatures of their own, and what is
public already is announced even where Sigstore is down or nobody has logged in there again.
"""

from __future__ import annotations

from chapters.archives import build_tarballs, test_source
from chapters.build import build_docs, docs_archives
from chapters.publication import declare_publication, files_of
from chapters.release import at, plan, promised, release, remote, services, settings
from chapters.stage import known_digests, with_bundles
from chapters.switch import test_downloads
from chapters.upstream import push_upstream
from doit_receipts.calls import call, deferred
from plugins.steps import evidence

area = remote.evidence
file = files_of([at.evidence])
stated = deferred(
    evidence.statements,
    release,
    deferred(
        evidence.Recorded,
        deferred(plan.on_record, "sign_evidence"),
        deferred(plan.receipts.artifacts, at.tarballs),
        deferred(plan.receipts.artifacts, docs_archives),
        known_digests,
        settings.waivers,
    ),
)


@plan.shared(
    after=[build_tarballs, build_docs, test_source, test_downloads, push_upstream],
    writes=[at.evidence],
    look=evidence.look_signed,
    only=with_bundles,
)
def sign_evidence():
    """State who built, tested and approved the release, and sign it with Sigstore."""
    return call(
        evidence.sign,
        release,
        stated,
        at.evidence,
        release.series.manager,
        services.sigstore,
        services.downloads,
        area,
        services.progress,
    )


purge_evidence = declare_publication(
    "evidence",
    after=sign_evidence,
    paths=[at.evidence],
    area=area,
    contract=deferred(evidence.contract_of_evidence, release, promised),
    known=deferred(evidence.known, file, area),
    only=with_bundles,
)
