"""Several tasks at once, stopped or killed: each ends in good order, and nothing done is lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.cores import cores_here
from tests.engine.conftest import CHAIN
from tests.engine.test_killing import KILLER, artifacts
from tests.engine.test_outliving import SLOW
from tests.processes import all_end
from tests.waiting import wait_until
from tests.warm_doit import python

if TYPE_CHECKING:
    from tests.engine.conftest import Project

# What a step has to put right when it is stopped, as a lifted protection, it puts right.
BOTH = SLOW.replace('HERE / "started")', 'HERE / f"started_{target.name}")').replace(
    """        while program.poll() is None:
            time.sleep(0.05)
""",
    """        try:
            (HERE / f"inside_{target.name}").touch()
            while program.poll() is None:
                time.sleep(0.05)
        finally:
            (HERE / f"closed_{target.name}").touch()
""",
)
BOTH += '''
@plan.step(writes=[at.src / "b"])
def task_write_b():
    """Write b by a program."""
    return call(write_slowly, at.src / "b")

@plan.group(of=[task_write_a, task_write_b])
def task_export():
    """Both."""
'''


def start(project: Project) -> tuple[subprocess.Popen[str], list[int]]:
    """A run of two steps at once, whose programs are at work; and the numbers of those."""
    project.declare(BOTH)
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "run", "-n2"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    programs = []
    for name in "ab":
        started = project.folder / f"started_{name}"
        wait_until(started.exists, "its program is at work", of=process, said=process.communicate)
        programs.append(int(started.read_text()))
        programs.append(int((project.folder / f"started_{name}.child").read_text()))
    # Nobody can end a program that has no name yet, and none puts right what it is not yet at.
    wait_until(lambda: len(named(project)) == 4, "both can be ended", of=process)
    inside = [project.folder / f"inside_{name}" for name in "ab"]
    wait_until(lambda: all(each.exists() for each in inside), "both can put it right", of=process)
    return process, programs


def named(project: Project) -> dict[int, str]:
    """The programs and tasks that the slots of the run name, by their numbers."""
    said = [path.read_text().partition("\n") for path in (project.work / "processes").glob("*")]
    found = [json.loads(line) for line, end, _ in said if end]
    return {each["group"]: each["name"] for each in found}


def workers_of(project: Project) -> list[int]:
    """The processes in which tasks are done."""
    return [number for number, name in named(project).items() if name == "a task of doit"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_every_task_in_good_order(project: Project, number: signal.Signals) -> None:
    process, programs = start(project)
    workers = workers_of(project)
    assert len(workers) == 2
    os.killpg(process.pid, number)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 128 + number, out
    assert "Traceback" not in out
    assert "stopped by" in out
    assert all_end(*programs, *workers)
    assert sorted(path.name for path in project.folder.glob("closed*")) == ["closed_a", "closed_b"]
    assert not list((project.work / "src").glob("*"))
    project.write("quick", "")
    ended = project.doit("run", "-n2")
    assert (ended.status, ended.err) == (0, "")


def test_when_the_run_is_killed_its_tasks_end_in_good_order(project: Project) -> None:
    process, programs = start(project)
    workers = workers_of(project)
    process.kill()
    process.communicate(timeout=300)
    assert all_end(*programs, *workers)
    assert sorted(path.name for path in project.folder.glob("closed*")) == ["closed_a", "closed_b"]
    project.write("quick", "")
    ended = project.doit("run", "-n2")
    assert ended.status == 0
    assert f"process {process.pid} on" in ended.err
    assert not (project.work / "running.json").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_task_whose_process_is_killed_failed_and_the_rest_goes_on(
    project: Project, number: signal.Signals
) -> None:
    process, programs = start(project)
    for worker in workers_of(project):
        os.kill(worker, number)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 1, out
    assert out.count(f"its process was ended by {number.name}; see whether") == 2
    assert all_end(*programs)
    assert project.standing("write_a").startswith("failed LOCAL write_a: its process was ended")
    project.write("quick", "")
    assert project.doit("run", "-n2").status == 0


TIDIES_UP = """
import time
from doit_receipts.probe import absent

