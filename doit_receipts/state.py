"""State: a cache of file digests and of the last word of each task; it may be deleted at any time.

Losing it costs time, never correctness: digests are taken again, and what a task said last is
said again when it is run.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import stat
import time
import zlib
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from doit_receipts.packed_refs import packed_ref
from doit_receipts.plain_file import open_plain

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NO_FILE", "Learned", "Outcome", "State"]

Learned = tuple[Any, ...]
"""What was found out: digests of files by path and stat, and last words of tasks, newest last.

A digest is told with whether it is to be kept for later runs.
"""
NO_FILE: Final = "no file"
"""The digest of a folder, a pipe, or whatever else is there and no file."""

_TABLES: Final = """
create table if not exists digests (
    path text primary key, size integer, mtime integer, ctime integer, inode integer, sha256 text,
    seal integer
) without rowid;
create table if not exists records (task text primary key, content text) without rowid;
create table if not exists outcomes (
    task text primary key, kind text, inputs text, message text, details text
) without rowid;
create table if not exists stops (task text primary key, since text) without rowid;
"""
_STOPS: Final = """
select outcomes.task, kind, inputs, message, details, since from outcomes left join stops
using (task)
"""
_UNREADABLE: Final = (sqlite3.DatabaseError, ValueError, TypeError, AttributeError)
# Another process is writing, nothing may be written here, or the disk is full.
_NO_FAULT_OF_ITS_OWN: Final = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM,
)  # fmt: skip
# A file that changed within the clock tick of its own stat can change again unseen (git calls
# such entries racily clean); its digest is used once and not kept.
_RACY_NS: Final = 20_000_000


@frozen
class Outcome:
    """How a task ended that left no receipt: ``kind`` is failed, blocked or waiting for whom.

    ``since`` is the first of the tries that ended so, in a row; "" if that is not known.
    """

    kind: str
    inputs: str
    message: str
    details: tuple[str, ...] = ()
    since: str = ""

    @property
    def event(self) -> str:
        """The word of the kind, without for whom it is waited."""
        return self.kind.partition(" ")[0]


class State:
    """Digests of files by path and stat, and outcomes by task, in one sqlite file.

    Nothing is opened before the first use, and no folder is made for it. A file that is no
    database, or a damaged one, is set aside as ``state.sqlite3.broken``. When another process
    holds the file, or nothing can be written, the cache is just not kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._known: dict[str, tuple[tuple[int, int, int, int], str]] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._learned: list[Any] | None = None
        self._left_open: sqlite3.Connection | None = None
        self._seen: tuple[int, ...] = ()

    def digest(self, path: Path) -> str:
        """The sha256 of the file now; "" if there is none; NO_FILE for anything else.

        A ref of git that was packed counts as the file that it was.
        """
        name = os.fspath(path)
        try:
            found = os.stat(name)
        except (FileNotFoundError, NotADirectoryError):
            packed = packed_ref(path)
            return hashlib.sha256(packed).hexdigest() if packed else ""
        except OSError as error:
            if error.errno == errno.ELOOP:
                return ""
            raise
        if not stat.S_ISREG(found.st_mode):
            # A pipe would be waited for, and a device never ends.
            return NO_FILE
        self._open()
        key = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        kept = self._known.get(name)
        if kept is not None and kept[0] == key:
            return kept[1]
        with open_plain(path) as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        self._known[name] = (key, sha256)
        if time.time_ns() - found.st_ctime_ns > _RACY_NS:
            self._keep_digest(name, key, sha256)
        else:
            del self._known[name]
        return sha256

    def _keep_digest(self, name: str, key: tuple[int, int, int, int], sha256: str) -> None:
        if self._learned is not None:
            self._learned.append((name, key, sha256, True))
            return
        self._write(
            "insert or replace into digests values (?, ?, ?, ?, ?, ?, ?)",
            (name, *key, sha256, _seal(name, key, sha256)),
        )

    def forget(self, path: Path) -> None:
        """The file is read next time, whatever its times say.

        Who writes to it through a mapping in memory leaves them as they were.
        """
        self._known.pop(os.fspath(path), None)

    def wrote(self, path: Path, sha256: str) -> None:
        """Remember the digest of a file that this process wrote and read back just now."""
        name = os.fspath(path)
        found = os.stat(name)
        key = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        self._known[name] = (key, sha256)
        if self._learned is not None:
            self._learned.append((name, key, sha256, False))

    def outcome(self, task: str) -> Outcome | None:
        """The last word of a task that left no receipt, if it is known."""
        self._open()
        return self._outcomes.get(task)

    def stops(self) -> dict[str, str]:
        """Since when each task waits or fails, where that is known."""
        self._open()
        return {task: each.since for task, each in self._outcomes.items() if each.since}

    def keep_outcome(self, task: str, outcome: Outcome | None) -> None:
        """Remember, or with None forget, how the task ended."""
        self._open()
        if outcome is None and task not in self._outcomes:
            return
        if self._learned is not None:
            self._learned.append((task, outcome))
        if outcome is None:
            del self._outcomes[task]
            self._write("delete from outcomes where task = ?", (task,))
            return
        self._outcomes[task] = outcome
        self._write(
            "insert or replace into outcomes values (?, ?, ?, ?, ?)",
            (task, outcome.kind, outcome.inputs, outcome.message, "\n".join(outcome.details)),
        )
        self._write("insert or replace into stops values (?, ?)", (task, outcome.since))

    def record(self, task: str) -> str:
        """Doit's own record of a task that is not of the plan; "" if there is none."""
        self._open()
        try:
            for (content,) in self._rows("select content from records where task = ?", (task,)):
                return str(content)
        except sqlite3.DatabaseError:
            pass
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

    def gather(self) -> None:
        """From now on nothing is written: this is a fork, and ``learned`` go to who forked it."""
        self._open()
        # What sqlite opened before a fork may not even be closed behind it.
        self._left_open, self._connection = self._connection, None
        self._learned = []

    def learned(self) -> Learned:
        """What was found out since the last call, or since ``gather``."""
        found, self._learned = tuple(self._learned or ()), []
        return found

    def learn(self, learned: Learned) -> Learned:
        """What another process found out is known here as well; gives what is new to others too.

        That is all but what it wrote itself and read back: others have to read that in any case.
        """
        new = []
        for each in learned:
            if len(each) == 2:
                self.keep_outcome(*each)
                new.append(each)
                continue
            name, key, sha256, is_kept = each
            if self._known.get(name) != (key, sha256):
                self._open()
                self._known[name] = (key, sha256)
                if is_kept:
                    self._keep_digest(name, key, sha256)
                    new.append(each)
        return tuple(new)

    def look_again(self) -> None:
        """What other processes wrote since the last use is known at the next one."""
        if self._connection is None:
            return
        try:
            seen = self._seen
            self._seen = self._version()
        except _UNREADABLE:
            self.close()
            return
        if self._seen != seen:
            self.close()

    def _version(self) -> tuple[int, ...]:
        """Another one once another process has written, or has put another file in its place."""
        ((version,),) = self._rows("pragma data_version")
        try:
            return (version, self._path.stat().st_ino)
        except OSError:
            return (version,)

    def close(self) -> None:
        """Let go of the file; a later use opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> None:
        if self._connection is not None or self._learned is not None:
            return
        try:
            self._load()
        except _UNREADABLE as error:
            self.close()
            self._known, self._outcomes = {}, {}
            if _is_no_damage(error):
                self._connection = self._prepared(":memory:")
            else:
                self._set_aside()

    def _load(self) -> None:
        """Take over what an earlier process kept. Raises one of _UNREADABLE."""
        self._connection = self._prepared(self._path)
        self._seen = self._version()
        for path, size, mtime, ctime, inode, sha256, seal in self._rows("select * from digests"):
            key = (size, mtime, ctime, inode)
            # sqlite notices some damage to its file, and by no means all.
            if seal == _seal(path, key, sha256):
                self._known[path] = (key, sha256)
        self._outcomes = {
            task: Outcome(kind, inputs, message, tuple(details.splitlines()), since or "")
            for task, kind, inputs, message, details, since in self._rows(_STOPS)
        }
        self._rows("select * from records")

    def _set_aside(self) -> None:
        """Begin anew, beside what cannot be read or written."""
        try:
            self._path.replace(self._path.with_name(self._path.name + ".broken"))
            for suffix in ("-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            self._connection = self._prepared(self._path)
        except (OSError, sqlite3.DatabaseError):
            self._connection = self._prepared(":memory:")

    def _prepared(self, path: Path | str) -> sqlite3.Connection:
        # Who asks from several threads, as a board does, lets one of them in at a time.
        connection = sqlite3.connect(
            path, timeout=1.0, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.executescript(_TABLES)
        except BaseException:
            connection.close()
            raise
        return connection

    def _rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        # All at once: what is left half read complains of a database that was closed meanwhile.
        assert self._connection is not None  # noqa: S101 - for the type checker
        return self._connection.execute(query, values).fetchall()

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        if self._learned is not None:
            return
        assert self._connection is not None  # noqa: S101 - for the type checker
        try:
            self._connection.execute(statement, values)
        except UnicodeEncodeError:
            return  # a name that is no text
        except sqlite3.DatabaseError as error:
            if not _is_no_damage(error):
                self.close()
                self._set_aside()
                self._connection.execute(statement, values)


def _is_no_damage(error: BaseException) -> bool:
    """Whether the file is whole and only cannot be read or written now."""
    # The low byte is the kind of the error.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_FAULT_OF_ITS_OWN


def _seal(path: str, key: tuple[int, int, int, int], sha256: str) -> int:
    """A sum over a row, to know it for the one that was written."""
    return zlib.crc32(f"{path} {key} {sha256}".encode("utf-8", "surrogatepass"))
