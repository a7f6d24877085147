"""Files published: what users get from every endpoint, and what is said of it elsewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from checks import (
    caches,
    current_docs,
    descriptions,
    evidence,
    hosted_docs,
    published_set,
    refs,
    release_manifest,
    rows,
    site,
)
from checks.content import ContentChecks
from checks.files_here import found_here, signatures_described, signatures_hold
from checks.looking_around import Look, path_of
from checks.previous import previous_tags
from checks.side_by_side import judged
from checks.verify_context import CheckGroup, VerifyContext
from doit_receipts.errors import ReleaseError
from doit_receipts.printable import counted
from plugins.model.docs_pages import pages_in
from plugins.model.evidence import evidence_path
from plugins.model.published_file import Kind
from plugins.model.site_pages import Listing, is_latest, listing_of, pages_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    from checks.recognising import Recognised
    from doit_receipts.finding import Finding
    from plugins.model.contract import Purge
    from plugins.model.report import Judgement
    from plugins.ports.git import Clone

__all__ = ["judgements_of_published"]


def judgements_of_published(
    context: VerifyContext, seen: Recognised, *, whole: bool
) -> tuple[Judgement, ...]:
    """What users get, and what the website, the statements and upstream say of it."""
    names = release_manifest.names_with_record(context, seen.names)
    contract = release_manifest.as_found(context, names).with_extras(names)
    known = {file.remote for file in contract.files}
    unexpected = tuple(
        sorted(
            name
            for name in seen.names - known
            if not published_set.belongs_to_another(name, context.release)
        )
    )
    docs = context.judges_docs and "html" in context.formats
    with (
        Look(contract, context.room, context.clients.public, docs=docs) as look,
        ThreadPoolExecutor(1) as fetching,
    ):
        context.clients.progress.say(
            f"fetching {counted(len(contract.files), 'file')} from every endpoint"
        )
        look.start(_pages(context) if whole else ())
        bringing = fetching.submit(_brought, context)
        groups = [
            *_public_files(context, look, unexpected, seen.names),
            *_public_content(context, look, bringing, whole=whole),
            *(_website(context, look) if whole else []),
            *_evidence(context, look, bringing),
            *_endpoints(context, look, docs=docs),
            *([_manifest(context, look, seen.names)] if whole else []),
        ]
        return judged(groups, context.clients.progress, published=True)


def _pages(context: VerifyContext) -> tuple[Purge, ...]:
    """The site's pages; what they have to show beside the release itself follows from its list.

    Where the list cannot be had, the website's own checks say so.
    """
    return pages_of(context.contract, _listing(context))


def _listing(context: VerifyContext) -> Listing:
    try:
        return listing_of(each.fields for each in context.clients.site.releases())
    except ReleaseError:
        return Listing()


def _brought(context: VerifyContext) -> Clone:
    """Upstream's tag and branch, as far as they are there; it may have neither."""
    release, history = context.release, context.clients.history
    tag = f"refs/tags/{release.version.tag}"
    names = {tag: tag, f"refs/heads/{release.branch}": refs.branch_ref(release.branch)}
    names |= {f"refs/tags/{each}": f"refs/tags/{each}" for each in previous_tags(release.version)}
    there = history.refs(*names)
    return history.bring(
        {name: names[name] for name in names if there[name]},
        gone=[names[name] for name in names if not there[name]],
    )


def _public_files(
    context: VerifyContext, look: Look, unexpected: tuple[str, ...], names: frozenset[str]
) -> list[CheckGroup]:
    release, contract = context.release, look.contract

    def files() -> tuple[Finding, ...]:
        found_files = look.found_files(contract.files, unexpected)
        return (
            *published_set.set_is_complete(release, contract, found_files),
            *published_set.local_is_published(found_here(context), found_files),
            *published_set.listings_hide_nothing(found_files, names),
            *descriptions.manifests_are_true(release, found_files),
            *descriptions.sboms_of_experts_are_true(release, contract, found_files),
        )

    def signed() -> tuple[Finding, ...]:
        wanted = {
            name
            for file in contract.files
            if file.kind in (Kind.SIGNATURE, Kind.BUNDLE, Kind.DETACHED)
            for name in (file.remote, file.beside)
        }
        return signatures_hold(
            context, contract, look.found_files(f for f in contract.files if f.remote in wanted)
        )

    described = f"{counted(len(contract.files), 'file')} of the contract, and what else is there"
    return [
        CheckGroup("files", described, (files,)),
        CheckGroup("signatures", signatures_described(contract), (signed,), "signature.unseen"),
    ]


