"""Tar stream: the bytes of a source archive, from its members and one time.

The format is what python.org has published since 3.12, to the byte: ustar headers as GNU tar
1.35 writes them (``--format=posix --sort=name --owner=0 --group=0 --numeric-owner
--mode=go+u,go-w``) with the same time for every member. The standard library's tarfile has
names of its own for extended headers, so the headers are written here.
"""

from __future__ import annotations

import re
from enum import Enum
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "Kind",
    "Member",
    "git_order",
    "header",
    "in_tar_order",
    "released_mode",
    "tar_blocks",
    "tar_order",
]

_BLOCK: Final = 512
_RECORD: Final = 20 * _BLOCK
_FIELD: Final = 100
"""How many bytes of a name or a link's target a ustar header holds."""
_SIZE_LIMIT: Final = 8**11
_SORTS_BEFORE_SLASH: Final = re.compile(rb"(?<=[^/])[\x00-.]")

# From the link's target to the end of the block: magic and version, no names of user and group,
# and device numbers left empty. Up to 1.34, GNU tar writes zeros there.
_USTAR: Final = b"ustar\x0000"


class Kind(Enum):
    """What a member is; the value is its type flag in the header."""

    FILE = b"0"
    LINK = b"2"
    FOLDER = b"5"


@frozen
class Member:
    """A file, symbolic link or folder of an archive.

    The name has ``/`` between its parts and none at the end; bytes of it that are not UTF-8 are
    surrogates. ``content`` is a file's bytes, ``target`` is where a link points.
    """

    name: str
    kind: Kind
    mode: int = 0o644
    content: bytes = b""
    target: str = ""


def tar_blocks(members: Iterable[Member], epoch_s: int) -> Iterator[bytes]:
    """The archive, piece by piece; every member gets the time ``epoch_s``.

    Members are taken in the order given (see ``in_tar_order``), each when it is needed. The end
    is filled up to a whole record of 10,240 bytes.
    """
    written = 0
    for member in members:
        padding = bytes(-len(member.content) % _BLOCK)
        piece = b"".join((header(member, epoch_s), member.content, padding))
        written += len(piece)
        yield piece
    end = 2 * _BLOCK
    yield bytes(end + -(written + end) % _RECORD)


def header(member: Member, epoch_s: int) -> bytes:
    """The header of a member, behind an extended one where ustar's fields are too small.

    As GNU tar does it, a name that is not ASCII gets an extended header as well; ustar's prefix
    field is never used. Raises ValueError for a file that ustar cannot hold (8 GiB).
    """
    if len(member.content) >= _SIZE_LIMIT:
        message = f"{member.name} is too large for a ustar archive"
        raise ValueError(message)
    slash = "/" if member.kind is Kind.FOLDER else ""
    name = _bytes_of(member.name + slash)
    target = _bytes_of(member.target)
    plain = _ustar(
        name, member.kind.value, released_mode(member.mode), len(member.content), epoch_s, target
    )
    extended = b""
    if len(target) > _FIELD:
        extended += _record(b"linkpath", target)
    if len(name) > _FIELD or not name.isascii():
        extended += _record(b"path", name)
    if not extended:
        return plain
    folder, _, base = _bytes_of(member.name).rpartition(b"/")
    beside = (folder or b".") + b"/PaxHeaders/" + base
    padding = bytes(-len(extended) % _BLOCK)
    return b"".join((_ustar(beside, b"x", 0o644, len(extended), epoch_s), extended, padding, plain))


def released_mode(mode: int) -> int:
    """The mode after tar's ``--mode=go+u,go-w``: all may read and execute as the owner may."""
    owner = mode & 0o700
    return (mode & 0o7777 | owner >> 3 | owner >> 6) & ~0o022


def git_order(member: Member) -> bytes:
    """The key by which git sorts the members of a tree: a folder's name ends with a slash."""
    return _bytes_of(member.name + ("/" if member.kind is Kind.FOLDER else ""))


def tar_order(name: str) -> tuple[bytes, ...]:
    """The key by which ``tar --sort=name`` sorts: part by part, a folder before what is in it."""
    return tuple(_bytes_of(name).split(b"/"))


def in_tar_order(members: Iterable[Member]) -> Iterator[Member]:
    """Members that come in git's order, in the order of ``tar --sort=name``.

    The two differ where a folder is beside something named like it with a character before
    the slash behind: tar has ``a``, ``a/x``, ``a.py``, and git ``a.py``, ``a``, ``a/x``. So a
    member whose name leaves room for such a folder waits until the stream has passed the place
    of that folder; mostly that is one file.
    """
    waiting: list[tuple[tuple[bytes, ...], bytes, Member]] = []
    for member in members:
        here = git_order(member)
        while waiting and _has_passed(here, waiting[0][1]):
            yield heappop(waiting)[-1]
        folder = _folder_that_may_follow(here)
        if folder:
            heappush(waiting, (tuple(here.rstrip(b"/").split(b"/")), folder, member))
        else:
            yield member
    while waiting:
        yield heappop(waiting)[-1]


def _has_passed(here: bytes, folder: bytes) -> bool:
    return here > folder and not here.startswith(folder)


def _folder_that_may_follow(name: bytes) -> bytes:
    """The last folder in git's order that belongs before this member; b"" if there is none.

    The leftmost byte that sorts before a slash decides, unless a part of the name begins with
    it: the folder would have no name.
    """
    found = _SORTS_BEFORE_SLASH.search(name)
    return name[: found.start()] + b"/" if found else b""


def _ustar(
    name: bytes, flag: bytes, mode: int, size: int, epoch_s: int, target: bytes = b""
) -> bytes:
    head = b"%b%07o\x00%07o\x00%07o\x00%011o\x00%011o\x00" % (
        name[:_FIELD].ljust(_FIELD, b"\x00"), mode, 0, 0, size, epoch_s,
    )  # fmt: skip
    tail = (flag + target[:_FIELD].ljust(_FIELD, b"\x00") + _USTAR).ljust(
        _BLOCK - len(head) - 8, b"\x00"
    )
    # The checksum counts its own field as spaces.
    checksum = sum(head) + sum(tail) + 8 * ord(" ")
    return b"%b%06o\x00 %b" % (head, checksum, tail)


def _record(keyword: bytes, value: bytes) -> bytes:
    """A pax record, ``LENGTH KEYWORD=VALUE`` and a line end; the length counts its own digits."""
    rest = b" %b=%b\n" % (keyword, value)
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return b"%d%b" % (length, rest)


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
