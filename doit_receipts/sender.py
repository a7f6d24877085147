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

_MOST_AHEAD: Final = 64
"""So many messages fit into the pipe, whoever reads it."""
_ENDED: Final = "what notifies them was ended"
_HEARD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Message(NamedTuple):
    """What is told: ``head`` stands in the subject, ``line`` in the text."""

    head: str
    line: str


class Sender:
    """Tells each message by ``notify``, with ``about`` before its subject.

    What was given while another one was on its way is told together. What takes longer than
    ``longest_s`` is stopped, and so is all that it started. To be made before anything is open that
    must not outlive the run, and before there are threads.
    """

    def __init__(
        self,
        about: str,
        notify: Callable[[str, str], Iterable[str]],
        *,
        longest_s: float = 60.0,
    ) -> None:
        self._about = about
        self._later: list[Message] = []
        self._ahead: list[Message] = []
        self._said: list[str] = []
        self._pipe, theirs = Pipe()
        self._number = os.fork()
        if not self._number:
            _be_sender(theirs, about, notify, longest_s)
        theirs.close()

    def is_there(self) -> bool:
        """Whether what is given now can be told: nobody has ended the process."""
        try:
            while self._pipe.poll():
                if not self._hear():
                    return False
        except OSError:
            return False
        return True

    def give(self, message: Message) -> None:
        """It is told as soon as can be. Nobody waits for that."""
        self._later.append(message)
        if self.is_there() and len(self._ahead) < _MOST_AHEAD:
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
        left = [*self._ahead, *self._later]
        return [*self._said, *([_unknown(_subject(self._about, left), _ENDED)] if left else [])]

    def _pass_on(self) -> None:
        # Of one that is gone it is told at the end.
        with suppress(OSError):
            self._pipe.send(self._later)
            self._ahead += self._later
            self._later = []

    def _hear(self) -> bool:
        try:
            count, lines = self._pipe.recv()
        except (EOFError, OSError):
            return False
        del self._ahead[:count]
        self._said += lines
        return True


def _be_sender(
    pipe: Connection, about: str, notify: Callable[[str, str], Iterable[str]], longest_s: float
) -> NoReturn:
    try:
        # What the terminal sends is for the run.
        os.setpgid(0, 0)
        for each in _HEARD:
            signal.signal(each, signal.SIG_DFL)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        share_nothing_but(pipe.fileno())
        with suppress(EOFError, OSError):
            while True:
                together = list(pipe.recv())
                while pipe.poll():
                    together += pipe.recv()
                subject = _subject(about, together)
                text = "".join(f"{each.line}\n" for each in together)
                pipe.send((len(together), _told(subject, text, notify, longest_s)))
    finally:
        os._exit(0)


def _told(
    subject: str, text: str, notify: Callable[[str, str], Iterable[str]], longest_s: float
) -> list[str]:
    """A line for each way that it could not be told in.

    By a process of its own: one that hangs hears no exception, and is not to take the others along.
    """
    ours, theirs = Pipe(duplex=False)
    number = os.fork()
    if not number:
        _tell(theirs, subject, text, notify)
    theirs.close()
    # Both do it: whoever is first.
    with suppress(OSError):
        os.setpgid(number, number)
    try:
        if not ours.poll(longest_s):
            with suppress(OSError):
                os.killpg(number, signal.SIGKILL)
            return [_unknown(subject, f"that took longer than {longest_s:g} s and was stopped")]
        lines: list[str] = ours.recv()
    except (EOFError, OSError):
        return [_unknown(subject, _ENDED)]
    finally:
        ours.close()
        os.waitpid(number, 0)
    return lines


def _tell(
    pipe: Connection, subject: str, text: str, notify: Callable[[str, str], Iterable[str]]
) -> NoReturn:
    try:
        os.setpgid(0, 0)
        share_nothing_but(pipe.fileno())
        try:
            lines = list(notify(subject, text))
        except Exception as error:  # noqa: BLE001 - nothing that is wrong with it holds up the run
            lines = [f"nobody was notified: {printable(str(error) or type(error).__name__)}"]
        pipe.send(lines)
    finally:
        os._exit(0)


def _subject(about: str, together: Sequence[Message]) -> str:
    more = f" and {len(together) - 1} more" if together[1:] else ""
    return printable(f"{about}: {together[0].head}{more}")


def _unknown(subject: str, why: str) -> str:
    return (
        f"{subject}: it is not known who was notified: {why}; doit list --status shows what waits"
    )
