"""The lock of a release: one writer at a time, and a word about who it is."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from plugins.model.errors import StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["holding", "last_holder"]


@contextmanager
def holding(path: Path) -> Iterator[str]:
    """Be the only process that changes the release while the block runs.

    Gives a sentence about a holder that died without letting go, or "". Raises StepFailed
    if a process of this machine holds it, or one of another machine may. The kernel frees the
    lock of a process that dies, so a holder of this machine that left its name and not the
    lock is known to be gone; of another machine's holder nothing is known.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StepFailed(
                where=str(path),
                problem=f"this release is being worked on by {last_holder(path) or 'a process'}",
                remedy="wait for it to end; `doit list --status` works meanwhile",
            ) from error
        left = _judge_left(path)
        _write(descriptor, json.dumps(_myself()))
        yield left
        _write(descriptor, "")
    finally:
        os.close(descriptor)


def last_holder(path: Path) -> str:
    """Who holds the lock or left it behind, in words; "" if nobody."""
    holder = _read(path)
    if not holder:
        return ""
    return f"process {holder.get('pid')} on {holder.get('host')}"


def _judge_left(path: Path) -> str:
    holder = _read(path)
    if not holder:
        return ""
    myself = _myself()
    if holder.get("host") != myself["host"]:
        raise StepFailed(
            where=str(path),
            problem=f"{last_holder(path)} took it and did not let go, and this is {myself['host']}",
            remedy="make sure that nothing runs there, then delete the file",
        )
    when = "before this machine started" if holder.get("boot") != myself["boot"] else "earlier"
    return f"{last_holder(path)} died {when} without finishing; its running step is done again"


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
        "boot": boot.read_text().strip() if boot.exists() else "",
    }
