"""The plan of a release: every task in reading order, its receipt, and whether that still holds.

The receipts are the whole truth. A task is current if its receipt is whole, was made from what
is there now, and its products have the bytes that it tells. Nothing else is asked: not the
time of a file, not a database.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from doit_receipts.errors import AlreadyPublished, ReleaseError, StepFailed
from doit_receipts.receipt import BrokenReceipt, Receipt
from doit_receipts.state import NO_FILE
from doit_receipts.task import Call, Effect, Fact, Kind, Task
from plugins.model.artifact import Artifact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.finding import Waiver
    from doit_receipts.run_context import RunContext
    from doit_receipts.state import State
    from plugins.model.release import Release

    Creator = Callable[[], Any]

__all__ = ["LOOKS_AGAIN", "NOT_DONE", "Plan"]

NOT_DONE: Final = "not done yet"
"""The one reason of a task that has no receipt."""
LOOKS_AGAIN: Final = "looks again until what it guards has happened"
"""The one reason of a gate that let everything pass, in a world that moves."""


class Plan:
    """The tasks of one release, in the order in which dodo.py tells them.

    ``step``, ``gate``, ``approval`` and ``group`` turn a function of dodo.py into a task; the
    function's docstring is the task's one sentence, and what it returns is what is done.
    """

    def __init__(self, release: Release, state: State, context: RunContext) -> None:
        self.release = release
        self.state = state
        self.context = context
        self.tasks: dict[str, Task] = {}
        self._lacking: dict[str, tuple[str, ...]] = {}
        self._alarms: list[tuple[Call, Call | None]] = []
        self.verification: Call | None = None
        self.audit: Call | None = None
        self._chapter = 0
        self._receipt_paths: dict[str, Path] = {}
        self._receipts: dict[str, tuple[str, Receipt | None]] = {}
        self._results: dict[str, tuple[Receipt, str]] = {}
        self._told: dict[str, tuple[str, ...]] = {}

    # ── declaring ──────────────────────────────────────────────────────────────────────────

    def doit_config(self, default: str) -> dict[str, Any]:
        """DOIT_CONFIG for dodo.py: ``doit`` alone runs the task ``default``."""
        return {
            "default_tasks": [default],
            "dep_file": str(self.release.layout.state),
            "backend": "receipts",
            "reporter": "release",
            "continue": True,  # waiting and failing never hold up what stands elsewhere
            "verbosity": 0,
        }

    def chapter(self, number: int) -> None:
        """The tasks that follow belong to this chapter of PEP 101."""
        self._chapter = number

    def step(
        self,
        *,
        effect: Effect = Effect.LOCAL,
        after: Sequence[Creator] = (),
        reads: Iterable[Path] = (),
        writes: Iterable[Path] = (),
        looks: Iterable[Call] = (),
        probe: Call | None = None,
        pep: Iterable[str] = (),
        only: bool = True,
    ) -> Callable[[Creator], Creator]:
        """A task that changes something; it is done when its products and receipt are there.

        One that changes the world outside (SHARED, PUBLIC) looks at it first and after, with
        ``probe``, a call that gives a Probe; one with another effect needs none.
        """
        reaches_out = effect in (Effect.SHARED, Effect.PUBLIC)

        def declare(creator: Creator) -> Creator:
            if reaches_out != (probe is not None):
                message = (
                    f"{_name_of(creator)}: a step has a probe if and only if it is SHARED or PUBLIC"
                )
                raise ValueError(message)
            return self._declare(
                creator,
                only=only,
                kind=Kind.STEP,
                effect=effect,
                after=self._names(after),
                reads=tuple(reads),
                writes=tuple(writes),
                looks=tuple(looks),
                probe=probe,
                pep=tuple(pep),
            )

        return declare

    def gate(
        self,
        *,
        after: Sequence[Creator] = (),
        reads: Iterable[Path] = (),
        looks: Iterable[Call] = (),
        pep: Iterable[str] = (),
        only: bool = True,
        volatile: bool = False,
    ) -> Callable[[Creator], Creator]:
        """A task made of checks; what stands behind it waits while a finding blocks."""

        def declare(creator: Creator) -> Creator:
            return self._declare(
                creator,
                only=only,
                kind=Kind.GATE,
                after=self._names(after),
                reads=tuple(reads),
                looks=tuple(looks),
                pep=tuple(pep),
                volatile=volatile,
            )

        return declare

    def approval(
        self, *, who: str, of: Sequence[Creator], pep: Iterable[str] = (), only: bool = True
    ) -> Callable[[Creator], Creator]:
        """A green light by ``who``, over the results of the tasks ``of``."""

        def declare(creator: Creator) -> Creator:
            return self._declare(
                creator,
                only=only,
                kind=Kind.APPROVAL,
                after=self._names(of),
                pep=tuple(pep),
                who=who,
            )

        return declare

    def group(self, *, of: Sequence[Creator]) -> Callable[[Creator], Creator]:
        """A name for several tasks; done when they are."""

        def declare(creator: Creator) -> Creator:
            return self._declare(creator, only=True, kind=Kind.GROUP, after=self._names(of))

        return declare

    def fact(self, creator: Creator, name: str) -> str:
        """A fact of an earlier task's receipt, to be used in a call; text when the task runs."""
        return cast("str", Fact(_name_of(creator), name))

    def _declare(
        self, creator: Creator, *, only: bool, after: tuple[str, ...], **parts: Any
    ) -> Creator:
        name = _name_of(creator)
        if name in self.tasks or name in self._lacking:
            message = f"dodo.py declares {name} twice"
            raise ValueError(message)
        if not only:
            self._lacking[name] = after
            return _silent(creator)
        made = creator()
        calls = () if made is None else (made,) if isinstance(made, Call) else tuple(made)
        title = " ".join((creator.__doc__ or "").split("\n\n")[0].split())
        self.tasks[name] = Task(
            name=name, title=title, chapter=self._chapter, calls=calls, after=after, **parts
        )
        return _speaking(creator, functools.partial(self._doit_task, name))

    def _names(self, creators: Sequence[Creator]) -> tuple[str, ...]:
        """Names of tasks of this release: one that it lacks stands for its own needs."""
        names: dict[str, None] = {}
        for creator in creators:
            name = _name_of(creator)
            if name in self._lacking:
                names.update(dict.fromkeys(self._lacking[name]))
            elif name in self.tasks:
                names[name] = None
            else:
                message = f"{name} is used in dodo.py before it is declared with the plan"
                raise ValueError(message)
        return tuple(names)

    def _doit_task(self, name: str) -> dict[str, Any]:
        """The task in doit's words; doit asks the plan whether it is up to date."""
        task = self.tasks[name]
        if task.kind is Kind.GROUP:
            # All that it needs and not only its members: doit then goes in reading order.
            return {"actions": None, "task_dep": self.needs(task), "doc": task.title}
        return {
            "actions": [(self.context.perform, [self, task])],
            "task_dep": list(task.after),
            "file_dep": [
                *(str(self.receipt_path(each)) for each in task.after if not self._is_group(each)),
                *(str(path) for path in task.reads),
            ],
            "targets": [str(self.receipt_path(name)), *(str(path) for path in task.writes)],
            "doc": task.title,
        }

    def needs(self, group: Task) -> list[str]:
        """Everything that the group waits for, in reading order."""
        found: set[str] = set()
        open_ = list(group.after)
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += self.tasks[name].after
        return [name for name in self.tasks if name in found]

    def _is_group(self, name: str) -> bool:
        return self.tasks[name].kind is Kind.GROUP

    def verify(self, judge: Call, audit: Call | None = None) -> None:
        """`doit verify` performs this call, with how to look as its last argument.

        With ``--audit`` it performs the other one. It is no task: what it judges is the world at
        this moment, of which no receipt can hold.
        """
        self.verification, self.audit = judge, audit

    def alarm(self, look: Call, mend: Call | None = None) -> None:
        """From now on every command ends with what ``look`` tells, unless it is "".

        For what must not be left as it is; the look has to be as cheap as reading a small file.
        ``mend`` puts it right: it is done by the next run, before anything else.
        """
        self._alarms.append((look, mend))

    def alarms(self) -> tuple[str, ...]:
        """What is not to be left as it is now, a sentence each."""
        return tuple(told for look, _ in self._alarms if (told := look.perform(self.fact_text)))

    def mend_alarms(self) -> tuple[str, ...]:
        """What an earlier run left is put right; gives what it was, a sentence each.

        Raises ReleaseError for what cannot be put right now.
        """
        mended = []
        for look, mend in self._alarms:
            told = look.perform(self.fact_text)
            if told and mend is not None:
                mend.perform(self.fact_text)
                mended.append(told)
        return tuple(mended)

    # ── receipts ───────────────────────────────────────────────────────────────────────────

    def receipt_path(self, name: str) -> Path:
        """Where the task's receipt stands."""
        path = self._receipt_paths.get(name)
        if path is None:
            path = self._receipt_paths[name] = self.release.layout.receipt(name)
        return path

    def receipt(self, name: str) -> Receipt | None:
        """The task's receipt, or None if there is none. Raises BrokenReceipt.

        Raises StepFailed for a receipt of another version, or of a rehearsal in a real
        release and the other way round.
        """
        path = self.receipt_path(name)
        digest = self.state.digest(path)
        kept = self._receipts.get(name)
        if kept is not None and kept[0] == digest:
            return kept[1]
        if digest == NO_FILE:
            raise BrokenReceipt(
                where=f"receipts/{path.name}",
                problem="something else than a file stands there",
                remedy="move it away to have the step done again",
            )
        found = Receipt.read(path) if digest else None
        if found is not None:
            self._refuse_foreign(found, path)
        self._receipts[name] = (digest, found)
        return found

    def _refuse_foreign(self, found: Receipt, path: Path) -> None:
        release = self.release
        if found.rehearsal != release.rehearsal:
            where, here = ("a rehearsal", "a real release")[:: 1 if found.rehearsal else -1]
            raise StepFailed(
                where=f"receipts/{path.name}",
                problem=f"made in {where}, and this is {here}",
                remedy="give this release a work folder of its own",
            )
        if found.version != str(release.version) or found.step != path.stem:
            raise StepFailed(
                where=f"receipts/{path.name}",
                problem=f"made by {found.step} of {found.version},"
                f" and this is {path.stem} of {release.version}",
                remedy="delete it to have the step done again",
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

    def fact_text(self, fact: Fact) -> str:
        """The fact's text. Raises StepFailed if the receipt lacks it."""
        receipt = self.receipt(fact.task)
        if receipt is None or fact.name not in receipt.facts:
            raise StepFailed(
                where=f"receipts/{fact.task}.json",
                problem=f"tells no {fact.name}",
                remedy=f"run doit {fact.task}",
            )
        return receipt.facts[fact.name]

    def inputs(self, task: Task) -> dict[str, str]:
        """What the task would be made from now: names to digests.

        The result of every task before it, the bytes of every file it reads, the call itself,
        and what its looks at the world say. Raises ReleaseError if one cannot be told.
        """
        work = self.release.layout.work
        found: dict[str, str] = {}
        told = "\n".join(each.describe(work) for each in task.calls)
        if task.calls:
            found["call"] = hashlib.sha256(told.encode()).hexdigest()
        for name in task.after:
            found[f"after {name}"] = self.result(name)
        for path in task.reads:
            digest = self.state.digest(path)
            if not digest:
                raise StepFailed(
                    where=str(path), problem="not there", remedy=f"{task.name} needs it"
                )
            found[f"file {_told(path, work)}"] = digest
        for look in task.looks:
            found[f"look {look.function.__name__}"] = str(look.perform(self.fact_text))
        return found

    def result(self, name: str) -> str:
        """The digest of what a task, or all of a group, gave; "" if it is not done."""
        if self._is_group(name):
            together = "\n".join(self.result(each) for each in self.tasks[name].after)
            return hashlib.sha256(together.encode()).hexdigest()
        receipt = self.receipt(name)
        if receipt is None:
            return ""
        kept = self._results.get(name)
        if kept is None or kept[0] is not receipt:
            kept = self._results[name] = (receipt, receipt.result)
        return kept[1]

    def leave(self, receipt: Receipt) -> None:
        """The receipt stands in its place, read back and equal."""
        path = self.receipt_path(receipt.step)
        digest = receipt.write(path)
        self.state.wrote(path, digest)
        self._receipts[receipt.step] = (digest, receipt)

    def outputs(self, task: Task) -> dict[str, str]:
        """The task's products as they are now: paths below the work folder to sha256."""
        work = self.release.layout.work
        return {_told(path, work): self.state.digest(path) for path in task.writes}

    # ── judging ────────────────────────────────────────────────────────────────────────────

    def reasons(self, task: Task) -> tuple[str, ...]:
        """Why the task is not current, in words; empty if and only if it is.

        Judges the task alone: whether the tasks before it are current is not asked.
        """
        self._told[task.name] = self._reasons(task)
        return self._told[task.name]

    def reasons_told(self, task: Task) -> tuple[str, ...]:
        """What ``reasons`` gave last for the task."""
        return self._told.get(task.name, ())

    def _reasons(self, task: Task) -> tuple[str, ...]:
        try:
            receipt = self.receipt(task.name)
        except BrokenReceipt as error:
            return (f"receipt: {error.problem}",)
        except ReleaseError as error:
            return (str(error),)
        if receipt is None:
            return (NOT_DONE,)
        try:
            now = self.inputs(task)
        except ReleaseError as error:
            return (str(error),)
        leaned_on = {name for name in receipt.inputs if name.startswith("waiver ")}
        now |= self.waiver_inputs({name.partition(" ")[2] for name in leaned_on})
        changed = _changes(receipt.inputs, now)
        changed += _damages(receipt.outputs, self.outputs(task))
        if not changed and task.volatile and not self._guarded_happened(task):
            return (LOOKS_AGAIN,)
        return tuple(changed)

    def covering_waivers(self) -> tuple[Waiver, ...]:
        """The waivers of release.toml that hold today."""
        today = self.context.clock.now().date()
        return tuple(each for each in self.context.waivers if each.holds(today))

    def waiver_inputs(self, rules: Iterable[str]) -> dict[str, str]:
        """The waivers that hold for these rules, as inputs of the gate that leans on them."""
        held = {each.rule: repr(each) for each in self.covering_waivers()}
        return {f"waiver {rule}": held.get(rule, "") for rule in rules}

    def _guarded_happened(self, gate: Task) -> bool:
        """Whether everything that waits for the gate has its receipt."""
        behind = [task for task in self.tasks.values() if gate.name in task.after]
        return all(self._happened(task) for task in behind if task.kind is not Kind.GROUP)

    def _happened(self, task: Task) -> bool:
        if task.kind is Kind.GATE:
            return self._guarded_happened(task)
        return self.state.digest(self.receipt_path(task.name)) != ""

    def refuse_foreign(self, task: Task) -> None:
        """Raise StepFailed if another release's receipt stands where the task's would."""
        try:
            self.receipt(task.name)
        except BrokenReceipt:
            if task.effect is Effect.PUBLIC:
                raise

    def has_published(self, task: Task) -> bool:
        """Whether the task's receipt says that users have seen its work."""
        return task.effect is Effect.PUBLIC and self.receipt(task.name) is not None

    def refuse_second_time(self, task: Task, now: Mapping[str, str]) -> None:
        """Raise AlreadyPublished if the task is public and was done from other inputs.

        Source: DESIGN rule 6. A person who looked at both says so with ``doit adopt``.
        """
        if task.effect is not Effect.PUBLIC:
            return
        receipt = self.receipt(task.name)
        if receipt is not None and receipt.inputs != dict(now):
            raise AlreadyPublished(
                where=f"receipts/{task.name}.json",
                problem="done already, and users have seen it: "
                + "; ".join(_changes(receipt.inputs, now)),
                remedy=f"look at both with doit why {task.name}, and if what users see is right,"
                f" doit adopt {task.name}",
            )


def _changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    changed = []
    for name in sorted(then.keys() | now.keys()):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        kind, _, what = name.partition(" ")
        match kind:
            case "call":
                changed.append("its settings changed")
            case "after":
                changed.append(f"{what} gave another result" if after else f"{what} is not done")
            case "waiver":
                changed.append(
                    f"the waiver of {what} changed" if after else f"{what} is no longer waived"
                )
            case "look":
                now_is = (after or "")[:12] or "unknown"
                changed.append(f"the {what.removesuffix('_of').replace('_', ' ')} is now {now_is}")
            case _:
                changed.append(f"{what} changed")
    return changed


def _damages(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    damaged = [f"{name} is new among its products" for name in sorted(now.keys() - then.keys())]
    for name, digest in sorted(then.items()):
        if name in now and now[name] != digest:
            damaged.append(f"{name} was edited" if now[name] else f"{name} is gone")
    return damaged


def _told(path: Path, work: Path) -> str:
    return str(path.relative_to(work)) if path.is_relative_to(work) else str(path)


def _name_of(creator: Creator) -> str:
    return creator.__name__.removeprefix("task_")


def _speaking(creator: Creator, make: Creator) -> Creator:
    @functools.wraps(creator)
    def speak() -> Any:
        return make()

    return speak


def _silent(creator: Creator) -> Creator:
    @functools.wraps(creator)
    def speak() -> None:
        """Tell doit that this release has no such task."""

    return speak
