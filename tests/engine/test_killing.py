"""SIGKILL at every write of a release of invented steps, then the same command again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import CHAIN
from tests.warm_doit import python

if TYPE_CHECKING:
    from tests.engine.conftest import Project

KILLER = Path(__file__).with_name("killer.py")


def run_killed(project: Project, *options: str) -> int:
    ended = python(KILLER, *options, "run", "copy_d", folder=project.folder, env=os.environ)
    return ended.status


def artifacts(project: Project) -> dict[str, bytes]:
    """Everything that a release leaves but logs, journal, cache and lock."""
    kept = [project.work / "src", project.work / "receipts"]
    return {
        str(path.relative_to(project.work)): path.read_bytes()
        for folder in kept
        for path in sorted(folder.rglob("*"))
    }


FOURTH = '''
@plan.step(after=[task_copy_c], writes=[at.src / "d"])
def copy_d():
    """Copy c to d."""
    return call(copy, at.src / "c", at.src / "d")
'''


@pytest.mark.slow
def test_a_kill_at_any_write_loses_at_most_the_running_step(chain: Project) -> None:
    """Every instant just before and after a write: resume, compare, and no finished step twice."""
    chain.declare(CHAIN + FOURTH)
    assert run_killed(chain, "--report=instants") == 0
    seen = (chain.folder / "instants").read_text().splitlines()
    # What is just after one write is just before the next.
    instants = [name for name in seen if name.startswith("before")] + seen[-1:]
    undisturbed = artifacts(chain)
    chain.ran()
    assert len(instants) > 50
    for fatal in instants:
        shutil.rmtree(chain.folder / "build")
        assert run_killed(chain, f"--at={fatal}") == -9, fatal
        done = {path.stem for path in (chain.work / "receipts").glob("*.json")}
        before = chain.ran()
        ended = chain.doit("copy_d")
        assert ended.status == 0, (fatal, ended)
        assert artifacts(chain) == undisturbed, fatal
        after = chain.ran()
        twice = {"copy_a": "a", "halve_b": "b", "copy_c": "c", "copy_d": "d"}
        assert not [name for name in done if twice[name] in after], (fatal, done, before, after)
