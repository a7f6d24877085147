"""State: a cache of file digests and of the last word of each task; it may be deleted at any time.

Losing it costs time, never correctness: digests are taken again, and what a task said last is
said again when it is run.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Outcome", "State"]

_TABLES: Final = """
create table if not exists digests (
    path text primary key, size integer, mtime integer, ctime integer, inode integer, sha256 text
) without rowid;
create table if not exists records (task text primary key, content text) without rowid;
create table if not exists outcomes (
    task text primary key, kind text, inputs text, message text, details text
) without rowid;
"""
# A file that changed within the clock tick of its own stat can change again unseen (git calls
# such entries racily clean); its digest is used once and not kept.
_RACY_NS: Final = 20_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended that left no receipt: ``kind`` is failed, blocked or waiting for whom."""

    kind: str
    inputs: str
    message: str
    details: tuple[str, ...] = ()


class State:
    """Digests of files by path and stat, and outcomes by task, in one sqlite file.

    Nothing is opened before the first use, and no folder is made for it. A file that is no
    database is set aside as ``state.sqlite3.broken``. When another process holds the file, or
    it cannot be written, the cache is just not kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, tuple[tuple[int, int, int, int], str]] = {}
        self._outcomes: dict[str, Outcome] = {}

    def digest(self, path: Path) -> str:
        """The sha256 of the file now; "" if there is none; "folder" for a folder."""
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        if path.is_dir():
            return "folder"
        self._open()
        key = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        name = os.fspath(path)
        kept = self._known.get(name)
        if kept is not None and kept[0] == key:
            return kept[1]
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        self._known[name] = (key, sha256)
        if time.time_ns() - found.st_ctime_ns > _RACY_NS:
            self._write(
                "insert or replace into digests values (?, ?, ?, ?, ?, ?)", (name, *key, sha256)
            )
        else:
            del self._known[name]
        return sha256

    def outcome(self, task: str) -> Outcome | None:
        """The last word of a task that left no receipt, if it is known."""
        self._open()
        return self._outcomes.get(task)

    def keep_outcome(self, task: str, outcome: Outcome | None) -> None:
        """Remember, or with None forget, how the task ended."""
        self._open()
        if outcome is None:
            if self._outcomes.pop(task, None) is not None:
                self._write("delete from outcomes where task = ?", (task,))
            return
        self._outcomes[task] = outcome
        self._write(
            "insert or replace into outcomes values (?, ?, ?, ?, ?)",
            (task, outcome.kind, outcome.inputs, outcome.message, "\n".join(outcome.details)),
        )

    def record(self, task: str) -> str:
        """Doit's own record of a task that is not of the book; "" if there is none."""
        self._open()
        for (content,) in self._rows("select content from records where task = ?", (task,)):
            return str(content)
        return ""

    def keep_record(self, task: str, content: str) -> None:
        """Remember, or with "" forget, doit's own record of a task; on disk at once."""
        self._open()
        if content:
            self._write("insert or replace into records values (?, ?)", (task, content))
        else:
            self._write("delete from records where task = ?", (task,))

    def forget_records(self) -> None:
        """Forget doit's own records of all tasks."""
        self._open()
        self._write("delete from records", ())

    def close(self) -> None:
        """Let go of the file; a later use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        if self._connection is not None:
            return
        try:
            try:
                self._connection = self._connect()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                self._path.replace(self._path.with_name(self._path.name + ".broken"))
                self._connection = self._connect()
        except (sqlite3.OperationalError, OSError):
            self._connection = sqlite3.connect(":memory:", isolation_level=None)
            self._connection.executescript(_TABLES)
        for path, *key, sha256 in self._rows("select * from digests"):
            self._known[path] = (tuple(key), sha256)
        for task, kind, inputs, message, details in self._rows("select * from outcomes"):
            self._outcomes[task] = Outcome(kind, inputs, message, tuple(details.splitlines()))

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.executescript(_TABLES)
            connection.execute("select count(*) from digests")
        except BaseException:
            connection.close()
            raise
        return connection

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> Iterator[tuple[Any, ...]]:
        assert self._connection is not None  # noqa: S101 - for the type checker
        yield from self._connection.execute(query, values)

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        assert self._connection is not None  # noqa: S101 - for the type checker
        try:
            self._connection.execute(statement, values)
        except sqlite3.OperationalError:
            return  # busy or full: the cache is not kept this time
