"""The list that fits a screen: what is folded, how long things took, and since when they wait."""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.durations import durations_s
from doit_receipts.lock import holding
from doit_receipts.task_times import shown_since, task_times
from doit_receipts.work_folder import WorkFolder
from tests.json_schemas import described

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Project

NOW: Final = datetime(2026, 12, 1, 15, 0, tzinfo=UTC)

MANY: Final = """
def nothing():
    return {}

def judged(file):
    if not file.exists():
        raise Waiting(who="Zoe", problem="nothing came", remedy="send it")
    return {}

before = []
for number in range(30):
    declare = plan.step(name=f"make_{number}", title="Make it.", after=before[-1:])
    before.append(declare(lambda: call(nothing)))

plan.chapter("then")

@plan.step(after=[before[28], before[29]])
def task_await_it():
    \"\"\"Wait for it.\"\"\"
    return call(judged, HERE / "came")

plan.chapter("last")

@plan.step(after=[before[29], task_await_it])
def task_pack():
    \"\"\"Pack it.\"\"\"
    return call(nothing)

@plan.step(after=[before[3], task_pack])
def task_send():
    \"\"\"Send it.\"\"\"
    return call(nothing)

@plan.group(of=[task_send])
def task_export():
    \"\"\"Everything.\"\"\"
"""
CHAPTERS: Final = 'chapters={"before": "1 before", "then": "2 then", "last": "3 last"}'


def many(project: Project) -> Project:
    """Thirty steps in a row, then one that waits for Zoe, then two more."""
    project.declare(MANY)
    dodo = project.folder / "dodo.py"
    dodo.write_text(dodo.read_text().replace('chapters={"before": "1 before anything"}', CHAPTERS))
    return project


def test_what_is_done_and_what_is_later_is_a_line_each(project: Project) -> None:
    many(project)
    rows = project.doit("list", "--status").out.splitlines()
    assert rows[2:7] == [
        "1 before",
        "  ready   make_0                LOCAL    Make it.",
        "  later   29 tasks              make_1 to make_29",
        "2 then                          1 later, after make_29",
        "3 last                          2 later, after await_it",
    ]
    assert project.doit().status == 4
    rows = project.doit("list", "--status").out.splitlines()
    assert rows[2].startswith("1 before                        all 30 done")
    assert rows[3] == "2 then"
    assert rows[4].startswith("  waiting await_it              LOCAL    Zoe since ")
    assert rows[4].endswith(" UTC: nothing came; sen…")
    assert rows[5] == "3 last                          2 later, after await_it"


def test_what_comes_after_very_many_tasks_names_the_first_and_the_last(project: Project) -> None:
    """Twenty names would fill a screen for what is no turn of anybody's yet."""
    many(project)
    dodo = project.folder / "dodo.py"
    few = dodo.read_text().replace("after=before[-1:]", "after=[]")
    for count, told in (
        (8, "make_0, make_1, make_2, make_3,"), (9, "9 tasks, make_0 to make_8")
    ):  # fmt: skip
        dodo.write_text(few.replace("[before[28], before[29]]", f"before[:{count}]"))
        rows = project.doit("list", "--status").out.splitlines()
        head = "2 then                          1 later, after"
        assert any(row == f"{head} {told}" for row in rows), rows


def test_all_has_a_line_for_each_task(project: Project) -> None:
    listed = many(project).doit("list", "--status", "--all").out
    assert listed.count("LOCAL") == 33
    assert "  later   make_29               LOCAL    after make_28\n" in listed


def test_a_task_waits_for_the_nearest_ones_and_all_of_them_are_named(project: Project) -> None:
    """What a named task waits for itself is not named beside it."""
    many(project)
    assert project.standing("send") == "later LOCAL after pack"
    project.declare("""
def nothing():
    return {}

names = []
for number in range(4):
    declare = plan.step(name=f"make_a_long_name_{number}", title="Make it.")
    names.append(declare(lambda: call(nothing)))

@plan.step(after=names)
def task_send():
    \"\"\"Send it.\"\"\"
    return call(nothing)

@plan.group(of=[task_send])
def task_export():
    \"\"\"Everything.\"\"\"
""")
    listed = project.doit("list", "--status").out
    indent = " " * 41
    assert (
        "  later   send                  LOCAL    after make_a_long_name_0,\n"
        f"{indent}make_a_long_name_1, make_a_long_name_2,\n{indent}make_a_long_name_3\n"
    ) in listed
    assert all(len(line) <= 80 for line in listed.splitlines())


def written(work: Path, *entries: dict[str, str]) -> WorkFolder:
    """A work folder whose journal holds these entries, after lines that tell nothing."""
    work.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (work / "journal.jsonl").write_text('{"event"\n[1]\nnull\n{"event": "done"}\n\xff\n' + text)
    return WorkFolder(work)


def done(task: str, took_s: str) -> dict[str, str]:
    return {"at": "2026-12-01T14:00:00+00:00", "event": "done", "task": task, "took_s": took_s}


def stopped(task: str, event: str, at: str) -> dict[str, str]:
    return {"at": at, "event": event, "task": task, "said": "x"}


