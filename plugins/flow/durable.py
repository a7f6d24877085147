"""Durable records for doit: receipts answer for the book's tasks, sqlite for any other.

doit's own backends write when a run ends, so SIGKILL loses all of it. Here a task is on record
when its receipt is, and a task that is not of the book (one that a release manager added) is
committed when it ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.dependency import Dependency, DependencyStatus, SqliteDB

from plugins.flow.task import Effect, Kind

if TYPE_CHECKING:
    from doit.task import Task as DoitTask

    from plugins.flow.book import Book

__all__ = ["Backend", "ReceiptRecords"]


class Backend(SqliteDB):
    """doit's sqlite backend that commits each task when it ends."""

    desc = "sqlite, committed after every task"

    def __init__(self, name: str, codec: Any, module_name: str | None = None) -> None:
        # doit opens its database for every command; the folder may not be there yet.
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(name, codec, module_name)

    def set(self, task_id: str, dependency: str, value: Any) -> None:
        """Keep the value; ``deps:`` is the last key of a task in doit 0.37, so it commits."""
        super().set(task_id, dependency, value)
        if dependency == "deps:":
            self._conn.execute(
                "insert or replace into doit values (?, ?)",
                (task_id, self.codec.encode(self._cache[task_id])),
            )
            self._conn.commit()
            self._dirty.discard(task_id)


class ReceiptRecords(Dependency):
    """doit's dependency manager, with the book asked first."""

    def __init__(self, book: Book, plain: Dependency) -> None:
        self.__dict__.update(plain.__dict__)
        self.book = book

    def get_status(self, task: DoitTask, tasks_dict: Any, get_log: bool = False) -> Any:  # noqa: FBT001, FBT002 - doit's signature
        """Whether the task is up to date, as the book judges it."""
        told = self.book.tasks.get(task.name)
        if told is None:
            return super().get_status(task, tasks_dict, get_log)
        status = DependencyStatus(get_log)
        task.dep_changed = []
        if told.kind is Kind.GROUP:
            return status
        for reason in self.book.reasons(told):
            status.add_reason("receipt", reason)
        return status

    def save_success(self, task: DoitTask, result_hash: str | None = None) -> None:
        """Nothing to keep for a task of the book: its receipt is written."""
        if task.name not in self.book.tasks:
            super().save_success(task, result_hash)

    def remove_success(self, task: DoitTask) -> None:
        """Nothing to take back for a task of the book: a receipt tells what it was made from."""
        if task.name not in self.book.tasks:
            super().remove_success(task)

    def status_is_ignore(self, task: DoitTask) -> Any:
        """No task of the book can be ignored: what is let pass is a waiver, with a reason."""
        return None if task.name in self.book.tasks else super().status_is_ignore(task)

    def forget(self, name: str) -> None:
        """``doit forget``: the task is done again. A public one keeps its receipt."""
        told = self.book.tasks.get(name)
        if told is not None and told.effect is not Effect.PUBLIC:
            self.book.receipt_path(name).unlink(missing_ok=True)
