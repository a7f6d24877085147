"""One writer at a time, and what is said of one that died."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.lock import holding
from doit_receipts.lock_holders import holders
from doit_receipts.orphaned_processes import ProgramSlots, end_unnamed
from tests.processes import all_end, lives

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fdinfo").exists(), reason="this system does not tell who holds a lock"
)


def leave(path: Path, **holder: object) -> None:
    mine = {"host": socket.gethostname(), "pid": 1, "boot": "another"}
    path.write_text(json.dumps(mine | holder))


def test_a_lock_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with holding(tmp_path / "new" / "lock") as left:
            assert left == ""


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        holding(tmp_path / "lock"),
        pytest.raises(StepFailed, match=f"process {os.getpid()} on .*; wait for it to end"),
        holding(tmp_path / "lock"),
    ):
        pass
    with holding(tmp_path / "lock") as left:
        assert left == ""


def test_a_holder_of_this_machine_that_died_is_explained_and_followed(tmp_path: Path) -> None:
    leave(tmp_path / "lock", pid=4242)
    with holding(tmp_path / "lock") as left:
        assert "process 4242" in left
        assert "before this machine started" in left


def test_a_lock_of_another_machine_is_not_guessed_away(tmp_path: Path) -> None:
    """Nobody here can know whether a process there still runs."""
    leave(tmp_path / "lock", host="rm-laptop", pid=7)
    with (
        pytest.raises(StepFailed, match="process 7 on rm-laptop") as caught,
        holding(tmp_path / "lock"),
    ):
        pass
    assert "delete the file" in str(caught.value)
    assert json.loads((tmp_path / "lock").read_text())["pid"] == 7
    (tmp_path / "lock").unlink()
    with holding(tmp_path / "lock") as left:
        assert left == ""


def test_a_folder_that_cannot_be_is_replaced_by_another_one(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with (
        pytest.raises(StepFailed, match="or name another work folder"),
        holding(tmp_path / "taken" / "lock"),
    ):
        pass
    with holding(tmp_path / "another" / "lock") as left:
        assert left == ""


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "\x00"])
def test_a_lock_with_nonsense_in_it_is_free(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with holding(tmp_path / "lock") as left:
        assert left == ""


# A run that is killed before it could say which group the program leads that it has just started.
KILLED: Final = """
import os, signal, subprocess, sys
from pathlib import Path
from doit_receipts.lock import holding

lent = []
with holding(Path(sys.argv[1]), lent.append):
    slot = lent[0].take()
    program = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo $!; wait"], pass_fds=slot.descriptors,
        start_new_session=True, stdout=subprocess.PIPE, text=True,
    )
    print(program.pid, program.stdout.readline(), flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def after(path: Path, end: str) -> tuple[int, int]:
    """A run that ended like this; the numbers of its program and of what that started."""
    run = subprocess.run(
        [sys.executable, "-c", KILLED, path, end], stdout=subprocess.PIPE, text=True, check=False
    )
    program, child = map(int, run.stdout.split())
    return program, child


@needs_proc
def test_a_program_that_nobody_could_name_is_ended_by_the_next_run(tmp_path: Path) -> None:
    numbers = after(tmp_path / "lock", "killed")
    assert all(map(lives, numbers))
    with holding(tmp_path / "lock") as left:
        assert f"sh ({numbers[0]})" in left
    assert all_end(*numbers)


@needs_proc
def test_what_a_run_that_ended_well_left_behind_is_nobody_who_is_ended(tmp_path: Path) -> None:
    """It has a slot that names nobody, as the program has that a killed run was starting."""
    stays = after(tmp_path / "lock", "well")
    numbers = after(tmp_path / "lock", "killed")
    try:
        with holding(tmp_path / "lock") as left:
            assert f"sh ({numbers[0]})" in left
        assert all_end(*numbers)
        assert all(map(lives, stays))
    finally:
        os.killpg(stays[0], signal.SIGKILL)


@needs_proc
def test_a_new_run_that_has_just_got_the_lock_is_not_taken_for_what_is_left(tmp_path: Path) -> None:
    """It has both locks, and since before it had the second one the lock says so."""
    lock = tmp_path / "lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    slot = ProgramSlots(lock, descriptor).take()
    with subprocess.Popen(["sleep", "60"], pass_fds=slot.descriptors) as process:
        assert holders(lock, [process.pid]) == {process.pid}
        slot.leave()
        os.close(descriptor)
        assert end_unnamed(lock, lambda: False) == {}
        assert lives(process.pid)
        assert end_unnamed(lock, lambda: True) == {process.pid: "sleep"}
    assert end_unnamed(lock, lambda: True) == {}


def test_a_deleted_lock_file_lets_nobody_in_and_is_noticed(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lent: list[ProgramSlots] = []
    with holding(lock, lent.append):
        lent[0].see_lock()
        lock.unlink()
        with pytest.raises(StepFailed, match="was deleted or replaced"):
            lent[0].see_lock()
        with pytest.raises(StepFailed, match="being worked on by a process"), holding(lock):
            pass
        with pytest.raises(StepFailed, match="was deleted or replaced"):
            lent[0].see_lock()
    with holding(lock) as left:
        assert left == ""
