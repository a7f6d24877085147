"""The machine of the simulated environment: its programs, apart from the client's."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["begun", "end", "end_with_parent", "forked", "run", "run_aloud", "started"]

_BUG: Final = 2


def run(folder: Path, *words: str | Path, stdin: bytes = b"") -> str:
    """Run a program to its end, with no git configuration but the repository's own.

    Returns what it wrote, as text. Raises CalledProcessError on any status but 0.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},  # noqa: TID251 - the simulated side
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C.UTF-8",
    }
    ended = subprocess.run(  # noqa: S603 - no shell
        words, cwd=folder, input=stdin, env=environment, check=True, capture_output=True
    )
    return ended.stdout.decode(errors="replace")


def forked(acts: Sequence[Callable[[], int]]) -> list[tuple[int, str]]:
    """All acts were done at once, each in a fork; the status of each, and what it wrote.

    What they imported is there for those that are forked later: a program of its own would take
    a second to start, each time. None of them is left behind, whatever happens meanwhile.
    """
    from doit_receipts.workers import import_here  # noqa: PLC0415 - 20 ms of each hook of git

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


def run_aloud(folder: Path, *words: str | Path) -> None:
    """Run a program to its end; what it writes goes where this process writes.

    Raises CalledProcessError on any status but 0.
    """
    subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, check=True)  # noqa: S603 - no shell


@contextmanager
def started(folder: Path, *words: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs until the block ends; then its standard input closes and it has ended.

    It is fed from and read through pipes.
    """
    with subprocess.Popen(  # noqa: S603 - no shell
        words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()


def begun(folder: Path, log: Path, *words: str | Path) -> subprocess.Popen[bytes]:
    """A program that goes on by itself, in a group of its own, and writes to the log.

    Its standard input closes when this process is gone; see ``end_with_parent``.
    """
    with log.open("wb") as stream:
        return subprocess.Popen(  # noqa: S603 - no shell
            words, cwd=folder, stdin=subprocess.PIPE, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    """What was begun has ended, with its group; it writes nothing any more."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def end_with_parent() -> None:
    """From now on this process and its group are killed when its standard input closes."""

    def wait() -> None:
        # Not sys.stdin, whose lock a thread would hold while the process ends.
        while os.read(0, 1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
