"""What confinement costs one program, a short and a long one, with walls and without, in turn.

``python -m tests.bench.confining [ROUNDS]`` prints the medians, by the clock and by the processor,
and what the walls add. On a machine that does other work only the processor's time says something.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from plugins.ports.programs import Confinement
from plugins.services.programs import MachinePrograms

__all__ = ["main"]

_WORK = "total = 0\nfor n in range({}): total += n * n\n"


class _Open(MachinePrograms):
    """Programs of a machine that cannot confine."""

    def confinement(self) -> Confinement:
        return Confinement("", "not asked for")


def _took_s(programs: MachinePrograms, folder: Path, loops: int) -> tuple[float, float]:
    """The seconds that the program took, by the clock and by the processor."""
    before, used = time.perf_counter(), _used_s()
    confined = programs.confined(writes=(folder,), reads=(Path(sys.executable),))
    confined.run([sys.executable, "-c", _WORK.format(loops)], folder=folder)
    return time.perf_counter() - before, _used_s() - used


def _used_s() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in found)


def main(rounds: int) -> None:
    """Print what one program costs more behind walls, short and long."""
    walls, free = MachinePrograms(), _Open()
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        _took_s(walls, folder, 1)
        for loops in (1, 20_000_000):
            confined, unconfined = [], []
            for _ in range(rounds):
                confined.append(_took_s(walls, folder, loops))
                unconfined.append(_took_s(free, folder, loops))
            for place, clock in enumerate(("clock", "processor")):
                with_s, without_s = (
                    statistics.median(times[place] for times in each)
                    for each in (confined, unconfined)
                )
                more = f"{(with_s - without_s) * 1e3:+.1f} ms, {with_s / without_s - 1:+.1%}"
                print(
                    f"{loops} loops, {clock}: {with_s:.3f} s with, {without_s:.3f} without: {more}"
                )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 9)
