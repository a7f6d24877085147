"""`doit check`: all gates that can be judged now, looked at now, with nothing recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Project

GATES = """
@plan.gate(volatile=True)
def check_it():
    \"\"\"Stop while something is bad.\"\"\"
    return [call(judge, HERE / "bad"), call(judge, HERE / "worse")]

@plan.gate()
def check_other():
    \"\"\"Stop while something else is bad.\"\"\"
    return call(judge, HERE / "other")

@plan.step(after=[check_it], reads=[HERE / "input"], writes=[at.src / "a"])
def copy_a():
    \"\"\"Copy the input to a.\"\"\"
    return call(copy, HERE / "input", at.src / "a")

@plan.gate(after=[copy_a])
def check_a():
    \"\"\"Stop while a is bad.\"\"\"
    return call(judge, HERE / "bad")

@plan.group(of=[check_a, check_other])
def export():
    \"\"\"Everything.\"\"\"
"""


def gates(project: Project, **bad: str) -> None:
    project.declare(GATES)
    for name in ("bad", "worse", "other"):
        project.write(name, bad.get(name, ""))


def test_everything_that_is_in_the_way_is_told_at_once(project: Project) -> None:
    gates(project, bad="a.one a.two", worse="b.one", other="c.one")
    ended = project.doit("check")
    assert ended.status == 1
    for rule in ("a.one", "a.two", "b.one", "c.one"):
        assert f"{rule} BLOCK: is bad; mend it" in ended.out
    assert "later   check_a               after copy_a" in ended.out
    last = "2 gates looked at: 2 in the way, 4 findings; 1 cannot be looked at yet"
    assert ended.out.rstrip().endswith(last)


def test_nothing_is_recorded_and_everything_is_looked_at_again(project: Project) -> None:
    gates(project)
    for _ in range(2):
        assert project.doit("check").status == 0
        assert project.ran() == ["judge", "judge", "judge"]
    assert not (project.work / "receipts").exists()
    assert not (project.work / "journal.jsonl").exists()


def test_a_gate_whose_work_is_done_is_still_looked_at(project: Project) -> None:
    """In the evening a name that everything passed in the morning is asked all the same."""
    gates(project)
    assert project.doit("export").status == 0
    project.ran()
    project.write("bad", "a.one")
    ended = project.doit("check", "check_it")
    assert (ended.status, project.ran()) == (1, ["judge", "judge"])
    assert "blocks  check_it" in ended.out


def test_what_is_waived_is_shown_and_does_not_block(project: Project) -> None:
    gates(project, bad="a.one")
    with (project.folder / "release.toml").open("a") as file:
        file.write('[[waivers]]\nrule = "a.one"\nreason = "r"\nby = "me"\nuntil = 2999-01-01\n')
    ended = project.doit("check", "check_it")
    assert ended.status == 0
    assert "a.one BLOCK: is bad; mend it (waived by me until 2999-01-01)" in ended.out


def test_what_is_no_gate_is_refused(project: Project) -> None:
    gates(project)
    ended = project.doit("check", "copy_a")
    assert ended.status == 3
    assert "copy_a is no gate; doit check looks at gates: check_it, check_other" in ended.err
    assert "did you mean check_it?" in project.doit("check", "chek_it").err


TOGETHER = """
from threading import Barrier

MEETING = Barrier(2)

class Asked:
    def __init__(self, together):
        self.together = together

    def __repr__(self):
        return "asked"

def meet(asked):
    try:
        MEETING.wait(timeout=TIMEOUT_S)
    except BrokenBarrierError:
        return (Finding("they.never_met", Severity.BLOCK, "is alone", "", "ask both at once"),)
    return ()

@plan.gate(volatile=True)
def check_it():
    \"\"\"Stop unless both look at the same moment.\"\"\"
    return [call(meet, ASKED), call(meet, ASKED)]
"""


@pytest.mark.parametrize(("together", "status"), [("True", 0), ("False", 1)])
def test_what_may_be_asked_together_is_and_nothing_else(
    project: Project, together: str, status: int
) -> None:
    timeout_s = 60 if status == 0 else 0.1
    values = f"ASKED = Asked({together})\nTIMEOUT_S = {timeout_s}\n"
    imports = (
        "from threading import BrokenBarrierError\n"
        "from doit_receipts.finding import Finding, Severity\n"
    )
    text = TOGETHER.replace("\n@plan.gate", f"\n{values}\n@plan.gate", 1)
    project.declare(imports + text)
    assert project.doit("check").status == status
