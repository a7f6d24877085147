"""Several tasks at once: none begins early, and what is left is what one at a time leaves."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from doit_receipts.cores import cores_here
from doit_receipts.memory import memory_mb
from doit_receipts.printable import cut
from tests.engine.conftest import CHAIN
from tests.engine.test_killed_at_once import WIDE
from tests.engine.test_killing import artifacts
from tests.json_schemas import described
from tests.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Project

GRAPH = '''
import random, time
from doit_receipts.probe import absent, identical

class Host:
    """What several steps change or read."""
    resource = ""
    def __init__(self, name):
        self.resource = name
    def __repr__(self):
        return self.resource

def note(word, task):
    # One write each, so that the lines stand in the order of what happened.
    descriptor = os.open(HERE / "happened", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{word} {task}".encode() + bytes([10]))
    os.close(descriptor)

def work(task, hosts, ends):
    note("begin", task)
    time.sleep(random.choice((0, 0, 0.01, 0.03)))
    print("printed by", task)
    note("end", task)
    if ends == "fails":
        raise StepFailed(where=task, problem="broke", remedy="mend it")
    if ends == "waits":
        raise Waiting(who="windows", problem="not there", remedy="upload it")
    if ends == "act":
        (HERE / f"world {task}").touch()
    return {"fact": task}

def look(task):
    return identical({"fact": task}) if (HERE / f"world {task}").exists() else absent()

def declare(each):
    def creator():
        return call(work, each["name"], [Host(name) for name in each["hosts"]], each["ends"])
    creator.__name__, creator.__doc__ = each["name"], "Do it."
    act = each["ends"] == "act"
    plan.step(
        after=each["after"], effect=Effect[each["effect"]], look=look if act else None,
        takes=each["takes"],
    )(creator)

for each in json.loads((HERE / "graph.json").read_text()):
    declare(each)

@plan.group(of=[each["name"] for each in json.loads((HERE / "graph.json").read_text())])
def export():
    """All of them."""
'''


def a_graph(seed: int, count: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(count):
        names = [each["name"] for each in found]
        ends = dice.choices(["well", "act", "fails", "waits"], [12, 3, 1, 1])[0]
        effect = dice.choice(("SHARED", "PUBLIC")) if ends == "act" else "LOCAL"
        found.append(
            {
                "name": f"part_{number:02}",
                "after": dice.sample(names, min(len(names), dice.choice((0, 0, 1, 1, 2)))),
                "ends": ends,
                "effect": "CLONE" if ends == "well" and dice.random() < 0.2 else effect,
                "hosts": dice.sample(["one", "two"], dice.choice((0, 0, 1, 2))),
                "takes": dice.choice(({}, {"cores": 1}, {"cores": 2})),
            }
        )
    return found


def behind_a_failure(graph: list[dict[str, Any]]) -> set[str]:
    """All that cannot be done, the failures included."""
    lost: set[str] = set()
    for each in graph:
        if each["ends"] in ("fails", "waits") or lost & set(each["after"]):
            lost.add(each["name"])
    return lost


def facts_of_journal(work: Path) -> Counter[str]:
    """What the journal tells of tasks, without its times and in no order."""
    entries = map(json.loads, (work / "journal.jsonl").read_text().splitlines())
    for_good = [
        {k: v for k, v in each.items() if k not in ("at", "took_s", "seal")} for each in entries
    ]
    return Counter(json.dumps(each, sort_keys=True) for each in for_good)


@pytest.mark.parametrize("seed", range(3))
def test_any_graph_leaves_the_same_whatever_runs_at_once(project: Project, seed: int) -> None:
    graph = a_graph(seed, 24)
    project.declare(GRAPH)
    project.write("graph.json", json.dumps(graph))
    lost = behind_a_failure(graph)
    left: list[tuple[dict[str, bytes], Counter[str], int]] = []
    for at_once in (1, 2, 8):
        ended = project.doit("run", "-n", str(at_once))
        receipts = {path.stem for path in (project.work / "receipts").glob("*.json")}
        assert receipts == {each["name"] for each in graph} - lost, ended
        assert_in_order_and_in_bounds(graph, (project.folder / "happened").read_text(), at_once)
        left.append((artifacts(project), facts_of_journal(project.work), ended.status))
        assert not (project.work / "running.json").exists()
        assert project.doit("run", "-n", str(at_once)).out.count("\n+ ") == 0
        shutil.rmtree(project.folder / "build")
        for each in (project.folder / "happened", *project.folder.glob("world *")):
            each.unlink()
    assert left[0] == left[1] == left[2]
    ends = {each["ends"] for each in graph if not lost & set(each["after"])}
    assert left[0][2] == (1 if "fails" in ends else 4 if "waits" in ends else 0)


def assert_in_order_and_in_bounds(graph: list[dict[str, Any]], happened: str, at_once: int) -> None:
    by_name = {each["name"]: each for each in graph}
    ended: set[str] = set()
    running: dict[str, dict[str, Any]] = {}
    for line in happened.splitlines():
        word, name = line.split()
        if word == "end":
            ended.add(name)
            del running[name]
            continue
        each = by_name[name]
        assert ended >= set(each["after"]), line
        running[name] = each
        assert len(running) <= at_once
        assert sum(one["effect"] == "CLONE" for one in running.values()) <= 1
        for other in running.values():
            shared = set(each["hosts"]) & set(other["hosts"]) if other is not each else set()
            assert not shared or {each["effect"], other["effect"]} == {"LOCAL"}
        takers = [one["takes"]["cores"] for one in running.values() if one["takes"]]
        assert len(takers) <= 1 or sum(takers) <= cores_here()


def test_what_runs_at_once_is_told_and_what_it_prints_stays_together(project: Project) -> None:
    graph: list[dict[str, Any]] = [
        {"name": name, "after": [], "ends": "well", "effect": "LOCAL", "hosts": [], "takes": {}}
        for name in ("left", "right")
    ]
    project.declare(GRAPH)
    project.write("graph.json", json.dumps(graph))
    ended = project.doit("run", "-n2", "-v2")
    told = [line for line in ended.out.splitlines() if line.startswith(("+ ", "printed"))]
    lines = [line.split()[:3] for line in told]
    assert sorted(lines) == [
        ["+", "left", "LOCAL"], ["+", "right", "LOCAL"],
        ["printed", "by", "left"], ["printed", "by", "right"],
    ]  # fmt: skip
    for name in ("left", "right"):
        at = lines.index(["printed", "by", name])
        assert lines[at + 1] == ["+", name, "LOCAL"]


@pytest.mark.parametrize(
    ("takes", "said"),
    [
        ('{"gpus": 1}', "takes gpus, which no machine has; a step can take cores and memory_mb"),
        ('{"core": 1}', "takes core, which no machine has; did you mean cores?"),
        ('{"cores": 0}', "takes 0 of cores; write a whole number above 0"),
        ('{"cores": True}', "takes True of cores; write a whole number above 0"),
        ("5", 'takes= of task_a is no mapping; write takes={"cores": 1}'),
    ],
)
def test_a_resource_that_no_machine_has_is_one_line(
    project: Project, takes: str, said: str
) -> None:
    project.declare(f'@plan.step(takes={takes})\ndef task_a():\n    "A."\n    return call(dict)\n')
    ended = project.doit("list")
    assert ended.status == 3
    assert said.replace("task_a", "a") in ended.err
    assert ended.err.count("\n") <= 2


def test_a_bug_and_a_task_that_leaves_the_program_are_told_as_ever(project: Project) -> None:
    project.declare(
        CHAIN + '\n@plan.step()\ndef leave():\n    "Leave."\n    return call(exit, 0)\n'
        '\n@plan.step()\ndef slip():\n    "Slip."\n    return call(dict.fromkeys, 1)\n'
        '\n@plan.group(of=["leave", "slip", "export"])\ndef both():\n    """Both."""\n'
    )
    ended = project.doit("run", "-n2", "both")
    assert ended.status == 2
    assert "SystemExit: 0" in ended.out
    assert "TypeError" in ended.out
    assert sorted(project.ran()) == ["a", "b", "c"]
    assert project.doit("run", "-n2", "leave").status == 2


NO_ROOM: Final = """
from doit_receipts.orphaned_processes import ProgramSlots

