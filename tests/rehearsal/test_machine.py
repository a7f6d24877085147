"""Tests of the programs that the simulated environment begins and ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.rehearsal import machine
from tests.processes import all_end, lives
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_begun_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    process = machine.begun(
        tmp_path, log, "sh", "-c", "sleep 60 & echo $! >new; mv new child; wait"
    )
    child = tmp_path / "child"
    wait_until(child.exists, "it started a child", of=process, said=log.read_text)
    machine.end(process)
    assert not lives(process.pid)
    assert all_end(int(child.read_text()))
    machine.end(process)
