"""Answers: what a service said, as values of known types; anything else is one line.

Nothing that comes from outside is believed to have the form that it should. Each field is asked
for with its type, and an error names the service, the address and the field.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doit_receipts.errors import ServiceFailed
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Part", "json_of"]

_ALL: Final = ""
_DEEPEST: Final = 64
_MOST: Final = 10**18
_LONGEST_LINE: Final = 2_000
_URL: Final = re.compile(r"https?://[!-~]{1,2000}")
_KINDS: Final[Mapping[type, str]] = {
    str: "text", bool: "true or false", int: "a whole number", float: "a number",
    list: "a list", dict: "an object", type(None): "null",
}  # fmt: skip


class Part:
    """One value of an answer. Fields are asked for by name; "" is the value itself.

    With ``may_miss`` a field that is missing or null is an empty answer. Raises ServiceFailed for
    whatever is not of the type that was asked for.
    """

    def __init__(self, content: Any, source: tuple[str, str, str], place: str = "") -> None:
        """``source`` is service, action and address; ``place`` where it is in the answer."""
        self._content = content
        self._source = source
        self._place = place

    def __repr__(self) -> str:
        return f"Part({self._place or 'answer'} of {self._source[0]})"

    def text(self, name: str = "", *, may_miss: bool = False) -> str:
        """Text of any length and with any characters: content, and never shown as it is."""
        return str(self._of(name, str, "", may_miss=may_miss))

    def line(self, name: str = "", *, may_miss: bool = False) -> str:
        """A title, name or message: one printable line."""
        text = " ".join(self.text(name, may_miss=may_miss).split())
        if len(text) > _LONGEST_LINE:
            self.refuse(name, f"has {len(text):,} characters, more than {_LONGEST_LINE:,}")
        return printable(text)

    def url(self, name: str = "", *, may_miss: bool = False) -> str:
        """An address of the web."""
        text = self.text(name, may_miss=may_miss)
        if (text and not _URL.fullmatch(text)) or not (text or may_miss):
            self.refuse(name, "is not an address")
        return text

    def number(self, name: str = "", *, may_miss: bool = False) -> int:
        """A whole number, not negative; 0 if it is missing."""
        found = int(self._of(name, int, 0, may_miss=may_miss))
        if found < 0:
            self.refuse(name, "is negative")
        return found

    def flag(self, name: str = "", *, may_miss: bool = False) -> bool:
        """True or false; false if it is missing."""
        return bool(self._of(name, bool, False, may_miss=may_miss))  # noqa: FBT003 - a value

    def part(self, name: str = "", *, may_miss: bool = False) -> Part:
        """An object; an empty one if it is missing."""
        return Part(self._of(name, dict, {}, may_miss=may_miss), self._source, self._at(name))

    def parts(self, name: str = "", *, may_miss: bool = False) -> tuple[Part, ...]:
        """The values of a list, whatever they are."""
        found = self._of(name, list, [], may_miss=may_miss)
        place = self._at(name)
        return tuple(
            Part(item, self._source, f"{place}[{number}]") for number, item in enumerate(found)
        )

    def fields(self, form: Mapping[str, type]) -> dict[str, Any]:
        """The object as it came, whose fields named in the form have its types."""
        found: dict[str, Any] = self.part().plain
        for name, kind in form.items():
            self._of(name, kind, None, may_miss=False)
        return found

    def names(self) -> tuple[str, ...]:
        """The names of an object's fields."""
        return tuple(self.part().plain)

    @property
    def plain(self) -> Any:
        """The value as it came: of valid text and finite numbers, and of no great depth."""
        return self._content

    def refuse(self, name: str, problem: str) -> NoReturn:
        """Raise the error for this field, or for the value itself if the name is ""."""
        raise self.wrong(name, problem)

    def wrong(self, name: str, problem: str) -> ServiceFailed:
        """The error for this field, or for the value itself if the name is ""."""
        service, action, address = self._source
        place = self._at(name) or "the whole answer"
        return ServiceFailed(
            service=service,
            action=action,
            problem=f"an answer that cannot be used: {place} {problem}",
            remedy=f"look at {address}, then run the same command again",
        )

    def _of(self, name: str, kind: type, empty: Any, *, may_miss: bool) -> Any:
        if not name:
            found = self._content
        elif not isinstance(self._content, dict):
            self.refuse("", f"is {_kind_of(self._content)}, wanted an object")
        elif name not in self._content and not may_miss:
            self.refuse(name, "is missing")
        else:
            found = self._content.get(name)
        if found is None and may_miss:
            return empty
        # True is an int to Python, and no number to anybody else.
        if type(found) is not kind:
            self.refuse(name, f"is {_kind_of(found)}, wanted {_KINDS[kind]}")
        return found

    def _at(self, name: str) -> str:
        return f"{self._place}.{name}" if self._place and name else self._place or name


def json_of(raw: bytes, service: str, action: str, address: str) -> Part:
    """The JSON that a service answered with. Raises ServiceFailed if it is none.

    Text that cannot be encoded, numbers that are none or have more than 18 digits, and what is
    nested more than 64 times are refused wherever they occur.
    """
    from pydantic_core import from_json

    answer = (service, action, address)
    found = Part(None, answer)
    try:
        # A parser that bounds its own depth: json goes as deep as Python's stack, and whatever is
        # thrown away meanwhile (a socket, a temporary file) has no room left to be closed.
        content = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise found.wrong(_ALL, f"has {len(raw):,} bytes and is not valid JSON") from error
    level = [content]
    for _ in range(_DEEPEST):
        if any(map(_is_no_number, level)):
            raise found.wrong(_ALL, "has a number that is infinite, or of more than 18 digits")
        level = [
            inner
            for outer in level
            if isinstance(outer, list | dict)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return Part(content, answer)
    raise found.wrong(_ALL, f"is nested more than {_DEEPEST} levels deep")


def _is_no_number(value: Any) -> bool:
    if type(value) is int:
        return not -_MOST < value < _MOST
    return type(value) is float and not math.isfinite(value)


def _kind_of(value: object) -> str:
    return _KINDS.get(type(value), "something else")
