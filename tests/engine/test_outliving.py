"""Programs that a run started: none writes on when the run has ended, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.processes import all_end, lives
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.engine.conftest import Project

# The program starts another, says that it did, and both would write into what is made next.
SLOW = '''
import subprocess, time
WRITES_LATE = """
(sleep {0}; echo late >>'{1}') &
echo $! >'{2}.child'
echo $$ >'{2}.new'
mv '{2}.new' '{2}'
sleep {0}
echo late >>'{1}'
wait
"""


lent = []
plan.context.lend = lent.append


def write_slowly(target):
    ran(target.name)
    if not (HERE / "quick").exists():
        script = WRITES_LATE.format(60, target, HERE / "started")
        # As whatever runs programs has to: each takes a slot, and leads a group of its own.
        slot = lent[-1].take()
        program = subprocess.Popen(
            ["sh", "-c", script], cwd=HERE, pass_fds=slot.descriptors, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        slot.started(program.pid, "sh")
        (HERE / "named").touch()
        # In short waits: a signal that comes just before one begins is seen when it is over.
        while program.poll() is None:
            time.sleep(0.05)
        slot.leave()
    write_whole(target, b"whole")
    return {}


@plan.step(writes=[at.src / "a"])
def task_write_a():
    """Write a by a program."""
    return call(write_slowly, at.src / "a")
'''


def start(project: Project) -> tuple[subprocess.Popen[str], tuple[int, int]]:
    """A run whose program is at work; and the numbers of that and of what it started."""
    project.declare(SLOW)
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "write_a"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    started, named = project.folder / "started", project.folder / "named"

    def is_at_work() -> bool:
        # The program can be faster than the run that gives its name to the slot.
        return started.exists() and named.exists()

    wait_until(is_at_work, "its program is at work", of=process, said=process.communicate)
    child = (project.folder / "started.child").read_text()
    return process, (int(started.read_text()), int(child))


def test_what_a_killed_run_left_running_is_ended_by_the_next(project: Project) -> None:
    process, programs = start(project)
    process.kill()
    process.communicate()
    assert all(map(lives, programs))
    project.write("quick", "")
    ended = project.doit("write_a")
    assert ended.status == 0
    assert f"process {process.pid} on" in ended.err
    assert f"what it had left running was stopped: sh ({programs[0]})" in ended.err
    assert all_end(*programs)
    assert (project.work / "src" / "a").read_bytes() == b"whole"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("everybody", [False, True], ids=["doit", "its group"])
def test_no_program_outlives_a_stop_that_came_while_it_worked(
    project: Project,
    number: signal.Signals,
    everybody: bool,  # noqa: FBT001 - pytest hands it over
) -> None:
    """Nor does what the program started, which holds our pipe as well."""
    process, programs = start(project)
    (os.killpg if everybody else os.kill)(process.pid, number)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 128 + number, out
    assert "Traceback" not in out
    assert "stopped by" in out
    assert all_end(*programs)
    assert not list((project.work / "src").glob("*"))
    project.write("quick", "")
    ended = project.doit("write_a")
    assert (ended.status, ended.err) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_stop_while_a_program_is_being_started_leaves_no_program(
    project: Project, number: signal.Signals, times: int
) -> None:
    """It waits until the program can be named, and then both end; sent twice at once it is one."""
    begun = (
        "        (HERE / 'born').write_text(str(program.pid))\n"
        f"        for _ in range({times}): os.kill(os.getpid(), {number:d})\n"
    )
    project.declare(SLOW.replace("        slot.started(", begun + "        slot.started("))
    ended = project.doit("write_a")
    assert ended.status == 128 + number, ended
    assert "Traceback" not in ended.err
    assert all_end(int((project.folder / "born").read_text()))


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(project: Project) -> None:
    """As nohup asks: the terminal goes away, and the release goes on."""
    project.declare(SLOW.replace("60", "1"))
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "doit", "write_a"],
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    began = (project.folder / "started").exists
    wait_until(began, "its program is at work", of=process, said=process.communicate)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out


def test_a_run_that_ended_well_leaves_the_lock_free_whatever_it_left_running(
    project: Project,
) -> None:
    """An agent that stays, such as that of gpg, is no writer of the release."""
    project.declare(
        SLOW.replace("sleep {0}; echo late >>'{1}')", "exec sleep {0} >'{2}.out' 2>&1)").replace(
            "\nsleep {0}\necho late >>'{1}'\nwait\n", "\n"
        )
    )
    assert project.doit("write_a").status == 0
    child = int((project.folder / "started.child").read_text())
    assert lives(child)
    assert project.doit("list", "--status").status == 0
    (project.work / "receipts" / "write_a.json").unlink()
    project.write("quick", "")
    ended = project.doit("write_a")
    assert (ended.status, ended.err) == (0, "")
    assert lives(child)
    os.kill(child, signal.SIGKILL)