RUN, take = os.getpid(), ProgramSlots.take

def refused(slots):
    if os.getpid() != RUN and not (HERE / "mended").exists():
        raise {error}
    return take(slots)

ProgramSlots.take = refused
"""


def test_a_disk_that_refuses_the_process_of_a_task_is_the_line_that_it_is_for_a_task(
    project: Project,
) -> None:
    """It is not of this task alone: the next one begins in a process of its own again."""
    error = 'OSError(30, "Read-only file system", str(release.work / "processes" / "0"))'
    project.declare(WIDE + NO_ROOM.format(error=error))
    ended = project.doit("run", "-n2")
    assert ended.status == 1, ended
    assert "bug" not in ended.out + ended.err
    line = (
        f"{project.work}/processes/0: read-only file system; see to the disk of {project.work},"
        " then run the same command again"
    )
    for name in ("copy_a", "halve_b"):
        assert re.search(rf"(?m)^x {name} .* {re.escape(line)}$", ended.out), ended.out
    assert "    log: " not in ended.out, "none was made"
    assert project.standing("copy_a").startswith("failed LOCAL")
    project.write("mended", "")
    assert project.doit("run", "-n2").status == 0


def test_whatever_else_keeps_the_process_of_a_task_from_its_work_is_told(project: Project) -> None:
    project.declare(CHAIN + NO_ROOM.format(error='RuntimeError("can\'t start new thread")'))
    ended = project.doit("run", "-n2")
    assert ended.status == 2, ended
    assert "! copy_a: this is a bug" in ended.out
    assert "RuntimeError: can't start new thread" in ended.out
    assert project.ran() == []


def test_a_plain_task_of_doit_runs_alone_and_in_its_place(project: Project) -> None:
    project.declare(
        CHAIN + "\ndef task_plain():\n"
        '    return {"actions": ["cat build/3.13.6/src/c >plain",'
        f' "{sys.executable} -m doit list --status --all >listed"],'
        ' "task_dep": ["copy_c"], "targets": ["plain"], "file_dep": ["input"]}\n'
    )
    ended = project.doit("run", "-n2", "plain")
    assert ended.status == 0, ended
    assert (project.folder / "plain").read_text() == "h"
    listed = (project.folder / "listed").read_text()
    assert "running" not in listed, "each task of the plan has ended before it began"
    assert re.search(r"(?m)^ +done +copy_c ", listed)


CHANGES_THE_WORLD = """
import sys
sys.path.insert(0, str(HERE))
os.environ["RUN"] = str(os.getpid())

