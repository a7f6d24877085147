"""The check command: everything that can be judged now, looked at now, and all that was found."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.calls import Deferred
from doit_receipts.command.command_line import OptionsAnywhere, no_such_task
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity, blocking
from doit_receipts.loader import plan_of
from doit_receipts.printable import counted
from doit_receipts.status import statuses
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from doit_receipts.calls import Call
    from doit_receipts.plan import Plan
    from doit_receipts.task import Task

__all__ = ["Check", "Looked", "look_at"]

_AT_ONCE: Final = 32
_NAME: Final = 22
_VALUES: Final = (Deferred, Enum, PurePath, date)


@dataclass(slots=True)
class Looked:
    """What a look at one gate gave; ``later`` says why there was none yet."""

    gate: Task
    findings: list[Finding] = field(default_factory=list)
    errors: list[ReleaseError] = field(default_factory=list)
    later: str = ""


class Check(OptionsAnywhere):
    """Look at every gate that can be judged now, without running or recording anything."""

    name = "check"
    example = "doit check\ndoit check check_export"
    doc_purpose = "look at all that can be judged now, and say everything that is in the way"
    doc_usage = "[GATE ...]"
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        plan = plan_of(self)
        for name in pos_args:
            if name not in plan.tasks:
                raise no_such_task(name, plan.tasks)
            if plan.tasks[name].kind is not Kind.GATE:
                message = f"{name} is no gate; doit check looks at gates: {', '.join(_gates(plan))}"
                raise InvalidCommand(message)
        looked = look_at(plan, pos_args or _gates(plan))
        self.outstream.write("\n".join(_lines(plan, looked)) + "\n")
        plan.state.close()
        return 1 if any(_stops(plan, each) for each in looked) else 0


def look_at(plan: Plan, names: Iterable[str]) -> list[Looked]:
    """Every check of these gates was asked now, side by side; nothing is recorded.

    Checks that share a service are asked one after another, unless it is ``together``: true of
    what may be asked by several at once. A gate behind something that is not done yet is passed
    over, with the reason.
    """
    found = statuses(plan)
    looked = [Looked(plan.tasks[name]) for name in names]
    jobs: list[tuple[Looked, Call]] = []
    for each in looked:
        open_ = [name for name in each.gate.after if not found[name].lets_on]
        if open_:
            each.later = f"after {', '.join(open_)}"
        else:
            jobs += [(each, call) for call in each.gate.calls]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waited = [pool.submit(_ask_all, plan, queue) for queue in _queues(jobs)]
    for each_queue in waited:
        each_queue.result()
    return looked


def _ask_all(plan: Plan, queue: Sequence[tuple[Looked, Call]]) -> None:
    for looked, call in queue:
        try:
            looked.findings += call.perform(plan.receipts.fact_text)
        except ReleaseError as error:
            looked.errors.append(error)


def _queues(jobs: Sequence[tuple[Looked, Call]]) -> list[list[tuple[Looked, Call]]]:
    """The jobs in as many queues as there are groups of them that share no service."""
    queues: list[tuple[set[int], list[tuple[Looked, Call]]]] = []
    for job in jobs:
        services, together = set(_services(job[1])), [job]
        for queue in [queue for queue in queues if queue[0] & services]:
            services |= queue[0]
            together = [*queue[1], *together]
            queues.remove(queue)
        queues.append((services, together))
    return [together for _, together in queues]


def _services(call: Call) -> Iterator[int]:
    """What the call holds beside values: objects that talk to somebody, known by identity."""
    for each in (*call.arguments, *(value for _, value in call.named)):
        inner = each.values() if isinstance(each, Mapping) else (each,)
        yield from (id(one) for one in inner if not _is_value(one))


def _is_value(each: object) -> bool:
    """Whether it can be asked by several at once: it asks nobody itself, or says that it can."""
    if isinstance(each, _VALUES) or is_dataclass(each) or type(each).__module__ == "builtins":
        return True
    # only a value of that name is a word: a late service would be opened by asking it for more
    return getattr(each, "together", False) is True


def _gates(plan: Plan) -> list[str]:
    return [name for name, task in plan.tasks.items() if task.kind is Kind.GATE]


def _stops(plan: Plan, looked: Looked) -> bool:
    return bool(looked.errors) or bool(blocking(looked.findings, plan.receipts.covering_waivers()))


def _lines(plan: Plan, looked: Sequence[Looked]) -> Iterator[str]:
    waivers = {each.rule: each for each in plan.receipts.covering_waivers()}
    for each in looked:
        yield f"{_word(plan, each):<8}{each.gate.name:<{_NAME}}{each.later}".rstrip()
        for finding in sorted(each.findings, key=lambda one: (-one.severity, one)):
            waiver = waivers.get(finding.rule) if finding.severity is Severity.BLOCK else None
            waived = f" (waived by {waiver.by} until {waiver.until})" if waiver else ""
            yield f"        {plan.completed(str(finding))}{waived}"
        yield from (f"        {plan.completed(str(error))}" for error in each.errors)
    seen = [each for each in looked if not each.later]
    stopping = [each for each in seen if _stops(plan, each)]
    count = sum(len(each.findings) + len(each.errors) for each in seen)
    later = len(looked) - len(seen)
    yield ""
    yield (
        f"{counted(len(seen), 'gate')} looked at: {len(stopping)} in the way, "
        f"{counted(count, 'finding')}"
        f"{f'; {later} cannot be looked at yet' if later else ''}"
    )


def _word(plan: Plan, looked: Looked) -> str:
    if looked.later:
        return "later"
    if _stops(plan, looked):
        return "blocks"
    return "passes"
