"""SFTP conversations over paramiko, with many requests under way at once.

paramiko's ``SFTPClient`` packs and unpacks. Its methods wait for each answer, which costs a round
trip for each name, and its pipelined files forget what the server refused of the last writes: on
a full disk a file would end early and nobody would know. So requests are sent here as its own
read-ahead sends them, and every answer is read.

Source: draft-ietf-secsh-filexfer-02, PROTOCOL in OpenSSH, and paramiko's sftp_client.py.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from plugins.services.sftp_requests import EXTENDED, Attributes, Refused, Status, of_open_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from paramiko.channel import Channel

    from plugins.services.sftp_requests import Answer, Request

__all__ = ["Lost", "Sftp", "losses"]

_OPEN: Final = 3
_CLOSE: Final = 4
_READ: Final = 5
_WRITE: Final = 6

_HAS_SIZE: Final = 1
_HAS_IDS: Final = 2
_HAS_MODE: Final = 4
_TO_GO_ON: Final = 0x03  # to read and to write
_TO_CREATE: Final = 0x2A  # to write, and only what is not there yet
_COMPARED_BYTES: Final = 32_768
"""How much of what is there already is read back before anything is added to it."""

_SMALLEST_WRITE: Final = 32_768
"""What every server takes in one request."""
_PIECES: Final = 7
"""Packets of the channel to a write: OpenSSH takes 255 kB at once."""
_PACKET_ROOM: Final = 64
"""What paramiko keeps free in a packet of a channel."""


class Lost(Exception):
    """The connection ended, or nothing came for too long."""

    def __init__(self, *, problem: str) -> None:
        super().__init__(problem)


@contextmanager
def losses() -> Iterator[None]:
    """One error for a connection that is gone, Lost; paramiko has four."""
    import paramiko

    try:
        yield
    except TimeoutError as error:
        raise Lost(problem="the host did not answer in time") from error
    except paramiko.SFTPError as error:
        raise Lost(
            problem="the server does not speak SFTP (does its shell print a greeting?)"
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Lost(problem="the host closed it") from error


class Sftp:
    """One conversation over one channel, for one thread.

    Raises Lost when the connection is gone; after that the conversation is over.
    """

    def __init__(self, channel: Channel) -> None:
        import paramiko

        with losses():
            self._client = paramiko.SFTPClient(channel)
        self._channel = channel
        limits = self._one(EXTENDED, "limits@openssh.com")
        takes = _SMALLEST_WRITE if isinstance(limits, Refused) else _numbers(limits, 3)[2]
        self._largest_write = takes or _SMALLEST_WRITE
        self._piece_bytes = channel.out_max_packet_size - _PACKET_ROOM

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answer to each request, in order; a refusal is an answer like any other."""
        answers = _Answers()
        numbers = [self._send(answers, request.kind, *request.words) for request in requests]
        self._await(answers, len(numbers))
        return [_shown(answers.found[number]) for number in numbers]

    def free_bytes(self, path: str) -> int:
        """How much room is left for us in the file system of the path. Raises Refused."""
        answer = self._one(EXTENDED, "statvfs@openssh.com", path)
        if isinstance(answer, Refused):
            raise answer
        numbers = _numbers(answer, 11)
        return numbers[1] * numbers[4]

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

        It is a new one if ``start`` is 0. Else the last bytes before that are compared first: a
        link that somebody has put in its place meanwhile leads to no file that ends with them.
        ``finish`` are changes of the file itself, made before it is closed.
        Raises Refused; the file then holds the beginning of what was sent. Raises Lost, and has
        written nothing, if what is there is not what ``start`` was read from: it has to be looked
        at again, for the server may still be writing what it got over a connection that broke.
        """
        from paramiko.sftp import int64

        handle = self._one(_OPEN, path, _TO_GO_ON if start else _TO_CREATE, 0)
        if not isinstance(handle, bytes):
            raise (
                handle
                if isinstance(handle, Refused)
                else Lost(problem="the server did not open the file")
            )
        if start:
            self._compare(handle, stream, start)
        head_bytes = 4 + 1 + 4 + 4 + len(handle) + 8 + 4
        full = min(self._largest_write, _PIECES * self._piece_bytes - head_bytes)
        answers = _Answers()
        offset = start
        while offset < size_bytes and (block := stream.read(min(full, size_bytes - offset))):
            self._send(answers, _WRITE, handle, int64(offset), block)
            offset += len(block)
            sent(len(block))
            while self._channel.recv_ready():
                self._receive()
            answers.drop_granted()
        for change in finish:
            request = of_open_file(change, handle)
            self._send(answers, request.kind, *request.words)
        self._send(answers, _CLOSE, handle)
        self._await(answers, 0)
        answers.drop_granted()

    def _compare(self, handle: bytes, stream: IO[bytes], start: int) -> None:
        """What is open has so many bytes, and ends as those of the stream do. Raises Lost."""
        from paramiko.sftp import int64

        begin = max(start - _COMPARED_BYTES, 0)
        stream.seek(begin)
        here = stream.read(start - begin)
        if self._one(_READ, handle, int64(begin), len(here) + 1) != here:
            raise Lost(problem="what is there of the file changed while it was looked at")

    def close(self) -> None:
        """The channel is closed."""
        self._client.close()

    def _one(self, kind: int, *words: str | int | bytes) -> Any:
        answers = _Answers()
        number = self._send(answers, kind, *words)
        self._await(answers, 1)
        return answers.found[number]

    def _send(self, answers: _Answers, kind: int, *words: object) -> int:
        with losses():
            number: int = self._client._async_request(answers, kind, *words)  # noqa: SLF001 - see above
        answers.waiting += 1
        return number

    def _receive(self) -> None:
        with losses():
            self._client._read_response()  # noqa: SLF001 - see above

    def _await(self, answers: _Answers, count: int) -> None:
        while answers.waiting or len(answers.found) < count:
            self._receive()


@dataclass(slots=True, weakref_slot=True)  # paramiko holds it weakly
class _Answers:
    """Where paramiko hands the answers to some requests, by number."""

    found: dict[int, Any] = field(default_factory=dict)
    waiting: int = 0

    def _async_response(self, kind: int, message: Any, number: int) -> None:
        self.waiting -= 1
        self.found[number] = _read(kind, message)

    def drop_granted(self) -> None:
        """Forget the answers that say yes. Raises the first Refused."""
        for answer in self.found.values():
            if isinstance(answer, Refused):
                raise answer
        self.found.clear()


def _read(kind: int, message: Any) -> Attributes | bytes | Refused | None:
    """What one answer says. Raises Lost for a kind that no request of ours is answered by."""
    from paramiko import sftp

    match kind:
        case sftp.CMD_STATUS:
            status = message.get_int()
            return None if status == Status.OK else Refused(status, message.get_text())
        case sftp.CMD_HANDLE | sftp.CMD_DATA:
            return bytes(message.get_binary())
        case sftp.CMD_NAME:
            message.get_int()
            return bytes(message.get_binary())
        case sftp.CMD_ATTRS:
            flags = message.get_int()
            size = message.get_int64() if flags & _HAS_SIZE else 0
            user, group = (message.get_int(), message.get_int()) if flags & _HAS_IDS else (0, 0)
            return Attributes(size, user, group, message.get_int() if flags & _HAS_MODE else 0)
        case sftp.CMD_EXTENDED_REPLY:
            return bytes(message.get_remainder())
        case _:
            raise Lost(problem=f"the server answered with a packet of kind {kind}")


def _shown(answer: Attributes | bytes | Refused | None) -> Answer:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _numbers(content: bytes, count: int) -> tuple[int, ...]:
    import struct

    return struct.unpack_from(f">{count}Q", content)
