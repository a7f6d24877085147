"""Tasks that a release manager adds to dodo.py in doit's own words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from tests.engine.conftest import Project

PLAIN = (
    CHAIN
    + '''
def task_mine():
    """A task of my own."""
    def act():
        ran("mine")
    return {"actions": [act], "file_dep": [str(HERE / "input")]}

def task_dies():
    """One that is killed."""
    def act():
        os.kill(os.getpid(), 9)
    return {"actions": [act], "task_dep": ["mine"]}
'''
)


def test_a_plain_task_runs_when_its_file_changed(project: Project) -> None:
    project.declare(PLAIN)
    assert project.doit("mine").status == 0
    assert project.ran() == ["mine"]
    project.doit("mine")
    assert project.ran() == []
    project.write("input", "other")
    project.doit("mine")
    assert project.ran() == ["mine"]


def test_a_finished_plain_task_survives_a_kill(project: Project) -> None:
    """Doit's own backends lose every task of a killed run."""
    project.declare(PLAIN)
    assert project.doit("dies").status == -9
    assert project.ran() == ["mine"]
    project.doit("mine")
    assert project.ran() == []


def test_forgetting_has_a_step_done_again(chain: Project) -> None:
    chain.doit()
    chain.ran()
    assert chain.doit("forget", "halve_b").status == 0
    chain.doit()
    assert chain.ran() == ["b"]
