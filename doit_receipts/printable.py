"""Printable: text from outside as it may reach a terminal, a log line or a message."""

from __future__ import annotations

__all__ = ["cut", "printable"]


def printable(text: str) -> str:
    r"""The text with every character spelled out that a terminal or a parser would obey.

    Control characters, marks that change the direction of writing, and halves of characters: an
    escape becomes the four characters ``\x1b``. Line breaks and other white space are spaces.
    """
    return text if text.isprintable() else "".join(map(_spelled, text))


def cut(text: str, columns: int) -> str:
    """The text if it has no more characters than that, else its beginning and an ellipsis."""
    return text if len(text) <= columns else f"{text[: columns - 1]}…"


def _spelled(character: str) -> str:
    if character.isspace():
        return " "
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()
