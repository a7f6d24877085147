"""Release manifest: one signed list of all that is public of a release, made when all of it is.

Digests come from the receipts of the tasks that made each file; what is at python.org, on both
hosts and upstream is looked at in the same moment and has to agree.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import Artifact
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from doit_receipts.probe import RemoteState, absent, identical
from plugins.model.article import article_of
from plugins.model.content import Content
from plugins.model.contract import BUNDLE_SUFFIX, SITE, Contract, Origin, record_files, record_paths
from plugins.model.docs_pages import UNREAD, pages_in
from plugins.model.public_site import box_paths, release_entry, row_entry
from plugins.model.record_signatures import is_plain_signature, plain_bundle
from plugins.model.release_manifest import Entry, EntryKind, ReleaseManifest, listing_entry
from plugins.model.remote_layout import RemoteLayout
from plugins.model.site_pages import listing_of, overview_pages
from plugins.ports.host import Kind
from plugins.steps.docs_hosting import look_docs_hosted
from plugins.steps.served import published_bytes
from plugins.steps.site_files import unlike, wanted_rows
from plugins.steps.site_release import look_draft, look_public

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doit_receipts.probe import Probe
    from plugins.model.content import NamedFile
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.site_pages import Listing
    from plugins.ports.host import Host, HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.public import History
    from plugins.ports.signing import Signer
    from plugins.ports.sigstore import BundleSigner, BundleVerifier
    from plugins.ports.site import SiteReader, SiteRow

__all__ = [
    "Pushed",
    "Sources",
    "contract_of_record",
    "digests_of_record",
    "look_signed",
    "pushed",
    "sign",
    "sources",
    "write",
]

_MOST_BYTES: Final = 32 << 20
_OK: Final = 200
_STOP: Final = (
    "do not publish the manifest; find out who changed it, and do not replace what users saw"
)


@frozen
class Pushed:
    """What the receipts say that upstream got: the tag's object and the release commit."""

    tag: str
    commit: str


@frozen
class Sources:
    """Where everything that is public is looked at, and by what its signatures are judged."""

    downloads: HostReader
    docs: HostReader
    site: SiteReader
    history: History
    signer: Signer | None
    """None where the series has no OpenPGP signatures."""
    sigstore: BundleVerifier


def pushed(tag: str, commit: str) -> Pushed:
    """What upstream got. A function, so that a listing need not import this module for it."""
    return Pushed(tag, commit)


def sources(
    downloads: HostReader,
    docs: HostReader,
    site: SiteReader,
    history: History,
    signer: Signer | None,
    sigstore: BundleVerifier,
) -> Sources:
    """Where everything is looked at; a function for the same reason."""
    return Sources(downloads, docs, site, history, signer, sigstore)


def contract_of_record(release: Release, contract: Contract) -> Contract:
    """The manifest and its signatures as what is published, and nothing else."""
    whole = contract.with_extras(record_paths(release))
    files = tuple(each for each in whole.files if each.origin is Origin.RECORD)
    return Contract(whole.version, whole.page, files)


def digests_of_record(files: Iterable[NamedFile], area: StagingArea) -> dict[str, str]:
    """The sha256 that users have to get of the manifest and its signatures, by path."""
    return {f"{area.final}/{file.name}": file.content.sha256 for file in files}


def write(
    release: Release,
    contract: Contract,
    known: Mapping[str, str],
    html: Artifact | None,
    pushed: Pushed,
    sources: Sources,
    progress: Progress,
) -> dict[str, str]:
    """The manifest is on this machine. One that is public is brought back, and never made anew.

    ``known`` gives the sha256 of each file by its path, from receipts; ``html`` is the archive
    whose pages are on the docs host. Raises StepFailed for the first thing that is public and not
    as it was judged, and for a public manifest that the release manager did not sign: then no
    manifest is written.
    """
    (record, *_) = record_files(release)
    place, *_ = record_paths(release)
    (there,) = sources.downloads.look([place])
    if there is not None and there.kind is Kind.FILE:
        made = _brought_back(release, sources)
        _agree(made, known, sources.downloads.shown(place))
    else:
        progress.say("looking at all that is public")
        served = published_bytes(contract, sources.downloads, known)
        entries = [
            *(Entry(EntryKind.FILE, path, content) for path, content in served.items()),
            *_docs(release, html, sources.docs),
            *_site(contract, served, sources.site),
            *_upstream(release, pushed, sources.history),
            *_link(release, sources.downloads),
        ]
        made = ReleaseManifest.of(str(release.version), entries)
    write_whole(record, made.to_bytes())
    counts = {kind.value: len(made.by_name(kind)) for kind in EntryKind}
    return {kind: str(count) for kind, count in counts.items() if count}


