"""Durable records for doit: receipts answer for the plan's tasks, sqlite for any other.

doit's own backends write when a run ends, so SIGKILL loses all of it. Here a task is on record
when its receipt is, and a task that is not of the plan (one that a release manager added) is
committed when it ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from doit.dependency import Dependency, DependencyStatus
from doit.exceptions import InvalidCommand

from doit_receipts.errors import ReleaseError
from doit_receipts.lock import holding
from doit_receipts.state import State
from doit_receipts.task import Effect, Kind

if TYPE_CHECKING:
    from doit.task import Task as DoitTask

    from doit_receipts.plan import Plan

__all__ = ["Backend", "ReceiptRecords"]


class Backend:
    """doit's backend for tasks that are not of the plan, on disk as soon as a task ends.

    Nothing is opened before such a task is asked for.
    """

    desc = "sqlite, committed after every task"

    def __init__(self, name: str, codec: Any, module_name: str | None = None) -> None:
        del module_name
        self.name = name
        self._codec = codec
        self._state = State(Path(name))
        self._cache: dict[str, dict[str, Any]] = {}

    def _record(self, task_id: str) -> dict[str, Any]:
        if task_id not in self._cache:
            kept = self._state.record(task_id)
            self._cache[task_id] = self._codec.decode(kept) if kept else {}
        return self._cache[task_id]

    def get(self, task_id: str, dependency: str) -> Any:
        """One value of a task's record, or None."""
        return self._record(task_id).get(dependency)

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Keep the value; ``deps:`` is the last one of a task in doit 0.37, so it is committed."""
        self._record(task_id)[dependency] = value
        if dependency in ("deps:", "ignore:"):
            self._state.keep_record(task_id, self._codec.encode(self._record(task_id)))

    def in_(self, task_id: str) -> bool:
        """Whether there is a record of the task."""
        return bool(self._record(task_id))

    def dump(self) -> None:
        """Let go of the file; everything is on disk already."""
        self._state.close()

    def remove(self, task_id: str) -> None:
        """Forget the task."""
        self._cache[task_id] = {}
        self._state.keep_record(task_id, "")

    def remove_all(self) -> None:
        """Forget every task."""
        self._cache = {}
        self._state.forget_records()


class ReceiptRecords(Dependency):
    """doit's dependency manager, with the plan asked first."""

    def __init__(self, plan: Plan, plain: Dependency) -> None:
        self.__dict__.update(plain.__dict__)
        # doit binds the backend's; ours ask the plan first.
        for name in ("remove", "remove_all"):
            self.__dict__.pop(name, None)
        self.plan = plan

    def get_status(self, task: DoitTask, tasks_dict: Any, get_log: bool = False) -> Any:
        """Whether the task is up to date, as the plan judges it."""
        known = self.plan.tasks.get(task.name)
        if known is None:
            return super().get_status(task, tasks_dict, get_log)
        status = DependencyStatus(get_log)
        task.dep_changed = []
        if known.kind is Kind.GROUP:
            return status
        for reason in self.plan.receipts.reasons(known):
            status.add_reason("receipt", reason)
        if status.status == "run":
            # Before the first task that a run does: what is broken stops it at its beginning.
            self.plan.import_all()
        return status

    def save_success(self, task: DoitTask, result_hash: str | None = None) -> None:
        """Nothing to keep for a task of the plan: its receipt is written."""
        if task.name not in self.plan.tasks:
            super().save_success(task, result_hash)

    def remove_success(self, task: DoitTask) -> None:
        """Nothing to take back for a task of the plan: a receipt tells what it was made from."""
        if task.name not in self.plan.tasks:
            super().remove_success(task)

    def get_values(self, task_name: str) -> Any:
        """What doit kept of the task; nothing of one of the plan, which has a receipt."""
        return {} if task_name in self.plan.tasks else super().get_values(task_name)

    def status_is_ignore(self, task: DoitTask) -> Any:
        """No task of the plan can be ignored: what is let pass is a waiver, with a reason."""
        return None if task.name in self.plan.tasks else super().status_is_ignore(task)

    def remove(self, task_id: str) -> None:
        """Have the task done again; what ``doit forget`` asks for.

        Raises InvalidCommand for a task whose receipt stays: one that users have seen, a group,
        one of another release, and any while the release is being worked on.
        """
        told = self.plan.tasks.get(task_id)
        if told is None:
            self.backend.remove(task_id)
            return
        if told.kind is Kind.GROUP:
            self._refuse(f"{task_id} is a group: name the tasks that are to be done again")
        if told.effect is Effect.PUBLIC:
            self._refuse(f"users have seen what {task_id} did, and its receipt stays")
        try:
            with holding(self.plan.folder.lock):
                self.plan.receipts.refuse_foreign(told)
                self.plan.receipts.receipt_path(task_id).unlink(missing_ok=True)
        except ReleaseError as error:
            raise InvalidCommand(str(error)) from error

    def remove_all(self) -> None:
        """Nothing is forgotten. Raises InvalidCommand: nobody has a whole release done again."""
        self._refuse("--all is not offered for a release: name the tasks that are to be done again")

    def _refuse(self, problem: str) -> NoReturn:
        message = f"doit forget: {problem}; see {self.plan.project.command('list', '--status')}"
        raise InvalidCommand(message)
