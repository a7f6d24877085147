"""Cores: what several steps at once share, so that together they use no more than there are.

The cores are tokens in a pipe, as a jobserver of GNU make has them (make's manual, "POSIX
Jobserver"): a make that inherits the pipe takes part, and so do pools of our own by ``some_cores``.
A step that takes cores has one before it begins; it gets and gives back more as it has work for
them.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.cgroup import allowed_cores
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["Cores", "MakeJobs", "cores_here", "jobs_of_make", "sharing", "some_cores"]

_TOKEN: Final = b"+"
_JOINS: Final = (4, 2)
"""The first GNU make that knows ``--jobserver-auth``; an older one would run jobs without end."""
_MANY: Final = 65536
_LOOK_S: Final = 0.2
_NO_MORE_S: Final = 3600.0
"""What a killed make had never comes back: who waits goes on once no more came for so long.

Longer than what has cores to its end, such as a build of the documentation, mostly has them.
"""
_AGAIN_S: Final = 600.0
"""So long who goes on waits for the most that was there, and not at one instant."""
_INT_BYTES: Final = 4
_ROOT: Final = Path("/")
_shared: list[Cores] = []


def cores_here(root: Path = _ROOT) -> int:
    """How many cores this process may use; in a container, no more than its quota pays for."""
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return min(cores, allowed_cores(root) or cores)


@frozen
class MakeJobs:
    """What makes a make run several jobs: its words, its environment, what it inherits."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()


