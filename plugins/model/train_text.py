"""Train text: one announcement of several releases, with a section for each version.

What stands in a section is about that release alone, and each release judges its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["joined", "of_one", "section_of"]

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
    for name, start, end in _sections(text):
        if name != version and name in others and start >= at:
            kept.append(text[at:start])
            at = end
    return "".join((*kept, text[at:]))


def section_of(text: str, version: str) -> str:
    """What the text says in the section of this release; "" without one."""
    return "".join(text[start:end] for name, start, end in _sections(text) if name == version)


def _sections(text: str) -> Iterator[tuple[str, int, int]]:
    """The version of each section, and where it begins and ends."""
    for found in _SECTION.finditer(text):
        end = _NEXT.search(text, found.end())
        yield found[1], found.start(), end.start() if end else len(text)