from doit_receipts.probe import absent, identical

def work(task):
    import heavy_module
    import not_in_the_run
    (HERE / task).touch()
    return {"fact": task}

def look(task):
    return identical({"fact": task}) if (HERE / task).exists() else absent()

def declare(name, after):
    def creator():
        return call(work, name)
    creator.__name__, creator.__doc__ = name, "Change the world."
    plan.step(after=after, effect=Effect.SHARED, look=look)(creator)

names = [f"part_{number}" for number in range(6)]
for before, name in zip([None, *names], names):
    declare(name, [before] if before else [])

@plan.group(of=names)
def export():
    'All of them.'
"""


def test_what_a_task_imported_is_there_for_every_worker_after_it(project: Project) -> None:
    project.declare(CHANGES_THE_WORLD)
    note = "import os; open(__name__ + '.said', 'a').write(f'{os.getpid()} ')\n"
    project.write("heavy_module.py", note)
    project.write("not_in_the_run.py", f"{note}assert os.getpid() != int(os.environ['RUN'])\n")
    ended = project.doit("run", "-n2")
    assert ended.status == 0, ended
    imported = {each.stem: each.read_text().split() for each in project.folder.glob("*.said")}
    assert len(imported["heavy_module"]) == 2  # the first worker, and the run
    # What cannot be imported there is imported by each, and the run goes on.
    assert len(set(imported["not_in_the_run"])) == 7


ONE_FAILS = '''
def break_now():
    raise StepFailed(where="thing", problem="broke", remedy="mend it")

def end_later():
    import time
    from doit_receipts.running import running_tasks
    # The run tells others that this one alone is left, and so has told of the failure.
    while [each.task for each in running_tasks(plan.folder)] != ["last"]:
        time.sleep(0.01)
    return {}

@plan.step()
def task_fail():
    """Fail at once."""
    return call(break_now)

@plan.step()
def task_last():
    """End after the other."""
    return call(end_later)

@plan.group(of=[task_fail, task_last])
def task_export():
    """Both."""
'''


def test_a_failure_is_the_last_thing_told_whatever_ended_after_it(project: Project) -> None:
    project.declare(ONE_FAILS)
    ended = project.doit("run", "-n2")
    assert ended.status == 1
    lines = ended.out.splitlines()
    good = next(number for number, line in enumerate(lines) if line.startswith("+ last"))
    assert any("thing: broke; mend it" in line for line in lines[good + 1 :])
    assert lines[-3:] == [
        "export: 1 task run, 1 of 2 done", "next: mend that, then doit export",
        "more: doit why fail",
    ]  # fmt: skip


MEET = '''
DOIT_CONFIG = plan.doit_config("export")

def meet(mine, other):
    import time
    (HERE / mine).touch()
    for _ in range(6000):
        if (HERE / other).exists():
            return {}
        time.sleep(0.01)
    raise StepFailed(where=mine, problem="was alone for a minute", remedy="do both at once")

@plan.step()
def task_one():
    """Wait for the other one."""
    return call(meet, "one begun", "two begun")

@plan.step()
def task_two():
    """Wait for the other one."""
    return call(meet, "two begun", "one begun")

@plan.group(of=[task_one, task_two])
def export():
    """Both."""
'''


def test_two_at_once_is_the_least_without_a_word_on_any_machine(project: Project) -> None:
    """On one core as well; they end only if both have begun."""
    project.declare(MEET)
    ended = project.doit("run")
    assert ended.status == 0, ended
    assert "export: 2 tasks run, 2 of 2 done, nothing remains" in ended.out


@pytest.mark.parametrize("number", ["-1", "0"])
def test_less_than_one_at_once_is_refused(project: Project, number: str) -> None:
    project.declare(ONE_FAILS)
    ended = project.doit("run", "-n", number)
    assert (ended.status, ended.out) == (3, "")
    assert ended.err == f"ERROR: -n {number} is not a number of tasks; wanted 1 or more\n"


MUCH: Final = """
@plan.step(takes={"memory_mb": 10**9})
def task_much():
    'Need more than there is.'
    return call(dict)

