"""Verification: would a stranger trust this release? Every check, side by side, all findings.

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
    hosted_docs,
    published_set,
    refs,
    rows,
    signatures,
    site,
    staged_files,
)
from checks.content import Content
from checks.looking_around import Look, path_of
from checks.previous import previous_tags
from checks.recognising import recognised
from checks.seat import Lane, Seat
from plugins.model.artifact import sha256_of
from plugins.model.contract import BUNDLE_SUFFIX, Kind, Origin, bundle_paths, local_path
from plugins.model.durable import PARTIAL
from plugins.model.errors import ReleaseError
from plugins.model.finding import Finding, Severity
from plugins.model.report import Judgement, Report, Situation
from plugins.model.rules import breach
from plugins.model.shelf import Shelf, Shelved

if TYPE_CHECKING:
    from concurrent.futures import Future

    from checks.recognising import Recognised
    from checks.seat import Make, Signers, Ways
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.remote_layout import Berth
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
    berths: tuple[Berth, ...],
    make: Make,
    ways: Ways,
    wanted: Wanted,
) -> Report:
    """All that can be found against this release, in the situation that it is in.

    ``make`` writes the source archives of a release from a clone, for ``wanted.rebuild``;
    ``berths`` are where files are staged. What is fetched is kept below ``verify`` in the work
    folder, and an unchanged file is not fetched again unless ``wanted.fresh``.
    """
    if wanted.fresh:
        ways.visitor.forget()
    seat = Seat(release, contract, formats, signers, berths, ways, make, wanted.rebuild)
    ways.progress.say("looking how far the release has come")
    seen = recognised(seat)
    situation = wanted.situation or seen.situation
    judgements = _judgements(seat, seen, situation)
    ways.visitor.remember()
    if seen.trouble:
        first = Judgement("situation", "how far it has come", seen.trouble)
        judgements = (first, *judgements)
    kind = release.type.name.lower().replace("_", " ")
    return Report(str(release.version), kind, situation, judgements)


def _judgements(seat: Seat, seen: Recognised, situation: Situation) -> tuple[Judgement, ...]:
    match situation:
        case Situation.NOTHING:
            return _nothing(seat)
        case Situation.LOCAL:
            return _judged(_local(seat), seat.ways.progress)
        case Situation.STAGED:
            return _judged([*_staged(seat), *_local(seat)], seat.ways.progress)
        case Situation.SWITCHED | Situation.PUBLISHED:
            return _public(seat, seen, whole=situation is Situation.PUBLISHED)


def _nothing(seat: Seat) -> tuple[Judgement, ...]:
    told = f"neither here nor at python.org is anything of {seat.release.version}"
    found = breach("situation.nothing", str(seat.release.layout.work), told)
    return (Judgement("release", "whether there is one", (found,)),)


# ── local artifacts ──────────────────────────────────────────────────────────────────────────


def _local(seat: Seat) -> list[Lane]:
    shelf = _shelf_here(seat)
    release, ways = seat.release, seat.ways
    contract = _contract_here(seat, shelf)
    room = seat.room.work / "tag"

    def files() -> tuple[Finding, ...]:
        return (
            *published_set.set_is_complete(release, contract, shelf),
            *checksums.checksums_are_true(shelf),
        )

    def signed() -> tuple[Finding, ...]:
        return _signed(seat, contract, shelf)

    def tag() -> tuple[Finding, ...]:
        return refs.tag_is_right(release, ways.clone, seat.signers, ways.verifier, room)

    size = sum(each.size_bytes for each in shelf.files.values())
    told = f"{len(contract.files)} files, {size / 1e6:,.1f} MB, and SHA256SUMS"
    content = Content(seat, release, lambda: ways.clone, tag, lambda _: None)
    return [
        Lane("files", told, (files,)),
        Lane("signatures", _signatures_told(contract), (signed,), "signature.unseen"),
        *content.lanes(),
    ]


def _signed(seat: Seat, contract: Contract, shelf: Shelf) -> tuple[Finding, ...]:
    """What both kinds of signature say."""
    ways, manager = seat.ways, seat.release.series.manager
    return (
        *signatures.signatures_are_good(contract, shelf, seat.signers, ways.verifier),
        *bundles.bundles_are_good(contract, shelf, manager, ways.bundles),
    )


def _contract_here(seat: Seat, shelf: Shelf) -> Contract:
    """What has to be on this machine: all that is exported, and the bundles that are made."""
    ours = {file.remote for file in seat.contract.by_origin(Origin.EXPORT)}
    files = tuple(
        file
        for file in seat.contract.files
        if file.remote in ours
        or (file.kind is Kind.BUNDLE and {file.remote, file.beside} <= shelf.files.keys())
    )
    return replace(seat.contract, files=files, extras=())


def _shelf_here(seat: Seat) -> Shelf:
    """What the export left on this machine, and the bundles that were made since."""
    layout = seat.release.layout
    found: dict[str, Shelved] = {}
    strangers: list[str] = []
    paths = {local_path(file, seat.release): file.remote for file in seat.contract.files}
    made = bundle_paths(seat.contract, seat.release)
    paths |= {path: f"{signed.remote}{BUNDLE_SUFFIX}" for signed, path in made.items()}
    for folder in (layout.src, layout.docs, layout.bundles):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path not in paths:
                # A run that was killed may have left a half.
                if path != layout.checksums and not path.name.endswith(PARTIAL):
                    strangers.append(path.relative_to(layout.work).as_posix())
                continue
            about = path.lstat()
            is_readable = stat.S_ISREG(about.st_mode) and about.st_mode & stat.S_IRUSR
            sha256 = sha256_of(path) if is_readable else ""
            remote = paths[path]
            found[remote] = Shelved(remote, about.st_size, sha256, path, about.st_mode)
    return Shelf("here", layout, found, {}, tuple(strangers))


def _staged(seat: Seat) -> list[Lane]:
    def check() -> tuple[Finding, ...]:
        return staged_files.staged_is_ready(
            seat.release,
            seat.contract,
            seat.berths,
            seat.ways.host,
            _shelf_here(seat),
            seat.ways.bundles,
        )

    told = f"{len(seat.contract.files)} files: names, sizes, modes, digests, bundles"
    return [Lane("staged files", told, (check,), "staged.unseen")]


# ── published ────────────────────────────────────────────────────────────────────────────────


def _public(seat: Seat, seen: Recognised, *, whole: bool) -> tuple[Judgement, ...]:
    """What users get, by every door, and what the website and upstream tell of it."""
    contract = seat.contract.with_extras(seen.names)
    known = {file.remote for file in contract.files}
    strangers = tuple(
        sorted(
            name
            for name in seen.names - known
            if not published_set.belongs_to_another(name, seat.release, contract)
        )
    )
    docs = seat.judges_docs and "html" in seat.formats
    with (
        Look(contract, seat.room, seat.ways.visitor, docs=docs) as look,
        ThreadPoolExecutor(1) as fetching,
    ):
        seat.ways.progress.say(f"fetching {len(contract.files)} files by every door")
        look.start(pages=whole)
        bringing = fetching.submit(_brought, seat)
        lanes = [
            *_public_files(seat, look, strangers),
            *_public_content(seat, look, bringing, whole=whole),
            *(_website(seat, look) if whole else []),
            *_doors(seat, look, docs=docs),
        ]
        return _judged(lanes, seat.ways.progress)


def _brought(seat: Seat) -> Clone:
    """Upstream's tag and branch, as far as they are there; it may have neither."""
    release, history = seat.release, seat.ways.history
    tag = f"refs/tags/{release.version.tag}"
    names = {tag: tag, f"refs/heads/{release.branch}": refs.branch_ref(release.branch)}
    names |= {f"refs/tags/{each}": f"refs/tags/{each}" for each in previous_tags(release.version)}
    there = history.refs(*names)
    return history.bring(
        {name: names[name] for name in names if there[name]},
        gone=[names[name] for name in names if not there[name]],
    )


