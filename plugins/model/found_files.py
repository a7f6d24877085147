"""FoundFiles: the files of a release as they were found in one place, whatever they should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.layout import Layout

__all__ = ["FoundFile", "FoundFiles"]


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file: ``remote`` is its path below the root of the downloads.

    ``path`` is where its bytes are on this machine, None if they are not; ``mode`` is None where
    the place has none; ``sha256`` is "" where it is not known.
    """

    remote: str
    size_bytes: int
    sha256: str
    path: Path | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """All that was found in one place. ``layout`` is where archives can be read on this machine.

    ``closed`` are files that are there, or should be, and could not be had: why, by path.
    ``strangers`` are paths of files that exist there and that nobody asked for.
    """

    place: str
    layout: Layout
    files: Mapping[str, FoundFile]
    closed: Mapping[str, str] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()
