"""Gates before an act: which of their receipts count, and which gates judge again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.gate_evidence import doubt
from doit_receipts.receipt import Receipt
from tests.engine.test_acting import PUBLIC, WORLD, world
from tests.engine.test_killing import KILLER
from tests.warm_doit import python

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.engine.conftest import Project

FORGER: Final = Path(__file__).parents[1] / "forger.py"


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ((), "the journal does not tell of it"),
        ({"1f"}, ""),
        ({"2e", "1f"}, ""),
        ({""}, ""),
        ({"2e"}, "its receipt is none that the journal names"),
        ({"", "2e"}, "its receipt is none that the journal names"),
    ],
)
def test_a_receipt_counts_that_the_journal_names_or_one_of_before_it_named_any(
    left: Collection[str], why: str
) -> None:
    assert doubt("1f", left) == why


GATED: Final = PUBLIC.replace(
    "@plan.step(effect=Effect.PUBLIC, after=[task_copy_a]",
    '''def judge(path):
    ran("judge")
    if path.read_text() == "bad":
        return [Finding("thing.bad", Severity.BLOCK, "the thing is bad", "a", "mend it")]
    return []

@plan.gate(after=[task_copy_a], reads=[at.src / "a"])
def check_thing():
    """Stop unless the thing is good."""
    return call(judge, at.src / "a")

@plan.step(effect=Effect.PUBLIC, after=[check_thing]''',
)


def test_a_gate_whose_receipt_no_run_left_judges_again_before_the_act(project: Project) -> None:
    """The receipt that somebody wrote has a true seal, and the inputs of what is there now."""
    project.declare(GATED)
    project.write("input", "good")
    assert project.doit("check_thing").status == 0
    path = project.work / "receipts" / "check_thing.json"
    before = Receipt.read(path)
    assert before is not None
    project.write("input", "bad")
    ended = project.doit()
    assert ended.status == 1
    made = Receipt.read(project.work / "receipts" / "copy_a.json")
    assert made is not None
    bad = {"after copy_a": made.result, "file src/a": hashlib.sha256(b"bad").hexdigest()}
    replace(before, inputs={**before.inputs, **bad}).write(path)
    project.ran()
    ended = project.doit()
    assert ended.status == 1
    assert "thing.bad: a: the thing is bad" in ended.out
    assert world(project) == ""
    assert project.ran() == ["judge"]
    project.write("input", "good")
    assert project.doit().status == 0
    assert world(project) == "thing"


def test_a_gate_whose_receipt_is_on_record_does_not_judge_again(project: Project) -> None:
    project.declare(GATED.replace("Effect.PUBLIC", "Effect.SHARED"))
    project.write("input", "good")
    assert project.doit("check_thing").status == 0
    assert project.doit().status == 0
    assert project.ran().count("judge") == 1


def test_a_kill_at_any_write_of_a_gate_that_passed_judges_it_once(project: Project) -> None:
    """What tells that a run judged is on the disk before the receipt is."""
    project.declare(GATED.replace("Effect.PUBLIC", "Effect.SHARED"))
    project.write("input", "good")
    assert project.doit("copy_a").status == 0
    build, begun = project.folder / "build", project.folder / "begun"
    shutil.copytree(build, begun)

    def killed(*options: str) -> int:
        words = (*options, "run", "check_thing")
        return python(KILLER, *words, folder=project.folder, env=os.environ).status

    assert killed("--report=instants") == 0
    seen = (project.folder / "instants").read_text().splitlines()
    of_gate = [each for each in seen if "check_thing.json" in each or "journal.jsonl" in each]
    assert any("fsync" in each and "journal.jsonl" in each for each in of_gate), of_gate
    receipt = project.work / "receipts" / "check_thing.json"
    for fatal in of_gate:
        shutil.rmtree(build)
        shutil.copytree(begun, build)
        (project.folder / "world").unlink(missing_ok=True)
        assert killed(f"--at={fatal}") == -9, fatal
        is_there = receipt.exists()
        project.ran()
        assert project.doit().status == 0, fatal
        assert (project.ran().count("judge"), world(project)) == (not is_there, "thing"), fatal


PASSED: Final = """
def judge_world():
    ran("judge")
    if (HERE / "mood").read_text() == "moved":
        return [Finding("base.moved", Severity.BLOCK, "it moved", "base", "begin anew")]
    return []

@plan.gate(volatile=True)
def check_base():
    \"\"\"Stop if the base moved.\"\"\"
    return call(judge_world)

@plan.step(after=[check_base], reads=[HERE / "input"], writes=[at.src / "b"])
def make_b():
    \"\"\"Make b.\"\"\"
    return call(copy, HERE / "input", at.src / "b")