def _public_files(seat: Seat, look: Look, strangers: tuple[str, ...]) -> list[Lane]:
    release, contract = seat.release, look.contract

    def files() -> tuple[Finding, ...]:
        shelf = look.shelf(contract.files, strangers)
        return (
            *published_set.set_is_complete(release, contract, shelf),
            *published_set.local_is_published(_shelf_here(seat), shelf),
        )

    def signed() -> tuple[Finding, ...]:
        wanted = {
            name
            for file in contract.files
            if file.kind in (Kind.SIGNATURE, Kind.BUNDLE)
            for name in (file.remote, file.beside)
        }
        return _signed(seat, contract, look.shelf(f for f in contract.files if f.remote in wanted))

    told = f"{len(contract.files)} files of the contract, and what else is there"
    return [
        Lane("files", told, (files,)),
        Lane("signatures", _signatures_told(contract), (signed,), "signature.unseen"),
    ]


def _public_content(seat: Seat, look: Look, bringing: Future[Clone], *, whole: bool) -> list[Lane]:
    release, ways = seat.release, seat.ways
    branch = refs.branch_ref(release.branch) if whole else ""

    def tag() -> tuple[Finding, ...]:
        brought, room = bringing.result(), seat.room.work / "tag"
        found = refs.tag_is_right(release, brought, seat.signers, ways.verifier, room, branch)
        if not (release.layout.clone / ".git").is_dir():
            return found
        return (*found, *refs.tag_is_ours(release, ways.clone, brought))

    def here(kind: Kind) -> object:
        return look.shelf(file for file in look.contract.files if file.kind is kind)

    content = Content(seat, seat.inside, bringing.result, tag, here, looks_back=True)
    # Before the tag is pushed there is nothing at upstream to compare with.
    return [lane for lane in content.lanes() if whole or lane.subject == "documentation"]


