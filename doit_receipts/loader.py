"""Loader: reads dodo.py, and hands doit the tasks of its plan, with receipts as their records."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doit.action import PythonAction
from doit.cmd_base import DodoTaskLoader, get_loader
from doit.doit_cmd import DoitMain
from doit.exceptions import InvalidCommand, InvalidDodoFile
from doit.globals import Globals
from doit.plugin import PluginEntry
from doit.task import dict_to_task

from doit_receipts.calls import NotKnownYet
from doit_receipts.declaration import declaration_error, place_in, readable
from doit_receipts.doit_records import ReceiptRecords
from doit_receipts.handover import caller
from doit_receipts.plan import Plan
from doit_receipts.typed import DODO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["NOT_OFFERED", "Loader", "plan_of", "refuse"]

_STOCK: Final = "doit_receipts.command.stock"
_REFUSED: Final = 3  # doit's own status for words that it cannot use
_OF_A_DATABASE: Final = {
    "backend": "--backend", "dep_file": "--db-file", "check_file_uptodate": "--check_file_uptodate",
}  # fmt: skip

# What doit's own commands do to a database says nothing about a receipt.
NOT_OFFERED: Final = {
    "ignore": "what is to be let pass is a waiver, with a reason and an end, in {declaration}",
    "reset-dep": "a receipt is left by doing a task; see {why}",
    "strace": "a task of a release is no command of a shell; see {why}",
    "clean": "nothing of a release is removed; its work folder is {work}",
    "info": "see {why}",
}
"""Commands of doit that are refused for tasks of a release, and what to do in their place."""


class Loader(DodoTaskLoader):
    """Loads a dodo.py that has a ``plan``; any other is loaded as doit does.

    Where it is, doit's own commands read options before and behind their words, as ours do.
    """

    takes_variables = True
    """Whether ``x=1`` is a variable, for ``doit.get_var``; else it is a word like any other."""

    def __init__(self) -> None:
        super().__init__()
        found = caller(get_loader.__code__)
        if found is not None:
            run = caller(DoitMain.run.__code__)
            if run is not None:
                self.judge_words(run.f_locals.get("all_args", ()))
                if not self.takes_variables:
                    run.f_locals["self"].process_args = list
            commands = found.f_locals["cmds"]
            for name in commands:
                if commands[name] in DoitMain.DOIT_CMDS:
                    commands[name] = PluginEntry("COMMAND", name, f"{_STOCK}:{name}")

    def judge_words(self, words: Sequence[str]) -> None:
        """SystemExit ends a command that has an empty word, of which doit makes a traceback."""
        if "" in words:
            refuse("one of the words of the command is empty; leave it out")

    def setup(self, opt_values: Mapping[str, Any]) -> None:
        """Read dodo.py. Raises InvalidDodoFile where it uses what is not known yet.

        Raises InvalidCommand for an option of doit's database, where dodo.py has a plan.
        """
        options = getattr(opt_values, "_non_default_keys", ())
        given = DODO.get()
        if given is not None:
            here = {"dodoFile": str(given[0]), "cwdPath": None, "seek_file": False}
            opt_values = {**opt_values, **here}
        try:
            with readable(), _nothing_is_garbage():
                super().setup(opt_values)
        except NotKnownYet as error:
            problem, _, remedy = str(error).partition(": ")
            raise declaration_error(place_in(error.__traceback__), problem, remedy) from error
        unused = next((name for name in _OF_A_DATABASE if name in options), None)
        if unused and isinstance(self.namespace.get("plan"), Plan):
            message = (
                f"{_OF_A_DATABASE[unused]} is not supported: a release keeps receipts and no"
                " database; leave it out"
            )
            raise InvalidCommand(message)

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> Any:
        """The tasks of the plan in its own order, then those that dodo.py has beside it.

        Raises InvalidCommand for a command of doit that can do nothing for a plan's tasks.
        """
        plan = self.namespace.get("plan")
        if not isinstance(plan, Plan):
            return super().load_tasks(cmd, pos_args)
        # doit selects by this very list
        pos_args[:] = [plan.former_names.get(each, each) for each in pos_args]
        if cmd.dep_manager is not None:  # no command but tabcompletion has none
            cmd.dep_manager = Globals.dep_manager = ReceiptRecords(plan, cmd.dep_manager)
        tasks = []
        if not getattr(cmd, "asks_plan", False):
            with _nothing_is_garbage():
                tasks = [dict_to_task(_with_actions(each)) for each in plan.doit_tasks()]
        _refuse_names(plan, self.cmd_names)
        beside = super().load_tasks(cmd, pos_args)
        _refuse_command(plan, cmd.get_name(), pos_args, [each.name for each in beside])
        return [*tasks, *beside]


def refuse(problem: str) -> NoReturn:
    """SystemExit ends the command, before doit reads any of its words."""
    sys.stderr.write(f"ERROR: {problem}\n")
    raise SystemExit(_REFUSED)


class _Performance(PythonAction):
    """A task's function as doit calls it, given nothing of what doit finds out for others."""

    def _prepare_kwargs(self) -> dict[str, Any]:
        return {}


def _with_actions(task: dict[str, Any]) -> dict[str, Any]:
    if task["actions"]:
        task["actions"] = [_Performance(*each) for each in task["actions"]]
    return task


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """What is made in the block stays for as long as the process, and nobody looks for garbage."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _refuse_names(plan: Plan, commands: list[str]) -> None:
    taken = next((name for name in plan.tasks if name in commands), None)
    if taken is not None:
        raise declaration_error(
            plan.place(taken), f"{taken} is a command of doit", "give the task another name"
        )


def _refuse_command(plan: Plan, command: str, words: list[str], beside: Iterable[str]) -> None:
    """Raise InvalidCommand for a command that does nothing for the plan's tasks.

    For tasks that dodo.py has beside the plan doit's own commands are as they always were.
    """
    if command not in NOT_OFFERED or (words and set(words) <= set(beside)):
        return
    task = next((each for each in words if each in plan.tasks), "TASK")
    remedy = NOT_OFFERED[command].format(
        declaration=plan.project.declaration,
        why=plan.project.command("why", task),
        work=plan.folder.work,
    )
    message = f"doit {command} is not offered for tasks of a release; {remedy}"
    raise InvalidCommand(message)


def plan_of(cmd: Any) -> Plan:
    """The plan behind a command. Raises InvalidDodoFile for a dodo.py that has none."""
    if not isinstance(cmd.dep_manager, ReceiptRecords):
        message = "dodo.py declares no release; it needs `plan` from open_plan()"
        raise InvalidDodoFile(message)
    return cmd.dep_manager.plan
