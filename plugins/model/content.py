"""Content of a file: how many bytes it has and their digest; and a file by name that has it."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from doit_receipts.printable import counted

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Content", "NamedFile"]


@frozen
class Content:
    """What a file is, wherever it is and whatever it is called.

    ``sha256`` is lower-case hex, "" where nobody computed it.
    """

    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, raw: bytes) -> Content:
        """The content that these bytes are."""
        return cls(len(raw), sha256(raw).hexdigest())

    def __str__(self) -> str:
        return f"{counted(self.size_bytes, 'byte')}, sha256 {self.sha256}"

    @property
    def brief(self) -> str:
        """For a message that compares two of them."""
        return f"{self.size_bytes:,} bytes with sha256 {self.sha256[:12]}…"

    @property
    def fact(self) -> str:
        """For a receipt that lists many: size and digest."""
        return f"{self.size_bytes} {self.sha256}"

    @classmethod
    def from_fact(cls, fact: str) -> Content:
        """What ``fact`` says. Raises ValueError for another text."""
        size, sha256 = fact.split()
        return cls(int(size), sha256)


@frozen
class NamedFile:
    """A file with its path in some place: below a host's root, a release's folder, a manifest's.

    ``source`` is where its bytes are on this machine, None if they are not; ``mode`` are the
    permission bits that it has or is to have there, 0 where the place knows none.
    """

    name: str
    content: Content
    source: Path | None = None
    mode: int = 0o644
