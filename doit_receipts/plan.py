"""Plan: every task of a release in reading order, as dodo.py and its chapters declare them."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from doit_receipts.calls import Call, Deferred, Fact
from doit_receipts.declaration import (
    Declared,
    calls_of,
    declaration_error,
    known_labels,
    look_of,
    near,
    needs_of,
    place_of,
    refuse_amounts,
    refuse_creator,
    refuse_misfits,
    refuse_name,
    refuse_paths,
)
from doit_receipts.frozen import frozen
from doit_receipts.late import LateFunction, import_chapter
from doit_receipts.on_record import OnRecord
from doit_receipts.receipts import Receipts
from doit_receipts.task import Effect, Kind, Task
from doit_receipts.typed import completed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from doit_receipts.project import Project
    from doit_receipts.run_context import RunContext
    from doit_receipts.state import State
    from doit_receipts.work_folder import WorkFolder

    Creator = Callable[[], Any]
    Before = Declared | str | Sequence[Declared | str]
    """What a task comes after: tasks, by themselves or by name; one, or several."""

__all__ = ["OPENED", "REPORTER", "Plan"]

OPENED: ContextVar[Plan] = ContextVar("OPENED")
"""The plan of this process, for the parts that doit makes itself (its reporter)."""

REPORTER: Final = "receipts"
"""What pyproject.toml and DOIT_CONFIG call the reporter."""

_DOING: Final = (Kind.STEP, Kind.GATE)
_REACHES_OUT: Final = (Effect.SHARED, Effect.PUBLIC)


@frozen
class _Alarm:
    """What must not be left as it is: ``look`` gives a sentence while it is, ``mend`` ends it."""

    look: Call
    mend: Call | None
    file: Path | None


class Plan:
    """The tasks of one release, in the order of its chapters and of their declaration.

    ``step``, ``shared``, ``public``, ``gate``, ``approval`` and ``group`` turn a function into a
    task; its docstring is the task's one sentence, and the call that it returns is what is done.
    A task that a release lacks (``only=False``) stands for its own needs wherever it is named.
    """

    def __init__(
        self, project: Project, folder: WorkFolder, state: State, context: RunContext
    ) -> None:
        self.project = project
        self.folder = folder
        self.state = state
        self.context = context
        self.receipts = Receipts(project, folder, state, context, lambda: self.tasks)
        self._declared: dict[str, Declared] = {}
        self._writers: dict[Path, Declared] = {}
        self._tasks: dict[str, Task] | None = None
        self._unchecked: list[Callable[[], None]] = []
        """What is asked of tasks as soon as their functions are imported."""
        self._alarms: list[_Alarm] = []
        self.held_until: datetime | None = None
        """The moment before which no step acts outside of this machine; None for any time."""
        self._run_key = os.urandom(32)
        self.judged: dict[str, str] = {}
        """Approvals whose signatures this run has verified, and what they were of."""
        self._renamed: dict[str, tuple[str, str]] = {}
        self._chapter = next(iter(project.chapters), "")

    # ── declaring ──────────────────────────────────────────────────────────────────────────

    def doit_config(self, default: str) -> dict[str, Any]:
        """DOIT_CONFIG for dodo.py: ``doit`` alone runs the task ``default``."""
        return {
            "default_tasks": [default],
            "dep_file": str(self.folder.state),
            "backend": "receipts",
            "reporter": REPORTER,
            "continue": True,  # waiting and failing never hold up what does not depend on them
            "verbosity": 0,
        }

    def chapter(self, key: str) -> None:
        """The tasks that follow belong to this chapter. Raises InvalidDodoFile for no chapter."""
        if key not in self.project.chapters:
            raise self._no_chapter(key, place_of(sys._getframe(1)))  # noqa: SLF001 - who wrote it
        self._chapter = key

    def read_chapters(self, package: str, late: Collection[str] = ()) -> None:
        """Every chapter's module of the package was read anew, and its tasks are declared.

        The module has the chapter's key as its name. Functions that it names in modules of the
        packages ``late`` are imported when they are called, or when a run has something to do.
        Raises InvalidDodoFile for a chapter that is not there.
        """
        frame = sys._getframe(1)  # noqa: SLF001 - the line that names them
        for name in [each for each in sys.modules if each.startswith(f"{package}.")]:
            del sys.modules[name]
        beside = Path(frame.f_code.co_filename).resolve().parent
        for key in self.project.chapters:
            self._chapter = key
            name = f"{package}.{key}"
            try:
                module = import_chapter(name, late)
            except ModuleNotFoundError as error:
                if error.name not in (name, package):
                    raise
                raise self._no_chapter(key, place_of(frame)) from error
            if not Path(module.__file__ or "").resolve().is_relative_to(beside):
                raise declaration_error(
                    place_of(frame),
                    f"the chapter {key} that was found is {module.__file__}, of another project",
                    f"an __init__.py in {package}/ beside this file makes it the first one",
                )

    def _no_chapter(self, key: str, place: str) -> Exception:
        known = ", ".join(self.project.chapters) or "none is declared"
        return declaration_error(place, f"there is no chapter {key!r}", f"chapters: {known}")

    def step(
        self,
        *,
        name: str = "",
        title: str = "",
        effect: Effect = Effect.LOCAL,
        after: Before = (),
        reads: Iterable[Path] = (),
        writes: Iterable[Path] = (),
        extra_inputs: Mapping[str, Call] | None = None,
        look: Callable[..., Any] | None = None,
        only: bool = True,
        volatile: bool = False,
        only_shown: bool = False,
        takes: Mapping[str, int] | None = None,
        only_after: Before = (),
        signs: bool = False,
        asks_others: bool = False,
        **labels: str,
    ) -> Callable[[Creator], Declared]:
        """A task that changes something; it is done when its products and receipt are there.

        One that changes the world outside (SHARED, PUBLIC) looks at it first and after: ``look``
        gets the arguments of the act that it names itself, and gives a Probe. One with another
        effect has none. One that is ``volatile`` is done anew in each run until what stands behind
        it has happened. What is ``only_shown`` for an approval stays as it was shown once all that
        was approved is public. Where several tasks run at once it begins when the machine has as
        much to spare as it ``takes``: ``{"cores": 1, "memory_mb": 2000}``.
        ``only_after`` names tasks of this release that have to be done before as well, and are no
        part of what it is made from: its receipt is the same with and without them.
        Of one that ``signs``, as of a PUBLIC one, every gate before it that judges what does not
        change by itself has judged in the same run, and what is there at that moment. One that
        signs with a login which ends soon leaves it out, as that would end before the gates do:
        what it signed is judged before the PUBLIC step that shows it.
        One that ``asks_others`` has other machines do something for it, and changes nothing of
        theirs; it tells what it sends them as an act does, for the plan and for the task's log.
        """

        def declare(creator: Creator) -> Declared:
            if (effect in _REACHES_OUT) != (look is not None):
                raise declaration_error(
                    place_of(creator),
                    f"{name or _name_of(creator)} is {effect.name} and has"
                    f" {'a look' if look else 'no look'}",
                    "only what changes the world outside is looked at: use plan.shared or"
                    " plan.public"
                    if look
                    else "give look= the function that finds out whether it was done: it gives"
                    " a Probe",
                )
            return self._declare(
                creator,
                name,
                title,
                only=only,
                kind=Kind.STEP,
                effect=effect,
                after=after,
                reads=tuple(reads),
                writes=tuple(writes),
                extra_inputs=extra_inputs or {},
                look=look,
                volatile=volatile,
                only_shown=only_shown,
                takes=takes or {},
                only_after=only_after,
                signs=signs,
                asks_others=asks_others,
                labels=labels,
            )

        return declare

    def shared(
        self, *, look: Callable[..., Any] | None = None, **parts: Any
    ) -> Callable[[Creator], Declared]:
        """A step that changes something outside, which converges when it is done again."""
        return self.step(effect=Effect.SHARED, look=look, **parts)

    def public(
        self, *, look: Callable[..., Any] | None = None, **parts: Any
    ) -> Callable[[Creator], Declared]:
        """A step whose work users see: it is done once, and cannot be taken back."""
        return self.step(effect=Effect.PUBLIC, look=look, **parts)

    def gate(
        self,
        *,
        name: str = "",
        title: str = "",
        after: Before = (),
        reads: Iterable[Path] = (),
        extra_inputs: Mapping[str, Call] | None = None,
        only: bool = True,
        volatile: bool = False,
        takes: Mapping[str, int] | None = None,
        of_published: bool = False,
        **labels: str,
    ) -> Callable[[Creator], Declared]:
        """A task made of checks; what stands behind it does not start while a finding blocks.

        One that works hard says what it ``takes``, as a step does. One ``of_published`` judges what
        users see already, and nothing that is here alone: once it passed, it does not judge again
        in each run that signs or publishes, since what others changed there would stop it.
        """

        def declare(creator: Creator) -> Declared:
            return self._declare(
                creator,
                name,
                title,
                only=only,
                kind=Kind.GATE,
                after=after,
                reads=tuple(reads),
                extra_inputs=extra_inputs or {},
                labels=labels,
                volatile=volatile,
                takes=takes or {},
                of_published=of_published,
            )

        return declare

    def approval(
        self,
        *,
        who: str,
        of: Before,
        name: str = "",
        title: str = "",
        only: bool = True,
        **labels: str,
    ) -> Callable[[Creator], Declared]:
        """A green light by ``who``, over the results of the tasks ``of``.

        Raises InvalidDodoFile where the project names nobody who may give it.
        """

        def declare(creator: Creator) -> Declared:
            people = self.project.people
            if only and who not in people:
                raise declaration_error(
                    place_of(creator),
                    f"{name or _name_of(creator)} is approved by {who!r}, but no key is named"
                    " that may approve as that person",
                    near(who, people, f"name their key in {self.project.declaration}"),
                )
            return self._declare(
                creator,
                name,
                title,
                only=only,
                kind=Kind.APPROVAL,
                after=of,
                labels=labels,
                who=who,
            )

        return declare

    def group(self, *, of: Before, name: str = "") -> Callable[[Creator], Declared]:
        """A name for several tasks; done when they are."""

        def declare(creator: Creator) -> Declared:
            return self._declare(creator, name, "", only=True, kind=Kind.GROUP, after=of)

        return declare

    def ends(self) -> list[Declared]:
        """The tasks declared so far that no other waits for; all others stand before one."""
        waited: set[str] = set()
        open_ = [each for task in self._declared.values() if task.task for each in task.after]
        while open_:
            each = open_.pop()
            name = each if isinstance(each, str) else each.name
            declared = self._declared.get(name)
            if declared is not None and declared.task is None and name not in waited:
                open_ += declared.after
            waited.add(name)
        return [each for name, each in self._declared.items() if each.task and name not in waited]

    def renamed(self, *old: str, now: Declared | str) -> None:
        """On the command line these names, which earlier versions had, are that of ``now``.

        Raises InvalidDodoFile for one that is declared as a task before.
        """
        place = place_of(sys._getframe(1))  # noqa: SLF001 - who wrote it
        for name in old:
            if name in self._declared:
                raise declaration_error(
                    place,
                    f"{name} is declared at {self._declared[name].place}, so it is no former name",
                    "leave it out",
                )
            self._renamed[name] = (now if isinstance(now, str) else now.name, place)

    @property
    def former_names(self) -> Mapping[str, str]:
        """Names that tasks had in earlier versions, each with the one that it has now."""
        return {old: now for old, (now, _) in self._renamed.items()}

    def fact(self, task: Declared | str, name: str) -> str:
        """A fact of the task's receipt, as an argument for a call; text when that call is made."""
        return cast("str", Deferred(Fact(task if isinstance(task, str) else task.name, name)))

    def _declare(
        self,
        creator: Creator,
        name: str,
        title: str,
        *,
        only: bool,
        after: Before,
        look: Callable[..., Any] | None = None,
        labels: dict[str, Any] | None = None,
        only_after: Before = (),
        **parts: Any,
    ) -> Declared:
        name = name or _name_of(creator)
        place = place_of(creator)
        refuse_name(name, place)
        before = self._declared.get(name)
        if before is not None:
            raise declaration_error(
                place,
                f"{name} is declared a second time; the first is at {before.place}",
                "give one of them another name",
            )
        order = needs_of(only_after, place, name)
        needs = (*needs_of(after, place, name), *order)
        does = only and parts["kind"] in _DOING
        refuse_creator(creator, place, name)
        refuse_amounts(parts.get("takes", {}), place, name)
        refuse_paths("reads", parts.get("reads", ()), place, name)
        refuse_paths("writes", parts.get("writes", ()), place, name, work=self.folder.work)
        made = calls_of(creator(), self.folder.work, place, name) if does else ((), "")
        calls, arguments = made
        if look is not None and only:
            parts["look"] = look_of(look, calls, place, name)
        acts = (*calls, *(parts.get("extra_inputs", {}).values() if does else ()))
        check = functools.partial(refuse_misfits, acts, parts.get("look"), place, name)
        if isinstance(look, LateFunction) or any(each.is_late for each in acts):
            self._unchecked.append(check)
        else:
            check()
        task = Task(
            name=name,
            title=title or " ".join((creator.__doc__ or "").split("\n\n")[0].split()),
            chapter=self._chapter_of(creator),
            calls=calls,
            arguments=arguments,
            labels=known_labels(labels or {}, self.project.labels, place, name),
            only_after=tuple(each if isinstance(each, str) else each.name for each in order),
            **parts,
        )
        declared = Declared(name, place, task if only else None, needs)
        for path in parts.get("writes", ()) if only else ():
            other = self._writers.setdefault(path, declared)
            if other is not declared:
                raise declaration_error(
                    place,
                    f"{name} writes {path.name}, which {other.name} writes as well; that one is at"
                    f" {other.place}",
                    "give each task files of its own",
                )
        self._declared[name] = declared
        self._tasks = None
        return declared

    def import_all(self) -> None:
        """All functions that tasks name are imported, and take the arguments that they are given.

        Raises InvalidDodoFile where that is not so.
        """
        while self._unchecked:
            self._unchecked[0]()
            del self._unchecked[0]

    def _chapter_of(self, creator: Creator) -> str:
        """The chapter in whose module it is declared, or else the one that was named last."""
        own = (creator.__module__ or "").rpartition(".")[2]
        return own if own in self.project.chapters else self._chapter

    # ── the declared tasks ─────────────────────────────────────────────────────────────────

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks of this release, in reading order, each behind all that it waits for.

        Raises InvalidDodoFile where the declaration makes no sense: a name that nobody declared,
        or tasks that wait for each other.
        """
        if self._tasks is None:
            # late: sorting is needed once, and not by who only declares
            from doit_receipts.order import ordered

            self._tasks = ordered(self._declared, tuple(self.project.chapters))
        return self._tasks

    def place(self, name: str) -> str:
        """The file and line in which the task is declared."""
        return self._declared[name].place

    def doit_tasks(self) -> list[dict[str, Any]]:
        """The tasks in doit's words, in reading order; doit asks the plan what is up to date."""
        return [self._doit_task(task) for task in self.tasks.values()]

    def _doit_task(self, task: Task) -> dict[str, Any]:
        receipts = self.receipts
        if task.kind is Kind.GROUP:
            # All that it needs and not only its members: doit then goes in reading order.
            return {
                "name": task.name,
                "actions": None,
                "task_dep": self.needs(task),
                "doc": task.title,
            }
        return {
            "name": task.name,
            "actions": [(self.context.perform, [self, task])],
            "task_dep": list(task.after),
            "file_dep": [
                *(
                    str(receipts.receipt_path(each))
                    for each in task.after
                    if not self._is_group(each)
                ),
                *(str(path) for path in task.reads),
            ],
            "targets": [
                str(receipts.receipt_path(task.name)),
                *(str(path) for path in task.writes),
            ],
            "doc": task.title,
        }

    def needs(self, task: Task) -> list[str]:
        """Everything that a task, or all of a group, waits for, in reading order."""
        found: set[str] = set()
        open_ = list(task.after)
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += self.tasks[name].after
        return [name for name in self.tasks if name in found]

    def on_record(self, name: str) -> tuple[OnRecord, ...]:
        """What the tasks left that this one stands behind, in reading order, if they are done."""
        found = []
        done = [entry for entry in self.context.journal.entries() if entry.get("event") == "done"]
        tools = {str(entry.get("task")): str(entry.get("tool", "")) for entry in done}
        for each in self.needs(self.tasks[name]):
            task = self.tasks[each]
            receipt = None if task.kind is Kind.GROUP else self.receipts.receipt(each)
            if receipt is not None:
                found.append(
                    OnRecord(
                        each,
                        task.kind,
                        receipt.facts,
                        receipt.findings,
                        volatile=task.volatile,
                        tool=tools.get(each, ""),
                    )
                )
        return tuple(found)

    def _is_group(self, name: str) -> bool:
        return self.tasks[name].kind is Kind.GROUP

    def completed(self, text: str, task: str = "") -> str:
        """The text with every command in it as it has to be typed for this release."""
        return completed(text, self.project.command, self.tasks, task)

    def look_anew(self, *, ask: bool = True) -> None:
        """What was found out is looked at again, for whoever watches a release for long.

        Files that are as they were are not read again. ``ask``: what extra inputs gave, which may
        have taken programs, is forgotten too.
        """
        self.state.look_again()
        self.judged = {}
        if ask:
            self.receipts.look_again()

    def seal_of(self, name: str, receipt: str) -> str:
        """What proves that a process of this run left the receipt with this digest for the task.

        The key is in the memory of these processes alone: who writes to the journal has none.
        """
        said = f"{name} {receipt}".encode()
        return hashlib.blake2b(said, key=self._run_key, digest_size=16).hexdigest()

    # ── the hour ───────────────────────────────────────────────────────────────────────────

    def hold(self, until: datetime | None) -> None:
        """Before this moment no SHARED or PUBLIC step looks or acts, whatever it is; it waits."""
        self.held_until = until

    # ── alarms ─────────────────────────────────────────────────────────────────────────────

    def alarm(self, look: Call, mend: Call | None = None, *, file: Path | None = None) -> None:
        """From now on every command ends with what ``look`` says, unless that is "".

        For what must not be left as it is; the look has to be as cheap as reading a small file.
        ``mend`` puts it right: the next run does that before anything else. ``file`` is there
        while it is so, and made anew each time: by it one alarm is told from the next.
        """
        self._alarms.append(_Alarm(look, mend, file))

    def alarms(self) -> tuple[str, ...]:
        """What is not to be left as it is now, a sentence each."""
        return tuple(message for message, _ in self.alarms_and_marks())

    def alarms_and_marks(self) -> Iterator[tuple[str, str]]:
        """Each alarm of now, with a mark that is another one once it was put right and came again.

        The mark is "" for one that has no file.
        """
        for each in self._alarms:
            mark = _made(each.file) if each.file is not None else ""
            if message := each.look.perform(self.receipts.fact_text):
                yield message, mark

    def mend_alarms(self) -> tuple[str, ...]:
        """What an earlier run left is put right; gives what it was, a sentence each.

        Raises ReleaseError for what cannot be put right now.
        """
        mended = []
        for message, mend in self.to_be_mended():
            mend.perform(self.receipts.fact_text)
            mended.append(message)
        return tuple(mended)

    def to_be_mended(self) -> Iterator[tuple[str, Call]]:
        """Each alarm of now that can be put right, with the call that does it."""
        for each in self._alarms:
            message = each.look.perform(self.receipts.fact_text)
            if message and each.mend is not None:
                yield message, each.mend


def _made(file: Path) -> str:
    """Which of all the files that were ever made there it is; "" if there is none."""
    try:
        found = file.stat()
    except OSError:
        return ""
    return f"{found.st_ino} {found.st_mtime_ns}"


@functools.cache
def _name_of(creator: Creator) -> str:
    return creator.__name__.removeprefix("task_")
