"""Process: a program that runs, the slot that knows of it, and what it writes."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["CollectedOutput", "Program", "Slot"]

_LAST_LINES: Final = 8
_LONGEST_LINE: Final = 1 << 20


class Slot(Protocol):
    """What is known of a program as long as it runs, for whoever has to end what is left of it."""

    descriptors: tuple[int, ...]
    """The program inherits them."""

    def started(self, number: int, name: str) -> None:
        """The program leads the process group of this number."""
        ...

    def leave(self) -> None:
        """The program has ended, or was never started."""
        ...


class Program(subprocess.Popen[bytes]):
    """A program that leads a session, so that it is stopped together with all that it started."""

    def __init__(
        self, words: list[str], slot: Slot | None, *, name: str, inherits: bool,
        pass_fds: tuple[int, ...] = (), **options: Any,
    ) -> None:  # fmt: skip
        self._slot = slot
        try:
            inherited = slot.descriptors if slot and inherits else ()
            super().__init__(words, pass_fds=(*inherited, *pass_fds), **options)
            if slot is not None:
                slot.started(self.pid, name)
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        if self._slot is not None:
            self._slot.leave()
            self._slot = None

    def kill(self) -> None:
        """It is ended, and so is all of its session."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            # Before anything waits for its end, or for that of somebody who writes to its pipes.
            self.kill()
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._leave()


class CollectedOutput:
    """What a process writes, kept and passed on line by line by one thread for each stream."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        say: Callable[[str], None],
        *,
        only_errors: bool = False,
        most_bytes: int,
    ) -> None:
        # threading is late: listing tasks never runs a program
        from threading import Thread

        self._lines: tuple[list[bytes], list[bytes]] = ([], [])
        self._recent: list[str] = []
        self._say = say
        self._process = process
        self._most_bytes = most_bytes
        self.exceeded = False
        streams = (None if only_errors else process.stdout, process.stderr)
        self._threads = [
            Thread(target=self._drain, args=(stream, lines), daemon=True)
            for stream, lines in zip(streams, self._lines, strict=True)
            if stream is not None
        ]
        for thread in self._threads:
            thread.start()

    def _drain(self, stream: IO[bytes], lines: list[bytes]) -> None:
        # A run that is stopped closes the stream, and what might still come is worth nothing.
        with suppress(ValueError):
            kept = 0
            while line := stream.readline(_LONGEST_LINE):
                kept += len(line)
                if kept > self._most_bytes:
                    self.exceeded = True
                    self._process.kill()
                    return
                lines.append(line)
                # names of git -z end in a NUL
                text = line.decode(errors="replace").replace("\0", " ").rstrip()
                if text:
                    self._recent = [*self._recent[1 - _LAST_LINES :], text]
                    self._say(text)

    def finish(self) -> None:
        """Everything that it wrote is here."""
        for thread in self._threads:
            thread.join()

    def texts(self) -> tuple[str, str]:
        """All of both streams."""
        out, err = (b"".join(lines).decode(errors="replace") for lines in self._lines)
        return out, err

    def last_lines(self) -> tuple[str, ...]:
        """The newest lines that are not empty, for an error."""
        return tuple(self._recent)
