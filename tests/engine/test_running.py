"""What other terminals see of a run: the task that it is at, since when, and its last words."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from doit_receipts.lock import holding
from doit_receipts.run_context import StepLog
from doit_receipts.running import (
    RunningTasks,
    held_up_tasks,
    last_line,
    running_tasks,
    shown_time,
)
from doit_receipts.work_folder import WorkFolder
from tests.json_schemas import described
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.engine.conftest import Project

SLOW = '''
def work_long(folder):
    plan.context.log.say("packing 3 of 7")
    (folder / "started").touch()
    import time
    for _ in range(15_000):
        if (folder / "go on").exists():
            return {}
        time.sleep(0.02)
    raise StepFailed(problem="nobody let it go on")

@plan.step()
def task_pack():
    """Pack it."""
    return call(work_long, HERE)

@plan.step(after=[task_pack])
def task_send():
    """Send it."""
    return call(copy, HERE / "input", HERE / "sent")

@plan.group(of=[task_send])
def task_export():
    """Everything local."""
'''


@contextmanager
def running(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the project that is at its first task while the block runs."""
    project.declare(SLOW)
    run = subprocess.Popen(
        [sys.executable, "-m", "doit"], cwd=project.folder, stdout=subprocess.DEVNULL
    )
    try:
        wait_until((project.folder / "started").exists, "the first task has started", of=run)
        yield run
    finally:
        (project.folder / "go on").touch()
        run.wait(timeout=120)


def test_every_command_tells_of_the_task_that_runs(project: Project) -> None:
    with running(project):
        listed = project.doit("list", "--status").out
        assert "  running pack                  LOCAL    for " in listed
        assert "s: packing 3 of 7" in listed
        assert "  later   send                  LOCAL    after pack" in listed
        assert "running: pack for " in listed
        assert "running: pack for " in project.doit("next").out
        why = project.doit("why", "pack").out
        assert "LOCAL, running, for " in why
        assert "because" not in why
        (told,) = described("next", project.doit("next", "--json").out)["running"]
        assert (told["name"], told["log_line"]) == ("pack", "packing 3 of 7")
        assert told["since"]
        described("status", project.doit("list", "--json").out)
    assert "all 2 tasks are done" in project.doit("list", "--status").out


def test_a_command_that_a_log_names_whole_is_cut_in_the_list(project: Project) -> None:
    """What a compiler is called with fills a screen; --json and the log have all of it."""
    with running(project):
        log = next(project.folder.rglob("pack.log"))
        with log.open("a") as stream:
            stream.write(f"gcc {'-Wall ' * 300}\n")
        last = project.doit("list", "--status").out.splitlines()[-1]
        assert last.startswith("running: pack for ")
        assert last.endswith("…")
        assert len(last) <= 80
        (told,) = described("next", project.doit("next", "--json").out)["running"]
        assert len(told["log_line"]) > 1_000


def test_a_task_whose_run_was_killed_runs_no_longer(project: Project) -> None:
    with running(project) as run:
        run.send_signal(signal.SIGKILL)
        run.wait(timeout=120)
        assert (project.work / "running.json").exists()
        assert project.standing("pack") == "ready LOCAL Pack it."
    assert project.doit().status == 0
    assert not (project.work / "running.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"pid": 1}',
        b'{"pid": 1, "tasks": 5}',
        b'{"pid": 1, "tasks": [5]}',
        b'{"pid": 1, "tasks": [{"task": 1, "since_s": "x"}]}',
        b"\xff", b'{"pid": 1, "tasks": [{"task": "a", "since_s": Infinity}]}',
    ],
)  # fmt: skip
def test_nonsense_about_what_runs_is_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "running.json").write_bytes(content)
    assert running_tasks(WorkFolder(tmp_path)) == ()


