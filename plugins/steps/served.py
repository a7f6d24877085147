"""Served bytes: what of the contract stands on the downloads host, as its bytes say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plugins.model.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.contract import Contract
    from plugins.ports import Shelf

__all__ = ["Bytes", "published_bytes"]


@dataclass(frozen=True, slots=True)
class Bytes:
    """What a file is, without where it is."""

    size_bytes: int
    sha256: str


def published_bytes(contract: Contract, shelf: Shelf) -> Mapping[str, Bytes]:
    """What every file of the contract is on the host, by its path below the root.

    Digests are computed there. Raises StepFailed if files are missing.
    """
    wanted = {file.remote for file in contract.files}
    entries = {}
    for folder in contract.folders:
        for entry in shelf.listing(folder):
            if entry.path in wanted:
                entries[entry.path] = entry
    digests = shelf.digests(tuple(entries[path] for path in sorted(entries)))
    missing = sorted(wanted - digests.keys())
    if missing:
        raise StepFailed(
            where="downloads host",
            problem=f"{len(missing)} of {len(wanted)} files are not there, first {missing[0]}",
            remedy="stage them and switch, or declare that they come later",
            details=tuple(missing),
        )
    return {path: Bytes(entries[path].size_bytes, digests[path]) for path in sorted(wanted)}
