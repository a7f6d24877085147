"""What running at once costs and gives.

``python tests/bench/at_once.py [COUNT ...]`` prints the processor time that each further task adds
to a first run with 1 and with 8 at once (tasks of ``tests/bench/engine.py``, which do nothing);
then the wall time of a graph of sleeping steps against its longest chain, with as many at once as
``CORES``: sleeping steps need no core, so any machine can show it. The graph is as wide as that
many cores can use, and its chains differ.

``python tests/bench/at_once.py --export RELEASE.TOML`` exports that release three times, each from
an empty work folder but for the tools of its documentation, and draws each as a timeline:

- one core: ``-n 1`` bound to a single core, so each step runs alone, and make, Sphinx, the
  compressors and the tests have a single job each;
- one at a time: ``-n 1`` on all cores, so each step runs alone and uses all cores inside; by these
  times the longest chain is counted;
- at once: ``-n`` with the number of cores.

Then it compares the last with the first, and with what cannot be beaten: the longest chain, or all
its processor time spread over all cores, whichever is longer. What ended processes used counts, and
what was waited for by them.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from doit_receipts.schedule import chains_s
from doit_receipts.task import Kind, Task
from plugins.command.release_file import RELEASE_FILE
from tests.bench.engine import busy_ms, disk_s, folder_of
from tests.engine.conftest import DOIT

COLUMNS = 64
CORES = 8
ROUNDS = 3
SLEEPING = """\
import json, time
from pathlib import Path
from doit_receipts.calls import call
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

plan = open_plan(Release("Thing", "1.0", Path("build").absolute(), chapters={"before": "1"}))
DOIT_CONFIG = plan.doit_config("export")

def nap(took_s):
    time.sleep(took_s)
    return {}

def declare(name, took_s, after):
    def creator():
        return call(nap, took_s)
    creator.__name__, creator.__doc__ = name, "Sleep."
    plan.step(after=after)(creator)

graph = json.loads(Path("graph.json").read_text())
for name, (took_s, after) in graph.items():
    declare(name, took_s, after)

@plan.group(of=list(graph))
def export():
    \"\"\"All of them.\"\"\"
"""


def cost(counts: list[int]) -> None:
    """The processor time that each task adds."""
    print(f"{'ms of processor a task':>24}{'-n 1':>9}{'-n 8':>9}{'more':>9}{'disk, wall':>12}")
    with tempfile.TemporaryDirectory() as room:
        for count in counts:
            least = {}
            for at_once in (1, 8):
                for tasks in (1, count):
                    took = []
                    for number in range(ROUNDS):
                        folder = folder_of(tasks, Path(room) / f"{count}-{at_once}-{number}")
                        words = f"run -n{at_once} export"
                        took.append(busy_ms(sys.executable, folder, words))
                    least[at_once, tasks] = min(took)
            each = [(least[n, count] - least[n, 1]) / (count - 1) for n in (1, 8)]
            disk_ms = disk_s(Path(room) / f"disk-{count}", count) / count * 1000
            print(f"{count:24}{each[0]:9.3f}{each[1]:9.3f}{each[1] - each[0]:9.3f}{disk_ms:12.2f}")


def sleeping() -> None:
    """Wall time against the longest chain."""
    graph: dict[str, tuple[float, list[str]]] = {}
    for chain in range(3 * CORES):
        # One long chain, and shorter ones that the other cores have the time for.
        links = 10 if chain == 0 else 3 + chain % 2
        for link in range(links):
            after = [f"c{chain:02}_{link - 1}"] if link else []
            graph[f"c{chain:02}_{link}"] = (2.7 if chain == 0 else 1.5 + chain % 5 * 0.3, after)
    tasks = {
        name: Task(name, Kind.STEP, "", "", after=tuple(after))
        for name, (_, after) in graph.items()
    }
    longest_s = max(chains_s(tasks, {name: each[0] for name, each in graph.items()}).values())
    work_s = sum(took_s for took_s, _ in graph.values())
    bound_s = max(longest_s, work_s / CORES)
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room)
        (folder / "pyproject.toml").write_text(DOIT)
        (folder / "dodo.py").write_text(SLEEPING)
        (folder / "graph.json").write_text(json.dumps(graph))
        print(f"\n{'sleeping steps':>24}{'seconds':>9}{'of chain':>9}")
        print(f"{f'longest chain of {len(graph)}':>24}{bound_s:9.2f}{bound_s / longest_s:9.3f}")
        for what in ("first run", "by journal"):
            began_s = time.perf_counter()
            run(folder, "run", f"-n{CORES}", "export")
            took_s = time.perf_counter() - began_s
            started_s = time.perf_counter()
            run(folder, "run", f"-n{CORES}", "export")
            took_s -= time.perf_counter() - started_s
            print(f"{what:>24}{took_s:9.2f}{took_s / longest_s:9.3f}")
            shutil.move(folder / "build/journal.jsonl", folder / "kept")
            shutil.rmtree(folder / "build")
            (folder / "build").mkdir()
            shutil.move(folder / "kept", folder / "build/journal.jsonl")


def run(folder: Path, *words: str) -> None:
    """A run of doit that has to end well."""
    subprocess.run(
        [sys.executable, "-m", "doit", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export took, and the journal's entries of it."""

    wall_s: float
    processor_s: float
    entries: list[dict[str, str]]

    @property
    def took_s(self) -> dict[str, float]:
        """Seconds by task."""
        return {each["task"]: float(each["took_s"]) for each in self.entries if "took_s" in each}


