"""The engine's own cost: synthetic tasks in a chain of blocks, run, run again, and listed.

``python tests/bench/engine.py [COUNT ...] [--beside CHECKOUT ...]`` prints a table. A figure is
the least processor time of several rounds (a loaded machine only adds to it); the rounds of all
checkouts alternate. ``start`` is what a command takes for one task, and the cost of a task is what
each further one adds to that. (What doit takes on an empty dodo.py is no base for it: an earlier
version of this tool made doit slower for everybody who had it installed.) A receipt has to outlast
a power cut, so a part of the first run is the disk's: ``disk`` is what writing as many files of a
receipt's size takes with nothing around it (new file, fsync, rename, fsync of the folder).

A CHECKOUT has an environment of its own in .venv, and makes its folder of tasks by its own
``folder_of`` in this file.
"""

from __future__ import annotations

import os
import resource
import shutil
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
DOIT_CONFIG = {**plan.doit_config("export"), "num_process": 1}
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


ROUNDS = 6
WORDS = {"run": "export", "again": "export", "list": "list --status"}
MAKE = "import runpy, sys; from pathlib import Path; "
MAKE += "runpy.run_path(sys.argv[1])['folder_of'](int(sys.argv[2]), Path(sys.argv[3]))"


def busy_ms(python: str, folder: Path, words: str) -> float:
    """The processor time of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    kept = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        [python, "-m", "doit", *words.split()],
        cwd=folder, check=True, stdout=subprocess.DEVNULL, env=kept,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


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
    folder.mkdir(parents=True)
    (folder / "dodo.py").write_text(DODO.replace("COUNT", str(count)))
    (folder / "pyproject.toml").write_text(DOIT)
    return folder


class Side:
    """A checkout, and the least that each command took in it."""

    def __init__(self, checkout: Path, room: Path) -> None:
        own = checkout / ".venv/bin/python"
        self.python = str(own) if own.exists() else sys.executable
        self.checkout, self.room = checkout, room
        self.least: dict[tuple[str, int], float] = {}

    def make(self, count: int) -> None:
        """A new folder of so many tasks."""
        self.room.mkdir(exist_ok=True)
        bench = self.checkout / "tests/bench/engine.py"
        subprocess.run(
            [self.python, "-c", MAKE, bench, str(count), self.room], cwd=self.checkout, check=True
        )

    def measure(self, what: str, count: int) -> None:
        """One round of a command."""
        took_ms = busy_ms(self.python, self.room / str(count), WORDS[what])
        self.least[what, count] = min(took_ms, self.least.get((what, count), took_ms))

    def row(self, count: int) -> str:
        """Start, and what each task adds to it, in milliseconds."""
        ends = [(self.least[what, 1], self.least[what, count]) for what in WORDS]
        return f"{ends[1][0]:8.0f}" + "".join(
            f"{(many - one) / (count - 1):8.3f}" for one, many in ends
        )


def main() -> None:
    words, _, beside = (" ".join(sys.argv[1:]) + " ").partition("--beside ")
    counts = [1, *([int(word) for word in words.split()] or [50, 1000, 2000])]
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        here = Path(__file__).resolve().parents[2]
        sides = [
            Side(checkout, room / f"side-{number}")
            for number, checkout in enumerate([here, *map(Path, beside.split())])
        ]
        for number in range(ROUNDS):
            for count in counts:
                for side in sides:
                    if number < 3:  # first runs: each needs a new folder
                        shutil.rmtree(side.room / str(count), ignore_errors=True)
                        side.make(count)
                        side.measure("run", count)
                    side.measure("again", count)
                    side.measure("list", count)
        print(f"{'ms, processor':>24}{'start':>8}{'run':>8}{'again':>8}{'list':>8}{'disk':>8}")
        for count in counts[1:]:
            disk_ms = disk_s(room / f"disk-{count}", count) / count * 1000
            for side in sides:
                print(f"{side.checkout.name[-16:]:>16}{count:8}{side.row(count)}{disk_ms:8.2f}")


if __name__ == "__main__":
    main()
