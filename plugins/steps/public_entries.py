"""Public entries: all that is public of a release, looked at in one moment and as it was judged.

The files, the pages of the documentation, the release at python.org, its tag upstream and the link
to the newest documentation; the first that is otherwise than it was made ends the looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted, printable
from doit_receipts.probe import RemoteState
from plugins.model.article import article_of
from plugins.model.docs_pages import UNREAD, pages_in
from plugins.model.public_site import box_paths, release_entry, row_entry
from plugins.model.published_file import SITE
from plugins.model.release_manifest import Entry, EntryKind, listing_entry
from plugins.model.remote_layout import RemoteLayout
from plugins.model.site_pages import listing_of, overview_pages
from plugins.ports.host import Kind
from plugins.steps.docs_hosting import look_docs_hosted
from plugins.steps.served import published_bytes
from plugins.steps.site_files import unlike, wanted_rows
from plugins.steps.site_release import look_draft, look_public

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.artifact import Artifact
    from doit_receipts.probe import Probe
    from plugins.model.content import Content
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.site_pages import Listing
    from plugins.ports.host import HostReader
    from plugins.ports.public import History
    from plugins.ports.signing import Signer
    from plugins.ports.sigstore import BundleVerifier
    from plugins.ports.site import SiteReader, SiteRow

__all__ = ["Pushed", "Sources", "entries", "pushed", "refused", "sources"]

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


def entries(
    release: Release,
    contract: Contract,
    known: Mapping[str, str],
    html: Artifact | None,
    pushed: Pushed,
    sources: Sources,
) -> tuple[Entry, ...]:
    """All that is public of the release.

    ``known`` gives the sha256 of each file by its path, from receipts; ``html`` is the archive
    whose pages are on the docs host. Raises StepFailed for the first that is not as it was judged.
    """
    served = published_bytes(contract, sources.downloads, known)
    return (
        *(Entry(EntryKind.FILE, path, content) for path, content in served.items()),
        *_docs(release, html, sources.docs),
        *_site(contract, served, sources.site),
        *_upstream(release, pushed, sources.history),
        *_link(release, sources.downloads),
    )


def refused(where: str, problem: str) -> StepFailed:
    """What is public is otherwise than it was judged: no manifest may list it."""
    return StepFailed(where=where, problem=problem, remedy=_STOP)


def _docs(release: Release, html: Artifact | None, host: HostReader) -> Iterator[Entry]:
    """Every hosted page is that of the archive."""
    if html is None:
        return
    area = RemoteLayout(release.version).docs
    probe = look_docs_hosted(html, area, host)
    pages = pages_in(html.path)
    if probe.state is not RemoteState.IDENTICAL or pages is None or UNREAD in pages.values():
        raise refused(host.shown(area.final), probe.problem or "has pages that are too large")
    for page, content in pages.items():
        yield Entry(EntryKind.DOCS_PAGE, f"{area.final}/{page}", content)


def _site(contract: Contract, served: Mapping[str, Content], site: SiteReader) -> Iterator[Entry]:
    """The release, its rows, its page, boxes and redirects, and which releases there are.

    All of it is judged in this moment: somebody may have changed it since the site was checked.
    """
    public = [each for each in site.releases() if each.is_published]
    ours = [each for each in public if each.slug == contract.page.slug]
    if len(ours) != 1:
        raise refused(
            contract.page.url,
            (
                f"{counted(len(ours), 'public release has', 'public releases have')} "
                "its address, wanted one"
            ),
        )
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
        raise refused(contract.page.url, f"answers {seen.status}, and has no heading and table")
    yield Entry(EntryKind.PAGE, path, article)
    yield from _overviews(contract, listing, site)
    _as_made(contract, look_public(contract, site))


def _as_made(contract: Contract, probe: Probe) -> None:
    if probe.state is not RemoteState.IDENTICAL:
        why = "; ".join(probe.details) or probe.problem
        raise refused(contract.page.url, f"python.org has it otherwise than it was made: {why}")


def _rows(
    contract: Contract, served: Mapping[str, Content], rows: tuple[SiteRow, ...]
) -> Iterator[Entry]:
    """Each row is as it was made, and of a file of this release."""
    for row in rows:
        path = str(row.fields["url"]).removeprefix(f"{SITE}/ftp/python/")
        if path not in served:
            raise refused(
                printable(path), "has a row at python.org, and is no file of this release"
            )
        if row.fields.get("sha256_sum") != served[path].sha256:
            raise refused(path, "its row at python.org has another sha256 than the file")
        yield row_entry(row.slug, row.system, row.fields)
    if wrong := unlike(wanted_rows(contract, served), rows):
        rows_are = counted(len(wrong), "of its rows is", "of its rows are")
        problem = f"{rows_are} not as they were made, first {wrong[0]}"
        raise refused(contract.page.url, problem)


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
            raise refused(page.url, problem)
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
        raise refused(name, f"upstream has {found[:12] or 'no such tag'}, pushed {pushed.tag[:12]}")
    yield Entry.of(EntryKind.REF, name, {"object": pushed.tag, "commit": pushed.commit})


def _link(release: Release, host: HostReader) -> Iterator[Entry]:
    """The link to the newest documentation, if it leads to this release's."""
    path = RemoteLayout(release.version).current_docs
    (link,) = host.look([path])
    target = link.target.rstrip("/") if link is not None and link.kind is Kind.LINK else ""
    if target == str(release.version):
        yield Entry.of(EntryKind.LINK, path, {"leads_to": target})