def look_signed(
    release: Release, record: Artifact, signer: Signer | None, sigstore: BundleSigner
) -> Probe:
    """Whether the manifest has good signatures on this machine."""
    missing = _unsigned(release, record, signer, sigstore)
    if missing:
        return absent(f"{' and '.join(path.name for path in missing)} is still to be made")
    return identical({"identity": str(release.series.manager), "sha256": record.sha256})


def sign(
    release: Release,
    record: Artifact,
    signer: Signer | None,
    sigstore: BundleSigner,
    host: Host,
    progress: Progress,
) -> dict[str, str]:
    """The manifest is signed as every file of its series is: Sigstore, and OpenPGP up to 3.13.

    Signatures that are public already are brought back, and good ones are kept. Raises Waiting for
    the release manager where a token of Sigstore is missing.
    """
    area = RemoteLayout(release.version).record
    for path in _unsigned(release, record, signer, sigstore):
        for place in (f"{area.final}/{path.name}", f"{area.staging}/{path.name}"):
            (there,) = host.look([place])
            if there is not None and there.kind is Kind.FILE:
                write_whole(path, host.read(place, _MOST_BYTES))
                break
    by = release.series.manager
    # Sigstore first: it is what may have to wait, and all that a plan of this has to tell.
    for path in reversed(_unsigned(release, record, signer, sigstore)):
        progress.say(f"signing {record.path.name}: {path.name}")
        if path.name.endswith(BUNDLE_SUFFIX):
            for _, bundle in sigstore.sign((record.sha256,), by):
                write_whole(path, plain_bundle(bundle))
        elif signer is not None:
            signer.sign(record.path, path)
    return {}


def _unsigned(
    release: Release, record: Artifact, signer: Signer | None, sigstore: BundleVerifier
) -> list[Path]:
    """The signatures that are not here, or are not good."""
    (_, *beside) = record_files(release)
    return [path for path in beside if not _is_good(path, release, record, signer, sigstore)]


def _is_good(
    path: Path, release: Release, record: Artifact, signer: Signer | None, sigstore: BundleVerifier
) -> bool:
    if not path.is_file() or not is_plain_signature(path.name, path.read_bytes()):
        return False
    if path.name.endswith(BUNDLE_SUFFIX):
        by = release.series.manager
        return not sigstore.verify_bundle(path, record.sha256, by).problem
    return signer is not None and not signer.verify(record.path, path).problem


def _brought_back(release: Release, sources: Sources) -> ReleaseManifest:
    """The public manifest, if it is ours: anybody may have put a file in its place.

    Its signatures are shown before it is, so that one of ours has them after a kill as well.
    """
    place, *beside = record_paths(release)
    host = sources.downloads
    where, wanted = host.shown(place), str(release.version)
    with TemporaryDirectory() as folder:
        raw = host.read(place, _MOST_BYTES)
        path = Path(folder, place.rpartition("/")[2])
        path.write_bytes(raw)
        record = Artifact(path, len(raw), Content.of(raw).sha256)
        for remote, there in zip(beside, host.look(beside), strict=True):
            signature = Path(folder, remote.rpartition("/")[2])
            if there is not None and there.kind is Kind.FILE:
                signature.write_bytes(host.read(remote, _MOST_BYTES))
            if not _is_good(signature, release, record, sources.signer, sources.sigstore):
                problem = f"is public, and its signature {signature.name} is not a good one of "
                raise _planted(where, f"{problem}{release.series.manager}")
    made = ReleaseManifest.from_bytes(raw, where)
    if made.release != wanted:
        raise _planted(where, f"is that of {printable(made.release[:40])}, wanted {wanted}")
    return made


# ── what is public ─────────────────────────────────────────────────────────────────────────


def _docs(release: Release, html: Artifact | None, host: HostReader) -> Iterator[Entry]:
    """Every hosted page is that of the archive."""
    if html is None:
        return
    area = RemoteLayout(release.version).docs
    probe = look_docs_hosted(html, area, host)
    pages = pages_in(html.path)
    if probe.state is not RemoteState.IDENTICAL or pages is None or UNREAD in pages.values():
        raise _wrong(host.shown(area.final), probe.problem or "has pages that are too large")
    for page, content in pages.items():
        yield Entry(EntryKind.DOCS_PAGE, f"{area.final}/{page}", content)


