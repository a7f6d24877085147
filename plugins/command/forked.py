"""Forks of this process, each of which does one act, with what it says kept together."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from contextlib import ExitStack, suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NoReturn

from doit_receipts.workers import import_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

__all__ = ["forked"]

_BUG = 2


def forked(acts: Sequence[Callable[[], int]]) -> list[tuple[int, str]]:
    """All acts were done at once, each in a fork; the status of each, and what it wrote.

    What they imported is there for those that are forked later: a program of its own would take
    a second to start, each time. None of them is left behind, whatever happens meanwhile.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    said: IO[bytes]
    imported: IO[bytes]
    running: dict[int, tuple[IO[bytes], IO[bytes]]] = {}
    ended: list[tuple[int, str]] = []
    with ExitStack() as files:
        try:
            for act in acts:
                said, imported = [files.enter_context(TemporaryFile()) for _ in range(2)]
                number = os.fork()
                if not number:
                    _do(act, said, imported)
                running[number] = said, imported
            for number in tuple(running):
                _, status = os.waitpid(number, 0)
                said, imported = running.pop(number)
                for file in (said, imported):
                    file.seek(0)
                text = said.read().decode(errors="replace")
                ended.append((os.waitstatus_to_exitcode(status), text))
                with suppress(EOFError):  # it was killed
                    import_here(pickle.load(imported))  # noqa: S301 - of a fork of ours
        finally:
            for number in running:
                os.kill(number, signal.SIGTERM)
                os.waitpid(number, 0)
    return ended


def _do(act: Callable[[], int], said: IO[bytes], imported: IO[bytes]) -> NoReturn:
    """Do the act in this process, and end it."""
    status = _BUG
    before = frozenset(sys.modules)
    try:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
        sys.stdout = sys.stderr = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
        status = act()
        pickle.dump(tuple(each for each in sys.modules if each not in before), imported)
        imported.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, nothing of the parent's goes on here
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        os._exit(status)
