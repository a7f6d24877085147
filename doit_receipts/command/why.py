"""The why command: everything known about where one task stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.advice import to_look_at
from doit_receipts.command.colour import COLOUR, InColour
from doit_receipts.command.command_line import JSON, OptionsAnywhere, no_such_task
from doit_receipts.errors import ReleaseError
from doit_receipts.loader import plan_of
from doit_receipts.printable import printable
from doit_receipts.receipts import NOT_COMPARED
from doit_receipts.status import STOPPED, TaskState, approve_command, statuses
from doit_receipts.task import Kind
from doit_receipts.task_times import shown_since, task_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from doit_receipts.task import Task

__all__ = ["Why", "explained", "explanation", "meaning"]

_SETTLED: Final = (TaskState.DONE, TaskState.RUNNING)
_WITH_REASON: Final = (
    TaskState.READY, TaskState.STALE, TaskState.LATER, TaskState.RUNNING, TaskState.QUEUED,
)  # fmt: skip


class Why(InColour, OptionsAnywhere):
    """Say why a task is not done, what it is made from, and what it said last."""

    name = "why"
    doc_purpose = "say why a task is done, stale, waiting or blocked"
    doc_usage = "TASK | LABEL ..."
    example = "doit why build_docs"
    doc_description = None
    cmd_options = (JSON, *COLOUR)

    def _execute(self, as_json: bool, pos_args: Any) -> int:
        plan = plan_of(self)
        if not pos_args:
            message = "doit why wants the name of a task; `doit list` shows them"
            raise InvalidCommand(message)
        if as_json:
            self.outstream.write(explained(plan, pos_args))
            plan.state.close()
            return 0
        for name in pos_args:
            lines = explanation(plan, name) if name in plan.tasks else meaning(plan, name)
            if not lines:
                raise no_such_task(name, plan.tasks)
            # Names, subjects and answers in it were written by others.
            self.write("\n".join(map(printable, lines)) + "\n")
        plan.state.close()
        return 0


def explanation(plan: Plan, name: str) -> list[str]:
    """What there is to say about one task, a line each."""
    task = plan.tasks[name]
    found = statuses(plan)
    status = found[name]
    lines = [f"{name}: {task.title}", f"  {task.label}, {status.state.value}"]
    if status.state in _WITH_REASON or task.kind is Kind.GROUP:
        lines[-1] += f", {status.why}" if status.why else ""
    lines[-1] += "".join(f", {each}" for each in _times(plan, name, status) if each)
    if status.who:
        lines.append(f"  who acts      {status.who}")
    if task.kind is not Kind.GROUP and status.state not in _SETTLED:
        lines += [f"  because       {reason}" for reason in plan.receipts.reasons(task)]
    if task.kind is Kind.APPROVAL and status.state is TaskState.WAITING:
        lines += _asked(plan, name)
    outcome = plan.state.outcome(name)
    if outcome is not None:
        lines.append(f"  said last     {outcome.message}")
        lines += [f"                {line}" for line in outcome.details]
    for each in task.after:
        lines.append(f"  needs         {each} ({found[each].state.value})")
    lines += [f"  reads         {path}" for path in task.reads]
    lines += [f"  makes         {path}" for path in task.writes]
    behind = [each for each, other in plan.tasks.items() if name in other.after]
    if behind:
        lines.append(f"  then          {', '.join(behind)}")
    for kind, called in plan.project.labels.items():
        described = plan.project.described(name, kind, task.labels.get(kind, ()))
        heads = (called, *("" for _ in described))
        lines += [f"  {head:<14}{line}" for head, line in zip(heads, described, strict=False)]
    if task.kind is not Kind.GROUP:
        lines += _records(plan, name)
    return lines


def _times(plan: Plan, name: str, status: Status) -> tuple[str, str]:
    """Since when it waits or failed, and how long what is done took; "" for what is not known."""
    times = task_times(plan.folder, plan.state)
    since = times.since.get(name, "") if status.state in STOPPED else ""
    took = times.of([name]) if status.lets_on else ""
    return shown_since(since, plan.context.clock.now()), f"took {took}" if took else ""


def explained(plan: Plan, words: Sequence[str]) -> str:
    """The same for programs: a document about these tasks and labels.

    ``tasks`` have their status, why they are not done (``because``), what they ``said_last``, what
    they need, read and make, what comes ``then``, their labels, receipt and log; ``labels`` what is
    known of each word that is no task, and the tasks that have it. Raises InvalidCommand.
    """
    # late: people ask more often than programs
    from doit_receipts.status_document import about_release, as_document, told_status

    found, tasks, labels = statuses(plan), [], []
    told = told_status(plan, found)
    for word in words:
        if word in plan.tasks:
            tasks.append({**_document_of(plan, word, found[word]), **told(word)})
            continue
        about = plan.project.explained(word) or {word: ()}
        of_word = [
            {
                "label": label,
                "about": list(lines),
                "tasks": [task.name for task in plan.tasks.values() if _has(task, label)],
            }
            for label, lines in about.items()
        ]
        if not any(each["about"] or each["tasks"] for each in of_word):
            raise no_such_task(word, plan.tasks)
        labels += of_word
    return as_document({**about_release(plan), "tasks": tasks, "labels": labels})


def _document_of(plan: Plan, name: str, status: Status) -> dict[str, Any]:
    task, outcome = plan.tasks[name], plan.state.outcome(name)
    is_asked = task.kind is not Kind.GROUP and status.state not in _SETTLED
    log = plan.folder.log(name)
    return {
        "name": name,
        "title": task.title,
        "kind": task.kind.name.lower(),
        "effect": task.label if task.kind is Kind.STEP else "",
        "because": list(plan.receipts.reasons(task)) if is_asked else [],
        "said_last": [outcome.message, *outcome.details] if outcome else [],
        "needs": list(task.after),
        "reads": [str(path) for path in task.reads],
        "makes": [str(path) for path in task.writes],
        "then": [each for each, other in plan.tasks.items() if name in other.after],
        "labels": {kind: list(words) for kind, words in task.labels.items()},
        "receipt": _receipt_of(plan, name),
        "log": str(log) if log.exists() else "",
    }


def _receipt_of(plan: Plan, name: str) -> dict[str, Any] | None:
    """Where it is and what it says; None where there is none, or none that can be read."""
    try:
        receipt = plan.receipts.receipt(name)
    except ReleaseError:
        receipt = None
    if receipt is None:
        return None
    return {
        "path": str(plan.receipts.receipt_path(name)),
        "adopted": receipt.adopted,
        "facts": dict(sorted(receipt.facts.items())),
        "findings": list(receipt.findings),
        "outputs": dict(sorted(receipt.outputs.items())),
    }


def meaning(plan: Plan, word: str) -> list[str]:
    """What a word means that is no task's name, and the tasks that have it as a label."""
    explained = plan.project.explained(word) or {word: ()}
    found = statuses(plan)
    lines = []
    for label, about in explained.items():
        doing = [
            f"  done by       {task.name} ({found[task.name].state.value}): {task.title}"
            for task in plan.tasks.values()
            if _has(task, label)
        ]
        first, *more = about or ("",)
        if about or doing:
            head = f"{label}: {first}" if first else label
            lines += [head, *(f"  {line}" for line in more), *doing]
    return lines


def _has(task: Task, word: str) -> bool:
    return any(word in words for words in task.labels.values())


def _asked(plan: Plan, name: str) -> list[str]:
    """What a person does for an approval."""
    lines = [f"  look at       {look}" for look in to_look_at(plan, name)]
    return [*lines, f"  with          {approve_command(plan, name)}"]


def _records(plan: Plan, name: str) -> list[str]:
    lines = []
    try:
        receipt = plan.receipts.receipt(name)
    except ReleaseError as error:
        return [f"  receipt       {error}"]
    if receipt is not None:
        lines.append(f"  receipt       {plan.receipts.receipt_path(name)}")
        if receipt.format == 1:
            lines.append(f"                {NOT_COMPARED}")
        lines += [f"  fact          {key}: {text}" for key, text in sorted(receipt.facts.items())]
        lines += [f"  finding       {finding}" for finding in receipt.findings]
    log = plan.folder.log(name)
    if log.exists():
        lines.append(f"  log           {log}")
    return lines
