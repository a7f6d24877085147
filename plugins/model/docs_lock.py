"""Docs lock: the packages that build a series' documentation, each by version and hash.

Trees before 3.15 say in Doc/requirements.txt which versions they take, and no hash: what is
installed depends on the index, and on the day. A lock is made of it once for a series, read and
signed by the release manager, and every environment of the series' releases is installed from it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model.pylock import NoLock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["MOST_BYTES", "DocsLock", "Pin", "changes", "digest_of", "read_docs_lock"]

MOST_BYTES: Final = 1 << 20
_HEAD: Final = re.compile(
    r"# Documentation tools of Python (3\.\d{1,3}), for ([\w. -]{1,80})\n"
    r"# Required: ([0-9a-f]{64})\n"
)
_PIN: Final = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]{0,80}[A-Za-z0-9])?)==([A-Za-z0-9][A-Za-z0-9.!+_-]{0,60})"
    r" --hash=sha256:([0-9a-f]{64})"
)
_RUN: Final = re.compile(r"[-_.]+")


@frozen
class Pin:
    """One package: its name as it names itself, its version, and the sha256 of its wheel."""

    name: str
    version: str
    sha256: str

    @property
    def key(self) -> str:
        """The name as all spellings of it have it. Source: PEP 503."""
        return _RUN.sub("-", self.name).lower()

    @property
    def line(self) -> str:
        """What pip reads: this wheel, and no other file."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


@frozen
class DocsLock:
    """What is installed to build the documentation of a series, and what it was made from."""

    series: str
    machine: str
    """The Python and the machine that its wheels are for, such as ``CPython 3.11 on
    linux-x86_64``."""
    required: str
    """The digest of what the tree asks for; see `digest_of`."""
    pins: tuple[Pin, ...]

    @property
    def content(self) -> bytes:
        """The one spelling of it: a requirements file that pip reads, sorted by name."""
        head = f"# Documentation tools of Python {self.series}, for {self.machine}\n"
        pins = sorted(self.pins, key=lambda pin: pin.key)
        return "".join(
            (head, f"# Required: {self.required}\n", *(f"{pin.line}\n" for pin in pins))
        ).encode()


def read_docs_lock(raw: bytes) -> DocsLock:
    """The lock that the bytes spell. Raises NoLock for anything that we would not have written."""
    if len(raw) > MOST_BYTES:
        message = f"it has more than {MOST_BYTES:,} bytes"
        raise NoLock(message)
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError as error:
        message = "it is not ASCII"
        raise NoLock(message) from error
    head = _HEAD.match(text)
    if head is None:
        message = "its first two lines are not those of a lock of documentation tools"
        raise NoLock(message)
    pins = []
    for line in text[head.end() :].splitlines():
        found = _PIN.fullmatch(line)
        if found is None:
            message = f"it has a line that pins no wheel: {line!a:.80}"
            raise NoLock(message)
        pins.append(Pin(found[1], found[2], found[3]))
    lock = DocsLock(head[1], head[2], head[3], tuple(pins))
    if not pins or len({pin.key for pin in pins}) != len(pins) or lock.content != raw:
        message = "it is not spelled as this tool writes it, one line a package, sorted"
        raise NoLock(message)
    return lock


def digest_of(required: Mapping[str, bytes]) -> str:
    """The digest of files that say what is required, by their names and contents."""
    listing = "".join(
        f"{hashlib.sha256(content).hexdigest()}  {name}\n"
        for name, content in sorted(required.items())
    )
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


def changes(old: Iterable[Pin], new: Iterable[Pin]) -> Iterator[str]:
    """What another lock has that differs, a few words for each package."""
    before, after = ({pin.key: pin for pin in pins} for pins in (old, new))
    for key in sorted({**before, **after}):
        one, other = before.get(key), after.get(key)
        if one is None and other is not None:
            yield f"{other.name} {other.version} is new"
        elif other is None and one is not None:
            yield f"{one.name} is gone"
        elif one is not None and other is not None and one.version != other.version:
            yield f"{other.name} {one.version} -> {other.version}"
        elif one is not None and other is not None and one.sha256 != other.sha256:
            yield f"{other.name} {other.version} is another file"