class Cores:
    """``count`` tokens in a pipe; who reads one has a core until it is written back.

    How many a process took for one of these ``tasks`` is known to those that it was forked from,
    also when it was killed. ``now_s`` is a clock that never goes back.
    """

    def __init__(
        self,
        count: int,
        tasks: Iterable[str] = (),
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        # late: whoever lists tasks needs none of it
        from mmap import mmap
        from tempfile import TemporaryDirectory
        from threading import Lock

        self.count = count
        with TemporaryDirectory() as folder:
            pipe = Path(folder) / "cores"
            os.mkfifo(pipe)
            # Two openings: make waits for a token, and we look whether there is one.
            self._patient = os.open(pipe, os.O_RDWR)
            self._looking = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
        self._now_s = now_s
        self._lock = Lock()
        self._own = 1
        self._places = {task: place for place, task in enumerate(tasks)}
        self._place = self._of_no_task = len(self._places)
        self._taken = memoryview(mmap(-1, _INT_BYTES * (self._of_no_task + 1))).cast("i")
        self.give_back(count)

    @property
    def descriptors(self) -> tuple[int, int]:
        """What a program has to inherit to take part, and a process that it is started from."""
        return self._patient, self._looking

    @property
    def makeflags(self) -> str:
        """MAKEFLAGS of a make that inherits the descriptors and has one core already."""
        return f" -j --jobserver-auth={self._patient},{self._patient}"

    def take(self, most: int) -> int:
        """Up to so many cores that nobody has; how many, none for one."""
        if most < 1:
            return 0
        try:
            taken = len(os.read(self._looking, most))
        except BlockingIOError:
            return 0
        self._note(taken)
        return taken

    def give_back(self, count: int) -> None:
        """Others may have them; fewer than one are none."""
        # A program that inherits the pipe may have filled it: of tokens there is no lack then.
        with suppress(BlockingIOError):
            self._note(-os.write(self._looking, _TOKEN * count))

    def _note(self, taken: int) -> None:
        with self._lock:
            self._taken[self._place] += taken

    def work_for(self, task: str) -> None:
        """What this process takes and gives back from now on is for the task."""
        self._place = self._places.get(task, self._of_no_task)

    def left_by(self, task: str) -> int:
        """How many cores beside its own the task still has; none from now on.

        That is one less than none where it lent its own to others.
        """
        place = self._places.get(task)
        if place is None:
            return 0
        left, self._taken[place] = self._taken[place], 0
        return left

    def restore(self) -> None:
        """All cores are free: nobody has one, and what a killed program had comes back."""
        while self.take(_MANY):
            pass
        self.give_back(self.count)

    @contextmanager
    def some(self, most: int, least: int = 1) -> Iterator[int]:
        """From ``least`` to ``most`` cores while the block runs; waits for the least.

        The first is the step's own, which it had when it began, unless another thread has that;
        who waits for a first one goes on as soon as that thread has done. Who waits for more lends
        it to others until then. Once no more came for an hour the block has the most that there
        was if that comes again soon, else what there is, and one where there is none.
        """
        own = self._take_own()
        others = 0
        try:
            if least > own:
                others = -own  # lent
                self.give_back(own)
                taken, given_up = self._first(least)
                others += taken
                own += given_up
            others += self.take(most - own - others)
            yield max(1, own + others)
        finally:
            self.take(-others)
            self.give_back(others)
            self._leave_own(own)

    def _first(self, least: int) -> tuple[int, int]:
        """How many cores were taken, and how many the step had and another thread gave up.

        Together they are so many, or what there is once no more came for a long time.
        """
        import select

        most, before, until_s = 0, 0, self._now_s() + _NO_MORE_S
        while True:
            select.select([self._looking], [], [], _LOOK_S)
            now_s = self._now_s()
            own = self._take_own()
            taken = self.take(least - own)
            there = own + taken
            if now_s <= until_s and there > before:
                until_s = now_s + _NO_MORE_S
            before, most = there, max(most, there)
            enough = least if now_s <= until_s else most if now_s <= until_s + _AGAIN_S else 0
            if there >= enough:
                return taken, own
            self._leave_own(own)
            if taken:
                self.give_back(taken)
                time.sleep(_LOOK_S)

    def _take_own(self) -> int:
        with self._lock:
            own, self._own = self._own, 0
        return own

    def _leave_own(self, count: int) -> None:
        with self._lock:
            self._own += count

    def close(self) -> None:
        """Nobody shares them any more."""
        for descriptor in self.descriptors:
            with suppress(OSError):
                os.close(descriptor)


@contextmanager
def sharing(cores: Cores) -> Iterator[None]:
    """In the block, and in forks that begin in it, ``some_cores`` come from these."""
    _shared.append(cores)
    try:
        yield
    finally:
        _shared.remove(cores)
        cores.close()


@contextmanager
def some_cores(
    most: int | None = None, *, most_of_them: bool = False, say: Callable[[str], object] = str
) -> Iterator[int]:
    """How many programs or threads may work while the block runs, up to ``most`` or all cores.

    With one task at a time that is ``most`` itself, or all cores where they are fewer. A step that
    asks for more than one has to say that it ``takes`` cores. What runs long with what it has at
    its beginning waits for ``most_of_them``, more than half of the machine's; ``say`` is called
    where it got fewer, for no more became free for long.
    """
    here = _shared[-1].count if _shared else cores_here()
    most = min(most or here, here)
    if not _shared:
        yield most
        return
    least = min(most, here // 2 + 1) if most_of_them else 1
    with _shared[-1].some(most, least) as count:
        if count < least:
            say(f"going on with {count} of {here} cores: no more became free")
        yield count


@contextmanager
def jobs_of_make(version: str) -> Iterator[MakeJobs]:
    """How a make of this version uses the cores while the block runs, beside what else runs.

    It takes and gives back cores as it has jobs for them. One that cannot take part in that has
    from its beginning to its end what was there at the beginning.
    """
    numbers = tuple(int(each) for each in version.split(".")[:2] if each.isdecimal())
    if _shared and numbers >= _JOINS:
        cores = _shared[-1]
        with cores.some(1):
            yield MakeJobs((), {"MAKEFLAGS": cores.makeflags}, cores.descriptors)
        return
    with some_cores() as count:
        yield MakeJobs((f"-j{count}",))
