"""Awaited: the files that one expert has to bring, and whose signatures count for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.contract import Contract

__all__ = ["Awaited", "awaited_of"]


@frozen
class Awaited:
    """Who is waited for, which keys sign for them, and the paths that they have to bring."""

    role: str
    name: str
    keys: tuple[str, ...]
    files: tuple[str, ...]
    reported: Path | None = None
    """The file of the digests that a pipeline reported for their files, if there is one."""


def awaited_of(
    contract: Contract, role: str, name: str, keys: Sequence[str], reported: Path | None = None
) -> Awaited:
    """What the contract awaits from the expert of this role."""
    files = tuple(file.remote for file in contract.files if file.origin.value == role)
    return Awaited(role, name, tuple(keys), files, reported)
