"""The machine of the simulated environment: its programs, apart from the client's."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["begun", "end", "end_with_parent", "run", "run_aloud", "started"]


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
