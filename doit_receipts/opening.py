"""Opening: from a project to the plan that its tasks are declared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.clock import SystemClock
from doit_receipts.handover import go_on_with_own_commands
from doit_receipts.journal import Journal
from doit_receipts.plan import OPENED, Plan
from doit_receipts.run_context import RunContext, StepLog
from doit_receipts.runner import perform
from doit_receipts.running import RunningTasks
from doit_receipts.state import State
from doit_receipts.work_folder import WorkFolder

if TYPE_CHECKING:
    from doit_receipts.clock import Clock
    from doit_receipts.project import Project

__all__ = ["open_plan"]


def open_plan(project: Project, clock: Clock | None = None, log: StepLog | None = None) -> Plan:
    """The plan of a release, without a task yet; nothing is connected, locked or written.

    dodo.py keeps it under the name ``plan``, where the commands look for it. Where doit was told
    of dodo.py by ``-f`` from another folder, and so has its own commands, the command goes on with
    those of dodo.py's folder and this does not come back.
    """
    go_on_with_own_commands()
    folder = WorkFolder(project.work)
    clock = clock or SystemClock()
    context = RunContext(
        log=log or StepLog(folder),
        journal=Journal(folder.journal, clock),
        clock=clock,
        running=RunningTasks(folder),
        perform=perform,
    )
    plan = Plan(project, folder, State(folder.state), context)
    OPENED.set(plan)
    return plan