""" + PUBLIC.replace("after=[task_copy_a]", "after=[task_copy_a, make_b]")


@pytest.fixture
def passed(project: Project) -> Project:
    """A release whose base was judged, and used, before it moved."""
    project.declare(PASSED)
    project.write("mood", "")
    for name in ("make_b", "copy_a"):
        assert project.doit(name).status == 0
    project.write("mood", "moved")
    assert project.ran().count("judge") == 1
    return project


def test_a_gate_that_served_is_not_judged_for_a_journal_that_is_gone(passed: Project) -> None:
    (passed.work / "journal.jsonl").unlink()
    ended = passed.doit()
    assert ended.status == 0, ended
    assert (passed.ran().count("judge"), world(passed)) == (0, "thing")
    log = (passed.work / "logs" / "put_thing.log").read_text()
    assert "check_base: the journal does not tell of it, and what it guards is done" in log


def test_a_gate_of_which_a_whole_journal_tells_nothing_judges_again(passed: Project) -> None:
    """Its receipt was written by somebody else, and what it guards was done after that."""
    journal = passed.work / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"check_base"' not in line))
    ended = passed.doit()
    assert (ended.status, "base.moved" in ended.out) == (1, True), ended
    assert world(passed) == ""
    passed.write("mood", "")
    assert passed.doit().status == 0


def test_a_gate_whose_receipt_is_not_the_one_on_record_judges_again(passed: Project) -> None:
    journal = passed.work / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if line.get("task") == "check_base":
            line["receipt"] = "0" * 64
    kept = [line for line in lines if line.get("task") == "check_base"]
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in kept))
    ended = passed.doit()
    assert (ended.status, "base.moved" in ended.out) == (1, True), ended
    assert world(passed) == ""


def test_gates_of_what_users_have_seen_are_left_as_they_are(project: Project) -> None:
    """They could stop nothing any more, and the world went on."""
    more = GATED.replace(
        "@plan.group(of=[task_put_thing])",
        '''@plan.step(effect=Effect.SHARED, after=[task_put_thing], look=look)
def task_tell_thing():
    """Tell."""
    return call(put, "thing")

@plan.group(of=[task_tell_thing])''',
    )
    project.declare(more)
    project.write("input", "good")
    assert project.doit("put_thing").status == 0
    (project.work / "journal.jsonl").unlink()
    assert project.doit().status == 0
    assert project.ran().count("judge") == 1


def forge(project: Project, *names: str) -> None:
    """Each task has the receipt, and the line of the journal, that a run would have left."""
    ended = python(FORGER, *names, folder=project.folder, env=os.environ)
    assert ended.status == 0, ended


SIGNED: Final = GATED.replace(
    "@plan.group(of=[task_put_thing])",
    '''@plan.step(after=[check_thing], reads=[at.src / "a"], writes=[at.src / "s"], signs=True)
def sign_thing():
    """Sign."""
    return call(copy, at.src / "a", at.src / "s")

@plan.group(of=[task_put_thing, sign_thing])''',
)


@pytest.mark.parametrize("final", ["put_thing", "sign_thing"])
def test_a_gate_that_somebody_wrote_into_journal_and_receipts_judges_before_what_is_final(
    project: Project, final: str
) -> None:
    project.declare(SIGNED)
    project.write("input", "bad")
    assert project.doit("copy_a").status == 0
    forge(project, "check_thing")
    project.ran()
    ended = project.doit(final)
    assert (ended.status, "thing.bad: a: the thing is bad" in ended.out) == (1, True), ended
    assert (world(project), project.ran()) == ("", ["judge"])
    assert not (project.work / "src" / "s").exists()
    project.write("input", "good")
    assert project.doit().status == 0


SIGNING: Final = SIGNED.replace(
    'return call(copy, at.src / "a", at.src / "s")',
    'return call(sign, at.src / "a", at.src / "s")',
).replace(
    "@plan.gate(",
    '''from doit_receipts.judged import refuse_unjudged

def sign(source, target):
    """Sign what is there; by the mood somebody swaps it at that moment, and puts it back after."""
    good, mood = source.read_bytes(), HERE / "mood"
    swapped = mood.exists() and mood.read_text() == "swap"
    content = b"evil" if swapped else good
    refuse_unjudged(source, content)
    write_whole(target, content)
    return {}

@plan.gate(''',
)


def test_what_is_swapped_at_the_moment_of_signing_and_put_back_is_not_signed(
    project: Project,
) -> None:
    """Nothing that is looked at before and after the step tells of it."""
    project.declare(SIGNING)
    project.write("input", "good")
    project.write("mood", "swap")
    ended = project.doit("sign_thing")
    evil, good = (hashlib.sha256(each).hexdigest()[:16] for each in (b"evil", b"good"))
    said = f"a: is not as it was judged in this run: sha256 is {evil}…, judged was {good}…"
    assert (ended.status, said in " ".join(ended.out.split())) == (1, True), ended
    assert not (project.work / "src" / "s").exists()
    # The remedy: what wrote there is found, and writes no more.
    project.write("mood", "")
    assert project.doit("sign_thing").status == 0
    assert (project.work / "src" / "s").read_bytes() == b"good"


def test_a_gate_judges_once_in_the_run_that_acts(project: Project) -> None:
    """What processes of one run judged needs no second look by another of them."""
    project.declare(SIGNED)
    project.write("input", "good")
    assert project.doit("-n", "3").status == 0
    assert project.ran().count("judge") == 1


def test_a_gate_is_judged_by_each_run_that_acts_until_users_see_something(project: Project) -> None:
    project.declare(SIGNED)
    project.write("input", "good")
    for name, judged in (("check_thing", 1), ("sign_thing", 1), ("put_thing", 1), ("", 0)):
        project.ran()
        assert project.doit(*filter(None, [name])).status == 0
        assert project.ran().count("judge") == judged, name


def test_what_was_signed_without_its_gates_is_judged_before_users_see_it(project: Project) -> None:
    """A login may end before all gates have judged, and nobody sees the signature until then."""
    signs = SIGNED.replace(", signs=True", "").replace(
        "effect=Effect.PUBLIC, after=[check_thing]", "effect=Effect.PUBLIC, after=[sign_thing]"
    )
    put, sign = signs.index("@plan.step(effect=Effect.PUBLIC"), signs.index("def sign_thing")
    sign = signs.rindex("@plan.step", 0, sign)
    group = signs.index("@plan.group")
    project.declare(signs[:put] + signs[sign:group] + signs[put:sign] + signs[group:])
    project.write("input", "bad")
    assert project.doit("copy_a").status == 0
    forge(project, "check_thing")
    assert project.doit("sign_thing").status == 0
    project.ran()
    ended = project.doit()
    assert (ended.status, "thing.bad: a: the thing is bad" in ended.out) == (1, True), ended
    assert (world(project), project.ran()) == ("", ["judge"])


def test_gates_of_one_file_read_it_once_before_what_is_final(project: Project) -> None:
    """Archives of many megabytes are judged by several gates, and signed behind all of them."""
    reading = """
