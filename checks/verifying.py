"""Verification: may anybody trust this release? Every check, side by side, all findings.

It needs the declaration, public keys and the network; receipts are not read. What is judged
follows from how far the release has come, which is recognised first.
"""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from checks import (
    bundles,
    caches,
    checksums,
    current_docs,
    evidence,
    hosted_docs,
    install_manifest,
    published_set,
    refs,
    release_manifest,
    rows,
    signatures,
    site,
    staged_files,
)
from checks.content import ContentChecks
from checks.looking_around import Look, path_of
from checks.not_known import not_known
from checks.previous import previous_tags
from checks.recognising import recognised
from checks.verify_context import CheckGroup, VerifyContext
from doit_receipts.artifact import sha256_of
from doit_receipts.durable import PARTIAL
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from plugins.model.content import Content, NamedFile
from plugins.model.contract import (
    BUNDLE_SUFFIX,
    Kind,
    Origin,
    bundle_paths,
    local_path,
    record_paths,
)
from plugins.model.docs_pages import pages_in
from plugins.model.evidence import evidence_path
from plugins.model.found_files import FoundFiles
from plugins.model.report import Judgement, Report, Situation
from plugins.model.rules import breach
from plugins.model.site_pages import Listing, is_latest, listing_of, pages_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from checks.recognising import Recognised
    from checks.verify_context import Clients, Makers, Signers
    from plugins.model.contract import Contract, Purge
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.model.report import Wanted
    from plugins.ports.git import Clone
    from plugins.ports.progress import Progress

__all__ = ["verify"]

_LANES: Final = 8


def verify(
    release: Release,
    contract: Contract,
    formats: tuple[str, ...],
    signers: Signers,
    areas: tuple[StagingArea, ...],
    make: Makers,
    clients: Clients,
    wanted: Wanted,
) -> Report:
    """All that can be found against this release, in the situation that it is in.

    ``make`` writes the source archives of a release from a clone, for ``wanted.rebuild``;
    ``areas`` are where files are staged. What is fetched is kept below ``verify`` in the work
    folder, and an unchanged file is not fetched again unless ``wanted.fresh``.
    """
    if wanted.fresh:
        clients.public.forget()
    context = VerifyContext(
        release, contract, formats, signers, areas, clients, make, wanted.rebuild, wanted.evidence
    )
    clients.progress.say("finding out how far the release is")
    seen = recognised(context)
    situation = wanted.situation or seen.situation
    # Where python.org could not be checked, that nothing was found proves nothing.
    blind = seen.trouble and situation is Situation.NOTHING
    judgements = () if blind else _judgements(context, seen, situation)
    clients.public.remember()
    if seen.trouble:
        first = Judgement("situation", "how far the release is", seen.trouble)
        judgements = (first, *judgements)
    kind = release.type.name.lower().replace("_", " ")
    is_public = situation in (Situation.SWITCHED, Situation.PUBLISHED)
    unknown: tuple[str, ...] = ()
    if is_public:
        proven = situation is Situation.PUBLISHED and _is_proven(context, judgements)
        unknown = tuple(not_known(context, contract.with_extras(seen.names), proven=proven))
    return Report(str(release.version), kind, situation, judgements, not_known=unknown)


def _is_proven(context: VerifyContext, judgements: Iterable[Judgement]) -> bool:
    """Whether there is a manifest, and nothing was found against it or its signatures."""
    place, *_ = record_paths(context.release)
    return not any(
        found.where.startswith(place) for judged in judgements for found in judged.findings
    )


def _judgements(
    context: VerifyContext, seen: Recognised, situation: Situation
) -> tuple[Judgement, ...]:
    match situation:
        case Situation.NOTHING:
            return _nothing(context)
        case Situation.LOCAL:
            return _judged(_local(context), context.clients.progress)
        case Situation.STAGED:
            return _judged([*_staged(context), *_local(context)], context.clients.progress)
        case Situation.SWITCHED | Situation.PUBLISHED:
            return _public(context, seen, whole=situation is Situation.PUBLISHED)


def _nothing(context: VerifyContext) -> tuple[Judgement, ...]:
    described = f"neither this machine nor python.org has any file of {context.release.version}"
    found = breach("situation.nothing", str(context.release.layout.work), described)
    return (Judgement("release", "whether it exists", (found,)),)


# ── local artifacts ──────────────────────────────────────────────────────────────────────────


def _local(context: VerifyContext) -> list[CheckGroup]:
    found_files = _found_here(context)
    release, clients = context.release, context.clients
    contract = _contract_here(context, found_files)
    room = context.room.work / "tag"

    def files() -> tuple[Finding, ...]:
        return (
            *published_set.set_is_complete(release, contract, found_files),
            *checksums.checksums_are_true(found_files),
        )

    def signed() -> tuple[Finding, ...]:
        return _signed(context, contract, found_files)

    def tag() -> tuple[Finding, ...]:
        return refs.tag_is_right(release, clients.clone, context.signers, clients.verifier, room)

    size = sum(each.content.size_bytes for each in found_files.files.values())
    described = f"{len(contract.files)} files, {size / 1e6:,.1f} MB, and SHA256SUMS"
    content = ContentChecks(context, release, lambda: clients.clone, tag, lambda _: None)
    return [
        CheckGroup("files", described, (files,)),
        CheckGroup("signatures", _signatures_described(contract), (signed,), "signature.unseen"),
        *content.groups(),
    ]


