"""Receipts that this release did not write, or did not write lately: read, or one line each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.receipt import Receipt
from tests.engine.conftest import CHAIN, RELEASE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Project

PUBLIC = (
    CHAIN
    + '''
from doit_receipts.probe import absent, identical

def seen(world, word):
    return identical({"word": word}) if world.exists() else absent()

def put(world, word):
    publish(world)
    return {}

@plan.public(look=seen, after=[task_copy_c])
def put_thing():
    """Put it there."""
    return call(put, HERE / "world", "hello")
'''
)


def receipt_of(project: Project, task: str) -> Path:
    return project.work / "receipts" / f"{task}.json"


def rewrite(path: Path, **changes: Any) -> None:
    """The same receipt with other parts, sealed as that tool would."""
    found = Receipt.read(path)
    assert found is not None
    path.write_bytes(replace(found, **changes).to_bytes())


def of_the_first_format(path: Path) -> None:
    """The receipt as commit 1dae947 wrote it: functions are named in it, and no project is."""
    found = Receipt.read(path)
    assert found is not None
    inputs = dict(found.inputs)
    if "call" in inputs:
        inputs["call"] = hashlib.sha256(b"plugins.flow.somewhere.copy('input')").hexdigest()
    for name in [each for each in inputs if each.startswith("input ")]:
        inputs[f"look old_function_of_{name[6:]}"] = inputs.pop(name)
    path.write_bytes(replace(found, inputs=inputs, format=1, project="").to_bytes())


def sealed(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(content | {"seal": hashlib.sha256(text.encode()).hexdigest()}).encode()


@pytest.fixture
def done(project: Project) -> Project:
    project.declare(PUBLIC)
    assert project.doit("put_thing").status == 0
    project.ran()
    return project


def refused(project: Project, task: str, said: str) -> None:
    """Every command is one line about it; nothing is run and nothing is overwritten."""
    path = receipt_of(project, task)
    before = path.read_bytes()
    ended = project.doit(task)
    assert ended.status == 1, ended
    assert said in ended.line_of(task), ended.out
    assert "Traceback" not in ended.said
    assert project.ran() == []
    assert path.read_bytes() == before
    assert said in project.doit("why", task).out
    assert said[:10] in project.doit("list", "--status", task).out
    forgotten = project.doit("forget", task)
    assert forgotten.status == 3
    assert len(forgotten.err.splitlines()) == 1
    assert path.read_bytes() == before


def has_a_folder_of_its_own(project: Project) -> None:
    """As the message says, and the task is done."""
    assert "give this release a work folder of its own" in project.doit("copy_a").out
    project.declare(PUBLIC, RELEASE + '[work]\nfolder = "own"\n')
    assert project.doit("copy_a").status == 0


@pytest.mark.parametrize("task", ["copy_a", "put_thing"])
def test_a_receipt_of_a_newer_version_is_neither_run_again_nor_overwritten(
    done: Project, task: str
) -> None:
    path = receipt_of(done, task)
    content = json.loads(path.read_bytes())
    del content["seal"]
    path.write_bytes(sealed(content | {"format": 3, "more": ["of the future"]}))
    refused(done, task, "written by a newer version of this tool: format 3")


def test_a_receipt_of_another_project_is_refused(done: Project) -> None:
    rewrite(receipt_of(done, "copy_a"), project="Other")
    refused(done, "copy_a", "made by a release of Other, and this is Thing")
    has_a_folder_of_its_own(done)


def test_a_receipt_of_another_version_is_refused(done: Project) -> None:
    rewrite(receipt_of(done, "copy_a"), version="3.13.5")
    refused(done, "copy_a", "made by copy_a of 3.13.5, and this is copy_a of 3.13.6")
    receipt_of(done, "copy_a").rename(done.folder / "moved away.json")
    assert done.doit("copy_a").status == 0


def test_a_receipt_of_another_task_is_refused(done: Project) -> None:
    receipt_of(done, "copy_c").write_bytes(receipt_of(done, "copy_a").read_bytes())
    refused(done, "copy_c", "made by copy_a of 3.13.6, and this is copy_c of 3.13.6")


def test_a_receipt_of_a_rehearsal_is_refused(done: Project) -> None:
    rewrite(receipt_of(done, "copy_a"), rehearsal=True)
    refused(done, "copy_a", "made in a rehearsal, and this is a real release")
    has_a_folder_of_its_own(done)


def test_a_real_receipt_is_refused_by_a_rehearsal(done: Project) -> None:
    done.declare(PUBLIC, RELEASE + "[work]\nrehearsal = true\n")
    refused(done, "copy_a", "made in a real release, and this is a rehearsal")


def test_a_whole_folder_of_another_project_is_left_alone(done: Project) -> None:
    dodo = done.folder / "dodo.py"
    # Of another length: Python takes a file of the same size and second for what it has compiled.
    dodo.write_text(dodo.read_text().replace('"Thing"', '"Gadget"'))
    before = {path: path.read_bytes() for path in (done.work / "receipts").iterdir()}
    ended = done.doit("put_thing")
    assert ended.status == 1
    assert ended.failed == ["copy_a"]  # what stands behind it is not even tried
    assert "made by a release of Thing, and this is Gadget; give this release a work" in ended.out
    assert done.ran() == []
    assert {path: path.read_bytes() for path in (done.work / "receipts").iterdir()} == before


# The first format


def test_a_release_of_the_first_format_is_done_and_stays_as_it_was_written(done: Project) -> None:
    for path in (done.work / "receipts").iterdir():
        of_the_first_format(path)
    before = {path: path.read_bytes() for path in (done.work / "receipts").iterdir()}
    ended = done.doit("put_thing")
    assert (ended.status, ended.done) == (0, [])
    assert {path: path.read_bytes() for path in (done.work / "receipts").iterdir()} == before


def test_what_changed_since_the_first_format_is_done_again_and_its_result_goes_on(
    done: Project,
) -> None:
    """The two formats have one result, so a step of today may stand before one of then."""
    for path in (done.work / "receipts").iterdir():
        of_the_first_format(path)
    done.write("input", "hallo")  # its first letter is the same, so the cascade stops at b
    assert done.doit("put_thing").done == ["copy_a", "halve_b"]
    assert [done.receipt(task)["format"] for task in ("copy_a", "halve_b", "copy_c")] == [2, 2, 1]


def test_a_public_step_of_the_first_format_is_refused_for_another_result(done: Project) -> None:
    for path in (done.work / "receipts").iterdir():
        of_the_first_format(path)
    done.write("input", "jello")
    ended = done.doit("put_thing")
    assert (ended.status, ended.failed) == (1, ["put_thing"])
    assert "done already, and users have seen it: copy_c gave another result" in ended.out


def test_settings_of_the_first_format_cannot_be_compared_and_why_says_so(done: Project) -> None:
    of_the_first_format(receipt_of(done, "halve_b"))
    dodo = done.folder / "dodo.py"
    text = dodo.read_text()
    dodo.write_text(
        text.replace(
            'at.src / "b")\n\n@plan.step(after=[task_halve_b]',
            'at.src / "b", 2)\n\n@plan.step(after=[task_halve_b]',
        )
    )
    assert done.doit("put_thing").done == []
    assert "written by a version before 0.2" in done.doit("why", "halve_b").out


EXTRA = CHAIN.replace(
    '@plan.step(reads=[HERE / "input"]',
    "def base_of(file):\n    return file.read_text()\n\n"
    '@plan.step(extra_inputs={"base": call(base_of, HERE / "base")}, reads=[HERE / "input"]',
)


@pytest.mark.parametrize(("now", "ran"), [("main", []), ("other", ["a"])])
def test_extra_inputs_of_the_first_format_are_compared_by_their_values(
    project: Project, now: str, ran: list[str]
) -> None:
    project.write("base", "main")
    project.declare(EXTRA)
    project.doit()
    project.ran()
    of_the_first_format(receipt_of(project, "copy_a"))
    project.write("base", now)
    assert project.doit().status == 0
    assert project.ran() == ran


def test_a_receipt_of_the_first_format_without_a_call_is_not_one_with_a_call(done: Project) -> None:
    path = receipt_of(done, "copy_a")
    of_the_first_format(path)
    found = Receipt.read(path)
    assert found is not None
    inputs = {name: each for name, each in found.inputs.items() if name != "call"}
    path.write_bytes(replace(found, inputs=inputs).to_bytes())
    assert done.doit("copy_a").done == ["copy_a"]
