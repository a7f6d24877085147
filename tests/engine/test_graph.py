"""The graph command: nodes, their states, and the arrows between them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from doit_receipts.drawing import COLOURS
from doit_receipts.status import TaskState

if TYPE_CHECKING:
    from tests.engine.conftest import Project

DIAMOND: Final = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def copy_a():
    """Copy the "input" to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.step(after=[copy_a], writes=[at.src / "b"])
def copy_b():
    """Copy a to b."""
    return call(copy, at.src / "a", at.src / "b")

@plan.step(after=[copy_a], writes=[at.src / "c"])
def copy_c():
    """Copy a to c."""
    return call(copy, at.src / "a", at.src / "c")

@plan.gate(after=[copy_a, copy_b, copy_c], reads=[at.src / "b"])
def check_all():
    """Stop if b is not good."""
    return call(judge, at.src / "b")

@plan.group(of=[check_all])
def export():
    """Everything."""
'''

BRANCHES: Final = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.step(after=[copy_a], writes=[at.src / "b"])
def copy_b():
    """Copy a to b."""
    return call(copy, at.src / "a", at.src / "b")

@plan.step(reads=[HERE / "input"], writes=[at.src / "c"])
def copy_c():
    """Copy the input to c."""
    return call(copy, HERE / "input", at.src / "c")

@plan.approval(of=[copy_b], who="RM")
def approve_b():
    """The b is good."""
'''


def arrows(text: str) -> set[tuple[str, str]]:
    """The arrows of a graph, from what is first to what waits for it."""
    return set(re.findall(r'^  "(\w+)" -> "(\w+)"(?: \[penwidth=3\])?;$', text, re.MULTILINE))


def test_each_task_is_a_node_with_its_state_and_arrows_lead_to_what_waits(
    project: Project,
) -> None:
    """copy_b and copy_c can run at once; that check_all comes after copy_a is implied."""
    project.declare(DIAMOND)
    drawn = project.doit("graph").out
    assert drawn.startswith("digraph release {\n")
    assert 'label="1 before anything";' in drawn
    assert (
        '"copy_a" [shape=box, fillcolor="#bbdefb", tooltip="ready: Copy the \\"input\\" to a."'
        in drawn
    )
    assert '"check_all" [shape=hexagon, fillcolor="#ffffff", tooltip="later: ' in drawn
    assert arrows(drawn) == {
        ("copy_a", "copy_b"),
        ("copy_a", "copy_c"),
        ("copy_b", "check_all"),
        ("copy_c", "check_all"),
    }
    assert '"export"' not in drawn


def test_what_a_task_needs_is_drawn_alone(project: Project) -> None:
    project.declare(DIAMOND)
    assert arrows(project.doit("graph", "copy_b").out) == {("copy_a", "copy_b")}
    assert arrows(project.doit("graph", "export").out) == arrows(project.doit("graph").out)


def took(project: Project, **seconds: float) -> None:
    """So many seconds each task took when it was done before."""
    at = "2026-12-01T12:00:00+00:00"
    lines = [
        json.dumps({"at": at, "event": "done", "task": task, "took_s": took_s}) + "\n"
        for task, took_s in seconds.items()
    ]
    project.work.mkdir(parents=True)
    (project.work / "journal.jsonl").write_text("".join(lines))


def thick(text: str) -> set[str]:
    """The tasks of the longest chain: by their boxes in the drawing, or by their nodes."""
    boxes = re.findall(r"<g><title>(\w+) [^<]*</title><\w+ class=\"box s-\w+ chain\"", text)
    return {*boxes, *re.findall(r'^    "(\w+)" \[.*, penwidth=3\];$', text, re.MULTILINE)}


def test_the_longest_chain_is_that_which_takes_longest_as_on_the_board(project: Project) -> None:
    """Not that of most tasks; where a task is named, it is one of what is drawn."""
    project.declare(BRANCHES)
    assert thick(project.doit("graph", "--svg").out) == {"copy_a", "copy_b", "approve_b"}
    took(project, copy_a=1, copy_b=1, copy_c=60)
    for option in ("--svg",), ():
        assert thick(project.doit("graph", *option).out) == {"copy_c"}
        assert thick(project.doit("graph", *option, "copy_b").out) == {"copy_a", "copy_b"}
    drawn = project.doit("graph", "copy_b").out
    assert '  "copy_a" -> "copy_b" [penwidth=3];\n' in drawn


def test_who_acts_stands_below_the_name(project: Project) -> None:
    project.declare(BRANCHES)
    drawn = project.doit("graph").out
    assert re.search(r'"approve_b" \[shape=ellipse, .*, label="approve_b\\nRM"', drawn)
    assert re.search(r'"copy_b" \[shape=box, (?!.*label)', drawn)
    drawn = project.doit("graph", "--svg").out
    assert re.search(">· approve_b</text><text [^>]*>RM · 1 before anything</text>", drawn)
    assert re.search(">· copy_b</text><text [^>]*>1 before anything</text>", drawn)


def test_every_state_has_its_colour() -> None:
    assert set(COLOURS) == set(TaskState)


def test_a_name_that_no_task_has_is_refused(project: Project) -> None:
    project.declare(DIAMOND)
    assert "'copy_d' is not a task of this release" in project.doit("graph", "copy_d").err