def _signed(
    context: VerifyContext, contract: Contract, found_files: FoundFiles
) -> tuple[Finding, ...]:
    """What both kinds of signature say."""
    clients, manager = context.clients, context.release.series.manager
    return (
        *signatures.signatures_are_good(contract, found_files, context.signers, clients.verifier),
        *bundles.bundles_are_good(contract, found_files, manager, clients.bundles),
    )


def _contract_here(context: VerifyContext, found_files: FoundFiles) -> Contract:
    """What has to be on this machine: all that is exported, and the bundles that are made."""
    ours = {file.remote for file in context.contract.by_origin(Origin.EXPORT)}
    files = tuple(
        file
        for file in context.contract.files
        if file.remote in ours
        or (file.kind is Kind.BUNDLE and {file.remote, file.beside} <= found_files.files.keys())
    )
    return replace(context.contract, files=files, extras=())


def _found_here(context: VerifyContext) -> FoundFiles:
    """What the export left on this machine, and the bundles that were made since."""
    layout = context.release.layout
    found: dict[str, NamedFile] = {}
    unexpected: list[str] = []
    paths = {local_path(file, context.release): file.remote for file in context.contract.files}
    made = bundle_paths(context.contract, context.release)
    paths |= {path: f"{signed.remote}{BUNDLE_SUFFIX}" for signed, path in made.items()}
    for folder in (layout.src, layout.docs, layout.bundles):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path not in paths:
                # A run that was killed may have left a partial file.
                if path != layout.checksums and not path.name.endswith(PARTIAL):
                    unexpected.append(path.relative_to(layout.work).as_posix())
                continue
            about = path.lstat()
            is_readable = stat.S_ISREG(about.st_mode) and about.st_mode & stat.S_IRUSR
            sha256 = sha256_of(path) if is_readable else ""
            content = Content(about.st_size, sha256)
            found[paths[path]] = NamedFile(paths[path], content, path, about.st_mode)
    return FoundFiles("here", layout, found, {}, tuple(unexpected))


def _staged(context: VerifyContext) -> list[CheckGroup]:
    def check() -> tuple[Finding, ...]:
        return staged_files.staged_is_ready(
            context.release,
            context.contract,
            context.areas,
            context.clients.host,
            _found_here(context),
            context.clients.bundles,
        )

    described = f"{len(context.contract.files)} files: names, sizes, modes, digests, bundles"
    return [CheckGroup("staged files", described, (check,), "staged.unseen")]


# ── published ────────────────────────────────────────────────────────────────────────────────


def _public(context: VerifyContext, seen: Recognised, *, whole: bool) -> tuple[Judgement, ...]:
    """What users get, from every endpoint, and what the website and upstream say of it."""
    names = release_manifest.names_with_record(context, seen.names)
    contract = context.contract.with_extras(names)
    known = {file.remote for file in contract.files}
    unexpected = tuple(
        sorted(
            name
            for name in seen.names - known
            if not published_set.belongs_to_another(name, context.release, contract)
        )
    )
    docs = context.judges_docs and "html" in context.formats
    with (
        Look(contract, context.room, context.clients.public, docs=docs) as look,
        ThreadPoolExecutor(1) as fetching,
    ):
        context.clients.progress.say(f"fetching {len(contract.files)} files from every endpoint")
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
        return _judged(groups, context.clients.progress)


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
            *published_set.local_is_published(_found_here(context), found_files),
            *published_set.listings_hide_nothing(found_files, names),
            *install_manifest.manifests_are_true(release, found_files),
        )

    def signed() -> tuple[Finding, ...]:
        wanted = {
            name
            for file in contract.files
            if file.kind in (Kind.SIGNATURE, Kind.BUNDLE)
            for name in (file.remote, file.beside)
        }
        return _signed(
            context, contract, look.found_files(f for f in contract.files if f.remote in wanted)
        )

    described = f"{len(contract.files)} files of the contract, and what else is there"
    return [
        CheckGroup("files", described, (files,)),
        CheckGroup("signatures", _signatures_described(contract), (signed,), "signature.unseen"),
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

    described = f"flags, {len(look.contract.listed)} rows against the bytes"
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


# ── side by side ─────────────────────────────────────────────────────────────────────────────


def _judged(groups: list[CheckGroup], progress: Progress) -> tuple[Judgement, ...]:
    """Every group beside the others; within one, check after check."""

    def walk(group: CheckGroup) -> Judgement:
        found: list[Finding] = []
        for check in group.checks:
            try:
                found += check()
            except ReleaseError as error:
                found.append(
                    Finding(group.blind, Severity.BLOCK, error.problem, error.where, error.remedy)
                )
        progress.say(f"{group.subject}: {len(found) or 'no'} findings")
        return Judgement(group.subject, group.looked_at, tuple(dict.fromkeys(found)))

    with ThreadPoolExecutor(_LANES, thread_name_prefix="judge") as pool:
        return tuple(pool.map(walk, groups))


def _signatures_described(contract: Contract) -> str:
    kinds = [file.kind for file in contract.files]
    described = [
        f"{kinds.count(kind)} {name}"
        for kind, name in ((Kind.SIGNATURE, "of OpenPGP"), (Kind.BUNDLE, "of Sigstore"))
        if kind in kinds
    ]
    return f"{' and '.join(described)}, and who made them" if described else "this series has none"
