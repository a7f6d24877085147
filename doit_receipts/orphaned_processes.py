"""Orphaned processes: programs that go on after the run that started them was killed.

Each program of a run leads a process group and has a slot, a file beside the release's lock that
says which group it is. The program and all that it starts inherit a lock of the slot, so a slot
that is locked has somebody alive, and one that is free says nothing any more. What is left is
ended by its group, on Linux and macOS alike.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.lock_holders import holders, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["ONE_STOP_S", "ProgramSlot", "ProgramSlots", "birth_of", "end_orphaned", "end_unnamed"]

ONE_STOP_S: Final = 1.0
"""Signals that come so soon are one: timeout sends two, and each of a group may pass one on."""

_LINUX: Final = sys.platform == "linux"
_BIRTH_AT: Final = 19
"""Where proc_pid_stat(5) has the start time, counted from the state, which follows the name."""
_DEAD: Final = ("Z", "X")
_MOST_SLOTS: Final = 10_000


class ProgramSlots:
    """The slots of one run, whose lock is open as ``descriptor``."""

    def __init__(self, lock: Path, descriptor: int) -> None:
        self._folder = _folder(lock)
        self._path = lock
        self._lock = descriptor
        self._starting: set[ProgramSlot] = set()
        self._put_off: list[int] = []
        self._put_off_s = 0.0
        self._folder.mkdir(exist_ok=True)

    def see_lock(self) -> None:
        """The file of the lock is still the one that is held. Raises StepFailed.

        Where it was deleted, another run may not be kept out any more.
        """
        held = os.fstat(self._lock)
        with suppress(OSError):
            there = self._path.stat()
            if (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino):
                return
        raise StepFailed(
            where=str(self._path),
            problem="is not the file that this run holds any more: it was deleted or replaced",
            remedy="make sure that no other run is at work on this release, then run the same "
            "command again",
        )

    def take(self) -> ProgramSlot:
        """A slot that nobody has; it is freed by ``leave`` and the end of all that inherited it.

        Signals can be put off until one of ``started`` and ``leave`` was called.
        """
        for number in range(_MOST_SLOTS):
            descriptor = os.open(self._folder / str(number), os.O_RDWR | os.O_CREAT, 0o644)
            if _is_free(descriptor):
                slot = ProgramSlot(descriptor, (self._lock, descriptor), self._has_a_name)
                self._starting.add(slot)
                return slot
            os.close(descriptor)
        raise OSError(0, f"{_MOST_SLOTS} programs hold {self._folder}")

    def put_off(self, number: int) -> bool:
        """Whether the signal comes again in a moment, for a program is just being started.

        A handler that ended the run now would leave a program that nobody can name. The next
        signal after a moment is not put off: whatever a start hangs on, two of them end it.
        """
        if self._put_off:
            if time.monotonic() < self._put_off_s + ONE_STOP_S:
                return True
            self._put_off.clear()
            return False
        # Noted before it is looked, so that a thread that names its program now finds it.
        self._put_off_s = time.monotonic()
        self._put_off.append(number)
        return bool(self._starting) or self._noted() is None

    def _has_a_name(self, slot: ProgramSlot) -> None:
        """Its program can be ended, or was never started: what was put off comes now."""
        self._starting.discard(slot)
        if not self._starting and (number := self._noted()) is not None:
            # To the process, so that a main thread that waits for something is woken.
            os.kill(os.getpid(), number)

    def _noted(self) -> int | None:
        """The signal that was put off, once; None if another thread had it or there is none."""
        with suppress(IndexError):
            return self._put_off.pop()
        return None

    def forget(self) -> None:
        """Who still has a slot is no part of the run any more, such as an agent that stays."""
        for descriptor in _opened(self._folder):
            if not _is_free(descriptor):
                os.ftruncate(descriptor, 0)


class ProgramSlot:
    """The slot of one program, which has to inherit ``descriptors`` and lead a process group."""

    def __init__(
        self,
        descriptor: int,
        descriptors: tuple[int, ...],
        has_a_name: Callable[[ProgramSlot], None],
    ) -> None:
        self._descriptor = descriptor
        self.descriptors = descriptors
        self._has_a_name = has_a_name

    def started(self, number: int, name: str) -> None:
        """The program leads the group of this number.

        Until this was said, a run that is killed leaves a program that nobody can name. On Linux
        ``end_unnamed`` finds it; that something is left is known everywhere.
        """
        said = json.dumps(
            {"group": number, "born": birth_of(number), "name": name, "by": os.getpid()}
        )
        # On a full disk the program shall go on; the same as above holds.
        with suppress(OSError):
            os.pwrite(self._descriptor, f"{said}\n".encode(), 0)
        self._has_a_name(self)

    def leave(self) -> None:
        """The program has ended; what it started may still have the slot."""
        os.close(self._descriptor)
        self._has_a_name(self)


def end_orphaned(lock: Path, by: int | None = None) -> dict[int, str]:
    """No process group of a run is left, its own or one that was killed; returns those that were.

    With ``by`` only those that this process started, and not its own.
    By number and name of their programs. A number that the system gave to somebody else
    meanwhile is left alone: its leader was born at another time. A group whose leader has ended
    keeps its number as long as one of it lives, and its slot is locked as long.
    """
    ended = {}
    for descriptor in _opened(_folder(lock)):
        if _is_free(descriptor):
            continue
        said = _read(descriptor)
        number, born = said.get("group"), said.get("born")
        if by is not None and (said.get("by") != by or number == by):
            continue
        if not isinstance(number, int) or birth_of(number) not in (None, born or ""):
            continue
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(number, signal.SIGKILL)
            ended[number] = str(said.get("name", "a program"))
    return ended


def end_unnamed(lock: Path, holder_died: Callable[[], bool]) -> dict[int, str]:
    """No process is left that a killed run was just starting, as far as the system tells of any.

    By number and name. It has both the lock of the release and that of a slot. What a run that
    ended in good order left behind, such as an agent, has no lock of the release any more. A new
    run that has just got both has its name in the lock before it takes a slot, so ``holder_died``,
    asked after the two were seen, knows of it.
    """
    ended = {}
    suspects = holders(lock)
    for slot in _folder(lock).glob("*") if suspects else ():
        for number in suspects:
            with suppress(OSError):
                process = os.pidfd_open(number)
                try:
                    if holders(slot, [number]) and holders(lock, [number]) and holder_died():
                        name = name_of(number)
                        signal.pidfd_send_signal(process, signal.SIGKILL)
                        ended[number] = name
                finally:
                    os.close(process)
    return ended


def birth_of(number: int) -> str | None:
    """When the process was born, in words that no other process of this number has ever had.

    None if there is no such process, or one that has ended and that nobody asked after; "" if
    nobody can tell.
    """
    if not _LINUX:
        return _birth_on_macos(number)
    try:
        status = Path(f"/proc/{number}/stat").read_text(errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except PermissionError:
        return ""
    words = status.rpartition(")")[2].split()
    return None if words[0] in _DEAD else f"{boot} {words[_BIRTH_AT]}"


def _birth_on_macos(number: int) -> str | None:
    """Source: proc_pidinfo and struct proc_bsdinfo in Apple's libproc.h; not tried on a Mac."""
    import ctypes  # it is needed nowhere else, and takes its time

    try:
        os.kill(number, 0)
        library = ctypes.CDLL("/usr/lib/libproc.dylib")
    except ProcessLookupError:
        return None
    except OSError:
        return ""
    size, flavour, seconds_at = 136, 3, 15
    process = (ctypes.c_uint64 * (size // 8))()
    if library.proc_pidinfo(number, flavour, ctypes.c_uint64(0), process, size) != size:
        return ""
    return f"{process[seconds_at]}.{process[seconds_at + 1]}"


def _folder(lock: Path) -> Path:
    return lock.with_name("processes")


def _opened(folder: Path) -> Iterator[int]:
    """Each slot, opened while it is looked at."""
    for path in sorted(folder.glob("*")):
        descriptor = os.open(path, os.O_RDWR)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _is_free(descriptor: int) -> bool:
    """Whether nobody had the slot's lock; then it is ours."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> dict[str, object]:
    # What was said before may have been longer: one line counts.
    first = os.pread(descriptor, 1 << 12, 0).partition(b"\n")[0]
    try:
        found = json.loads(first)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
