"""The plan command: every act outside that the next run would do, with nothing sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.acting import HOUR
from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.command.option import option
from doit_receipts.command.status_table import title
from doit_receipts.loader import plan_of
from doit_receipts.lock import is_worked_on
from doit_receipts.planned import Foreseen, mends, planned
from doit_receipts.printable import counted
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from doit_receipts.outside import Act
    from doit_receipts.plan import Plan
    from doit_receipts.planned import Mend, Planned

__all__ = ["PlanCommand"]

_FORMAT: Final = 1
_ALIKE: Final = 6
"""So many acts of one kind in a row are shown; the rest is counted."""
_REST: Final = "  and what the answer asks for"
_ALL: Final = option(
    "whole",
    "also what comes after people, or after what stops the run, as far as it is known",
    long="all",
    short="a",
)
_JSON: Final = option("as_json", "the plan as one JSON document, for programs", long="json")


class PlanCommand(OptionsAnywhere):
    """Look, and show each act outside that the next run would do; nothing is sent or written."""

    name = "plan"
    doc_purpose = "show every act outside that the next run would do, with nothing sent"
    doc_usage = "[TASK ...]"
    example = "doit plan\ndoit plan publish --json"
    doc_description = (
        "Left out is what a run tells people of itself, its notifications: they say where it stops,"
        " once it does."
    )
    cmd_options = (_ALL, _JSON)

    def _execute(self, whole: bool, as_json: bool, pos_args: Any) -> int:
        plan = plan_of(self)
        for name in pos_args:
            if name not in plan.tasks:
                raise no_such_task(name, plan.tasks)
        needed = {each for name in pos_args for each in plan.needs(plan.tasks[name])}
        # What a run that is at work has open it puts right itself.
        at_work = is_worked_on(plan.folder.lock)
        first = [] if at_work else mends(plan)
        steps = planned(plan, {*needed, *pos_args} if pos_args else set(plan.tasks), first)
        if as_json:
            document = {**_document(plan, first, steps), "run_is_at_work": at_work}
            self.outstream.write(json.dumps(document, indent=1) + "\n")
        else:
            lines = _lines(plan, first, steps, whole, at_work)
            self.outstream.write("\n".join(lines) + "\n")
        plan.state.close()
        return 0


def _lines(
    plan: Plan, first: Sequence[Mend], steps: Sequence[Planned], whole: bool, at_work: bool
) -> Iterator[str]:
    by = {each: [step for step in steps if step.foreseen is each] for each in Foreseen}
    yield title(plan)
    yield ""
    yield from _mended(first, at_work)
    yield from _part(
        "The next run does this outside; nothing was sent to find out:", by[Foreseen.NOW]
    )
    held = [step for step in by[Foreseen.WAITS] if step.who == HOUR]
    yield from _part(
        f"Waits for {HOUR}: {held[0].why if held else ''}. Then, as far as it is known now:",
        [replace(step, why="") for step in held],
    )
    yield from _part("Behind it in the same run, as far as it is known now:", by[Foreseen.BEHIND])
    if whole:
        yield from _part("Later, as far as it is known now:", by[Foreseen.LATER])
    for step in by[Foreseen.THERE]:
        yield f"{step.task.name} is there already: nothing is sent"
    for step in by[Foreseen.STOPS]:
        yield f"{step.task.name} stops: {step.why}"
    for step in by[Foreseen.AWAITED]:
        yield f"{step.task.name} waits for {step.why}"
    for step in by[Foreseen.WAITS]:
        if step.who != HOUR:
            yield f"{step.task.name} waits for {step.who}: {step.why}"
    later = [step for step in by[Foreseen.LATER] if step.task.kind is Kind.STEP]
    count = sum(not step.who for step in later)
    if count and not whole:
        yield (
            f"{counted(count, 'more task acts', 'more tasks act')} outside behind that: "
            f"{plan.project.command('plan', '--all')}"
        )
    if not steps and not first:
        yield "nothing is left to be done outside"
    if plan.context.notify is not None:
        yield "notifications are left out: they say where the run stops, once it does"


def _mended(first: Sequence[Mend], at_work: bool) -> Iterator[str]:
    if at_work:
        yield "a run is at work: this plan is of the next run, as if this one did nothing more"
        yield ""
    if not first:
        return
    yield "The next run first repairs what an earlier run left:"
    yield ""
    for each in first:
        yield each.alarm
        yield from _told(each.acts)
        if each.stops:
            yield f"  stops there, and does nothing else: {each.stops}"
        elif not each.complete:
            yield _REST
        yield ""


def _part(head: str, steps: Sequence[Planned]) -> Iterator[str]:
    if not steps:
        return
    yield head
    yield ""
    for step in steps:
        why = f", {step.why}" if step.why else ""
        yield f"{step.task.name} ({step.task.label}{why}): {step.task.title}"
        yield from _told(step.acts)
        if step.who and step.who != HOUR:
            yield f"  asks {step.who} then"
        if not step.complete:
            yield _REST if step.acts else "  not known before that"
        yield ""


def _told(acts: Sequence[Act]) -> Iterator[str]:
    shown: dict[str, int] = {}
    for act in acts:
        alike = " ".join(act.what.split()[:2])
        shown[alike] = shown.get(alike, 0) + 1
        if shown[alike] > _ALIKE:
            continue
        yield f"  {act}"
        if act.kind == "mail":
            yield from (f"  | {line}" for line in act.lines)
    for alike, count in shown.items():
        if count > _ALIKE:
            yield f"  {alike} … {count - _ALIKE} more of these; --json has all"


def _document(plan: Plan, first: Sequence[Mend], steps: Sequence[Planned]) -> dict[str, Any]:
    project = plan.project
    return {
        "format": _FORMAT,
        "project": project.name,
        "version": project.version,
        "rehearsal": project.rehearsal,
        "mends": [
            {
                "alarm": each.alarm,
                "stops": each.stops,
                "complete": each.complete,
                "acts": _acts(each.acts),
            }
            for each in first
        ],
        "tasks": [
            {
                "name": step.task.name,
                "effect": step.task.label if step.task.kind is Kind.STEP else "",
                "foreseen": step.foreseen.value,
                "why": step.why,
                "who": step.who,
                "complete": step.complete,
                "acts": _acts(step.acts),
            }
            for step in steps
        ],
    }


def _acts(acts: Sequence[Act]) -> list[dict[str, Any]]:
    return [
        {"kind": act.kind, "what": act.what, "lines": list(act.lines),
         "size_bytes": act.size_bytes, "sha256": act.sha256}
        for act in acts
    ]  # fmt: skip
