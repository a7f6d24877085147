"""What a run left running: ended by its process group, and nobody else is."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from doit_receipts.orphaned_processes import ProgramSlots, birth_of, end_orphaned
from plugins.services.programs import MachinePrograms
from tests.processes import all_end, lives
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def left_running(folder: Path, script: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program of a run that was killed: the slot is taken, and we hold nothing of it."""
    slots = ProgramSlots(folder / "lock", os.open(folder / "lock", os.O_RDWR | os.O_CREAT))
    slot = slots.take()
    process = subprocess.Popen(
        ["sh", "-c", script], start_new_session=True, pass_fds=slot.descriptors
    )
    slot.started(process.pid, "sh")
    slot.leave()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_what_is_left_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    script = (
        f"sleep 60 & echo $! >{tmp_path}/child.new; mv {tmp_path}/child.new {tmp_path}/child; wait"
    )
    with left_running(tmp_path, script) as process:
        wait_until((tmp_path / "child").exists, "it has started another")
        child = int((tmp_path / "child").read_text())
        assert end_orphaned(tmp_path / "lock") == {process.pid: "sh"}
        assert all_end(process.pid, child)
        assert end_orphaned(tmp_path / "lock") == {}


def test_a_group_is_ended_whose_leader_has_ended_before(tmp_path: Path) -> None:
    with left_running(tmp_path, f"sleep 60 & echo $! >{tmp_path}/child") as process:
        process.wait(20)
        child = int((tmp_path / "child").read_text())
        assert lives(child)
        assert end_orphaned(tmp_path / "lock") == {process.pid: "sh"}
        assert all_end(child)


def test_whoever_got_the_number_since_is_left_alone(tmp_path: Path) -> None:
    """The slot is locked, and its group's number is that of a process with another birth."""
    with left_running(tmp_path, "sleep 60") as process:
        slot = tmp_path / "processes" / "0"
        said = json.loads(slot.read_text())
        assert said["born"] == birth_of(process.pid)
        slot.write_text(json.dumps(said | {"born": "before 1"}))
        assert end_orphaned(tmp_path / "lock") == {}
        assert lives(process.pid)


def test_a_slot_that_nobody_holds_says_nothing_any_more(tmp_path: Path) -> None:
    """However its number is used by now."""
    with left_running(tmp_path, "exit 0") as process:
        process.wait(20)
    (tmp_path / "processes" / "0").write_text(
        json.dumps({"group": os.getpgid(0), "born": birth_of(os.getpgid(0)), "name": "us"})
    )
    assert end_orphaned(tmp_path / "lock") == {}


def test_programs_that_have_ended_leave_one_slot_behind_for_the_next(tmp_path: Path) -> None:
    slots = ProgramSlots(tmp_path / "lock", os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT))
    programs = MachinePrograms(take_slot=slots.take)
    for _ in range(3):
        programs.run(["true"], folder=tmp_path)
    assert [path.name for path in (tmp_path / "processes").iterdir()] == ["0"]


def test_a_process_has_one_birth_and_one_that_is_gone_has_none() -> None:
    assert birth_of(os.getpid()) == birth_of(os.getpid()) != ""
    with subprocess.Popen(["true"]) as process:
        pass
    assert birth_of(process.pid) is None
