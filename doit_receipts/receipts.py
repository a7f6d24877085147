"""Receipts: those of a plan's tasks, and whether each still holds.

The receipts are the whole truth. A task is current if its receipt is complete, was made from what
is there now, and its products have the bytes that it names. Nothing else is asked: not the time of
a file, not a database.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import Artifact
from doit_receipts.calls import below
from doit_receipts.errors import AlreadyPublished, ReleaseError, StepFailed
from doit_receipts.receipt import BrokenReceipt, Receipt
from doit_receipts.state import NO_FILE
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from doit_receipts.calls import Fact
    from doit_receipts.finding import Waiver
    from doit_receipts.project import Project
    from doit_receipts.run_context import RunContext
    from doit_receipts.state import State
    from doit_receipts.task import Task
    from doit_receipts.work_folder import WorkFolder

__all__ = ["ASKED_AGAIN", "NOT_COMPARED", "NOT_DONE", "Receipts"]

NOT_COMPARED: Final = (
    "written by a version before 0.2: whether its settings have changed since is unknown"
)
"""What a receipt of the first format hides."""

NOT_DONE: Final = "not done yet"
"""The one reason of a task that has no receipt."""
ASKED_AGAIN: Final = "checked again until the tasks after it are done"
"""The one reason of a gate that let everything pass, in a world that moves."""


class Receipts:
    """The receipts in one work folder, read once and again only when a file changed.

    ``tasks`` gives those whose receipts they are, in reading order.
    """

    def __init__(
        self,
        project: Project,
        folder: WorkFolder,
        state: State,
        context: RunContext,
        tasks: Callable[[], Mapping[str, Task]],
    ) -> None:
        self._tasks = tasks
        self.project = project
        self.folder = folder
        self.state = state
        self.context = context
        self._receipt_paths: dict[str, Path] = {}
        self._receipts: dict[str, tuple[str, Receipt | None]] = {}
        self._results: dict[str, tuple[Receipt, str]] = {}
        self._judged: dict[str, tuple[str, ...]] = {}
        self._asked: dict[int, str] = {}
        self._makers: tuple[Mapping[str, Task], dict[Path, list[str]]] = ({}, {})

    def receipt_path(self, name: str) -> Path:
        """Where the task's receipt is."""
        path = self._receipt_paths.get(name)
        if path is None:
            path = self._receipt_paths[name] = self.folder.receipt(name)
        return path

    def receipt(self, name: str) -> Receipt | None:
        """The task's receipt, or None if there is none. Raises BrokenReceipt.

        Raises StepFailed for a receipt of another release, or of a rehearsal in a real release
        and the other way round.
        """
        path = self.receipt_path(name)
        digest = self.state.digest(path)
        kept = self._receipts.get(name)
        if kept is not None and kept[0] == digest:
            return kept[1]
        if digest == NO_FILE:
            raise BrokenReceipt(
                where=f"receipts/{path.name}",
                problem="not a file",
                remedy="move it away to have the step done again",
            )
        found = Receipt.read(path) if digest else None
        if found is not None:
            self._refuse_foreign(found, path)
        self._receipts[name] = (digest, found)
        if kept is not None:
            self.look_again()
        return found

    def _refuse_foreign(self, found: Receipt, path: Path) -> None:
        project = self.project
        if found.rehearsal != project.rehearsal:
            where, here = ("a rehearsal", "a real release")[:: 1 if found.rehearsal else -1]
            raise StepFailed(
                where=f"receipts/{path.name}",
                problem=f"made in {where}, and this is {here}",
                remedy="give this release a work folder of its own",
            )
        if found.project not in ("", project.name):
            raise StepFailed(
                where=f"receipts/{path.name}",
                problem=f"made by a release of {found.project}, and this is {project.name}",
                remedy="give this release a work folder of its own",
            )
        if found.version != project.version or found.step != path.stem:
            raise StepFailed(
                where=f"receipts/{path.name}",
                problem=f"made by {found.step} of {found.version},"
                f" and this is {path.stem} of {project.version}",
                remedy="give this release a work folder of its own, or move this receipt away",
            )

    def artifacts(self, paths: Iterable[Path]) -> tuple[Artifact, ...]:
        """The files as their bytes are now; what was read since it changed is not read again.

        Raises StepFailed for one that is not there.
        """
        found = []
        for path in paths:
            digest = self.state.digest(path)
            if not digest:
                raise StepFailed(
                    where=str(path),
                    problem="not there",
                    remedy="see which task makes it: doit list --status",
                )
            found.append(Artifact(path, path.stat().st_size, digest))
        return tuple(found)

    def artifact(self, path: Path) -> Artifact:
        """One file as its bytes are now; see ``artifacts``."""
        return self.artifacts((path,))[0]

    def sums(self, paths: Iterable[Path]) -> dict[str, str]:
        """The sha256 of each file by its name; see ``artifacts``."""
        return {each.path.name: each.sha256 for each in self.artifacts(paths)}

    def is_done(self, name: str) -> bool:
        """Whether the task has left a receipt, however things have changed since."""
        return self.receipt(name) is not None

    def facts(self, name: str) -> Mapping[str, str]:
        """All facts of the task's receipt. Raises StepFailed if it is not done."""
        receipt = self.receipt(name)
        if receipt is None:
            raise StepFailed(
                where=f"receipts/{name}.json",
                problem="not there",
                remedy=f"run {self.project.command(name)}",
            )
        return receipt.facts

    def fact_text(self, fact: Fact) -> str:
        """The fact's text. Raises StepFailed if the receipt lacks it."""
        facts = self.facts(fact.task)
        if fact.name not in facts:
            raise StepFailed(
                where=f"receipts/{fact.task}.json",
                problem=f"has no {fact.name}: an earlier version of this tool made it",
                remedy=f"{self.project.command('forget', fact.task)}, then run the same command"
                " again",
            )
        return facts[fact.name]

    def inputs(self, task: Task) -> dict[str, str]:
        """What the task would be made from now: names to digests.

        The result of every task before it, the bytes of every file that it reads, the arguments
        of its calls, and the text of its extra inputs. Raises ReleaseError if one cannot be had.
        """
        return self._inputs(task, {})

    def _inputs(self, task: Task, asked: dict[int, str]) -> dict[str, str]:
        """The same; ``asked`` has what extra inputs gave already, each by its call."""
        work = self.folder.work
        found: dict[str, str] = {}
        if task.calls:
            found["call"] = task.arguments
        for name in task.after:
            if name in task.only_after:
                continue
            found[f"after {name}"] = self.result(name)
        for path in task.reads:
            digest = self.state.digest(path)
            if not digest:
                raise StepFailed(
                    where=str(path),
                    problem=f"not there, and {task.name} needs it",
                    remedy="put it there, or see which task makes it:"
                    f" {self.project.command('list', '--status')}",
                )
            found[f"file {below(path, work)}"] = digest
        for name, extra in task.extra_inputs.items():
            if id(extra) not in asked:
                asked[id(extra)] = str(extra.perform(self.fact_text))
            found[f"input {name}"] = asked[id(extra)]
        return found

    def look_again(self) -> None:
        """What extra inputs gave may have changed: a task was performed."""
        self._asked.clear()

    def result(self, name: str) -> str:
        """The digest of what a task, or all of a group, gave; "" if it is not done."""
        task = self._tasks()[name]
        if task.kind is Kind.GROUP:
            together = "\n".join(self.result(each) for each in task.after)
            return hashlib.sha256(together.encode()).hexdigest()
        receipt = self.receipt(name)
        if receipt is None:
            return ""
        kept = self._results.get(name)
        if kept is None or kept[0] is not receipt:
            kept = self._results[name] = (receipt, receipt.result)
        return kept[1]

    def leave(self, receipt: Receipt) -> str:
        """The receipt is in its place, read back and equal; gives its result."""
        path = self.receipt_path(receipt.step)
        digest = receipt.write(path)
        self.state.wrote(path, digest)
        self._receipts[receipt.step] = (digest, receipt)
        result = receipt.result
        self._results[receipt.step] = (receipt, result)
        return result

    def outputs(self, task: Task) -> dict[str, str]:
        """The task's products as they are now: paths below the work folder to sha256."""
        return {below(path, self.folder.work): self.state.digest(path) for path in task.writes}

    # ── judging ────────────────────────────────────────────────────────────────────────────

    def reasons(self, task: Task) -> tuple[str, ...]:
        """Why the task is not current, in words; empty if and only if it is.

        Judges the task alone: whether the tasks before it are current is not asked.
        """
        self._judged[task.name] = self._reasons(task)
        return self._judged[task.name]

    def last_reasons(self, task: Task) -> tuple[str, ...]:
        """What ``reasons`` gave last for the task."""
        return self._judged.get(task.name, ())

    def _reasons(self, task: Task) -> tuple[str, ...]:
        try:
            receipt = self.receipt(task.name)
        except BrokenReceipt as error:
            return (f"receipt: {error.problem}",)
        except ReleaseError as error:
            return (str(error),)
        # A broken receipt behind it is told where that task is judged.
        with suppress(ReleaseError):
            if self.has_served(task) and (receipt is not None or self._came_later(task)):
                return ()
        if receipt is None:
            return (NOT_DONE,)
        return self._changed_since(task, receipt)

    def _changed_since(self, task: Task, receipt: Receipt) -> tuple[str, ...]:
        try:
            now = self._inputs(task, self._asked)
        except ReleaseError as error:
            return (str(error),)
        used = {name.partition(" ")[2] for name in receipt.inputs if name.startswith("waiver ")}
        if used:
            now |= self.waiver_inputs(used)
        now = self._approved_then(task, receipt, now)
        if self._was_enough(task):
            now = {name: each for name, each in now.items() if name in receipt.inputs}
        changed = _changes(task, receipt, now)
        changed += _damages(receipt.outputs, self.outputs(task))
        if not changed and task.volatile and not self.guarded_happened(task):
            return (ASKED_AGAIN,)
        return tuple(changed)

    def _approved_then(
        self, task: Task, receipt: Receipt, now: Mapping[str, str]
    ) -> dict[str, str]:
        """The inputs of a public act without later words of its approvals: it had its own then."""
        tasks = self._tasks()
        return {
            name: receipt.inputs.get(name, each)
            if task.is_public
            and name.startswith("after ")
            and tasks[name.removeprefix("after ")].kind is Kind.APPROVAL
            else each
            for name, each in now.items()
        }

    def covering_waivers(self) -> tuple[Waiver, ...]:
        """The declared waivers that hold today."""
        today = self.context.clock.now().date()
        return tuple(each for each in self.project.waivers if each.holds(today))

    def waiver_inputs(self, rules: Iterable[str]) -> dict[str, str]:
        """The waivers that hold for these rules, as inputs of the gate that depends on them."""
        held = {each.rule: each.describe() for each in self.covering_waivers()}
        return {f"waiver {rule}": held.get(rule, "") for rule in rules}

    def has_served(self, task: Task) -> bool:
        """Whether all that was to be looked at and approved here is public and has happened.

        That is so of an approval, of what is only shown for one, and of a gate that is judged anew
        in each run. A later change needs none of them again, since nothing can be done about it any
        more; what was published must not seem to be made from something else; and what was shown
        then stays as it was shown.
        """
        if not (task.only_shown or task.volatile or task.kind is Kind.APPROVAL):
            return False
        behind = [each for each in self._behind(task) if each.kind is not Kind.GROUP]
        return bool(behind) and all(
            self.has_published(each) or self.has_served(each) for each in behind
        )

    def _came_later(self, task: Task) -> bool:
        """Whether all behind it was done by an earlier version, which did not have the task."""
        for each in self._behind(task):
            receipt = self.receipt(each.name)
            if receipt is None and each.kind is not Kind.GROUP and not self._came_later(each):
                return False
            if receipt is not None and f"after {task.name}" in receipt.inputs:
                return False
        return True

    def _was_enough(self, task: Task) -> bool:
        """Whether it is an approval whose public acts have all happened.

        A newer version of what makes the release may ask for the approval of more than there was
        then. Of what was approved a change counts as ever; what came later was not there to be
        seen, and what it would hold up is public already.
        """
        if task.kind is not Kind.APPROVAL:
            return False
        public = [each for each in self._behind(task) if each.is_public]
        return bool(public) and all(self.has_published(each) for each in public)

    def _behind(self, task: Task) -> list[Task]:
        return [each for each in self._tasks().values() if task.name in each.after]

    def left_behind(self, task: Task) -> Iterator[str]:
        """The tasks that have a receipt by which they were done after this one."""
        for each in self._behind(task):
            receipt = self.receipt(each.name) if each.kind is not Kind.GROUP else None
            if receipt is not None and receipt.inputs.get(f"after {task.name}"):
                yield each.name

    def guarded_happened(self, gate: Task) -> bool:
        """Whether everything that waits for the gate has its receipt."""
        behind = self._behind(gate)
        return all(self._happened(task) for task in behind if task.kind is not Kind.GROUP)

    def _happened(self, task: Task) -> bool:
        if task.kind is Kind.GATE:
            return self.guarded_happened(task)
        return self.state.digest(self.receipt_path(task.name)) != ""

    def refuse_foreign(self, task: Task) -> None:
        """Raise StepFailed if another release's receipt is where the task's would be."""
        try:
            self.receipt(task.name)
        except BrokenReceipt:
            if task.is_public:
                raise

    def refuse_altered(self, task: Task) -> None:
        """Raise StepFailed if a file that the task reads is not as the task that made it left it.

        It was so when the run began, or its maker would have run again: somebody else, such as a
        process that an earlier step left behind, writes to it at this moment. What is signed or
        handed on is what was judged, and nothing else.
        """
        # What becomes public is often read by the act itself, and not declared.
        before = [self._tasks()[name] for name in task.after] if task.look is not None else []
        for path in dict.fromkeys(
            (*task.reads, *(path for each in before for path in each.writes))
        ):
            makers = [self._tasks()[name] for name in self._makers_of(path)]
            # What was only shown is not made again once it has served.
            receipts = [self.receipt(each.name) for each in makers if not self.has_served(each)]
            name = below(path, self.folder.work)
            made = {each.outputs[name] for each in receipts if each and name in each.outputs}
            self.state.forget(path)
            if made and self.state.digest(path) not in made:
                raise StepFailed(
                    where=name,
                    problem=f"is not as {' or '.join(self._makers_of(path))} left it: it was"
                    " changed in the middle of this run",
                    remedy="find out what writes there, then run the same command again",
                )

    def _makers_of(self, path: Path) -> list[str]:
        known, makers = self._makers
        if known is not self._tasks():
            makers = {}
            for each in self._tasks().values():
                for product in each.writes:
                    makers.setdefault(product, []).append(each.name)
            self._makers = (self._tasks(), makers)
        return makers.get(path, [])

    def has_published(self, task: Task) -> bool:
        """Whether the task's receipt says that users have seen its work."""
        return task.is_public and self.receipt(task.name) is not None

    def refuse_second_time(self, task: Task, now: Mapping[str, str]) -> None:
        """Raise AlreadyPublished if the task is public and was done from other inputs.

        A person who looked at both says so with ``doit adopt``.
        """
        if not task.is_public:
            return
        receipt = self.receipt(task.name)
        changed = (
            _changes(task, receipt, self._approved_then(task, receipt, now)) if receipt else []
        )
        if changed:
            raise AlreadyPublished(
                where=f"receipts/{task.name}.json",
                problem=f"done already, and users have seen it: {'; '.join(changed)}",
                remedy=f"look at both with {self.project.command('why', task.name)},"
                f" and if what users see is right, {self.project.command('adopt', task.name)}",
            )


