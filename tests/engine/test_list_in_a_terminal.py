"""The list in a terminal: colours, unless they are not wanted; and what doit help names."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from doit_receipts.command.list import coloured
from doit_receipts.status import TaskState

if TYPE_CHECKING:
    from tests.engine.conftest import Project


def in_a_terminal(project: Project, **environment: str) -> str:
    """What `doit list --status` writes to a terminal."""
    ours, theirs = pty.openpty()
    kept = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "doit", "list", "--status"], cwd=project.folder,
        stdin=subprocess.DEVNULL, stdout=theirs, env={**kept, **environment},
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


def test_there_are_none_where_they_are_not_wanted(chain: Project) -> None:
    assert "\x1b" not in in_a_terminal(chain, NO_COLOR="whatever")


def test_there_are_none_without_a_terminal(chain: Project) -> None:
    assert "\x1b" not in chain.doit("list", "--status").out


@pytest.mark.parametrize("state", list(TaskState))
def test_each_state_has_one_and_no_other_word(state: TaskState) -> None:
    line = f"  {state.value:<8}copy_a                LOCAL    done and ready"
    assert coloured(line).startswith("  \x1b[")
    assert coloured(line).count("\x1b[0m") == 1
    assert coloured(f"{state.value} is no state here") == f"{state.value} is no state here"


def test_help_names_no_command_that_is_refused(chain: Project) -> None:
    said = chain.doit("help").out
    assert "why " in said
    for command in ("ignore", "reset-dep", "strace", "clean", "info"):
        assert f" {command} " not in said
    assert "TASK" in chain.doit("help", "why").out
