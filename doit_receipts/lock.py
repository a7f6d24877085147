"""The lock of a release: one writer at a time, and a word about who it is.

A writer is a run together with every program that it started: they inherit the lock. Without
that, a program that outlived a killed run would write into what the next run makes.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.orphaned_processes import (
    ProgramSlots,
    birth_of,
    end_orphaned,
    end_unnamed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["holding", "is_held", "is_worked_on", "last_holder"]

_PATIENCE_S: Final = 60.0
_LOOK_S: Final = 0.05
_UNNAMED: Final = "a process that has its folder; the lock file is new or names nobody"


@contextmanager
def holding(path: Path, lend: Callable[[ProgramSlots], None] | None = None) -> Iterator[str]:
    """Be the only process that changes the release while the block runs.

    Gives a sentence about a holder that died without letting go, or "". Raises StepFailed
    if a process of this machine holds it, or one of another machine may, or if the folder
    cannot be written to. The kernel frees the lock of a process that dies, so a holder of this
    machine that left its name and not the lock is known to be gone; of another machine's
    holder nothing is known.

    The folder of the file is held as well: with the file deleted it still keeps others out.

    ``lend`` gets the slots that programs have to take. What a dead holder's programs
    still do is worth nothing, so they are ended; so are our own if an error ends the block.
    """
    descriptor, folder = _opened(path)
    try:
        ended = _take((folder, descriptor), path)
        left = _judge_left(path, ended)
        _write(descriptor, json.dumps(_myself()))
        slots = ProgramSlots(path, descriptor)
        if lend is not None:
            lend(slots)
        try:
            yield left
        except BaseException:
            end_orphaned(path)
            raise
        finally:
            slots.forget()
            os.ftruncate(descriptor, 0)
            # For all who inherited it: what outlives a run that ended in good order, such as an
            # agent, is no writer.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            with suppress(OSError):
                fcntl.flock(folder, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)
        os.close(folder)


def _opened(path: Path) -> tuple[int, int]:
    """The lock file, opened to be written, and its folder.

    Raises StepFailed where nothing can be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return descriptor, os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise StepFailed(
            where=str(path.parent),
            problem=f"the work folder cannot be written to: {error.strerror or error}",
            remedy="give yourself write permission there, or name another work folder",
        ) from error


def _take(descriptors: tuple[int, int], path: Path) -> dict[int, str]:
    """The lock is ours, and that of its folder. Returns who had to be ended. Raises StepFailed."""
    ended: dict[int, str] = {}
    waits_until_s = time.monotonic() + _PATIENCE_S
    while not all(map(_is_free, descriptors)):
        if not _holder_died(path):
            raise StepFailed(
                where=str(path),
                problem=f"this release is being worked on by {last_holder(path) or _UNNAMED}",
                remedy="wait for it to end; `doit list --status` works meanwhile",
            )
        ended |= end_orphaned(path) or end_unnamed(path, lambda: _holder_died(path))
        if time.monotonic() > waits_until_s:
            raise StepFailed(
                where=str(path),
                problem=f"{last_holder(path)} died, and what it started still runs",
                remedy=f"end it: `lsof {path}` shows what it is",
            )
        time.sleep(_LOOK_S)
    return ended


def _is_free(descriptor: int) -> bool:
    """Whether nobody had the lock; then it is ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Not every disk locks folders. A file that was deleted is then noticed by its holder only.
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise
    return True


def _holder_died(path: Path) -> bool:
    """Whether who took the lock is gone for certain: only orphaned processes can hold it."""
    holder, myself = _read(path), _myself()
    number = holder.get("pid")
    if holder.get("host") != myself["host"] or not isinstance(number, int):
        return False
    born = birth_of(number)
    return born is None or bool(born and holder.get("born") and born != holder["born"])


def is_held(path: Path, pid: int) -> bool:
    """Whether this process has the lock and, as far as can be told from here, is alive."""
    return _read(path).get("pid") == pid and not _holder_died(path)


def is_worked_on(path: Path) -> bool:
    """Whether anybody has the lock and, as far as can be told from here, is alive."""
    return bool(_read(path)) and not _holder_died(path)


def last_holder(path: Path) -> str:
    """Who holds the lock or left it behind, in words; "" if nobody."""
    holder = _read(path)
    if not holder:
        return ""
    return f"process {holder.get('pid')} on {holder.get('host')}"


def _judge_left(path: Path, ended: Mapping[int, str]) -> str:
    holder = _read(path)
    if not holder:
        return ""
    myself = _myself()
    if holder.get("host") != myself["host"]:
        raise StepFailed(
            where=str(path),
            problem=f"{last_holder(path)} did not release it; this machine is {myself['host']}",
            remedy="make sure that nothing runs there, then delete the file",
        )
    when = "before this machine started" if holder.get("boot") != myself["boot"] else "earlier"
    message = f"{last_holder(path)} died {when} before it finished; its running step starts again"
    if ended:
        names = ", ".join(f"{name} ({number})" for number, name in sorted(ended.items()))
        message += f"; what it had left running was stopped: {names}"
    return message


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)
    os.fsync(descriptor)


def _myself() -> dict[str, object]:
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "born": birth_of(os.getpid()),
        "boot": boot.read_text().strip() if boot.exists() else "",
    }
