"""FoundFiles: the files of a release as they were found in one place, whatever they should be."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.content import NamedFile
    from plugins.model.layout import Layout

__all__ = ["FoundFiles"]


@frozen
class FoundFiles:
    """All that was found in one place. ``layout`` is where archives can be read on this machine.

    ``files`` are by their path below the root of the downloads, their modes with the kind of
    file. ``closed`` are files that are there, or should be, and could not be had: why, by path.
    ``unexpected`` are paths of files that exist there and that nobody asked for.
    """

    place: str
    layout: Layout
    files: Mapping[str, NamedFile]
    closed: Mapping[str, str] = field(default_factory=dict)
    unexpected: tuple[str, ...] = ()
