"""Train text: one announcement of several releases, with a section for each version.

What stands in a section is about that release alone, and each release judges its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["joined", "of_one"]

_SECTION: Final = re.compile(r"^## Python (\S+)[ \t]*$", re.MULTILINE)
_HEADING: Final = re.compile(r"^(#{1,5} )", re.MULTILINE)
_NEXT: Final = re.compile(r"^##? ", re.MULTILINE)
_LAST: Final = "\n## Thank you\n"


def joined(drafts: Mapping[str, str]) -> str:
    """One text from the drafts of all releases, by version: a section for each, in this order.

    Each draft has a title, and ends with the thanks; the thanks of the first stand once, at the
    end.
    """
    first, *_ = drafts
    *most, last = drafts
    names = f"{', '.join(most)} and {last}" if most else last
    verb = "are" if most else "is"
    parts = [f"# Python {names} {verb} now available\n"]
    for version, draft in drafts.items():
        body = draft.partition("\n")[2].partition(_LAST)[0].strip()
        lower = _HEADING.sub(r"#\1", body)
        parts.append(f"## Python {version}\n\n{lower}\n")
    thanks = drafts[first].partition(_LAST)
    parts.append(f"{thanks[1].strip()}\n{thanks[2]}" if thanks[1] else "")
    return "\n".join(parts).rstrip() + "\n"


def of_one(text: str, version: str, others: Collection[str]) -> str:
    """The text without the sections of these other releases."""
    kept, at = [], 0
    for found in _SECTION.finditer(text):
        if found[1] == version or found[1] not in others or found.start() < at:
            continue
        end = _NEXT.search(text, found.end())
        kept.append(text[at : found.start()])
        at = end.start() if end else len(text)
    return "".join((*kept, text[at:]))
