"""Strict JSON: a text that has one reading, parsed within bounds, and the one way to write it."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from doit_receipts.printable import printable

__all__ = ["BrokenJson", "canonical", "only_keys", "read_object"]

_DEEPEST: Final = 32
_LONGEST_NUMBER: Final = 16
_MOST_NUMBER: Final = 2**53
"""Whole numbers below it are the same to every reader of JSON. Source: RFC 8259, section 6."""


class BrokenJson(ValueError):
    """The bytes are not what they should be; the text says why, in words that follow "it"."""


def canonical(content: dict[str, Any]) -> bytes:
    """The one spelling of this object: sorted keys, no spaces, UTF-8.

    Source: RFC 8785, for keys in ASCII and whole numbers; others are not written here.
    """
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def read_object(raw: bytes, most_bytes: int, *, spelled: bool = True) -> dict[str, Any]:
    """The object that the bytes hold, which no other reader reads differently.

    Two keys of one name, fractions, numbers beyond 2**53, halves of characters, more than 32
    levels and more than ``most_bytes`` are refused; with ``spelled`` also each spelling but the
    canonical one. Raises BrokenJson.
    """
    if len(raw) > most_bytes:
        message = f"has more than {most_bytes:,} bytes"
        raise BrokenJson(message)
    try:
        found = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_once,
            parse_int=_whole,
            parse_float=_fraction,
            parse_constant=_fraction,
        )
    except BrokenJson:
        raise
    except (ValueError, RecursionError) as error:
        message = "is not JSON in UTF-8"
        raise BrokenJson(message) from error
    if not isinstance(found, dict):
        message = "is not a JSON object"
        raise BrokenJson(message)
    _bounded(found, 1)
    if spelled and canonical(found) != raw:
        message = "is not spelled as canonical JSON: sorted keys, no spaces"
        raise BrokenJson(message)
    return found


def only_keys(found: dict[str, Any], wanted: set[str], what: str) -> None:
    """The object has these keys and no others. Raises BrokenJson."""
    for key in sorted(wanted - found.keys()):
        message = f"lacks {key} in {what}"
        raise BrokenJson(message)
    for key in sorted(found.keys() - wanted):
        message = f"has the unknown field {printable(key)[:80]} in {what}"
        raise BrokenJson(message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            message = f"has the field {printable(key)[:80]} twice"
            raise BrokenJson(message)
        if not key.isascii():
            message = f"has a field whose name is not ASCII: {printable(key)[:80]}"
            raise BrokenJson(message)
        found[key] = value
    return found


def _whole(text: str) -> int:
    if len(text) > _LONGEST_NUMBER or abs(int(text)) > _MOST_NUMBER or text == "-0":
        message = f"has a number that not every reader reads alike: {text[:20]}"
        raise BrokenJson(message)
    return int(text)


def _fraction(text: str) -> NoReturn:
    message = f"has a number that is not whole: {text[:20]}"
    raise BrokenJson(message)


def _bounded(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        message = f"has more than {_DEEPEST} levels"
        raise BrokenJson(message)
    if isinstance(value, str):
        _complete(value)
    elif isinstance(value, dict):
        for key, each in value.items():
            _complete(key)
            _bounded(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _bounded(each, depth + 1)


def _complete(text: str) -> None:
    """Half a character, as an escape can spell one, cannot be written again."""
    if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
        message = "has half a character"
        raise BrokenJson(message)
