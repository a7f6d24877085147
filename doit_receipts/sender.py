"""Sender: a process beside the run that tells people what the run gives it, one after another.

A way that hangs holds up nobody but it. It has nothing of the run but what it is given: neither
the lock nor a slot, so that a run that was killed can be followed by another at once.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from doit_receipts.printable import printable
from doit_receipts.workers import share_nothing_but

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["Message", "Sender"]

_LONGEST_S: Final = 60
"""Whoever takes longer for one message is given up, and so is all that is still to be told."""
_MOST_AHEAD: Final = 64
"""So many messages fit into the pipe, whoever reads it."""
_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Message(NamedTuple):
    """What is told: ``head`` stands in the subject, ``line`` in the text."""

    head: str
    line: str


class Sender:
    """Tells each message by ``notify``, with ``about`` before its subject.

    What was given while another one was on its way is told together. To be made before anything is
    open that must not outlive the run, and before there are threads.
    """

    def __init__(self, about: str, notify: Callable[[str, str], Iterable[str]]) -> None:
        self._later: list[Message] = []
        self._ahead = 0
        self._said: list[str] = []
        self._pipe, theirs = Pipe()
        self._number = os.fork()
        if not self._number:
            _be_sender(theirs, about, notify)
        theirs.close()

    def give(self, message: Message) -> None:
        """It is told as soon as can be. Nobody waits for that."""
        self._later.append(message)
        while self._ahead and self._pipe.poll():
            if not self._hear():
                return
        if self._ahead < _MOST_AHEAD:
            self._pass_on()

    def finish(self) -> list[str]:
        """All that was given was told, or was tried; a line for each that could not be told."""
        if self._later:
            self._pass_on()
        while self._ahead and self._hear():
            pass
        self._pipe.close()
        with suppress(ChildProcessError):
            os.waitpid(self._number, 0)
        if self._ahead or self._later:
            self._said.append("nobody was notified: what sends notifications was ended")
        return self._said

    def _pass_on(self) -> None:
        # Of one that is gone it is told at the end.
        with suppress(OSError):
            self._pipe.send(self._later)
            self._ahead += len(self._later)
            self._later = []

    def _hear(self) -> bool:
        try:
            count, lines = self._pipe.recv()
        except (EOFError, OSError):
            return False
        self._ahead -= count
        self._said += lines
        return True


def _be_sender(
    pipe: Connection, about: str, notify: Callable[[str, str], Iterable[str]]
) -> NoReturn:
    try:
        # What the terminal sends is for the run.
        os.setpgid(0, 0)
        for each in _HEARD:
            signal.signal(each, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        share_nothing_but(pipe.fileno())
        with suppress(EOFError, OSError):
            while True:
                together = list(pipe.recv())
                while pipe.poll():
                    together += pipe.recv()
                signal.alarm(_LONGEST_S)
                lines = _tell(about, notify, together)
                signal.alarm(0)
                pipe.send((len(together), lines))
    finally:
        os._exit(0)


def _tell(
    about: str, notify: Callable[[str, str], Iterable[str]], together: Sequence[Message]
) -> list[str]:
    heads, lines = zip(*together, strict=True)
    more = f" and {len(heads) - 1} more" if heads[1:] else ""
    try:
        subject = printable(f"{about}: {heads[0]}{more}")
        return list(notify(subject, "\n".join(lines) + "\n"))
    except Exception as error:  # noqa: BLE001 - nothing that is wrong with it holds up the run
        return [f"nobody was notified: {printable(str(error) or type(error).__name__)}"]