def test_times_are_of_the_newest_run(tmp_path: Path) -> None:
    folder = written(
        tmp_path, done("a", "9"), done("a", "4.5"), done("b", "nan"), done("c", "x"),
        done("d", "1e300"), done("e", "9" * 400),
    )  # fmt: skip
    times = task_times(folder)
    assert times.of(["a"]) == "4 s"
    assert [times.of([each]) for each in "bcdef"] == [""] * 5
    assert task_times(WorkFolder(tmp_path / "none")).took_s == {}


def test_a_long_wait_does_not_make_a_task_forgotten(tmp_path: Path) -> None:
    """A night that is tried every five minutes writes megabytes behind what was done before it."""
    waits = [stopped("wait", "waiting", "2026-12-01T11:00:00+00:00")] * 30_000
    folder = written(tmp_path / "3.13.6", done("build", "300"), *waits, done("look", "2"))
    assert folder.journal.stat().st_size > 2 << 20
    assert durations_s(folder) == {"build": 300.0, "look": 2.0}
    assert durations_s(WorkFolder(tmp_path / "3.13.7"))["build"] == 300.0
    assert task_times(folder).took_s == {"build": 300.0, "look": 2.0}


def test_it_waits_since_the_first_of_the_tries_that_ended_so(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        stopped("a", "waiting", "2026-12-01T10:00:00+00:00"), done("a", "1"),
        stopped("a", "failed", "2026-12-01T11:00:00+00:00"),
        stopped("a", "waiting", "2026-12-01T12:00:00+00:00"),
        stopped("a", "waiting", "2026-12-01T13:00:00+00:00"),
    )  # fmt: skip
    assert task_times(folder).since == {"a": "2026-12-01T12:00:00+00:00"}


def test_a_wait_is_as_long_as_it_was_whatever_the_journal_has_of_others(project: Project) -> None:
    """By the cache of last words; by the journal's own lines where that was lost."""
    many(project)
    assert project.doit().status == 4
    journal = project.work / "journal.jsonl"
    text = journal.read_text()
    (waits,) = [line for line in text.splitlines() if '"waiting"' in line]
    began = json.loads(waits)["at"]
    assert "since" not in json.loads(waits)
    shown = f"await_it              LOCAL    Zoe {shown_since(began, datetime.now(UTC))}: nothing"
    other = json.dumps(stopped("other", "waiting", began))
    with journal.open("a") as stream:
        stream.write(f"{other}\n" * 30_000)
    assert shown in project.doit("list", "--status").out
    time.sleep(1.1)  # the journal's times are whole seconds
    assert project.doit().status == 4
    *_, last = [line for line in journal.read_text().splitlines() if '"await_it"' in line]
    assert json.loads(last)["since"] == began
    assert json.loads(last)["at"] > began
    for each in project.work.glob("state*"):
        each.unlink()
    assert project.doit().status == 4
    told = described("status", project.doit("list", "--json").out)["tasks"]
    assert {each["name"]: each["since"] for each in told}["await_it"] == began
    (project.folder / "came").touch()
    assert project.doit().status == 0


def test_another_end_of_a_try_begins_a_wait_of_its_own(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        {**stopped("a", "waiting", "2026-12-01T12:00:00+00:00"),
         "since": "2021-12-01T12:00:00+00:00"},
        stopped("a", "waiting", "2026-12-01T12:05:00+00:00"),
        stopped("b", "waiting", "2026-12-01T12:00:00+00:00"),
        stopped("b", "failed", "2026-12-01T12:05:00+00:00"),
    )  # fmt: skip
    assert task_times(folder).since == {
        "a": "2021-12-01T12:00:00+00:00", "b": "2026-12-01T12:05:00+00:00"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-12-01T14:02:59+00:00", "since 14:02 UTC"),
        ("2026-12-01T14:02:59+02:00", "since 12:02 UTC"),
        ("2026-12-01T14:02:59", "since 14:02 UTC"),
        ("2026-11-30T23:59:00+00:00", "since 2026-11-30 23:59 UTC"),
        ("soon", ""),
    ],
)
def test_since_when_is_told_in_universal_time(at: str, told: str) -> None:
    assert shown_since(at, NOW) == told


@pytest.mark.parametrize(
    ("began_s", "told", "rest"), [(3630, " left", "82 h 19"), (400000, ", usually 83 h 20 min", "")]
)
def test_what_runs_tells_how_long_it_will_by_earlier_runs(
    project: Project, began_s: float, told: str, rest: str
) -> None:
    """By the journal of a release beside this one, whose task took as long."""
    many(project)
    written(project.work.parent / "3.13.5", done("make_0", "300000"))
    project.work.mkdir()
    folder = WorkFolder(project.work)
    now_s = datetime.now(UTC).timestamp()
    with holding(folder.lock):
        tasks = [{"task": "make_0", "since_s": now_s - began_s}]
        folder.running.write_text(json.dumps({"pid": os.getpid(), "tasks": tasks}))
        listed = project.doit("list", "--status").out
    (row,) = [line for line in listed.splitlines() if line.startswith("  running make_0 ")]
    assert told in row
    listed = " ".join(listed.split())
    words = (
        rf"what is left takes at least {rest} min, until \d\d-\d\d \d\d:\d\d UTC or later,"
        r" judging by earlier runs: make_0 → .*; 32 of 33 never ran"
    )
    assert re.search(words, listed) if rest else "what is left takes" not in listed
