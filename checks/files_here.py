"""Files here: what the export left on this machine, and what waits on the host, to be judged."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from checks import (
    bundles,
    checksums,
    published_set,
    refs,
    signatures,
    staged_files,
)
from checks.content import ContentChecks
from checks.verify_context import CheckGroup, VerifyContext
from doit_receipts.artifact import sha256_of
from doit_receipts.durable import PARTIAL
from doit_receipts.printable import counted
from plugins.model.content import Content, NamedFile
from plugins.model.found_files import FoundFiles
from plugins.model.promise import bundle_paths, local_path
from plugins.model.published_file import BUNDLE_SUFFIX, Kind, Origin

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract

__all__ = ["found_here", "groups_here", "groups_staged", "signatures_described", "signatures_hold"]


def groups_here(context: VerifyContext) -> list[CheckGroup]:
    """What the export left, judged whole and each file by itself."""
    found_files = found_here(context)
    release, clients = context.release, context.clients
    contract = _contract_here(context, found_files)
    room = context.room.work / "tag"

    def files() -> tuple[Finding, ...]:
        return (
            *published_set.set_is_complete(release, contract, found_files),
            *checksums.checksums_are_true(found_files),
        )

    def signed() -> tuple[Finding, ...]:
        return signatures_hold(context, contract, found_files)

    def tag() -> tuple[Finding, ...]:
        return refs.tag_is_right(release, clients.clone, context.signers, clients.verifier, room)

    size = sum(each.content.size_bytes for each in found_files.files.values())
    described = f"{counted(len(contract.files), 'file')}, {size / 1e6:,.1f} MB, and SHA256SUMS"
    content = ContentChecks(context, release, lambda: clients.clone, tag, lambda _: None)
    return [
        CheckGroup("files", described, (files,)),
        CheckGroup("signatures", signatures_described(contract), (signed,), "signature.unseen"),
        *content.groups(),
    ]


def signatures_hold(
    context: VerifyContext, contract: Contract, found_files: FoundFiles
) -> tuple[Finding, ...]:
    """What both kinds of signature say."""
    clients, manager = context.clients, context.release.series.manager
    return (
        *signatures.signatures_are_good(contract, found_files, context.signers, clients.verifier),
        *bundles.bundles_are_good(contract, found_files, manager, clients.bundles),
        *bundles.detached_are_good(contract, found_files, manager, clients.bundles),
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


def found_here(context: VerifyContext) -> FoundFiles:
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


def groups_staged(context: VerifyContext) -> list[CheckGroup]:
    """What waits in the hidden folders of the host."""

    def check() -> tuple[Finding, ...]:
        return staged_files.staged_is_ready(
            context.release,
            context.contract,
            context.areas,
            context.clients.host,
            found_here(context),
            context.clients.bundles,
        )

    described = (
        f"{counted(len(context.contract.files), 'file')}: names, sizes, modes, digests, bundles"
    )
    return [CheckGroup("staged files", described, (check,), "staged.unseen")]


def signatures_described(contract: Contract) -> str:
    """How many signatures of each kind there have to be."""
    kinds = [file.kind for file in contract.files]
    described = [
        f"{kinds.count(kind)} {name}"
        for kind, name in ((Kind.SIGNATURE, "of OpenPGP"), (Kind.BUNDLE, "of Sigstore"))
        if kind in kinds
    ]
    return f"{' and '.join(described)}, and who made them" if described else "this series has none"
