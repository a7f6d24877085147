"""What is in colour, in a terminal unless it is not wanted; and what doit help names."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.command.colour import coloured
from doit_receipts.status import TaskState
from tests.engine.conftest import CHAIN

if TYPE_CHECKING:
    from tests.engine.conftest import Project

COLOURS: Final = ("NO_COLOR", "FORCE_COLOR", "TERM")


def in_a_terminal(project: Project, *words: str, **environment: str) -> str:
    """What `doit list --status`, or another command, writes to a terminal."""
    ours, theirs = pty.openpty()
    kept = {name: text for name, text in os.environ.items() if name not in COLOURS}
    with subprocess.Popen(
        [sys.executable, "-m", "doit", *(words or ("list", "--status"))], cwd=project.folder,
        stdin=subprocess.DEVNULL, stdout=theirs, env={**kept, "TERM": "xterm", **environment},
    ) as process:  # fmt: skip
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:
            pass  # as Linux tells that nobody writes there any more
        process.wait(timeout=60)
    os.close(ours)
    return said.decode()


def test_states_have_colours_in_a_terminal(chain: Project) -> None:
    assert "\x1b[36mready\x1b[0m" in in_a_terminal(chain)


@pytest.mark.parametrize("command", [("list", "--status"), ("next",), ("why", "halve_b")])
@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, "\x1b[31mfailed\x1b[0m"),
        ({"NO_COLOR": "whatever"}, "failed"),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, "\x1b[31mfailed\x1b[0m"),
        ({"TERM": "dumb"}, "failed"),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, "\x1b[31mfailed\x1b[0m"),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "failed"),
        ({"FORCE_COLOR": "0"}, "\x1b[31mfailed\x1b[0m"),
    ],
)
def test_there_are_none_where_they_are_not_wanted(
    environment: dict[str, str], shown: str, command: tuple[str, ...], project: Project
) -> None:
    project.declare(CHAIN.replace("call(copy, HERE", "call(fail, HERE", 1).replace(
        '"input", at.src / "a")', '"input")', 1
    ))  # fmt: skip
    project.write("input", "fail")
    project.doit()
    said = in_a_terminal(project, *command, **environment)
    assert shown in said
    assert ("\x1b" in said) is ("\x1b" in shown)


def test_there_are_none_without_a_terminal(chain: Project) -> None:
    assert "\x1b" not in chain.doit("list", "--status").out
    assert "\x1b" not in chain.doit("list", "--status", env={"FORCE_COLOR": "0"}).out


def test_there_are_without_a_terminal_where_they_are_forced(chain: Project) -> None:
    assert "\x1b[36mready\x1b[0m" in chain.doit("list", "--status", env={"FORCE_COLOR": "1"}).out


@pytest.mark.parametrize("state", list(TaskState))
def test_each_state_has_one_and_no_other_word(state: TaskState) -> None:
    line = f"  {state.value:<8}copy_a                LOCAL    done and ready"
    assert coloured(line).startswith("  \x1b[")
    assert coloured(line).count("\x1b[0m") == 1
    assert coloured(f"{state.value} is no state here") == f"{state.value} is no state here"


@pytest.mark.parametrize("head", ["done by       ", "needs         "])
def test_of_a_task_in_an_explanation_the_state_has_one(head: str) -> None:
    line = f"  {head}halve_b (failed): Keep the first byte"
    assert coloured(line) == line.replace("failed", "\x1b[31mfailed\x1b[0m")


def test_help_names_no_command_that_is_refused(chain: Project) -> None:
    said = chain.doit("help").out
    assert "why " in said
    for command in ("ignore", "reset-dep", "strace", "clean", "info"):
        assert f" {command} " not in said
    assert "TASK" in chain.doit("help", "why").out