def _website(seat: Seat, look: Look) -> list[Lane]:
    def flags() -> tuple[Finding, ...]:
        return site.flags_are_right(look.contract, seat.ways.site)

    def listed() -> tuple[Finding, ...]:
        shelf = look.shelf(look.contract.listed)
        return rows.rows_are_true(look.contract, shelf, seat.ways.site)

    told = f"flags, {len(look.contract.listed)} rows against the bytes"
    return [Lane("website", told, (flags, listed), "row.unseen")]


def _doors(seat: Seat, look: Look, *, docs: bool) -> list[Lane]:
    def files() -> tuple[Finding, ...]:
        return caches.caches_serve_files(look.shelf(look.contract.files), look.answers())

    def pages() -> tuple[Finding, ...]:
        return caches.pages_are_current(look.pages())

    def hosted() -> tuple[Finding, ...]:
        papers = [each for each in look.contract.files if each.name.endswith("-docs-html.zip")]
        look.shelf(papers)
        wanted = hosted_docs.pages_in(path_of(papers[0], seat.room)) if papers else None
        return hosted_docs.pages_are_the_archives(wanted, look.hosted())

    lanes = [Lane("caches", "every file and page by every door", (files, pages))]
    if docs:
        told = "against the archive, by every door"
        lanes.append(Lane("documentation's pages", told, (hosted,)))
    return lanes


# ── side by side ─────────────────────────────────────────────────────────────────────────────


def _judged(lanes: list[Lane], progress: Progress) -> tuple[Judgement, ...]:
    """Every lane beside the others; within one, check after check."""

    def walk(lane: Lane) -> Judgement:
        found: list[Finding] = []
        for check in lane.checks:
            try:
                found += check()
            except ReleaseError as error:
                found.append(
                    Finding(lane.blind, Severity.BLOCK, error.problem, error.where, error.remedy)
                )
        progress.say(f"{lane.subject}: {len(found) or 'no'} findings")
        return Judgement(lane.subject, lane.told, tuple(dict.fromkeys(found)))

    with ThreadPoolExecutor(_LANES, thread_name_prefix="judge") as pool:
        return tuple(pool.map(walk, lanes))


def _signatures_told(contract: Contract) -> str:
    kinds = [file.kind for file in contract.files]
    told = [
        f"{kinds.count(kind)} {name}"
        for kind, name in ((Kind.SIGNATURE, "of OpenPGP"), (Kind.BUNDLE, "of Sigstore"))
        if kind in kinds
    ]
    return f"{' and '.join(told)}, and who made them" if told else "this series has none"
