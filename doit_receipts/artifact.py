"""Artifact: a file that the release makes, as its bytes say it is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from doit_receipts.plain_file import open_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Artifact", "sha256_of"]


@frozen
class Artifact:
    """A file with its size in bytes and its sha256 in lower-case hex."""

    path: Path
    size_bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes in lower-case hex, read once in a stream."""
    with open_plain(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
