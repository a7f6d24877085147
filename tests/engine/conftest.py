"""A small release of invented steps, run by real doit in a process of its own."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.warm_doit import doit

if TYPE_CHECKING:
    from tests.ended import Ended

PROJECT: Final = Path(__file__).resolve().parents[2]
README_BLOCK: Final = re.compile(r"```toml\n(\[tool\.doit\].*?)```", re.DOTALL)

# As README.md of the engine shows it.
DOIT: Final = README_BLOCK.search((PROJECT / "doit_receipts/README.md").read_text())[1]  # type: ignore[index]

RELEASE = """\
version = "3.13.6"
[signing]
gpg_key = "0123456789012345678901234567890123456789"
"""

HEAD = """\
import json, os, tomllib
from pathlib import Path

from doit_receipts.calls import call
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.finding import Finding, Severity, Waiver
from doit_receipts.opening import open_plan
from doit_receipts.project import Release
from doit_receipts.task import Effect

HERE = Path(__file__).parent
declared = tomllib.loads((HERE / "release.toml").read_text())
work = declared.get("work", {})
signing = declared["signing"]
release = Release(
    "Thing",
    declared["version"],
    HERE / work.get("folder", "build") / declared["version"],
    rehearsal=work.get("rehearsal", False),
    chapters={"before": "1 before anything"},
    waivers=[Waiver(**each) for each in declared.get("waivers", [])],
    experts={"RM": [signing["gpg_key"]]},
    keyring=Path(signing["gnupg_home"]) if "gnupg_home" in signing else None,
    declaration="release.toml",
)
plan = open_plan(release)
DOIT_CONFIG = {**plan.doit_config("export"), "num_process": 1}  # in the order of the list


class at:
    src = release.work / "src"


def ran(name):
    with (HERE / "ran").open("a") as file:
        file.write(name + chr(10))


def copy(source, target):
    ran(target.name)
    write_whole(target, source.read_bytes())
    return {"bytes": str(source.stat().st_size)}


def halve(source, target, kept=1):
    ran(target.name)
    write_whole(target, source.read_bytes()[:kept])
    return {}


def judge(source):
    ran("judge")
    found = []
    for line in source.read_text().split():
        found.append(Finding(line, Severity.BLOCK, "is bad", remedy="mend it"))
    return tuple(found)


def publish(world):
    ran("publish")
    with world.open("a") as file:
        file.write("published" + chr(10))
    return {}


def fail(source):
    ran("fail")
    text = source.read_text().strip()
    if text == "fail":
        raise StepFailed(
            where="thing", problem="broke", remedy="mend it", details=("line 1", "line 2")
        )
    if text == "wait":
        raise Waiting(who="windows", problem="2 of 3 files are there", remedy="upload c.exe")
    if text == "bug":
        raise KeyError("surprise")
    if text == "edit":
        source.write_text("edited while it ran")
    return {}


plan.chapter("before")
"""

CHAIN = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.step(after=[task_copy_a], writes=[at.src / "b"])
def task_halve_b():
    """Keep the first byte of a in b."""
    return call(halve, at.src / "a", at.src / "b")

@plan.step(after=[task_halve_b], writes=[at.src / "c"])
def task_copy_c():
    """Copy b to c."""
    return call(copy, at.src / "b", at.src / "c")

@plan.group(of=[task_copy_c])
def task_export():
    """Everything local."""
'''


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a dodo.py, its release.toml and the files that its steps read."""

    folder: Path

    @property
    def work(self) -> Path:
        return self.folder / "build" / "3.13.6"

    def declare(self, text: str, release: str = RELEASE) -> None:
        (self.folder / "dodo.py").write_text(HEAD + text)
        (self.folder / "release.toml").write_text(release)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def doit(self, *words: str, env: dict[str, str] | None = None) -> Ended:
        # The plugins of this checkout, whichever one the environment has installed.
        path = {"PYTHONPATH": str(PROJECT)}
        return doit(*words, folder=self.folder, env={**os.environ, **path, **(env or {})})

    def ran(self) -> list[str]:
        """The steps that ran since this was asked last, in order."""
        file = self.folder / "ran"
        if not file.exists():
            return []
        names = file.read_text().split()
        file.unlink()
        return names

    def standing(self, task: str) -> str:
        """What `doit list --status` says of the task: its line without the name and its time."""
        for line in self.doit("list", "--status", "--all").out.splitlines():
            if line[10:32].strip() == task:
                return " ".join((line[:10] + line[32:].partition("took ")[0]).split())
        return ""

    def receipt(self, task: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.work / "receipts" / f"{task}.json").read_text())
        return found


@pytest.fixture(autouse=True)
def modules_of_this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every doit that a test starts takes the modules of this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project whose input holds "hello"."""
    (tmp_path / "pyproject.toml").write_text(DOIT)
    made = Project(tmp_path)
    made.write("input", "hello")
    return made


@pytest.fixture
def chain(project: Project) -> Project:
    """Three steps in a row: copy the input, keep its first byte, copy that."""
    project.declare(CHAIN)
    return project