def test_the_last_words_of_a_large_log_are_read_from_its_end(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    folder.logs.mkdir()
    with folder.log("a").open("wb") as stream:
        stream.truncate(1 << 33)  # a sparse file: nothing could read all of it in time
        stream.seek(0, os.SEEK_END)
        stream.write(b"\ncompiling \x1b[2J\xff\n\n")
    with holding(folder.lock), RunningTasks(folder).of("a", 5.0):
        (found,) = running_tasks(folder)
    assert (found.task, found.since_s) == ("a", 5.0)
    assert found.last_line.startswith("compiling")
    assert found.last_line.isprintable()
    assert running_tasks(folder) == ()


def test_all_tasks_that_run_at_once_are_told_until_each_ends(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    told = RunningTasks(folder)
    with holding(folder.lock):
        told.begins("late", 7.0)
        told.begins("early", 5.0)
        told.tell()
        assert [each.task for each in running_tasks(folder)] == ["early", "late"]
        told.ends("early")
        told.tell()
        assert [each.task for each in running_tasks(folder)] == ["late"]
        told.ends("late")
        told.tell()
    assert not folder.running.exists()


def test_what_a_task_waits_for_is_told_beside_what_runs(tmp_path: Path) -> None:
    folder = WorkFolder(tmp_path)
    told = RunningTasks(folder)
    with holding(folder.lock):
        told.begins("big", 5.0)
        told.tell({"late": "memory, 3 GiB, big has it"})
        assert [each.task for each in running_tasks(folder)] == ["big"]
        assert held_up_tasks(folder) == {"late": "memory, 3 GiB, big has it"}
        told.tell()
        assert held_up_tasks(folder) == {}
        told.tell({"late": "memory"})
        told.ends("big")
        told.tell()
    assert not folder.running.exists()
    assert held_up_tasks(folder) == {}


@pytest.mark.parametrize("waits", ["5", "[5]", "null", '{"a": 1}', '"x"'])
def test_nonsense_about_what_waits_is_nothing(tmp_path: Path, waits: str) -> None:
    folder = WorkFolder(tmp_path)
    with holding(folder.lock):
        folder.running.write_text(f'{{"pid": {os.getpid()}, "tasks": [], "waits": {waits}}}')
        assert held_up_tasks(folder) in ({}, {"a": "1"})


def test_what_another_process_says_of_a_lock_that_is_not_its_own_counts_for_nothing(
    tmp_path: Path,
) -> None:
    folder = WorkFolder(tmp_path)
    with holding(folder.lock):
        folder.running.write_text(json.dumps({"task": "a", "since_s": 1, "pid": 1}))
        assert running_tasks(folder) == ()


def test_times_are_those_that_people_say() -> None:
    told = [shown_time(each) for each in (-3, 0, 59.9, 60, 125, 3599, 3600, 7620)]
    assert told == [
        "0 s", "0 s", "59 s", "1 min 00 s", "2 min 05 s", "59 min 59 s", "1 h 00 min", "2 h 07 min",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: Location 'file:///wheels' is ignored",
        "  DEPRECATION: this will be an error",
        "make[1]: warning: jobserver unavailable",
        "/src/a.c:12:3: warning: unused variable",
        "configure: WARNING: unrecognized options",
        "[notice] A new release is available",
        "\x1b[33mWARNING: in yellow",
        "Traceback (most recent call last):",
        "thing.old WARN: 3 of them; look at them",
        "",
    ],
)
def test_a_warning_is_not_shown_as_what_is_being_done(tmp_path: Path, line: str) -> None:
    """Neither in the line of the run, nor in another terminal's list or page."""
    folder = WorkFolder(tmp_path)
    log = StepLog(folder)
    with log.of("a"):
        log.record("$ /opt/tools/bin/tool --quiet")
        log.record(line)
        assert (log.latest, last_line(folder.log("a"))) == ("$ tool --quiet", "$ tool --quiet")
        log.say("copying files")
        log.say(line)
        assert (log.latest, last_line(folder.log("a"))) == ("copying files", "copying files")
    assert f"{line}\n".encode() in folder.log("a").read_bytes()


@pytest.mark.parametrize("line", ["checking for error.h... yes", "error.c", "notes: 5 of 9"])
def test_a_word_of_warning_in_the_name_of_the_work_is_shown(tmp_path: Path, line: str) -> None:
    folder = WorkFolder(tmp_path)
    log = StepLog(folder)
    with log.of("a"):
        log.record(line)
        assert (log.latest, last_line(folder.log("a"))) == (line, line)
