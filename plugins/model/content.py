"""Content of a file: how many bytes it has, and their digest."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Content"]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is, wherever it is and whatever it is called; sha256 in lower-case hex."""

    size_bytes: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.size_bytes} bytes, sha256 {self.sha256}"