def _public_content(
    context: VerifyContext, look: Look, bringing: Future[Clone], *, whole: bool
) -> list[CheckGroup]:
    release, clients = context.release, context.clients
    branch = refs.branch_ref(release.branch) if whole else ""

    def tag() -> tuple[Finding, ...]:
        brought, room = bringing.result(), context.room.work / "tag"
        found = refs.tag_is_right(release, brought, context.signers, clients.verifier, room, branch)
        found = (*found, *refs.names_are_taken_once(release, clients.history))
        if not (release.layout.clone / ".git").is_dir():
            return found
        return (*found, *refs.tag_is_ours(release, clients.clone, brought))

    def here(kind: Kind) -> object:
        return look.found_files(file for file in look.contract.files if file.kind is kind)

    content = ContentChecks(context, context.inside, bringing.result, tag, here, looks_back=True)
    # Before the tag is pushed there is nothing at upstream to compare with.
    return [group for group in content.groups() if whole or group.subject == "documentation"]


def _evidence(context: VerifyContext, look: Look, bringing: Future[Clone]) -> list[CheckGroup]:
    """What the signed statements say, where there are any or there have to be."""
    release, clients = context.release, context.clients
    path = evidence_path(release)
    if not context.evidence and look.contract.find(path) is None:
        return []

    def stated() -> tuple[Finding, ...]:
        commit = bringing.result().resolve(f"refs/tags/{release.version.tag}^{{commit}}")
        found_files = look.found_files(look.contract.files)
        manager = release.series.manager
        return evidence.evidence_is_true(
            release, look.contract, found_files, commit, manager, clients.bundles
        )

    described = f"the statements of {path.rpartition('/')[2]}: signer, files, commit"
    return [CheckGroup("evidence", described, (stated,), "evidence.unseen")]


def _website(context: VerifyContext, look: Look) -> list[CheckGroup]:
    def flags() -> tuple[Finding, ...]:
        return site.flags_are_right(look.contract, context.clients.site)

    def listed() -> tuple[Finding, ...]:
        found_files = look.found_files(look.contract.listed)
        return rows.rows_are_true(look.contract, found_files, context.clients.site)

    described = f"flags, {counted(len(look.contract.listed), 'row')} against the bytes"
    return [CheckGroup("website", described, (flags, listed), "row.unseen")]


def _manifest(context: VerifyContext, look: Look, names: frozenset[str]) -> CheckGroup:
    def listed() -> tuple[Finding, ...]:
        return release_manifest.manifest_holds(context, look, names)

    described = "each file, page, row, box, redirect and ref that it lists, and what it does not"
    return CheckGroup("manifest", described, (listed,))


def _endpoints(context: VerifyContext, look: Look, *, docs: bool) -> list[CheckGroup]:
    def files() -> tuple[Finding, ...]:
        return caches.caches_serve_files(look.found_files(look.contract.files), look.answers())

    def pages() -> tuple[Finding, ...]:
        return caches.pages_are_current(look.pages())

    def hosted() -> tuple[Finding, ...]:
        archives = [each for each in look.contract.files if each.name.endswith("-docs-html.zip")]
        look.found_files(archives)
        wanted = pages_in(path_of(archives[0], context.room)) if archives else None
        return hosted_docs.pages_are_the_archives(wanted, look.hosted(wanted or {}))

    def current() -> tuple[Finding, ...]:
        listing = _listing(context)
        if context.judges_docs and listing.public and is_latest(look.contract, listing):
            return current_docs.current_leads_here(context, look)
        return ()

    groups = [CheckGroup("caches", "every file and page from every endpoint", (files, pages))]
    if docs:
        described = "every file of the archive, as it is served, and doc/current"
        groups.append(CheckGroup("documentation's pages", described, (hosted, current)))
    return groups
