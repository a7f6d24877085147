"""The journal: append-only JSON lines of who did what when; its loss makes no task stale."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import pwd
import socket
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.plain_file import open_plain, opened_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from doit_receipts.clock import Clock

__all__ = ["Journal", "latest_entries", "latest_of"]

_FAR_BYTES: Final = 32 << 20
"""So far back one event is looked for: over weeks in which waits are tried every five minutes."""
_JSON: Final = json.JSONEncoder(ensure_ascii=False).encode


class Journal:
    """What happened in one release, a line each, in the file before ``append`` returns.

    A killed process loses no line. What must outlive a power cut too is ``sealed``: the
    intent to do what cannot be taken back, and that a gate was judged.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock

    def __repr__(self) -> str:
        return "journal"

    def append(self, event: str, *, sealed: bool = False, **more: str) -> None:
        """Add one line with the time, the person and the machine; ``sealed`` waits for the disk.

        Raises OSError if the disk does not take the whole line; nothing of it is left then.
        """
        line = {
            "at": self._clock.now().isoformat(timespec="seconds"),
            "by": _person(),
            "event": event,
            **more,
        }
        descriptor = self._open()
        try:
            # Steps that run at once are processes of their own.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size_bytes = os.fstat(descriptor).st_size
            cut_short = size_bytes and os.pread(descriptor, 1, size_bytes - 1) != b"\n"
            # What is no text, such as the name of a file, is spelled out as JSON does it.
            text = _JSON(line).encode(errors="backslashreplace") + b"\n"
            _write(descriptor, b"\n" + text if cut_short else text, size_bytes)
            if sealed:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        try:
            return opened_regular(self._path, flags, 0o644)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return opened_regular(self._path, flags, 0o644)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Every whole line; one that a crash cut short is passed over."""
        if not self._path.exists():
            return
        # In bytes: a line may be cut short within a letter, and only our own line ends count.
        with open_plain(self._path) as stream:
            yield from _entries(stream)

    def latest(self, most_bytes: int) -> list[dict[str, Any]]:
        """The entries among so many bytes at its end: of a journal of years, those of these days.

        Empty where it cannot be read.
        """
        return latest_entries(self._path, most_bytes)

    def latest_of(self, event: str) -> list[dict[str, Any]]:
        """The entries of one event, as far back as weeks of others; empty if it cannot be read."""
        return latest_of(self._path, event)


def latest_entries(journal: Path, most_bytes: int) -> list[dict[str, Any]]:
    """The entries among so many bytes at the end of the file; none where it cannot be read."""
    return list(_entries(BytesIO(_end_of(journal, most_bytes))))


def latest_of(journal: Path, event: str) -> list[dict[str, Any]]:
    """The entries of this event, as ``Journal.latest_of`` has them."""
    text, word = _end_of(journal, _FAR_BYTES), f'"{event}"'.encode()
    # Of a long journal most is about other events: their lines are not even parsed.
    lines, at = [], text.find(word)
    while at >= 0:
        begin, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        end = len(text) if end < 0 else end + 1
        lines.append(text[begin:end])
        at = text.find(word, end)
    return [each for each in _entries(lines) if each.get("event") == event]


def _end_of(journal: Path, most_bytes: int) -> bytes:
    try:
        with open_plain(journal) as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - most_bytes))
            return stream.read(most_bytes)
    except OSError:
        return b""


def _entries(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    yield from filter(None, map(_entry, lines))


@functools.lru_cache(1 << 14)
def _entry(line: bytes) -> dict[str, Any] | None:
    """What the line says; whoever watches a release asks again for each change of it."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _write(descriptor: int, text: bytes, size_bytes: int) -> None:
    """All of the text stands behind the first ``size_bytes``, or OSError is raised and none does.

    A disk that has room for a part takes that part and tells of no error: half an intent would be
    passed over later, as if the act had never begun.
    """
    try:
        while text:
            text = text[os.write(descriptor, text) :]
    except OSError:
        os.ftruncate(descriptor, size_bytes)
        raise


@functools.cache
def _person() -> str:
    return f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"