def export(declaration: str) -> None:
    """Three exports, each as a timeline, and how they compare."""
    cores = sorted(os.sched_getaffinity(0))
    one_core = exported(declaration, "one core, one at a time", "-n1", cores=cores[:1])
    one = exported(declaration, "one at a time", "-n1", cores=cores)
    at_once = exported(declaration, "at once", f"-n{len(cores)}", cores=cores)
    RELEASE_FILE.set(Path(declaration).absolute())
    plan = importlib.import_module("dodo").plan
    wanted = {name: plan.tasks[name] for name in plan.needs(plan.tasks["export"])}
    chain_s = max(chains_s(wanted, one.took_s).values())
    spread_s = at_once.processor_s / len(cores)
    print(f"\nlongest chain {chain_s:.1f} s; processor over {len(cores)} cores {spread_s:.1f} s")
    ratios = (
        ("of one core", one_core.wall_s, 0.62),
        ("of what cannot be beaten", max(chain_s, spread_s), 1.1),
        ("of one at a time", one.wall_s, 1.0),
    )
    for what, than_s, most in ratios:
        print(f"{what:>26}{at_once.wall_s / than_s:9.2f}  at most {most}")


def exported(declaration: str, what: str, *words: str, cores: list[int]) -> Exported:
    """The release is exported anew on these cores; its tasks are drawn."""
    project = Path(__file__).resolve().parents[2]
    (work,) = (Path(declaration).parent / "build").iterdir()
    for path in work.iterdir():
        if path.name not in ("docs-tools", "journal.jsonl"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    journal = work / "journal.jsonl"
    before = len(journal.read_text().splitlines()) if journal.exists() else 0
    used_s = processor_s()
    began_s, wall_s = time.perf_counter(), time.time()
    all_cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        run(project, "run", "--release", declaration, *words, "export")
    finally:
        os.sched_setaffinity(0, all_cores)
    took_s = time.perf_counter() - began_s
    entries = [json.loads(line) for line in journal.read_text().splitlines()[before:]]
    made = Exported(took_s, processor_s() - used_s, entries)
    print(f"\nexport, {what}: {took_s:.1f} s, processor {made.processor_s:.1f} s")
    draw(entries, wall_s, took_s)
    return made


def processor_s() -> float:
    """What all processes that were started here and have ended used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def draw(entries: list[dict[str, str]], began_s: float, whole_s: float) -> None:
    """A line for each task that took a hundredth of it or more."""
    scale = COLUMNS / whole_s
    for each in entries:
        took_s = float(each.get("took_s", 0))
        if took_s >= whole_s / 100:
            end_s = datetime.fromisoformat(each["at"]).timestamp() - began_s
            bar = "#" * max(1, round(took_s * scale))
            before = " " * round((end_s - took_s) * scale)
            print(f"{each['task']:>20} {took_s:6.1f} s {before}{bar}")


def main() -> None:
    if "--export" in sys.argv:
        os.chdir(Path(__file__).resolve().parents[2])
        export(sys.argv[2])
        return
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    cost([int(word) for word in sys.argv[1:]] or [1000, 10_000])
    sleeping()


if __name__ == "__main__":
    main()
