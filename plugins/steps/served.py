"""Served bytes: what of the contract is on the downloads host, as its bytes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed
from doit_receipts.printable import share
from plugins.model.content import Content
from plugins.steps.host_modes import refuse_closed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.contract import Contract
    from plugins.ports.host import HostReader

__all__ = ["published_bytes", "replaced_files"]


def published_bytes(
    contract: Contract, host: HostReader, known: Mapping[str, str] | None = None
) -> Mapping[str, Content]:
    """What every file of the contract is on the host, by its path below the root.

    Digests are computed there. ``known`` holds the sha256 that each has to have, by path: those
    of the files that were exported, built by CI, and signed for by experts. Raises StepFailed if
    files are missing or, where that is given, have other bytes; Waiting for whoever closed a
    folder to us.
    """
    wanted = {file.remote for file in contract.files}
    # A listing goes to any depth, and one of a folder that is closed to us has nothing to say.
    folders = [
        folder
        for folder in contract.folders
        if not any(folder.startswith(f"{above}/") for above in contract.folders)
    ]
    listed = [entry for folder in folders for entry in host.listing(folder)]
    entries = {entry.path: entry for entry in listed if entry.path in wanted}
    digests = host.digests(tuple(entries[path] for path in sorted(entries)))
    missing = sorted(wanted - digests.keys())
    if missing:
        refuse_closed(
            listed, host, lambda folder: any(path.startswith(f"{folder}/") for path in missing)
        )
        raise StepFailed(
            where="downloads host",
            problem=(
                f"{share(len(missing), len(wanted), 'file', 'does', 'do')} not exist, "
                f"first {missing[0]}"
            ),
            remedy="stage them and switch, or declare that they come later",
            details=tuple(missing),
        )
    if known is not None:
        _refuse_replaced(digests, known)
    return {path: Content(entries[path].size_bytes, digests[path]) for path in sorted(wanted)}


def _refuse_replaced(digests: Mapping[str, str], known: Mapping[str, str]) -> None:
    replaced = replaced_files(digests, known)
    if replaced:
        raise StepFailed(
            where="downloads host",
            problem=f"{share(len(replaced), len(digests), 'file', 'differs', 'differ')} from the"
            " release,"
            f" first {replaced[0]}",
            remedy="do not announce the release; find out who replaced them, and restore the "
            "exported files",
            details=replaced,
        )


def replaced_files(digests: Mapping[str, str], known: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each file whose sha256 is not the one that it has to have; both by path."""
    return tuple(
        f"{path}: found {there}, wanted {known.get(path, 'none: nobody supplied it')}"
        for path, there in sorted(digests.items())
        if known.get(path) != there
    )