def act():
    if not (HERE / "asked").exists():
        (HERE / "asked").touch()
        # Somebody approves at once, so that a run that waits goes on.
        (release.work / "approvals").mkdir(exist_ok=True)
        (release.work / "approvals" / "given.json").touch()
        raise Waiting(who="RM", problem="not yet")
    try:
        (HERE / "inside").touch()
        while True:
            time.sleep(0.05)
    finally:
        (HERE / "closing").touch()
        until_s = time.monotonic() + {tidies_s}
        while time.monotonic() < until_s:
            time.sleep(0.05)
        (HERE / "closed").touch()

@plan.step(effect=Effect.SHARED, look=absent)
def task_do_act():
    "An act that puts right what it opened, which takes a moment."
    return call(act)

@plan.group(of=[task_do_act])
def task_export():
    "All."
"""


def acting(project: Project, *words: str, tidies_s: float) -> subprocess.Popen[str]:
    """A run, the leader of a group, whose act has opened what it puts right when it is stopped."""
    project.declare(TIDIES_UP.format(tidies_s=tidies_s))
    if "--wait" not in words:
        project.write("asked", "")
    process = subprocess.Popen(
        [sys.executable, "-m", "doit", "export", *words], cwd=project.folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    opened = (project.folder / "inside").exists
    wait_until(opened, "the act has begun", of=process, said=process.communicate)
    return process


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGTERM, ["-n2"]), (signal.SIGTERM, ["-n1"]), (signal.SIGTERM, ["-n2", "--wait"]),
        (signal.SIGHUP, ["-n2"]),
    ],
)  # fmt: skip
def test_a_stop_that_comes_more_than_once_is_one(
    project: Project, number: signal.Signals, words: list[str]
) -> None:
    """As timeout and systemctl send it: to each process of a group or service, or twice to one."""
    process = acting(project, *words, tidies_s=1)
    os.killpg(process.pid, number)
    wait_until((project.folder / "closing").exists, "the act ends", of=process)
    for each in (process.pid, *workers_of(project)):
        os.killpg(each, number)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 128 + number, out
    assert (project.folder / "closed").exists(), out
    assert "Traceback" not in out
    assert out.count("stopped by") == 1


@pytest.mark.parametrize("word", ["-n1", "-n2"])
def test_who_presses_ctrl_c_again_later_does_not_wait_for_what_the_first_has_still_to_end(
    project: Project, word: str
) -> None:
    process = acting(project, word, tidies_s=300)
    process.send_signal(signal.SIGINT)
    wait_until((project.folder / "closing").exists, "the act ends", of=process)

    def ends_after_another() -> bool:
        process.send_signal(signal.SIGINT)
        return process.poll() is not None

    wait_until(ends_after_another, "a person has enough", look_s=0.2)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 130, out
    assert not (project.folder / "closed").exists()


KILLED_WITH_CORES = """
import signal, time
from doit_receipts.cores import some_cores
from doit_receipts.probe import absent, identical

had = HERE / "had"

def stay():
    until_s = time.monotonic() + 120
    while not had.exists() and time.monotonic() < until_s:
        time.sleep(0.01)
    return {"fact": "stays"}

def look():
    return identical({"fact": "stays"}) if had.exists() else absent()

def die():
    with some_cores():
        os.kill(os.getpid(), signal.SIGKILL)

def count():
    with some_cores() as cores:
        had.write_text(str(cores))
    return {"fact": "counted"}

@plan.step(effect=Effect.SHARED, look=look)
def task_do_act():
    "An act, of which nobody knows whether it has cores."
    return call(stay)

