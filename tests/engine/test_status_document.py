"""The status of a release for programs: one JSON document that says what the list says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.engine.conftest import Project


def document(project: Project) -> dict[str, Any]:
    ended = project.doit("list", "--json")
    assert ended.status == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


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
    }
    assert found["groups"] == [
        {"name": "export", "state": "ready", "why": "3 of 3 left", "who": ""}
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
