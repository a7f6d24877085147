"""What steps on other machines save of the time until a release is exported.

``python tests/bench/elsewhere.py`` runs a graph of sleeping steps, a second for
``MINUTES_A_SECOND`` minutes of the real 3.13.5 on two cores, once with all of it on this machine
and once with docs and tests on a farm that sleeps as well. Here tests and docs take both cores, so
they wait for each other. The farm has a machine for each platform; this machine asks it as a
release manager does, who types the command again once a second. Bar: within a tenth and two seconds
of the longest chain, both times.

``python tests/bench/elsewhere.py --docs RELEASE.TOML`` builds the docs of that release's clone,
which has its tag, in a second process confined to the second core, as on another machine, while
this one has the first core for the archives; then one after the other on the first core.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from plugins.model.docs_source import DocsSource
from plugins.model.layout import Layout
from plugins.model.release import Release, known_phase, type_of
from plugins.model.series import series_of
from plugins.model.settings import read_settings
from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from plugins.steps import docs as builder
from plugins.steps import tarball
from plugins.steps.docs_tree import Machine
from tests.engine.conftest import DOIT
from tests.progress import Quiet

PROJECT = Path(__file__).resolve().parents[2]
MINUTES_A_SECOND = 6.0
# Minutes of the real 3.13.5 on two cores, quick first: commit and tag, archives, signing and
# checks, docs in four formats, and the full tests, which take an hour here or there.
TREE, ARCHIVES, SIGNING, DOCS, TESTS = 1.5, 1.5, 1.0, 9.0, 60.0
PLATFORMS = 5
SLEEPING = """\
import json, time
from pathlib import Path
from doit_receipts.calls import call
from doit_receipts.errors import Waiting
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

plan = open_plan(Release("Thing", "1.0", Path("build").absolute(), chapters={"before": "1"}))
DOIT_CONFIG = plan.doit_config("export")

def nap(took_s):
    time.sleep(took_s)
    return {}

def ask(name):
    Path(f"{name}.asked").write_text(str(time.time()))
    return {}

def follow(name, took_s):
    left_s = float(Path(f"{name}.asked").read_text()) + took_s - time.time()
    if left_s > 0:
        raise Waiting(who="the farm", problem=f"{name} has not ended")
    return {}

def declare(name, act, after):
    def creator():
        return act
    creator.__name__, creator.__doc__ = name, "Sleep."
    plan.step(after=after)(creator)

for name, (took_s, after, there) in json.loads(Path("graph.json").read_text()).items():
    if there:
        declare(f"start_{name}", call(ask, name), after)
        declare(name, call(follow, name, took_s), [f"start_{name}"])
    else:
        declare(name, call(nap, took_s), after)

@plan.group(of=list(json.loads(Path("graph.json").read_text())))
def export():
    \"\"\"All of them.\"\"\"
"""


def graph(*, farm: bool) -> dict[str, tuple[float, list[str], bool]]:
    """Each step: seconds, what it comes after, and whether it is done on another machine."""
    tests = [f"tests_{number}" for number in range(PLATFORMS)] if farm else ["tests"]
    # What takes all cores comes one after the other.
    made: dict[str, tuple[float, list[str], bool]] = {
        "tree": (TREE, [], False),
        "docs": (DOCS, ["tree"], farm),
        "archives": (ARCHIVES, ["tree"] if farm else ["docs"], False),
        **{name: (TESTS, ["archives"], farm) for name in tests},
        "signing": (SIGNING, ["archives", "docs", *tests], False),
    }
    return {
        name: (took / MINUTES_A_SECOND, after, there) for name, (took, after, there) in made.items()
    }


def longest_s(steps: dict[str, tuple[float, list[str], bool]], name: str) -> float:
    """How long the longest chain takes that ends with this step."""
    took_s, after, _ = steps[name]
    return took_s + max((longest_s(steps, each) for each in after), default=0.0)


def sleeping() -> bool:
    """Wall time against the longest chain; whether it is within the bar."""
    is_well = True
    print(f"{'sleeping steps, seconds':>32}{'chain':>9}{'took':>9}{'of it':>9}")
    for farm in (False, True):
        steps = graph(farm=farm)
        chain_s = longest_s(steps, "signing")
        with tempfile.TemporaryDirectory() as room:
            folder = Path(room)
            (folder / "pyproject.toml").write_text(DOIT)
            (folder / "dodo.py").write_text(SLEEPING)
            (folder / "graph.json").write_text(json.dumps(steps))
            began_s = time.perf_counter()
            while _doit(folder) == 4:
                time.sleep(1.0)
            took_s = time.perf_counter() - began_s
        is_well &= took_s < 1.1 * chain_s + 2
        name = "docs and tests on a farm" if farm else "all of it here"
        print(f"{name:>32}{chain_s:9.2f}{took_s:9.2f}{took_s / chain_s:9.3f}")
    return is_well


def _doit(folder: Path) -> int:
    words = [sys.executable, "-m", "doit", "run", "-n4", "export"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    ended = subprocess.run(
        words, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    assert ended.returncode in (0, 4), ended
    return ended.returncode


def docs(declaration: Path) -> None:
    """Docs and archives of a real tree: side by side on a core each, and one after the other."""
    settings = read_settings(declaration)
    formats = list(settings.docs.formats)
    print(f"{'real tree, seconds':>32}{'wall':>9}")
    for side_by_side in (True, False):
        with tempfile.TemporaryDirectory() as room:
            began_s = time.perf_counter()
            first = _part("docs", declaration, Path(room), formats, 1 if side_by_side else 0)
            if not side_by_side:
                _end(first)
            second = _part("archives", declaration, Path(room), formats, 0)
            _end(second)
            here_s = time.perf_counter() - began_s
            _end(first)
            took_s = time.perf_counter() - began_s
        name = "docs elsewhere" if side_by_side else "docs here"
        print(f"{name:>32}{took_s:9.1f}   of which this machine worked {here_s:.1f}")


def _part(
    part: str, declaration: Path, room: Path, formats: list[str], core: int
) -> subprocess.Popen[bytes]:
    words = [sys.executable, __file__, "--part", part, str(declaration), str(room), *formats]
    return subprocess.Popen(["taskset", "--cpu-list", str(core), *words], cwd=PROJECT)


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.wait() == 0, process.args


def part(name: str, declaration: Path, room: Path, formats: list[str]) -> None:
    """One of the two, in a process of its own."""
    version = read_settings(declaration).version
    series = series_of(version)
    (work,) = (declaration.parent / "build").iterdir()
    clone = Layout(work, version).clone
    release = Release(
        version,
        type_of(version, known_phase(version, series)),
        series,
        Layout(room / name, version),
    )
    programs = MachinePrograms()
    if name == "archives":
        tarball.build(release, GitClone(clone, programs), programs, Quiet())
        return
    asked = ["git", "show", "--no-patch", "--format=%ct", f"{version.tag}^{{commit}}"]
    epoch_s = int(programs.run(asked, folder=clone).stdout)
    source = DocsSource(clone, version.tag, epoch_s, tools=work / "docs-tools")
    builder.build(release, source, formats, programs, Quiet(), Machine(1, 3000))


def main() -> None:
    if sys.argv[1:2] == ["--part"]:
        part(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
    elif sys.argv[1:2] == ["--docs"]:
        docs(Path(sys.argv[2]).absolute())
    elif not sleeping():
        sys.exit("over the bar")


if __name__ == "__main__":
    main()
