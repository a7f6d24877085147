"""Files that are not there: what the error says brings them back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from tests.engine.conftest import Project


def test_file_that_no_task_makes_is_put_there_as_told(project: Project) -> None:
    project.declare(CHAIN)
    (project.folder / "input").rename(project.folder / "away")
    ended = project.doit("export")
    assert ended.status == 1
    assert "not there, and copy_a needs it; put it there, or see which task makes it:" in ended.said
    command = re.search(r"which task makes it: doit (list --status)", ended.said)
    assert command
    assert project.doit(*command[1].split()).status == 0
    (project.folder / "away").rename(project.folder / "input")
    assert project.doit("export").status == 0


ASKING = '''
def ask():
    plan.receipts.{asked}
    return {{}}

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call({copy}, HERE / "input", at.src / "a")

@plan.step()
def task_ask():
    """Ask what copy_a left."""
    return call(ask)

@plan.group(of=[task_copy_a, task_ask])
def task_export():
    """Everything local."""
'''
FACT = "fact_text(__import__('doit_receipts.calls').calls.Fact('copy_a', 'bytes'))"


@pytest.mark.parametrize("asked", ["facts('copy_a')", FACT])
def test_what_a_task_left_is_there_once_it_was_run_as_told(project: Project, asked: str) -> None:
    project.declare(ASKING.format(asked=asked, copy="copy"))
    ended = project.doit("ask")
    assert ended.status == 1
    assert "receipts/copy_a.json: not there; run doit copy_a" in ended.said
    assert project.doit("copy_a").status == 0
    assert project.doit("ask").status == 0


def test_task_that_makes_a_file_is_found_and_run_as_told(project: Project) -> None:
    project.declare(ASKING.format(asked="artifact(at.src / 'a')", copy="copy"))
    ended = project.doit("ask")
    assert ended.status == 1
    assert "/a: not there; see which task makes it: doit list --status" in ended.said
    assert re.search(r"ready +copy_a ", project.doit("list", "--status").out)
    assert project.doit("copy_a").status == 0
    assert project.doit("ask").status == 0


def test_fact_that_an_earlier_version_did_not_leave_is_there_once_it_is_forgotten(
    project: Project,
) -> None:
    """To run the task does nothing: it is done, from the same inputs."""
    project.declare(ASKING.format(asked=FACT, copy="halve"))
    assert project.doit("copy_a").status == 0
    project.declare(ASKING.format(asked=FACT, copy="copy"))
    assert project.doit("copy_a").status == 0
    ended = project.doit("ask")
    assert ended.status == 1
    command = re.search(r"has no bytes: .*; doit (forget copy_a), then run the same", ended.said)
    assert command, ended
    assert project.doit(*command[1].split()).status == 0
    assert project.doit("copy_a").status == 0
    assert project.doit("ask").status == 0
