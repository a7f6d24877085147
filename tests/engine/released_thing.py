"""A small release in this process, for tests of what shows a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.calls import call
from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.finding import Finding, Severity
from doit_receipts.opening import open_plan
from doit_receipts.project import Release
from doit_receipts.runner import perform

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.plan import Plan

__all__ = ["HOSTILE", "do", "released"]

HOSTILE = '<script>alert(1)</script> "quoted" \x1b[31mred'
"""What somebody else wrote, which must never be more than text."""


def _write(path: Path) -> dict[str, str]:
    write_whole(path, b"a")
    return {"where": "https://example.org/a", "name": HOSTILE}


def _judge() -> tuple[Finding, ...]:
    return (Finding("thing.odd", Severity.WARN, HOSTILE, where="a"),)


def _wait() -> dict[str, str]:
    raise Waiting(who="CI", problem="2 of 3 jobs ended", remedy="watch https://example.org/1")


def _fail() -> dict[str, str]:
    raise StepFailed(where="b", problem="broke", remedy="mend it")


def released(folder: Path, project: type[Release] = Release) -> Plan:
    """The plan of a release that nobody has begun."""
    work = folder / "build"
    chapters = {"first": "1 at first", "then": "2 and then"}
    plan = open_plan(project("Thing", "1.0", work, chapters=chapters, experts={"RM": ["A" * 40]}))

    @plan.step(writes=[work / "a"])
    def make_a() -> object:
        """Write a."""
        return call(_write, work / "a")

    @plan.gate(after=[make_a])
    def check_a() -> object:
        """Judge a."""
        return call(_judge)

    @plan.approval(who="RM", of=[check_a])
    def approve_a() -> None:
        """The a is good."""

    plan.chapter("then")

    @plan.step(after=[check_a])
    def await_ci() -> object:
        """Wait until CI has built it."""
        return call(_wait)

    @plan.step(after=[check_a])
    def break_b() -> object:
        """Break."""
        return call(_fail)

    @plan.group(of=[await_ci, break_b, approve_a])
    def publish() -> None:
        """Everything."""

    return plan


def do(plan: Plan, *names: str) -> None:
    """These tasks were run, as a run does them."""
    for name in names:
        perform(plan, plan.tasks[name])
    plan.state.close()