def _changes(task: Task, receipt: Receipt, now: Mapping[str, str]) -> list[str]:
    """What the task was made from that is not so any more, in words."""
    then = _comparable(receipt, now)
    changed = []
    for name in sorted(then.keys() | now.keys()):
        before, after = then.get(name), now.get(name)
        one_sided = before is None or after is None
        if before == after or (one_sided and _is_order(task, name)):
            continue
        kind, _, what = name.partition(" ")
        match kind:
            case "call":
                changed.append("what it is called with changed: a setting, or this tool")
            case "after":
                changed.append(f"{what} gave another result" if after else f"{what} is not done")
            case "waiver":
                changed.append(
                    f"the waiver of {what} changed" if after else f"{what} is no longer waived"
                )
            case "input":
                now_is = (after or "")[:12] or "unknown"
                changed.append(f"the {what.replace('_', ' ')} is now {now_is}")
            case _:
                changed.append(f"{what} changed")
    return changed


def _is_order(task: Task, name: str) -> bool:
    """Whether the input only says that one step comes after another.

    A release may be finished by a newer version of what makes it, in which a step waits for one
    more task, or for one less. That alone makes no finished step stale; what it takes over from
    the other task is a file or a fact, and so an input of its own. What gates and approvals are
    about is exactly the tasks before them.
    """
    return task.kind is Kind.STEP and name.startswith("after ")


def _comparable(receipt: Receipt, now: Mapping[str, str]) -> dict[str, str]:
    """The inputs of the receipt under today's names.

    A receipt of the first format digested the names of functions into its call, and named extra
    inputs by functions: the first cannot be compared any more, of the others only the values can.
    What is lost by that is told where a task is explained (``NOT_COMPARED``).
    """
    then = dict(receipt.inputs)
    if receipt.format != 1:
        return then
    if "call" in then and "call" in now:
        then["call"] = now["call"]
    looks = sorted(then.pop(name) for name in list(then) if name.startswith("look "))
    extra = {name: text for name, text in now.items() if name.startswith("input ")}
    if looks == sorted(extra.values()):
        return then | extra
    return then | dict.fromkeys(extra, "")


def _damages(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    damaged = [f"{name} is new among its products" for name in sorted(now.keys() - then.keys())]
    for name, digest in sorted(then.items()):
        if name in now and now[name] != digest:
            damaged.append(f"{name} was edited" if now[name] else f"{name} is gone")
    return damaged
