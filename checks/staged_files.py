"""Staged files: what waits in the hidden folders, against the contract and the export here."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from checks.bundles import bundles_are_good
from checks.published_set import set_is_complete
from plugins.model.content import Content, NamedFile
from plugins.model.found_files import FoundFiles
from plugins.model.published_file import BUNDLE_SUFFIX, Origin, SizeClass
from plugins.model.rules import breach
from plugins.ports.host import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import HostReader
    from plugins.ports.sigstore import BundleVerifier

__all__ = ["staged_is_ready"]

_MOST_BUNDLE_BYTES: Final = SizeClass.NOTE.value[1] + 1
_TYPES: Final = {Kind.FILE: stat.S_IFREG, Kind.LINK: stat.S_IFLNK, Kind.OTHER: stat.S_IFIFO}


def staged_is_ready(
    release: Release,
    contract: Contract,
    areas: Iterable[StagingArea],
    host: HostReader,
    here: FoundFiles,
    verifier: BundleVerifier,
) -> tuple[Finding, ...]:
    """What is staged may be switched: all of it is there, as it was exported here, and signed.

    A release that is staged in part is reported as such; folders of which nothing is staged yet
    are missing as every other file is. What experts put where users see it counts as staged.
    Bundles are fetched, for the digests computed there.
    """
    found: dict[str, NamedFile] = {}
    room = release.layout.work / "verify" / "staged"
    for area in areas:
        found |= _public(area, contract, host)
        found |= _with_bundles(_below(area, host), area, host, room)
    whole = contract.with_extras(found)
    known = {file.remote for file in whole.files}
    shelf = FoundFiles("staged", release.layout, found, {}, tuple(sorted(found.keys() - known)))
    return (
        *set_is_complete(release, whole, shelf),
        *_is_here(whole, shelf, here),
        *bundles_are_good(whole, shelf, release.series.manager, verifier),
    )


def _public(area: StagingArea, contract: Contract, host: HostReader) -> dict[str, NamedFile]:
    """Files of this release that others put into the public folder already."""
    entries = [
        each
        for each in host.listing(area.final)
        if each.kind is Kind.FILE and (contract.find(each.path) or contract.brought(each.path))
    ]
    digests = host.digests(entries)
    return {
        each.path: NamedFile(
            each.path,
            Content(each.size_bytes, digests.get(each.path, "")),
            mode=each.mode | _TYPES[each.kind],
        )
        for each in entries
    }


def _below(area: StagingArea, host: HostReader) -> dict[str, NamedFile]:
    """What is staged there, under the paths that it will have."""
    entries = [each for each in host.listing(area.staging) if each.kind is not Kind.FOLDER]
    digests = host.digests([each for each in entries if each.kind is Kind.FILE])
    shelved = [
        NamedFile(
            area.final + each.path.removeprefix(area.staging),
            Content(each.size_bytes, digests.get(each.path, "")),
            mode=each.mode | _TYPES[each.kind],
        )
        for each in entries
    ]
    return {each.name: each for each in shelved}


def _with_bundles(
    found: Mapping[str, NamedFile], area: StagingArea, host: HostReader, room: Path
) -> dict[str, NamedFile]:
    """The same, each bundle with a copy of it in the room."""
    shelved = dict(found)
    for remote, each in found.items():
        if remote.endswith(BUNDLE_SUFFIX) and each.content.sha256:
            path = room / remote
            path.parent.mkdir(parents=True, exist_ok=True)
            place = area.staging + remote.removeprefix(area.final)
            path.write_bytes(host.read(place, _MOST_BUNDLE_BYTES))
            shelved[remote] = replace(each, source=path)
    return shelved


def _is_here(contract: Contract, staged: FoundFiles, here: FoundFiles) -> Iterator[Finding]:
    """What was exported here is staged as it is; where it is not here, that is not known."""
    for file in contract.by_origin(Origin.EXPORT, Origin.SIGSTORE):
        there, own = staged.files.get(file.remote), here.files.get(file.remote)
        if there is None:
            continue
        if own is None:
            yield breach(
                "staged.unseen",
                file.remote,
                "is staged, but there is no copy here to compare it with",
            )
        elif there.content != own.content:
            differ = f"staged are {there.content.brief}, here {own.content.brief}"
            yield breach("staged.differs", file.remote, differ)