import sys

def hear(event, arguments):
    if event == "open" and str(arguments[0]).endswith("/src/a") and arguments[1] is None:
        ran("read")

sys.addaudithook(hear)
"""
    gate = SIGNED[SIGNED.index("@plan.gate") : SIGNED.index("@plan.step(effect=Effect.PUBLIC")]
    more = "".join(gate.replace("check_thing", f"check_{each}") for each in ("b", "c"))
    text = SIGNED.replace(gate, gate + more).replace(
        "@plan.step(after=[check_thing]", "@plan.step(after=[check_thing, check_b, check_c]"
    )
    made = 'call(copy, at.src / "a", at.src / "s")', 'call(copy, HERE / "input", at.src / "s")'
    own = 'reads=[at.src / "a"], writes=', "writes="  # it reads for itself once more
    project.declare(reading + text.replace(*made).replace(*own))
    project.write("input", "good")
    assert project.doit("copy_a").status == 0
    time.sleep(0.1)  # a digest is kept of a file that has not just changed
    project.ran()
    assert project.doit("check_thing", "check_b", "check_c", "sign_thing").status == 0
    log = project.ran()
    last = len(log) - log[::-1].index("judge")
    assert log.count("judge") == 3
    assert log[last:].count("read") == 1, log


def test_a_gate_of_what_users_see_stops_no_act_in_another_run(project: Project) -> None:
    """It passed; what others change afterwards, or an answer of 503, is nothing of the release."""
    judge = GATED[GATED.index("def judge") : GATED.index("@plan.gate")]
    tasks = [
        f"""
@plan.public(after=[{after}], look=never_seen)
def mail_{name}():
    \"\"\"Mail it.\"\"\"
    return call(put, "{name}")
"""
        for name, after in (("a", "task_copy_a"), ("b", "check_site"), ("c", "check_site"))
    ]
    gate = """
@plan.gate(after=[mail_a], of_published=True)
def check_site():
    \"\"\"Stop unless the site shows it.\"\"\"
    return call(judge, HERE / "site")
"""
    end = GATED[GATED.index("@plan.group") :].replace("task_put_thing", "mail_b, mail_c")
    project.declare(WORLD + judge + tasks[0] + gate + tasks[1] + tasks[2] + end)
    project.write("input", "good")
    project.write("site", "bad")
    early = project.doit("mail_b")
    assert (early.status, world(project)) == (1, "a"), early
    project.write("site", "good")
    assert project.doit("mail_b").status == 0
    project.write("site", "bad")
    ended = project.doit("mail_c")
    assert (ended.status, world(project)) == (0, "abc"), ended
    (project.work / "receipts" / "check_site.json").unlink()
    (project.work / "receipts" / "mail_c.json").unlink()
    assert project.doit("mail_c").status == 1
