"""Printable: text from outside as it may reach a terminal, a log line or a message."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    r"""The text with every character spelled out that a terminal or a parser would obey.

    Control characters, line breaks, marks that change the direction of writing, and halves of
    characters: an escape becomes the four characters ``\x1b``. Nothing else changes.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )
