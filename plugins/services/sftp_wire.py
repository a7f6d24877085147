"""SFTP on the wire: version 3 with OpenSSH's extensions, many requests under way at once.

paramiko's own client asks one thing after another and writes in pieces that fill no packet of
the channel: twice the time of this one on this machine's loopback, and a round trip for each
name. This one sends what it has and reads the answers afterwards.

Source: draft-ietf-secsh-filexfer-02, and PROTOCOL in OpenSSH.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "Answer", "Attributes", "Channel", "Lost", "Refused", "Request", "Sftp", "Status",
    "chmod", "chown", "link", "look", "make_folder", "read_link", "remove_file", "remove_folder",
    "rename", "replace",
]  # fmt: skip

_VERSION: Final = 3
_INIT: Final = 1
_OPEN: Final = 3
_CLOSE: Final = 4
_WRITE: Final = 6
_LSTAT: Final = 7
_SETSTAT: Final = 9
_FSETSTAT: Final = 10
_REMOVE: Final = 13
_MKDIR: Final = 14
_RMDIR: Final = 15
_RENAME: Final = 18
_READLINK: Final = 19
_SYMLINK: Final = 20
_STATUS: Final = 101
_HANDLE: Final = 102
_NAME: Final = 104
_ATTRS: Final = 105
_EXTENDED: Final = 200
_EXTENDED_REPLY: Final = 201

_TO_WRITE: Final = 0x02
_TO_CREATE: Final = 0x08
_TO_EMPTY: Final = 0x10

_HAS_SIZE: Final = 1
_HAS_IDS: Final = 2
_HAS_MODE: Final = 4

_SMALLEST_WRITE: Final = 32_768
"""What every server takes in one request."""
_PIECES: Final = 7
"""Packets of the channel to a write: OpenSSH takes 255 kB at once."""
_LARGEST_ANSWER: Final = 1 << 20


class Status(IntEnum):
    """Why a request was refused."""

    OK = 0
    END = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    """Anything else: a name that is taken, a full disk, a folder that is not empty."""
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    UNSUPPORTED = 8


class Refused(Exception):
    """The server said no; ``status`` is why, as far as it tells."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text or f"status {status}")
        self.status = status


class Lost(Exception):
    """The connection ended, or nothing came for too long."""

    def __init__(self, *, problem: str) -> None:
        super().__init__(problem)


class Channel(Protocol):
    """The part of paramiko's channel that this needs; ``send`` takes what there is room for."""

    def send(self, s: bytes) -> int: ...  # noqa: D102 - paramiko's

    def recv(self, nbytes: int) -> bytes: ...  # noqa: D102 - paramiko's

    def recv_ready(self) -> bool: ...  # noqa: D102 - paramiko's

    def close(self) -> None: ...  # noqa: D102 - paramiko's


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a look tells about a name; ``mode`` has the kind of it, too."""

    size_bytes: int
    user_id: int
    group_id: int
    mode: int


Answer: TypeAlias = "Attributes | str | Refused | None"
"""What was asked for, or nothing but yes, or no."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to ask: its kind, and what follows the number of the request."""

    kind: int
    body: bytes


def look(path: str) -> Request:
    """What stands under the path, links not followed; answered by attributes."""
    return Request(_LSTAT, _text(path))


def make_folder(path: str, mode: int) -> Request:
    """A folder; the server's umask counts."""
    return Request(_MKDIR, _text(path) + struct.pack(">II", _HAS_MODE, mode))


def chmod(path: str, mode: int) -> Request:
    """Its permission bits."""
    return Request(_SETSTAT, _text(path) + struct.pack(">II", _HAS_MODE, mode))


def chown(path: str, user_id: int, group_id: int) -> Request:
    """Its owner and group, by number."""
    return Request(_SETSTAT, _text(path) + struct.pack(">III", _HAS_IDS, user_id, group_id))


def remove_file(path: str) -> Request:
    """No such file or link any more."""
    return Request(_REMOVE, _text(path))


def remove_folder(path: str) -> Request:
    """No such folder any more; it has to be empty."""
    return Request(_RMDIR, _text(path))


def rename(old: str, new: str) -> Request:
    """Another name, which must be free."""
    return Request(_RENAME, _text(old) + _text(new))


def replace(old: str, new: str) -> Request:
    """Another name, taken from what has it."""
    return Request(_EXTENDED, _text("posix-rename@openssh.com") + _text(old) + _text(new))


def link(path: str, target: str) -> Request:
    """A symbolic link. OpenSSH has the two the other way round than the draft."""
    return Request(_SYMLINK, _text(target) + _text(path))


def read_link(path: str) -> Request:
    """Where a link leads; answered by text."""
    return Request(_READLINK, _text(path))


class Sftp:
    """One conversation over one channel, for one thread.

    Raises Lost when the connection is gone; after that the conversation is over.
    """

    def __init__(self, channel: Channel, piece_bytes: int) -> None:
        self._channel = channel
        self._piece_bytes = piece_bytes
        self._unread = bytearray()
        self._number = 0
        self._send(struct.pack(">BI", _INIT, _VERSION))
        _, answer = self._packet()
        self._extensions = _extensions(answer[4:])
        self._largest_write = self._ask_limit()

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answer to each request, in order; a refusal is an answer like any other."""
        numbers = [self._request(request) for request in requests]
        answers = {}
        for _ in numbers:
            number, answer = self._answer()
            answers[number] = answer
        given: list[Answer] = []
        for number in numbers:
            answer = answers[number]
            given.append(answer.decode(errors="replace") if isinstance(answer, bytes) else answer)
        return given

    def free_bytes(self, path: str) -> int:
        """How much room is left for us in the file system of the path. Raises Refused."""
        if "statvfs@openssh.com" not in self._extensions:
            raise Refused(Status.UNSUPPORTED, text="the server cannot tell")
        answer = self._one(Request(_EXTENDED, _text("statvfs@openssh.com") + _text(path)))
        numbers = struct.unpack_from(">11Q", answer)
        return int(numbers[1] * numbers[4])

    def write(
        self,
        path: str,
        stream: IO[bytes],
        *,
        start: int,
        size_bytes: int,
        finish: Sequence[Request],
        sent: Callable[[int], None],
    ) -> None:
        """The file at ``path`` has the stream's bytes from ``start`` up to its size.

        It is emptied first if ``start`` is 0. ``finish`` is asked for before it is closed.
        Raises Refused; the file then holds the beginning of what was sent.
        """
        flags = _TO_WRITE | _TO_CREATE | (0 if start else _TO_EMPTY)
        handle = self._one(Request(_OPEN, _text(path) + struct.pack(">II", flags, 0)))
        waiting = 0
        named = _bytes(handle)
        head_bytes = 4 + 1 + 4 + len(named) + 8 + 4
        full = min(self._largest_write, _PIECES * self._piece_bytes - head_bytes)
        room = bytearray(head_bytes + full)
        inner = memoryview(room)[head_bytes:]
        offset = start
        while offset < size_bytes:
            # Into its place at once: each copy of every byte is a tenth of a second per gigabyte.
            count = stream.readinto(inner[: size_bytes - offset])  # type: ignore[attr-defined]
            if not count:
                break
            self._number = (self._number + 1) & 0xFFFFFFFF
            room[:head_bytes] = b"".join(
                (
                    struct.pack(">IBI", head_bytes - 4 + count, _WRITE, self._number),
                    named,
                    struct.pack(">QI", offset, count),
                )
            )
            self._pass(memoryview(room)[: head_bytes + count])
            waiting += 1
            offset += count
            sent(count)
            while self._channel.recv_ready():
                self._confirm()
                waiting -= 1
        for _ in range(waiting):
            self._confirm()
        for request in finish:
            self._request(request)
        self._request(Request(_CLOSE, _bytes(handle)))
        for _ in range(len(finish) + 1):
            self._confirm()

    def close(self) -> None:
        """The channel is closed."""
        self._channel.close()

    def _ask_limit(self) -> int:
        if "limits@openssh.com" not in self._extensions:
            return _SMALLEST_WRITE
        answer = self._one(Request(_EXTENDED, _text("limits@openssh.com")))
        return int(struct.unpack_from(">QQQ", answer)[2]) or _SMALLEST_WRITE

    def _one(self, request: Request) -> bytes:
        """The bytes that answer one request. Raises Refused."""
        self._request(request)
        _, answer = self._answer()
        if isinstance(answer, Refused):
            raise answer
        return answer if isinstance(answer, bytes) else b""

    def _confirm(self) -> None:
        _, answer = self._answer()
        if isinstance(answer, Refused):
            raise answer

    def _request(self, request: Request) -> int:
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._send(struct.pack(">BI", request.kind, self._number) + request.body)
        return self._number

    def _send(self, content: bytes) -> None:
        self._pass(memoryview(struct.pack(">I", len(content)) + content))

    def _pass(self, block: memoryview) -> None:
        """Send it in pieces that each fill one packet of the channel."""
        at = 0
        try:
            while at < len(block):
                given = self._channel.send(bytes(block[at : at + self._piece_bytes]))
                if not given:
                    raise Lost(problem="the connection ended")
                at += given
        except OSError as error:  # also its timeout
            raise Lost(problem=_told(error)) from error

    def _answer(self) -> tuple[int, Attributes | bytes | Refused | None]:
        kind, content = self._packet()
        (number,) = struct.unpack_from(">I", content)
        body = content[4:]
        if kind == _STATUS:
            (status,) = struct.unpack_from(">I", body)
            if status == Status.OK:
                return number, None
            return number, Refused(status, _string(body, 4).decode(errors="replace"))
        if kind == _HANDLE:
            return number, _string(body, 0)
        if kind == _ATTRS:
            return number, _attributes(body)
        if kind == _NAME:
            return number, _string(body, 4)
        if kind == _EXTENDED_REPLY:
            return number, body
        raise Lost(problem=f"the server answered with a packet of kind {kind}")

    def _packet(self) -> tuple[int, bytes]:
        (size,) = struct.unpack(">I", self._read(4))
        if not 0 < size <= _LARGEST_ANSWER:
            raise Lost(problem="the server speaks no SFTP (does its shell greet?)")
        content = self._read(size)
        return content[0], content[1:]

    def _read(self, count: int) -> bytes:
        while len(self._unread) < count:
            try:
                more = self._channel.recv(1 << 16)
            except OSError as error:  # also its timeout
                raise Lost(problem=_told(error)) from error
            if not more:
                raise Lost(problem="the connection ended")
            self._unread += more
        found = bytes(self._unread[:count])
        del self._unread[:count]
        return found


def _told(error: OSError) -> str:
    return "nothing came for too long" if isinstance(error, TimeoutError) else "it was closed"


def _bytes(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _text(text: str) -> bytes:
    return _bytes(text.encode())


def _string(content: bytes, at: int) -> bytes:
    if len(content) < at + 4:
        return b""
    (size,) = struct.unpack_from(">I", content, at)
    return content[at + 4 : at + 4 + size]


def _extensions(content: bytes) -> frozenset[str]:
    names = []
    at = 0
    while at < len(content):
        name = _string(content, at)
        at += 4 + len(name)
        at += 4 + len(_string(content, at))
        names.append(name.decode(errors="replace"))
    return frozenset(names)


def _attributes(content: bytes) -> Attributes:
    (flags,) = struct.unpack_from(">I", content)
    at = 4
    size = user = group = mode = 0
    if flags & _HAS_SIZE:
        (size,) = struct.unpack_from(">Q", content, at)
        at += 8
    if flags & _HAS_IDS:
        user, group = struct.unpack_from(">II", content, at)
        at += 8
    if flags & _HAS_MODE:
        (mode,) = struct.unpack_from(">I", content, at)
    return Attributes(size, user, group, mode)
