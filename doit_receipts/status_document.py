"""Documents for programs: the status of a release, why a task stands so, and what comes next.

Each is one JSON document with a schema in the project's documentation, which is public interface.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durations import durations_s
from doit_receipts.running import running_tasks
from doit_receipts.status import STOPPED, TaskState
from doit_receipts.task import Kind
from doit_receipts.task_times import task_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status

__all__ = ["about_release", "as_document", "status_document", "told_status"]

_FORMAT: Final = 1
"""A number that grows when a name changes or goes; new names may come without."""


def as_document(content: Mapping[str, Any]) -> str:
    """The document's text, which ends with a line's end: the same content gives the same bytes.

    A task of it is one line. With indent the standard library encodes in Python, which takes
    several times as long.
    """
    told = json.JSONEncoder(ensure_ascii=False).encode
    lines = []
    for name, value in content.items():
        items = value if isinstance(value, list) and value and isinstance(value[0], dict) else ()
        text = "[\n  " + ",\n  ".join(map(told, items)) + "\n ]" if items else told(value)
        lines.append(f" {told(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def about_release(plan: Plan) -> dict[str, Any]:
    """What each document begins with: its format, and of which release it is."""
    project = plan.project
    return {
        "format": _FORMAT,
        "project": project.name,
        "version": project.version,
        "kind": project.headline,
        "rehearsal": project.rehearsal,
    }


def told_status(
    plan: Plan, found: Mapping[str, Status]
) -> Callable[[str], dict[str, str | float | None]]:
    """What a document says of where a task stands, by the task's name.

    ``state``, ``why`` and ``who`` as the list has them; ``since``, when what runs, waits or failed
    began to, in universal time; ``took_s``, how long what is done took; ``left_s``, how long what
    runs will take by earlier runs; ``log_line``, the newest of what runs. Unknown are "" and null.
    """
    from datetime import UTC, datetime

    times = task_times(plan.folder, plan.state)
    running = {each.task: each for each in running_tasks(plan.folder)}
    usually_s = durations_s(plan.folder) if running else {}
    now_s = plan.context.clock.now().timestamp()

    def told(name: str) -> dict[str, str | float | None]:
        status, at_work, left_s = found[name], running.get(name), None
        since = times.since.get(name, "") if status.state in STOPPED else ""
        if at_work is not None:
            began = datetime.fromtimestamp(at_work.since_s, UTC)
            since = began.isoformat(timespec="seconds")
            if name in usually_s:
                left_s = round(max(0.0, usually_s[name] - (now_s - at_work.since_s)), 2)
        return {
            "state": status.state.value,
            "why": status.why,
            "who": status.who,
            "since": since,
            "took_s": times.took_s.get(name) if status.lets_on else None,
            "left_s": left_s,
            "log_line": at_work.last_line if at_work else "",
        }

    return told


def status_document(plan: Plan, found: Mapping[str, Status], upcoming: Sequence[str]) -> str:
    """The status of a release as one document.

    ``tasks`` are in reading order, each with ``name``, ``title``, ``chapter``, ``kind`` (step, gate
    or approval), ``effect``, ``after`` and its status (``told_status``); ``groups`` have a name and
    their status. ``next`` are the lines of who does what, ``waivers`` those that hold today,
    ``alarms`` what must not be left as it is.
    """
    tasks = [task for task in plan.tasks.values() if task.kind is not Kind.GROUP]
    project, told = plan.project, told_status(plan, found)
    document: dict[str, Any] = {
        **about_release(plan),
        "done": sum(found[task.name].state is TaskState.DONE for task in tasks),
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "chapter": project.chapters.get(task.chapter, task.chapter),
                "kind": task.kind.name.lower(),
                "effect": task.label if task.kind is Kind.STEP else "",
                "after": list(task.after),
                **told(task.name),
            }
            for task in tasks
        ],
        "groups": [
            {"name": name, **told(name)}
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
    return as_document(document)
