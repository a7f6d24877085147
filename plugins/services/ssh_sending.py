"""Ssh sending: files on their way to an ssh host, over several connections at once.

A connection that breaks is opened anew, and the file goes on where it stopped, after its
beginning there was compared by digest. What is on the host is thus never sent again.
"""

from __future__ import annotations

import hashlib
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.services import sftp_requests
from plugins.services.host_paths import partial_name
from plugins.services.sftp import Lost
from plugins.services.sftp_requests import Attributes, Refused, Request, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

    from doit_receipts.errors import ServiceFailed
    from plugins.ports.host import Upload
    from plugins.ports.progress import Progress
    from plugins.services.ssh_line import Line

__all__ = ["Access", "Sending"]

_ATTEMPTS: Final = 4
"""Connections that one file may break in a row without a byte getting through."""
_BLOCK_BYTES: Final = 1 << 20
_PAUSE_S: Final = 0.1
_COMPLETE: Final = 1 << 62
_REPORTED_BYTES: Final = 8_000_000
"""How much is sent between two reports of progress."""


@frozen
class Access:
    """How the host is reached, and how its errors are reported."""

    opened: Callable[[], Line]
    place: Callable[[str], str]
    digest: Callable[[Line, str, int], str]
    """Of the file at a path, of so many bytes, computed there."""
    beginnings: Mapping[str, tuple[int, str]]
    """Size and digest of what was there of a path before anything was sent."""
    last_requests: Callable[[Upload], list[Request]]
    foreign: Callable[[str, Attributes], ServiceFailed | None]
    """What is said of a partial that is not a file of ours; None of one that is."""
    refused: Callable[[str, str, Refused], ServiceFailed]
    lost: Callable[[Lost, str], ServiceFailed]


class Sending:
    """Uploads that several threads share, the largest first; ``arrived`` gets each path."""

    def __init__(
        self,
        access: Access,
        uploads: Sequence[Upload],
        progress: Progress,
        arrived: Callable[[str], None],
    ) -> None:
        self._access = access
        self._arrived = arrived
        self._progress = progress
        self._left = sorted(uploads, key=lambda upload: upload.size_bytes)
        self._lock = Lock()
        self._pause = Event()
        self._errors: list[BaseException] = []
        self._total = sum(upload.size_bytes for upload in uploads)
        self._sent = 0
        self._reported = 0

    def run(self, connections: int) -> None:
        """All are there. Raises the first error, after every thread has ended."""
        threads = [
            Thread(target=self._work, daemon=True) for _ in range(min(connections, len(self._left)))
        ]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except BaseException as error:
            self._errors.append(error)
            raise
        if self._errors:
            raise self._errors[0]

    def _work(self) -> None:
        line: Line | None = None
        try:
            while (upload := self._next()) is not None:
                line = self._send(line, upload)
                self._arrived(upload.path)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._errors.append(error)
        finally:
            if line is not None:
                line.close()

    def _next(self) -> Upload | None:
        with self._lock:
            return self._left.pop() if self._left and not self._errors else None

    def _send(self, line: Line | None, upload: Upload) -> Line:
        """The file exists under its name; returns the connection that is open then."""
        failures, before = 0, -1
        while True:
            have = before
            try:
                line = line or self._access.opened()
                have = self._have(line, upload)
                self._once(line, upload, have)
            except Lost as lost:
                if line is not None:
                    line.close()
                line = None
                # Only what arrived counts: a window's worth leaves us each time.
                failures = 1 if have > before else failures + 1
                before = max(have, before)
                if failures >= _ATTEMPTS:
                    raise self._access.lost(lost, f"send {upload.path}") from lost
                self._pause.wait(failures * _PAUSE_S)
            except Refused as refused:
                action = "write"
                raise self._access.refused(action, partial_name(upload.path), refused) from refused
            else:
                return line

    def _have(self, line: Line, upload: Upload) -> int:
        """How much of the file is there; all of it if it has its name already.

        Raises ServiceFailed for a partial that is not a file of ours.
        """
        places = self._access.place(partial_name(upload.path)), self._access.place(upload.path)
        partial, final = line.sftp.ask([sftp_requests.look(place) for place in places])
        if isinstance(final, Attributes):
            return _COMPLETE  # the connection broke after the last answer but one
        if not isinstance(partial, Attributes):
            return 0
        foreign = self._access.foreign(partial_name(upload.path), partial)
        if foreign is not None:
            raise foreign
        if not partial.size_bytes:
            _discard(line, places[0])
        return partial.size_bytes

    def _once(self, line: Line, upload: Upload, have: int) -> None:
        if have == _COMPLETE:
            return
        partial, final = (
            self._access.place(partial_name(upload.path)),
            self._access.place(upload.path),
        )
        with upload.source.open("rb", buffering=0) as source:
            if have and not self._is_beginning(line, upload, source, have):
                _discard(line, partial)
                have = 0
            source.seek(have)
            line.sftp.write(
                partial, source,
                start=have, size_bytes=upload.size_bytes,
                finish=self._access.last_requests(upload), sent=self._count,
            )  # fmt: skip
            if source.tell() != upload.size_bytes:
                raise StepFailed(
                    where=upload.source.name,
                    problem=f"has {source.tell()} bytes, wanted {upload.size_bytes}",
                    remedy="the file changed while it was sent; run the same command again",
                )
        (answer,) = line.sftp.ask([sftp_requests.rename(partial, final)])
        if isinstance(answer, Refused):
            raise answer

    def _is_beginning(self, line: Line, upload: Upload, source: IO[bytes], have: int) -> bool:
        """Whether the partial file on the host is the beginning of the file."""
        if have > upload.size_bytes:
            return False
        made = hashlib.sha256()
        left = have
        while left and (block := source.read(min(left, _BLOCK_BYTES))):
            made.update(block)
            left -= len(block)
        size, digest = self._access.beginnings.get(upload.path, (-1, ""))
        if size != have:  # a connection broke meanwhile
            digest = self._access.digest(line, partial_name(upload.path), have)
        return digest == made.hexdigest()

    def _count(self, size_bytes: int) -> None:
        with self._lock:
            self._sent += size_bytes
            if self._sent - self._reported < _REPORTED_BYTES:
                return
            self._reported = self._sent
        self._progress.say(f"sent {self._sent // 1_000_000} of {self._total // 1_000_000} MB")


def _discard(line: Line, place: str) -> None:
    """The name is free again, whatever else has the file. Raises Refused."""
    (answer,) = line.sftp.ask([sftp_requests.remove_file(place)])
    if isinstance(answer, Refused) and answer.status != Status.NO_SUCH_FILE:
        raise answer
