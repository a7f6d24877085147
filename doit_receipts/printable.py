"""Printable: text as it may reach a terminal, a log line or a message, numbers in English."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["addresses", "at_work", "counted", "cut", "printable", "share", "width"]

_MOST_OF_BEGINNING: Final = 400
_BESIDE: Final = (
    r"(?:\\x1b\[[\d;]*m|[^\w:])*(?:\S+:\s+)*\W{0,3}"
    r"(?:warn(?:ing)?|deprecat\w*|notice|hint|note|error|fatal|traceback)\s*(?:[]:(]|$)"
    r"|\S+ (?:NOTE|WARN|BLOCK): "
)
"""How a warning begins, whatever program wrote it and whatever place it names; and a finding."""
_ADDRESS: Final = r"https?://[^\s<>\"']+"
_MARKS: Final = ".,:;!?"
_CUT: Final = "…"


def printable(text: str) -> str:
    r"""The text with every character spelled out that a terminal or a parser would obey.

    Control characters, marks that change the direction of writing, and halves of characters: an
    escape becomes the four characters ``\x1b``. Line breaks and other white space are spaces.
    """
    return text if text.isprintable() else "".join(map(_spelled, text))


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Where each web address in the text begins and ends; a sentence's marks behind are no part.

    What has an ellipsis in it is none: ``cut`` leaves one where the address went on.
    """
    for found in re.finditer(_ADDRESS, text):
        if _CUT in found[0]:
            continue
        address = found[0].rstrip(_MARKS)
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(_MARKS)
        yield found.start(), found.start() + len(address)


def at_work(line: str) -> str:
    """What a line of a log tells of the work itself, in one line; "" where it tells of none.

    A warning, or a finding, is beside the work. A program that was started is named without the
    folder that it is in.
    """
    shown = printable(line.strip())
    if re.match(_BESIDE, shown[:_MOST_OF_BEGINNING], re.IGNORECASE):
        return ""
    return re.sub(r"^\$ \S*/", "$ ", shown)


def cut(text: str, columns: int) -> str:
    """The text if it is no wider than that on a terminal, else its beginning and an ellipsis."""
    if width(text) <= columns:
        return text
    if text.isascii():
        return f"{text[: columns - 1]}{_CUT}"
    end, left = 0, columns - 1
    while (left := left - width(text[end])) >= 0:
        end += 1
    return f"{text[:end]}{_CUT}"


def counted(number: int, one: str, many: str = "", *, all_: bool = False) -> str:
    """``1 file``, ``2 files`` or ``2 addresses``; ``many`` is for words with another plural.

    ``all_`` of them are ``1 file``, or ``all 2 files``.
    """
    if number == 1:
        return f"1 {one}"
    return f"{'all ' if all_ else ''}{number} {many or one + ('es' if one.endswith('s') else 's')}"


def share(part: int, whole: int, one: str, verb: str = "", verbs: str = "") -> str:
    """``1 of 3 files is``, ``2 of 3 files are``, ``0 of 1 file is``; or without the verbs."""
    return f"{part} of {counted(whole, one)} {verb if 1 in (part, whole) else verbs}".rstrip()


def width(text: str) -> int:
    """How many columns of a terminal the text takes: letters of East Asia take two each."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if combining(character) or character == "\u200d":
        return 0
    return 2 if east_asian_width(character) in "WF" else 1


def _spelled(character: str) -> str:
    if character.isspace():
        return " "
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()
