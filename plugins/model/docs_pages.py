"""Docs pages: the files of a zip archive of documentation, as a server gives them one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from plugins.model.content import Content
from plugins.model.zipped import BrokenZip, opened_zip

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["UNREAD", "pages_in"]

UNREAD: Final = Content(0, "")
"""In the place of a page that is too large to read."""
_MOST_BYTES: Final = 64 << 20
_MOST_TOGETHER: Final = 1 << 30


def pages_in(archive: Path) -> dict[str, Content] | None:
    """Every file of the archive, by its path below the archive's folder; None if it is broken.

    Of a file that is too large to read there is no digest. What begins with a dot is left out: a
    server need not give it.
    """
    found = {}
    left = _MOST_TOGETHER
    try:
        with opened_zip(archive) as opened:
            for info in opened.infolist():
                page = info.filename.partition("/")[2]
                if not page or info.is_dir() or any(part[:1] == "." for part in page.split("/")):
                    continue
                left -= info.file_size
                found[page] = UNREAD
                if info.file_size <= min(_MOST_BYTES, left):
                    digest = hashlib.sha256(opened.read(info)).hexdigest()
                    found[page] = Content(info.file_size, digest)
    except (OSError, BrokenZip):
        return None  # docs.unreadable reports it
    return found
