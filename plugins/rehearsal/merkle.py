"""Merkle tree of a transparency log: its root, and the proof that it holds an entry.

Source: RFC 6962, section 2.1.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["leaf", "proof", "root"]


def leaf(content: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\0" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the whole tree over these hashes of entries."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    left = _left(len(leaves))
    return sha256(b"\1" + root(leaves[:left]) + root(leaves[left:])).digest()


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the entry at the index to the root, from below."""
    if len(leaves) <= 1:
        return []
    left = _left(len(leaves))
    if index < left:
        return [*proof(leaves[:left], index), root(leaves[left:])]
    return [*proof(leaves[left:], index - left), root(leaves[:left])]


def _left(size: int) -> int:
    """How many leaves the left side has: the largest power of two that is less than all."""
    return 1 << ((size - 1).bit_length() - 1)
