"""Packed refs: what git keeps of refs that have no file of their own any more.

A target may be a ref of a repository below the work folder. ``git pack-refs`` and ``git gc`` move
refs from files of their own into one table; to git, and to us, they are still there.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from doit_receipts.plain_file import read_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["packed_ref"]


def packed_ref(path: Path) -> bytes:
    """What the file of the ref would hold if it had one; b"" if git does not know it either.

    Raises NoRegularFile for a pipe in place of the table.
    """
    parts = path.parts
    if "refs" not in parts:
        return b""
    place = len(parts) - 1 - parts[::-1].index("refs")
    # a name below refs/ may hold "refs" itself: the folder is the one beside packed-refs
    while place > 0:
        table = path.__class__(*parts[:place]) / "packed-refs"
        with suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
            known = read_plain(table)
            name = "/".join(parts[place:])
            form = rf"^([0-9a-f]+) {re.escape(name)}$".encode()
            found = re.search(form, known, flags=re.MULTILINE)
            return found[1] + b"\n" if found else b""
        earlier = [each for each in range(place) if parts[each] == "refs"]
        place = earlier[-1] if earlier else 0
    return b""