@plan.step(takes={"cores": 1})
def task_begin_killed():
    "It is killed with all cores that were left."
    return call(die)

@plan.step(takes={"cores": 1})
def task_find_cores():
    "It begins when the killed one has ended."
    return call(count)

@plan.group(of=[task_do_act, task_begin_killed, task_find_cores])
def task_export():
    "All."
"""


def test_cores_of_a_killed_task_are_there_for_the_next_while_others_run(project: Project) -> None:
    project.declare(KILLED_WITH_CORES)
    ended = project.doit("run", "-n2")
    assert ended.status == 1, ended
    assert "its process was ended by SIGKILL" in ended.out + ended.err
    assert (project.folder / "had").read_text() == str(cores_here())


WIDE = CHAIN.replace("after=[task_copy_a]", 'reads=[HERE / "input"]').replace(
    'call(halve, at.src / "a"', 'call(halve, HERE / "input"'
)
WIDE = WIDE.replace("after=[task_halve_b]", "after=[task_copy_a, task_halve_b]")


STOPPED: Final = """
import os, signal, sys, time
from pathlib import Path

from doit_receipts.cores import Cores, cores_here
from doit_receipts.lock import holding
from doit_receipts.opening import open_plan
from doit_receipts.project import Release
from doit_receipts.workers import Workers

HERE = Path.cwd()
signal.signal(signal.SIGINT, signal.default_int_handler)
plan = open_plan(Release("Thing", "3.13.6", HERE / "build"))
lent = []

class Stop(KeyboardInterrupt):
    by = signal.SIGINT

def do(name):
    if name == "first":
        os._exit(0)
    try:
        (HERE / "begun").touch()
        time.sleep(60)
    except KeyboardInterrupt:
        (HERE / "told").touch()
        raise

with holding(plan.folder.lock, lent.append):
    with Workers(plan, lent[0], do, Cores(cores_here())) as workers:
        workers.give("first")
        workers.give("second")
        os.wait()
        while not (HERE / "begun").exists():
            time.sleep(0.01)
        raise Stop
"""


def test_a_stop_is_heard_by_all_when_it_comes_as_one_has_just_ended(project: Project) -> None:
    """Between the word of the system that it has ended and the note of it, that is."""
    project.write("stopped.py", STOPPED)
    ended = python(project.folder / "stopped.py", folder=project.folder, env=os.environ)
    assert ended.err.splitlines()[-1].endswith("Stop"), ended
    assert "Error" not in ended.err, ended
    assert (project.folder / "told").exists()


@pytest.mark.slow
def test_a_kill_at_any_write_of_any_process_loses_at_most_what_ran(project: Project) -> None:
    project.declare(WIDE)
    options = ("run", "-n2", "export")

    def run_killed(*more: str) -> int:
        ended = python(KILLER, *more, *options, folder=project.folder, env=os.environ)
        return ended.status

    assert run_killed("--report=instants") == 0
    seen = dict.fromkeys((project.folder / "instants").read_text().splitlines())
    instants = [name for name in seen if name.startswith("before")]
    assert len(instants) > 30
    undisturbed = artifacts(project)
    project.ran()
    statuses: Counter[int] = Counter()
    for fatal in instants:
        shutil.rmtree(project.folder / "build")
        statuses[run_killed(f"--at={fatal}")] += 1
        done = {path.stem for path in (project.work / "receipts").glob("*.json")}
        project.ran()
        ended = project.doit("run", "-n2")
        assert ended.status == 0, (fatal, ended)
        assert artifacts(project) == undisturbed, fatal
        after = project.ran()
        twice = {"copy_a": "a", "halve_b": "b", "copy_c": "c"}
        assert not [name for name in done if twice[name] in after], (fatal, done, after)
    # The run itself, a worker, or nobody: what is the second of its name differs from run to run.
    assert set(statuses) <= {-9, 1, 0}
    assert statuses[-9]
    assert statuses[1]
