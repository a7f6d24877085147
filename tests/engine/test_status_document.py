"""The status of a release for programs: one JSON document that says what the list says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.json_schemas import described

if TYPE_CHECKING:
    from tests.engine.conftest import Project

SINCE: Final = r"since (?:\d{4}-\d\d-\d\d )?\d\d:\d\d UTC"
UNKNOWN: Final = {"since": "", "took_s": None, "left_s": None, "log_line": ""}

WAITING = '''
@plan.step(reads=[HERE / "mood"])
def task_try_it():
    """Fail as the mood says."""
    return call(fail, HERE / "mood")

@plan.approval(of=[task_try_it], who="RM")
def approve_it():
    """Approve what was tried."""

@plan.group(of=[approve_it])
def task_export():
    """Everything."""
'''


def document(project: Project) -> dict[str, Any]:
    ended = project.doit("list", "--json")
    assert ended.status == 0, ended.err
    return described("status", ended.out)


def test_the_document_says_what_the_list_says(chain: Project) -> None:
    found = document(chain)
    assert (found["format"], found["project"], found["version"]) == (1, "Thing", "3.13.6")
    assert (found["done"], found["rehearsal"], found["alarms"]) == (0, False, [])
    assert [(each["name"], each["state"]) for each in found["tasks"]] == [
        ("copy_a", "ready"), ("halve_b", "later"), ("copy_c", "later"),
    ]  # fmt: skip
    assert found["tasks"][1] == {
        "name": "halve_b",
        "title": "Keep the first byte of a in b.",
        "chapter": "1 before anything",
        "kind": "step",
        "effect": "LOCAL",
        "after": ["copy_a"],
        "state": "later",
        "why": "after copy_a",
        "who": "",
        **UNKNOWN,
    }
    assert found["groups"] == [
        {"name": "export", "state": "ready", "why": "3 of 3 left", "who": "", **UNKNOWN}
    ]
    assert found["next"] == ["next: doit export"]
    chain.doit()
    done = document(chain)
    assert (done["done"], done["next"]) == (3, [])
    assert {each["state"] for each in (*done["tasks"], *done["groups"])} == {"done"}


def test_the_same_status_gives_the_same_bytes_and_nothing_is_written(chain: Project) -> None:
    first = chain.doit("list", "--json").out
    assert chain.doit("list", "--status", "--json").out == first
    assert not chain.work.exists()


def test_waivers_that_hold_are_in_it(chain: Project) -> None:
    with (chain.folder / "release.toml").open("a") as file:
        file.write('[[waivers]]\nrule = "a.b"\nreason = "r"\nby = "me"\nuntil = 2999-01-01\n')
    assert document(chain)["waivers"] == [
        {"rule": "a.b", "by": "me", "until": "2999-01-01", "reason": "r"}
    ]


def test_names_of_tasks_are_refused_in_one_line(chain: Project) -> None:
    ended = chain.doit("list", "--json", "copy_a")
    assert (ended.status, ended.out) == (3, "")
    assert "list --json is of the whole release, and takes no names of tasks" in ended.err


def test_next_and_why_say_the_same_to_programs(chain: Project) -> None:
    come = described("next", chain.doit("next", "--json").out)
    assert (come["done"], come["people"], come["running"]) == (False, [], [])
    assert come["run"] == {
        "command": "doit export",
        "tasks": [{"name": "copy_a", "title": "Copy the input to a."}],
    }
    asked = described("why", chain.doit("why", "halve_b", "copy_a", "export", "--json").out)
    assert [each["name"] for each in asked["tasks"]] == ["halve_b", "copy_a", "export"]
    assert asked["tasks"][0]["needs"] == ["copy_a"]
    assert asked["tasks"][0]["then"] == ["copy_c"]
    assert asked["tasks"][0]["receipt"] is None
    chain.doit()
    come = described("next", chain.doit("next", "--json").out)
    assert (come["done"], come["run"]) == (True, {"command": "", "tasks": []})
    (told,) = described("why", chain.doit("why", "copy_a", "--json").out)["tasks"]
    assert told["receipt"]["facts"] == {"bytes": "5"}
    assert told["because"] == []
    assert told["took_s"] >= 0
    entry = {"event": "done", "task": "copy_a", "took_s": "125.20"}
    with (chain.work / "journal.jsonl").open("a") as journal:
        journal.write(json.dumps(entry) + "\n")
    said = chain.doit("why", "copy_a").out
    assert said.splitlines()[1] == "  LOCAL, done, took 2 min 05 s"


@pytest.mark.parametrize(
    ("mood", "state", "who"),
    [("fail", "failed", ""), ("wait", "waiting", "windows"), ("bug", "ready", "")],
)
def test_what_stopped_is_told_with_its_words(
    project: Project, mood: str, state: str, who: str
) -> None:
    project.declare(WAITING)
    project.write("mood", mood)
    project.doit()
    (task, later) = document(project)["tasks"]
    assert (task["state"], task["who"], later["state"]) == (state, who, "later")
    assert bool(task["since"]) == (state != "ready")
    (told,) = described("why", project.doit("why", "try_it", "--json").out)["tasks"]
    assert bool(told["said_last"]) == (state != "ready")
    come = described("next", project.doit("next", "--json").out)
    assert [each["who"] for each in come["people"]] == ([who] if who else [])
    assert len(come["troubles"]) == (state == "failed")
    since = SINCE if task["since"] else ""
    said = project.doit("why", "try_it").out.splitlines()[1]
    assert re.fullmatch(f"  LOCAL, {state}{since and f', {since}'}", said), said
    said = project.doit("next").out
    asked = rf"(?m)^  try_it {{16}}2 of 3 files .*\n( {{24}}.*\n)* {{24}}waiting {SINCE}$"
    assert bool(re.search(asked, said)) == bool(who), said


def test_a_person_is_given_the_command(project: Project) -> None:
    project.declare(WAITING)
    project.write("mood", "good")
    project.doit()
    (person,) = described("next", project.doit("next", "--json").out)["people"]
    (task,) = person["tasks"]
    assert (person["who"], task["name"]) == ("RM", "approve_it")
    assert re.fullmatch("doit approve approve_it [0-9a-f]{16}", task["command"])
    assert task["asked"] == ""
    assert task["since"].endswith("+00:00")
    said = project.doit("next").out
    asked = rf"(?m)^  approve_it {{12}}Approve what was tried\.\n {{24}}waiting {SINCE}$"
    assert re.search(asked, said), said
    said = project.doit("why", "approve_it").out
    assert re.search(f"(?m)^  approval, waiting, {SINCE}$", said), said


def test_no_such_task_is_one_line_for_programs_too(chain: Project) -> None:
    ended = chain.doit("why", "--json", "copy_x")
    assert (ended.status, ended.out) == (3, "")
    assert "'copy_x' is not a task of this release; did you mean " in ended.err