def _site(contract: Contract, served: Mapping[str, Content], site: SiteReader) -> Iterator[Entry]:
    """The release, its rows, its page, boxes and redirects, and which releases there are.

    All of it is judged in this moment: somebody may have changed it since the site was checked.
    """
    public = [each for each in site.releases() if each.is_published]
    ours = [each for each in public if each.slug == contract.page.slug]
    if len(ours) != 1:
        raise _wrong(contract.page.url, f"{len(ours)} public releases have its address, wanted one")
    listing = listing_of(each.fields for each in public)
    yield listing_entry(each.slug for each in public)
    yield release_entry(ours[0].slug, ours[0].fields)
    day = str(ours[0].fields.get("release_date"))[:10]
    _as_made(contract, look_draft(contract, day, site))
    yield from _rows(contract, served, site.rows(ours[0]))
    path = contract.page.url.removeprefix(SITE)
    seen = site.look(path)
    article = article_of(seen.text) if seen.status == _OK else None
    if article is None:
        raise _wrong(contract.page.url, f"answers {seen.status}, and has no heading and table")
    yield Entry(EntryKind.PAGE, path, article)
    yield from _overviews(contract, listing, site)
    _as_made(contract, look_public(contract, site))


def _as_made(contract: Contract, probe: Probe) -> None:
    if probe.state is not RemoteState.IDENTICAL:
        why = "; ".join(probe.details) or probe.problem
        raise _wrong(contract.page.url, f"python.org has it otherwise than it was made: {why}")


def _rows(
    contract: Contract, served: Mapping[str, Content], rows: tuple[SiteRow, ...]
) -> Iterator[Entry]:
    """Each row is as it was made, and of a file of this release."""
    for row in rows:
        path = str(row.fields["url"]).removeprefix(f"{SITE}/ftp/python/")
        if path not in served:
            raise _wrong(printable(path), "has a row at python.org, and is no file of this release")
        if row.fields.get("sha256_sum") != served[path].sha256:
            raise _wrong(path, "its row at python.org has another sha256 than the file")
        yield row_entry(row.slug, row.system, row.fields)
    if wrong := unlike(wanted_rows(contract, served), rows):
        problem = f"{len(wrong)} of its rows are not as they were made, first {wrong[0]}"
        raise _wrong(contract.page.url, problem)


def _overviews(contract: Contract, listing: Listing, site: SiteReader) -> Iterator[Entry]:
    """The boxes and redirects; each page that names the newest releases names this one."""
    boxes = box_paths(contract, listing)
    for page in sorted(overview_pages(contract, listing), key=lambda page: not page.leads_to):
        path = page.url.removeprefix(SITE)
        if not (page.tells or page.leads_to or path in boxes):
            continue
        seen = site.look(path)
        problem = page.problem(seen.status, seen.text, seen.leads_to)
        if problem and (page.tells or page.leads_to):
            raise _wrong(page.url, problem)
        if page.leads_to:
            yield Entry.of(EntryKind.REDIRECT, path, {"leads_to": page.leads_to})
        elif path in boxes and seen.status == _OK:
            # The site makes some of them only once there is what they show.
            yield Entry(EntryKind.BOX, path, seen.content)


def _upstream(release: Release, pushed: Pushed, history: History) -> Iterator[Entry]:
    """The tag is the object that was pushed."""
    name = f"refs/tags/{release.version.tag}"
    found = history.refs(name)[name]
    if found != pushed.tag:
        raise _wrong(name, f"upstream has {found[:12] or 'no such tag'}, pushed {pushed.tag[:12]}")
    yield Entry.of(EntryKind.REF, name, {"object": pushed.tag, "commit": pushed.commit})


def _link(release: Release, host: HostReader) -> Iterator[Entry]:
    """The link to the newest documentation, if it leads to this release's."""
    path = RemoteLayout(release.version).current_docs
    (link,) = host.look([path])
    target = link.target.rstrip("/") if link is not None and link.kind is Kind.LINK else ""
    if target == str(release.version):
        yield Entry.of(EntryKind.LINK, path, {"leads_to": target})


def _agree(made: ReleaseManifest, known: Mapping[str, str], where: str) -> None:
    """A manifest that is public lists each file as it was judged here."""
    listed = made.contents(EntryKind.FILE)
    for path, sha256 in known.items():
        if listed.get(path, Content(0, "")).sha256 != sha256:
            raise _wrong(where, f"is public and lists {path} with another sha256, or not at all")


def _planted(where: str, problem: str) -> StepFailed:
    remedy = (
        "find out who put it there, take it and its signatures away on the host, then run the same"
        " command again"
    )
    return StepFailed(where=where, problem=problem, remedy=remedy)


def _wrong(where: str, problem: str) -> StepFailed:
    return StepFailed(where=where, problem=problem, remedy=_STOP)