@plan.group(of=[task_much])
def task_export():
    'All.'
"""


@pytest.mark.skipif(memory_mb() is None, reason="nobody knows how much memory is here")
def test_more_memory_than_the_machine_has_is_a_line_and_the_release_goes_on(
    project: Project,
) -> None:
    project.declare(MUCH)
    ended = project.doit("run", "-n2")
    assert ended.status == 0, ended
    assert ended.err == (
        f"much takes 1000000000 MiB of memory, and this machine has {memory_mb()}: it begins when"
        " nothing else runs\n"
    )
    assert project.doit("run", "-n2").err == "", "it is done"


TWO_LARGE: Final = """
def until_let_on(mine):
    import time
    (HERE / mine).touch()
    for _ in range(6000):
        if (HERE / "go on").exists():
            return {}
        time.sleep(0.02)
    raise StepFailed(problem="nobody let it go on")

@plan.step(takes=TAKES)
def task_large():
    'Need most of it.'
    return call(until_let_on, "large begun")

@plan.step(takes=TAKES)
def task_late():
    'Need most of it too.'
    return call(until_let_on, "late begun")

@plan.group(of=[task_large, task_late])
def task_export():
    'All.'
"""


MOST_MB: Final = (memory_mb() or 0) * 9 // 10


@pytest.mark.parametrize(
    ("takes", "what"),
    [
        pytest.param(
            {"memory_mb": MOST_MB},
            f"memory, {MOST_MB / 1024:.3g} GiB",
            marks=pytest.mark.skipif(not MOST_MB, reason="nobody knows how much memory is here"),
        ),
        ({"cores": cores_here()}, "cores"),
    ],
)
def test_what_waits_for_a_part_of_the_machine_is_seen_to_wait_and_for_whom(
    takes: dict[str, int], what: str, project: Project
) -> None:
    project.declare(TWO_LARGE.replace("TAKES", str(takes)))
    words = [sys.executable, "-m", "doit", "run", "-n2"]
    run = subprocess.Popen(words, cwd=project.folder, stdout=subprocess.PIPE, text=True)
    told = f"waits for {what}, large has it"
    try:
        wait_until((project.folder / "large begun").exists, "the first has begun", of=run)
        row = cut(f"  queued  late                  LOCAL    {told}", 80)
        wait_until(lambda: row in project.doit("list", "--status").out, "the other is told", of=run)
        assert f"LOCAL, queued, {told}" in project.doit("why", "late").out
        said = project.doit("next").out
        assert "running: large for" in said
        assert f"queued: late waits for {what.partition(',')[0]}" in said
        assert "doit export" not in said
        come = described("next", project.doit("next", "--json").out)
        assert [each["name"] for each in come["queued"]] == ["late"]
        assert come["run"]["tasks"] == []
        tasks = described("status", project.doit("list", "--json").out)["tasks"]
        assert {each["name"]: each["why"] for each in tasks}["late"] == told
        assert not (project.folder / "late begun").exists()
    finally:
        (project.folder / "go on").touch()
        out, _ = run.communicate(timeout=120)
    assert run.returncode == 0, out
    assert "all 2 tasks are done" in project.doit("list", "--status").out


CHAIN_OF_KNOWN_AND_NEW: Final = '''
def wait():
    import time
    while not (HERE / "seen").exists():
        time.sleep(0.05)
    return {}

@plan.step()
def task_slow():
    """Wait until somebody has looked."""
    return call(wait)

@plan.step(after=[task_slow])
def task_new():
    """Do what was never done."""
    return call(dict)

@plan.step(after=[task_new])
def task_last():
    """End it."""
    return call(dict)

@plan.group(of=[task_last])
def task_export():
    """Everything."""
'''


def took_earlier(project: Project, **took_s: int) -> None:
    """An earlier release beside this one has these seconds of these tasks in its journal."""
    beside = project.work.parent / "3.13.5"
    beside.mkdir(parents=True)
    with (beside / "journal.jsonl").open("w") as journal:
        for task, seconds in took_s.items():
            entry = {"event": "done", "task": task, "took_s": str(seconds)}
            journal.write(json.dumps(entry) + "\n")


@pytest.mark.parametrize("at_once", ["-n1", "-n2"])
def test_the_list_and_the_run_tell_the_same_rest(project: Project, at_once: str) -> None:
    """Also where some of it was never done, and however long the run is at it."""
    project.declare(CHAIN_OF_KNOWN_AND_NEW)
    took_earlier(project, slow=300, last=60, another=9000)
    out = project.folder / "out"
    with out.open("w") as stream:
        run = subprocess.Popen(
            [sys.executable, "-m", "doit", "run", at_once], cwd=project.folder, stdout=stream
        )
    try:
        wait_until(lambda: " to go, " in out.read_text(), "the rest is told")
        listed = " ".join(project.doit("list", "--status").out.split())
    finally:
        project.write("seen", "")
        assert run.wait(timeout=120) == 0
    until = r"min (\S+) s{}, until (?:\d\d-\d\d )?\d\d:\d\d UTC{}: slow → new → last"
    told = re.search(r"(\S+) " + until.format(" to go", "") + "\n", out.read_text())
    by = until.format("", " or later, judging by earlier runs")
    shown = re.search(rf"takes at least (\S+) {by}; 1 of 3 never", listed)
    assert told, out.read_text()
    assert shown, listed
    run_s, list_s = (int(each[1]) * 60 + int(each[2]) for each in (told, shown))
    assert 0 <= run_s - list_s < 60, (run_s, list_s)  # a moment later
    assert 300 < run_s < 360


ONE_AFTER_ANOTHER: Final = '''
@plan.step(reads=[HERE / "broken"])
def task_fail():
    """Fail first of all."""
    return call(fail, HERE / "broken")

@plan.step(after=[task_fail])
def task_behind():
    """Never begin."""
    return call(dict)

@plan.step()
def task_early():
    """Be done already."""
    return call(dict)

def wait():
    import time
    while not (HERE / "seen").exists():
        time.sleep(0.05)
    return {}

@plan.step()
def task_slow():
    """Wait until somebody has looked."""
    return call(wait)

@plan.step()
def task_beside():
    """Wait for nothing."""
    return call(dict)

@plan.step()
def task_unasked():
    """Have nothing to do with it."""
    return call(dict)

@plan.group(of=[task_fail, task_behind, task_early, task_slow, task_beside])
def task_export():
    """Everything."""
'''


def test_one_at_a_time_the_rest_is_all_that_will_be_done_one_after_another(
    project: Project,
) -> None:
    project.declare(ONE_AFTER_ANOTHER)
    project.write("broken", "fail")
    assert project.doit("early").status == 0
    took_earlier(project, fail=60, behind=600, early=600, slow=300, beside=60, unasked=600)
    out = project.folder / "out"
    with out.open("w") as stream:
        run = subprocess.Popen(
            [sys.executable, "-m", "doit", "run", "-n1", "export"],
            cwd=project.folder,
            stdout=stream,
        )
    try:
        wait_until(lambda: " to go, " in out.read_text(), "the rest is told", of=run)
    finally:
        project.write("seen", "")
        assert run.wait(timeout=120) == 1
    told = re.search(r"  5 min (\d\d) s to go, until .* UTC: (.*)\n", out.read_text())
    assert told, out.read_text()
    assert told[2] == "slow → beside"
