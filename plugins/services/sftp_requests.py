"""Requests of SFTP and what answers them: version 3, with OpenSSH's extensions.

Source: draft-ietf-secsh-filexfer-02, and PROTOCOL in OpenSSH.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

from doit_receipts.frozen import frozen

__all__ = [
    "EXTENDED", "Answer", "Attributes", "Refused", "Request", "Status", "chmod", "chown",
    "followed", "link", "look", "make_folder", "of_open_file", "read_link", "remove_file",
    "remove_folder", "rename", "replace",
]  # fmt: skip

EXTENDED: Final = 200
"""The kind of a request that is no part of the draft; its first word says which it is."""
_HAS_IDS: Final = 2
_HAS_MODE: Final = 4
_UNFOLLOWED: Final = "lsetstat@openssh.com"


class Status(IntEnum):
    """Why a request was refused; FAILURE is a taken name, a full disk, a folder with files."""

    OK = 0
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    UNSUPPORTED = 8


class Refused(Exception):
    """The server said no; ``status`` is why, as far as it says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text or f"status {status}")
        self.status = status


@frozen
class Attributes:
    """What a name has; ``mode`` includes its kind."""

    size_bytes: int
    user_id: int
    group_id: int
    mode: int


Answer: TypeAlias = "Attributes | str | Refused | None"
"""What was asked for, or nothing but yes, or no."""


@frozen
class Request:
    """One thing to ask: its kind, and its words and numbers in the protocol's order."""

    kind: int
    words: tuple[str | int | bytes, ...]


def look(path: str) -> Request:
    """What exists under the path, links not followed; answered by attributes."""
    return Request(7, (path,))


def make_folder(path: str, mode: int) -> Request:
    """A folder; the server's umask counts."""
    return Request(14, (path, _HAS_MODE, mode))


def chmod(path: str, mode: int) -> Request:
    """Its permission bits; refused for a link."""
    return Request(EXTENDED, (_UNFOLLOWED, path, _HAS_MODE, mode))


def chown(path: str, user_id: int, group_id: int) -> Request:
    """Its owner and group, by number; of a link its own, and not those of what it leads to."""
    return Request(EXTENDED, (_UNFOLLOWED, path, _HAS_IDS, user_id, group_id))


def followed(change: Request) -> Request:
    """The same chmod or chown for a server that lacks the extension: it follows links."""
    return Request(9, change.words[1:])


def of_open_file(change: Request, handle: bytes) -> Request:
    """The same chmod or chown of the file that is open, whatever has its name by now."""
    return Request(10, (handle, *change.words[2:]))


def remove_file(path: str) -> Request:
    """No such file or link any more."""
    return Request(13, (path,))


def remove_folder(path: str) -> Request:
    """No such folder any more; it has to be empty."""
    return Request(15, (path,))


def rename(old: str, new: str) -> Request:
    """Another name, which must be free."""
    return Request(18, (old, new))


def replace(old: str, new: str) -> Request:
    """Another name, taken from what has it."""
    return Request(EXTENDED, ("posix-rename@openssh.com", old, new))


def link(path: str, target: str) -> Request:
    """A symbolic link. OpenSSH has the two the other way round than the draft."""
    return Request(20, (target, path))


def read_link(path: str) -> Request:
    """Where a link leads; answered by text."""
    return Request(19, (path,))
