"""File names: which of them Linux, macOS and Windows can all have, side by side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_odd", "twice"]

_NAME_BYTES: Final = 255  # one part of a path; Linux, macOS and Windows agree
_PATH_BYTES: Final = 240  # Windows ends paths at 260, and people unpack below a folder
# What Windows cannot have in a name, and the devices that it takes every such name for.
_NOT_IN_NAMES: Final = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\\ud800-\udfff]|[. ]$')
_DEVICES: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d\xb9\xb2\xb3]) *(?:\..*)?",
    flags=re.IGNORECASE,
)


def is_odd(path: str) -> bool:
    """Whether some system cannot have a file or folder of this path."""
    if len(path.encode("utf-8", "surrogatepass")) > _PATH_BYTES:
        return True
    return any(
        part in ("", ".", "..")
        or bool(_NOT_IN_NAMES.search(part) or _DEVICES.fullmatch(part))
        or len(part.encode("utf-8", "surrogatepass")) > _NAME_BYTES
        for part in path.split("/")
    )


def twice(paths: Iterable[str]) -> list[str]:
    """Paths that differ from an earlier one in nothing, or only in case or spelling of accents.

    On Windows and on a Mac they are one file.
    """
    from unicodedata import normalize  # noqa: PLC0415 - a megabyte of tables

    seen: set[str] = set()
    found = []
    for path in paths:
        folded = normalize("NFC", path.casefold())
        if folded in seen:
            found.append(path)
        seen.add(folded)
    return found
