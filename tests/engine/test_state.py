"""The cache of digests is right about content whatever stat says, and may be lost."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from doit_receipts.state import NO_FILE, Outcome, State, _seal

if TYPE_CHECKING:
    import random
    from pathlib import Path

    import pytest

    from doit_receipts.state import Learned


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@given(st.lists(st.sampled_from([b"one", b"two", b"six", b"longer", None]), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_digest_is_always_that_of_the_bytes_now(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes | None]
) -> None:
    """Also for edits faster than the clock of the file system, with the time put back."""
    folder = tmp_path_factory.mktemp("state")
    file = folder / "file"
    state = State(folder / "state.sqlite3")
    for content in contents:
        if content is None:
            state.close()
            state = State(folder / "state.sqlite3")
            continue
        file.write_bytes(content)
        os.utime(file, ns=(1, 1))
        assert state.digest(file) == sha256(content)
    state.close()


def test_what_is_missing_or_a_folder_has_no_digest(tmp_path: Path) -> None:
    state = State(tmp_path / "state.sqlite3")
    (tmp_path / "file").touch()
    assert state.digest(tmp_path / "none") == ""
    assert state.digest(tmp_path / "file" / "below") == ""
    assert state.digest(tmp_path) == NO_FILE
    state.close()


def test_an_unchanged_file_is_read_once(tmp_path: Path) -> None:
    """Seen from outside: a kept digest is given although the bytes cannot be read any more."""
    file = tmp_path / "file"
    file.write_bytes(b"content")
    state = State(tmp_path / "state.sqlite3")
    while "file" not in str(list(_kept(state, file))):
        state.digest(file)
    state.close()
    planted = sqlite3.connect(tmp_path / "state.sqlite3")
    (row,) = planted.execute("select * from digests").fetchall()
    seal = _seal(row[0], row[1:5], "kept")
    planted.execute("update digests set sha256 = 'kept', seal = ?", (seal,))
    planted.commit()
    planted.close()
    again = State(tmp_path / "state.sqlite3")
    assert again.digest(file) == "kept"
    again.close()


def _kept(state: State, file: Path) -> list[object]:
    state.digest(file)
    assert state._connection is not None
    return list(state._connection.execute("select path from digests"))


def test_outcomes_are_kept_over_processes_and_forgotten(tmp_path: Path) -> None:
    outcome = Outcome("waiting windows", "digest", "3 files; upload them", ("a", "b"))
    state = State(tmp_path / "state.sqlite3")
    state.keep_outcome("task", outcome)
    state.close()
    state = State(tmp_path / "state.sqlite3")
    assert state.outcome("task") == outcome
    state.keep_outcome("task", None)
    state.close()
    state = State(tmp_path / "state.sqlite3")
    assert state.outcome("task") is None
    state.close()


def test_a_file_that_is_no_database_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    path.write_bytes(b"nonsense" * 1000)
    state = State(path)
    state.keep_record("task", "{}")
    assert state.record("task") == "{}"
    state.close()
    assert (tmp_path / "state.sqlite3.broken").read_bytes().startswith(b"nonsense")


def test_a_database_that_another_process_holds_is_done_without(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    State(path).digest(tmp_path / "none")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("create table t (x)")
    holder.execute("begin exclusive")
    (tmp_path / "file").write_bytes(b"x")
    state = State(path)
    assert state.digest(tmp_path / "file") == sha256(b"x")
    state.close()
    holder.close()


@given(st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_a_damaged_database_costs_time_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, dice: random.Random
) -> None:
    """Cut off, overwritten, or with one bit flipped: no error, and no wrong digest."""
    folder, whole = damaged_in(tmp_path_factory)
    path = folder / "state.sqlite3"
    content = bytearray(whole)
    begin = dice.randrange(len(content))
    match dice.choice(("cut", "overwritten", "zeroed", "flipped")):
        case "cut":
            del content[begin:]
        case "overwritten":
            content[begin : begin + 16] = dice.randbytes(16)
        case "zeroed":
            content[begin : begin + 4096] = bytes(4096)
        case _:
            content[begin] ^= 1 << dice.randrange(8)
    for left in folder.glob("state.sqlite3*"):
        left.unlink()
    path.write_bytes(content)
    for _ in range(2):
        state = State(path)
        for file in folder.glob("file *"):
            assert state.digest(file) == sha256(file.read_bytes())
        state.outcome("task 1")
        state.keep_outcome("task 1", None)
        state.record("task 1")
        state.keep_record("task 1", "{}")
        state.close()


def damaged_in(factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A folder of files, and the bytes of a database that knows them; made once."""
    folder = factory.getbasetemp() / "damaged"
    kept = folder / "whole"
    if kept.exists():
        return folder, kept.read_bytes()
    folder.mkdir()
    for number in range(60):
        (folder / f"file {number}").write_bytes(b"%d" % number)
        os.utime(folder / f"file {number}", ns=(number, number))
    state = State(folder / "state.sqlite3")
    while len(list(_kept(state, folder / "file 59"))) < 60:
        for number in range(60):
            state.digest(folder / f"file {number}")
    for number in range(30):
        state.keep_outcome(f"task {number}", Outcome("failed", "x" * 20, "m" * 100))
        state.keep_record(f"task {number}", "{}" * 100)
    state.close()
    kept.write_bytes((folder / "state.sqlite3").read_bytes())
    return folder, kept.read_bytes()


def as_in_a_fork(state: State) -> None:
    """It gathers; what it leaves open for its parent has no parent here."""
    state.gather()
    assert state._left_open is not None
    state._left_open.close()


def test_what_a_worker_read_is_news_to_all_and_what_it_wrote_to_the_run_alone(
    tmp_path: Path,
) -> None:
    """Seen from outside: the run gives both digests without reading, since both are made up."""
    run, worker = State(tmp_path / "state.sqlite3"), State(tmp_path / "state.sqlite3")
    as_in_a_fork(worker)
    read, wrote = tmp_path / "read", tmp_path / "wrote"
    read.write_bytes(b"read")
    wrote.write_bytes(b"wrote")
    worker.wrote(wrote, "made up")
    assert run.learn(worker.learned()) == ()
    assert run.digest(wrote) == "made up"
    learned: Learned = ()
    while not learned:  # its clock has to tick before a digest is kept
        worker.digest(read)
        learned = worker.learned()
    ((name, key, sha256_read, is_kept),) = learned
    assert (name, sha256_read) == (str(read), sha256(b"read"))
    made_up = ((name, key, "made up", is_kept),)
    assert run.learn(made_up) == made_up
    assert run.learn(made_up) == ()
    assert run.digest(read) == "made up"
    run.close()


def test_an_outcome_that_is_forgotten_is_told_once(tmp_path: Path) -> None:
    run, worker = State(tmp_path / "state.sqlite3"), State(tmp_path / "state.sqlite3")
    run.keep_outcome("task", Outcome("failed", "", "no"))
    as_in_a_fork(worker)
    worker.learn((("task", run.outcome("task")),))
    worker.learned()
    worker.keep_outcome("task", None)
    worker.keep_outcome("task", None)
    worker.keep_outcome("other", None)
    learned = worker.learned()
    assert learned == (("task", None),)
    run.learn(learned)
    assert run.outcome("task") is None
    run.close()
