"""Loader: reads dodo.py, and hands doit the tasks of its plan, with receipts as their records."""

from __future__ import annotations

from typing import Any

from doit.cmd_base import DodoTaskLoader
from doit.exceptions import InvalidDodoFile
from doit.globals import Globals
from doit.task import dict_to_task

from doit_receipts.doit_records import ReceiptRecords
from doit_receipts.plan import Plan

__all__ = ["Loader", "plan_of"]


class Loader(DodoTaskLoader):
    """Loads a dodo.py that has a ``plan``; any other is loaded as doit does."""

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> Any:
        """The tasks of the plan in its own order, then those that dodo.py has beside it."""
        plan = self.namespace.get("plan")
        if not isinstance(plan, Plan):
            return super().load_tasks(cmd, pos_args)
        cmd.dep_manager = Globals.dep_manager = ReceiptRecords(plan, cmd.dep_manager)
        tasks = [dict_to_task(each) for each in plan.doit_tasks()]
        _refuse_names(plan, self.cmd_names)
        return [*tasks, *super().load_tasks(cmd, pos_args)]


def _refuse_names(plan: Plan, commands: list[str]) -> None:
    taken = next((name for name in plan.tasks if name in commands), None)
    if taken is not None:
        message = f"dodo.py: {taken} is a task and a command of doit; give the task another name"
        raise InvalidDodoFile(message)


def plan_of(cmd: Any) -> Plan:
    """The plan behind a command. Raises InvalidDodoFile for a dodo.py that has none."""
    if not isinstance(cmd.dep_manager, ReceiptRecords):
        message = "dodo.py declares no release; it needs `plan` from open_plan()"
        raise InvalidDodoFile(message)
    return cmd.dep_manager.plan
