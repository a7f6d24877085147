"""The status of a release as one JSON document, for a dashboard, a bot or a script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.status import TaskState
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status

__all__ = ["status_document"]

_FORMAT: Final = 1
"""A number that grows when a name changes or goes; new names may come without."""


def status_document(plan: Plan, found: Mapping[str, Status], upcoming: Sequence[str]) -> str:
    """The document's text, which ends with a line's end: the same status gives the same bytes.

    ``format`` is 1. ``tasks`` are in reading order, each with ``name``, ``title``, ``chapter``,
    ``kind`` (step, gate or approval), ``effect``, ``state``, ``why``, ``who`` and ``after``;
    ``groups`` have name, state and why. ``next`` are the lines of who does what, ``waivers`` those
    that hold today, ``alarms`` what must not be left as it is. Whatever is unknown is "".
    """
    tasks = [task for task in plan.tasks.values() if task.kind is not Kind.GROUP]
    project = plan.project
    document: dict[str, Any] = {
        "format": _FORMAT,
        "project": project.name,
        "version": project.version,
        "kind": project.headline,
        "rehearsal": project.rehearsal,
        "done": sum(found[task.name].state is TaskState.DONE for task in tasks),
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "chapter": project.chapters.get(task.chapter, task.chapter),
                "kind": task.kind.name.lower(),
                "effect": task.label if task.kind is Kind.STEP else "",
                "after": list(task.after),
                **_status(found[task.name]),
            }
            for task in tasks
        ],
        "groups": [
            {"name": name, **_status(found[name])}
            for name, task in plan.tasks.items()
            if task.kind is Kind.GROUP
        ],
        "next": list(upcoming),
        "waivers": [
            {"rule": each.rule, "by": each.by, "until": str(each.until), "reason": each.reason}
            for each in plan.receipts.covering_waivers()
        ],
        "alarms": list(plan.alarms()),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _status(status: Status) -> dict[str, str]:
    return {"state": status.state.value, "why": status.why, "who": status.who}
