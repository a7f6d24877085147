"""The engine's own cost: synthetic tasks in a chain of blocks, run, run again, and listed.

``python tests/bench/engine.py [COUNT ...]`` prints a table. Every figure is of one process
in one run; the ratios to doit on an empty dodo.py are interleaved with it. A receipt has to
outlast a power cut, so a part of each task's time is the disk's: ``disk`` is what writing as
many files of a receipt's size takes with nothing around it (new file, fsync, rename, fsync of
the folder), and ``cpu`` what the run keeps a processor busy.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.engine.conftest import DOIT

DODO = """\
from pathlib import Path
from doit_receipts.calls import call
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

plan = open_plan(Release("Thing", "1.0", Path("build").absolute(), chapters={"before": "1"}))
DOIT_CONFIG = plan.doit_config("export")
plan.chapter("before")

def nothing(number):
    return {"number": str(number)}

def declare(number, before):
    def creator():
        return call(nothing, number)
    creator.__name__ = f"task_number_{number:05}"
    creator.__doc__ = f"Do nothing for the {number}th time."
    return plan.step(after=before)(creator)

last = []
for number in range(COUNT):
    made = declare(number, last[-1:] if number % 10 else [])
    last.append(made)

@plan.group(of=last)
def task_export():
    \"\"\"All of them.\"\"\"
"""


def seconds(folder: Path, *words: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def busy_s() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def disk_s(folder: Path, count: int) -> float:
    """How long so many small files take to be on the disk for good."""
    folder.mkdir()
    began = time.perf_counter()
    for number in range(count):
        path = folder / f"{number:05}.json"
        partial = path.with_suffix(".partial")
        with partial.open("xb") as stream:
            stream.write(b"x" * 350)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return time.perf_counter() - began


def folder_of(count: int, room: Path) -> Path:
    folder = room / str(count)
    folder.mkdir()
    (folder / "dodo.py").write_text(DODO.replace("COUNT", str(count)))
    (folder / "pyproject.toml").write_text(DOIT)
    return folder


def main() -> None:
    counts = [int(word) for word in sys.argv[1:]] or [50, 1000, 10000]
    with tempfile.TemporaryDirectory() as room:
        empty = Path(room) / "empty"
        empty.mkdir()
        (empty / "dodo.py").touch()
        print(f"{'tasks':>6} {'run s':>8} {'ms/task':>8} {'disk ms':>8} {'cpu ms':>8} ", end="")
        print(f"{'again s':>8} {'ms/task':>8} ", end="")
        print(f"{'list s':>8} {'again/empty':>12} {'list/empty':>11}")
        for count in counts:
            folder = folder_of(count, Path(room))
            rounds = 5 if count < 5000 else 1
            busy = busy_s()
            seconds(empty, "list")
            idle_s, busy = busy_s() - busy, busy_s()
            first = seconds(folder, "export")
            cpu_ms = (busy_s() - busy - idle_s) / count * 1000
            disk_ms = disk_s(Path(room) / f"disk-{count}", count) / count * 1000
            nothing, again, listed = [], [], []
            for _ in range(rounds):
                nothing.append(seconds(empty, "list"))
                again.append(seconds(folder, "export"))
                listed.append(seconds(folder, "list", "--status"))
            base, second, shown = map(statistics.median, (nothing, again, listed))
            print(
                f"{count:6} {first:8.2f} {(first - base) / count * 1000:8.2f} {disk_ms:8.2f} "
                f"{cpu_ms:8.2f} {second:8.2f} {(second - base) / count * 1000:8.2f} {shown:8.2f} "
                f"{second / base:12.2f} {shown / base:11.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
