"""Marshalled: whether a compiled file can be read in the memory and time that its length suggests.

What marshal reads declares how many items and bytes follow, and it makes room for them before it
looks for them: five bytes can ask for 16 GB. And a reference costs as little, whatever it refers
to. So all is counted first, and nothing is made.
"""

from __future__ import annotations

import marshal
from typing import Final

__all__ = ["is_read_safely"]

_REFERABLE: Final = 0x80
_MOST_PARTS: Final = 5_000_000
"""Each reference is counted as all that it refers to."""
_MOST_IN_SET: Final = 1000
"""Items can be chosen so that each is compared with all others."""
_DEEPEST: Final = 100
_VERSIONS: Final = (4, 5)
# Source: Python/marshal.c of 3.11 to 3.14. Bytes that follow, by the type of the object; or of how
# many bytes the number is that says how many bytes, or objects, follow.
_FIXED: Final = {"N": 0, "F": 0, "T": 0, "S": 0, ".": 0, "i": 4, "I": 8, "g": 8, "y": 16}
_BYTES: Final = {"s": 4, "u": 4, "t": 4, "a": 4, "A": 4, "z": 1, "Z": 1, "f": 1}
_ITEMS: Final = {"(": 4, "[": 4, "<": 4, ">": 4, ")": 1}
_SLICE: Final = 3
_CODE: Final = (-20, 8, -4, 2)
"""Five numbers, eight objects, the number of the first line, and two more objects."""
_DIGIT_BYTES: Final = 2


class _UnsafeError(Exception):
    """It cannot be read, or not safely."""


def is_read_safely(raw: bytes) -> bool:
    """Whether all that it declares is there, and nothing in it holds itself or grows past bounds.

    The bounds are 100 levels, 1000 items of a set, and 5 million objects, far beyond what people
    write. A format that is not known yet is not judged: then it is True.
    """
    if marshal.version not in _VERSIONS:
        return True
    try:
        _Walk(raw).parts()
    except (IndexError, RecursionError, _UnsafeError):
        return False
    return True


class _Walk:
    """A look at every object, none of which is made."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self._known: list[int] = []  # of each object that can be referred to; 0 while it is open

    def parts(self, depth: int = 0) -> int:
        """How many objects the next one is, with all that are in it."""
        if depth > _DEEPEST:
            raise _UnsafeError
        head = self._raw[self._at]
        self._at += 1
        kind = chr(head & ~_REFERABLE)
        if kind == "r":
            return self._referred()
        place = len(self._known)
        if head & _REFERABLE:
            self._known.append(0)
        found = 1 + self._inside(kind, depth + 1)
        if found > _MOST_PARTS:
            raise _UnsafeError
        if head & _REFERABLE:
            self._known[place] = found
        return found

    def _inside(self, kind: str, depth: int) -> int:
        if kind == "c":
            return sum(
                self._objects(each, depth) if each > 0 else self._skip(-each) for each in _CODE
            )
        if kind == ":":
            return self._objects(_SLICE, depth)
        if kind in _ITEMS:
            count = self._number(_ITEMS[kind])
            if kind in "<>" and count > _MOST_IN_SET:
                raise _UnsafeError
            return self._objects(count, depth)
        return self._skip(self._length(kind))

    def _length(self, kind: str) -> int:
        if kind in _FIXED:
            return _FIXED[kind]
        if kind in _BYTES:
            return self._number(_BYTES[kind])
        if kind != "l":
            raise _UnsafeError
        count = self._number(4)
        return _DIGIT_BYTES * min(count, (1 << 32) - count)

    def _objects(self, count: int, depth: int) -> int:
        # Each takes a byte at least.
        if count > len(self._raw) - self._at:
            raise _UnsafeError
        return sum(self.parts(depth) for _ in range(count))

    def _referred(self) -> int:
        found = self._known[self._number(4)]
        if not found:  # it would hold itself
            raise _UnsafeError
        return found

    def _number(self, size: int) -> int:
        self._skip(size)
        return int.from_bytes(self._raw[self._at - size : self._at], "little")

    def _skip(self, size: int) -> int:
        self._at += size
        if self._at > len(self._raw):
            raise _UnsafeError
        return 0
