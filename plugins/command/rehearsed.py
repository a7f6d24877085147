"""Rehearsed: what the rehearsals of one release and of a train have in common."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from doit.exceptions import InvalidCommand

from doit_receipts.typed import started_in

__all__ = ["doit", "known_faults", "order", "play_people", "rehearsal_folder", "say"]


def play_people(declaration: Path, store: Any) -> bool:
    """Everybody gives the green lights that are asked of them now; whether anybody did."""
    from doit_receipts.approvals import beginning
    from doit_receipts.plan import OPENED
    from doit_receipts.runner import subject_of
    from doit_receipts.status import TaskState, is_first, statuses
    from doit_receipts.task import Kind
    from plugins.rehearsal import experts

    plan = OPENED.get()
    found = statuses(plan)
    asked = [
        task
        for name, task in plan.tasks.items()
        if task.kind is Kind.APPROVAL
        and found[name].state is TaskState.WAITING
        and is_first(plan, name, found)
    ]
    subjects = {task.name: subject_of(plan.receipts.inputs(task)) for task in asked}
    plan.state.close()
    for task in asked:
        shown = beginning(subjects[task.name])
        say(f"\n$ doit approve {task.name} {shown}    # {task.who}")
        if task.who == "RM":
            doit(declaration, "approve", task.name, shown)
        else:
            folder, version = plan.folder.approvals, plan.project.version
            experts.approve(store, folder, task.who, task.name, version, subjects[task.name])
    return bool(asked)


def rehearsal_folder(typed: str) -> Path:
    """The folder of ``--folder``; without one, ``rehearsal`` beside dodo.py, where git ignores it.

    To be asked before dodo.py is read, as ``started_in``.
    """
    return started_in() / Path(typed).expanduser() if typed else Path("rehearsal").absolute()


def order(faults: list[str], store: Any) -> None:
    """The faults are ordered. Raises InvalidCommand for an unknown one."""
    known = known_faults()
    for fault in faults:
        name, _, argument = fault.partition("=")
        if name not in known:
            message = f"'{name}' is not a fault; doit rehearse --fault list shows them"
            raise InvalidCommand(message)
        store.order_fault(name, argument=argument)


def known_faults() -> dict[str, str]:
    """Every fault that can be ordered, by name, each in one sentence."""
    from plugins.rehearsal import cdn, hub, site, ssh_server

    return {**hub.FAULTS, **site.FAULTS, **cdn.FAULTS, **ssh_server.FAULTS}


def doit(declaration: Path, command: str, *words: str) -> int:
    """The command is done for this release, in this process; its exit status."""
    from doit.doit_cmd import DoitMain

    status: int = DoitMain().run([command, "--release", str(declaration), *words])
    return status


def say(text: str) -> None:
    """The line stands on standard output, for whoever reads it while the rehearsal runs."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
