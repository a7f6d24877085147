"""16. Manifest: one signed list of all that is public of the release, beside its files.

It can be made only when everything that it lists is public, the page included, and it is made
before anything is announced, so that whoever reads of the release can verify all of it. But nothing
waits for it: the files have signatures of their own, and an announcement of what is public already
must not stop because Sigstore is down or a token has run out. Where experts' files come later, it
is made once they are there: what was seen is never replaced, and a list that lacks files would have
to be.
"""

from __future__ import annotations

from chapters import evidence as stated
from chapters.commit import commit
from chapters.merge import merge_back
from chapters.publication import declare_publication, files_of
from chapters.release import later, plan, promised, release, remote, services, settings, signer
from chapters.stage import known_digests, listed, with_bundles
from chapters.switch import html, point_current, unpack_docs
from chapters.upstream import push_upstream
from chapters.website import check_public, check_site
from doit_receipts.calls import call, deferred
from plugins.model.promise import record_files
from plugins.steps import evidence, public_entries, release_manifest

is_made = with_bundles and not later
with_html = release.ships_docs and "html" in settings.docs.formats
paths = record_files(release)
record = deferred(plan.receipts.artifact, paths[0])
files = files_of(paths)
as_published = deferred(release_manifest.contract_of_record, release, promised)
known = deferred(release_manifest.digests_of_record, files, remote.record)


@plan.step(
    after=[
        check_site,
        check_public,
        push_upstream,
        unpack_docs,
        point_current,
        stated.purge_evidence,
    ],
    writes=[paths[0]],
    only=is_made,
)
def write_manifest():
    """List all that is public, by digests from receipts, each compared with what is there now."""
    return call(
        release_manifest.write,
        release,
        deferred(evidence.with_evidence, release, listed),
        deferred(evidence.also_known, known_digests, stated.file, stated.area),
        html if with_html else None,
        deferred(public_entries.pushed, plan.fact(merge_back, "tag"), commit),
        deferred(
            public_entries.sources,
            services.downloads,
            services.docs_host,
            services.site,
            services.history,
            signer,
            services.sigstore,
        ),
        services.progress,
    )


@plan.shared(
    after=[write_manifest],
    reads=[paths[0]],
    writes=paths[1:],
    look=release_manifest.look_signed,
    only=is_made,
)
def sign_manifest():
    """Sign the manifest as the files of its series are signed."""
    return call(
        release_manifest.sign,
        release,
        record,
        signer,
        services.sigstore,
        services.downloads,
        services.progress,
    )


purge_manifest = declare_publication(
    "manifest",
    after=sign_manifest,
    paths=paths,
    area=remote.record,
    contract=as_published,
    known=known,
    stands=[check_site],
    only=is_made,
)
