"""Acting on the world: once, after a look, and never blindly again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.receipt import Receipt
from tests.engine.test_killing import KILLER
from tests.warm_doit import python

if TYPE_CHECKING:
    from tests.engine.conftest import Project

FORGER: Final = Path(__file__).parents[1] / "forger.py"

WORLD: Final = '''
from doit_receipts.errors import LetThrough, NothingDone
from doit_receipts.probe import absent, different, identical, unknown, unseen

WORLD = HERE / "world"


def look(wanted):
    """The world is a file: one line for each time that something was put there."""
    ran("look")
    mood = (HERE / "mood").read_text() if (HERE / "mood").exists() else ""
    if mood == "dark":
        return unknown("the host answers 503", "ask its status page")
    if not WORLD.exists():
        return absent()
    stands = WORLD.read_text()
    if stands != wanted:
        return different("a file of other bytes", "see who put it", (f"there: {stands}", wanted))
    return identical({"stands": stands})


def put(wanted):
    ran("put")
    mood = (HERE / "mood").read_text() if (HERE / "mood").exists() else ""
    if mood == "refuse":
        raise NothingDone(service="host", action="put", problem="permission denied")
    if mood == "queue":
        raise LetThrough(who="a moderator", problem="it is in the queue", remedy="ask for it")
    with WORLD.open("a") as file:
        file.write("half" if mood == "half" else wanted)
    if mood == "die":
        (HERE / "mood").unlink()
        os.kill(os.getpid(), 9)
    return {}


def never_seen(wanted):
    return unseen({"id": wanted}, "ask the list whether it came")

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

'''
PROBED: Final = (
    WORLD
    + '''
@plan.step(effect=Effect.EFFECT, after=[task_copy_a], look=look)
def task_put_thing():
    """Put the thing where users see it."""
    return call(put, "thing")

@plan.group(of=[task_put_thing])
def task_export():
    """Everything."""
'''
)
MAILED: Final = (
    WORLD
    + '''
@plan.step(effect=Effect.PUBLIC, after=[task_copy_a], look=never_seen)
def task_put_thing():
    """Send the mail."""
    return call(put, "mail")

@plan.group(of=[task_put_thing])
def task_export():
    """Everything."""
'''
)
SHARED: Final = PROBED.replace("EFFECT", "SHARED", 1)
PUBLIC: Final = PROBED.replace("EFFECT", "PUBLIC", 1)


def world(project: Project) -> str:
    file = project.folder / "world"
    return file.read_text() if file.exists() else ""


def words(project: Project) -> list[str]:
    """What the journal says of the step, in order."""
    lines = (project.work / "journal.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    return [entry["event"] for entry in entries if entry.get("task") == "put_thing"]


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_what_is_not_there_is_put_and_read_back(project: Project, text: str) -> None:
    project.declare(text)
    assert project.doit().status == 0
    assert project.ran() == ["a", "look", "put", "look"]
    receipt = project.receipt("put_thing")
    assert receipt["facts"] == {"stands": "thing"}
    assert receipt["adopted"] is False
    assert words(project) == ["intent", "done"]
    assert project.doit().status == 0
    assert project.ran() == []


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_what_stands_there_as_wanted_is_adopted(project: Project, text: str) -> None:
    project.declare(text)
    project.write("world", "thing")
    assert project.doit().status == 0
    assert project.ran() == ["a", "look"]
    assert project.receipt("put_thing")["adopted"] is True
    assert words(project) == ["done"]


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_something_else_there_stops_and_shows_both_sides(project: Project, text: str) -> None:
    project.declare(text)
    project.write("world", "other")
    ended = project.doit()
    assert ended.status == 1
    assert "something else exists there: a file of other bytes; see who put it" in ended.out
    assert "there: other" in ended.out
    assert world(project) == "other"


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_something_else_there_is_adopted_where_the_step_says_that_it_may_be(
    project: Project, text: str
) -> None:
    may = '(f"there: {stands}", wanted), adopted={"stands": stands})'
    text = text.replace('(f"there: {stands}", wanted))', may)
    project.declare(text.replace('"see who put it"', '"see who put it, or run doit adopt"'))
    project.write("world", "other")
    assert project.doit("adopt", "put_thing").status == 1  # nobody has looked at it yet
    assert "or run doit adopt put_thing" in project.doit().out
    assert project.doit("adopt", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "other"
    receipt = project.receipt("put_thing")
    assert (receipt["facts"], receipt["adopted"]) == ({"stands": "other"}, True)
    assert project.doit("adopt", "put_thing").status == 1


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_something_else_there_is_not_adopted_where_no_step_says_so(
    project: Project, text: str
) -> None:
    project.declare(text)
    project.write("world", "other")
    project.doit()
    ended = project.doit("adopt", "put_thing")
    assert "there is nothing to decide about it" in ended.err
    assert project.doit().status == 1
    assert not (project.work / "receipts" / "put_thing.json").exists()


def test_a_look_that_tells_nothing_stops_before_the_act(project: Project) -> None:
    project.declare(PUBLIC)
    project.write("mood", "dark")
    ended = project.doit()
    assert ended.status == 1
    assert (
        "could not determine what is there: the host answers 503; ask its status page" in ended.out
    )
    assert world(project) == ""


def test_an_act_that_reads_back_otherwise_is_not_done(project: Project) -> None:
    project.declare(PUBLIC)
    project.write("mood", "half")
    ended = project.doit()
    assert ended.status == 1
    assert "was done, but verification failed" in ended.out
    assert not (project.work / "receipts" / "put_thing.json").exists()


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_a_run_killed_after_the_act_is_finished_and_counts_as_our_own(
    project: Project, text: str
) -> None:
    project.declare(text)
    project.write("mood", "die")
    assert project.doit().status == -signal.SIGKILL
    project.ran()
    assert project.doit().status == 0
    assert project.ran() == ["look"]
    assert world(project) == "thing"
    assert project.receipt("put_thing")["adopted"] is False


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_what_was_accepted_and_is_not_let_through_is_waited_for(
    project: Project, text: str
) -> None:
    """It is not done a second time, neither before it is let through nor after."""
    project.declare(text)
    project.write("mood", "queue")
    assert project.doit().status == 4
    project.write("mood", "")
    project.ran()
    for _ in range(2):
        ended = project.doit()
        assert ended.status == 4
        assert "a moderator: it is in the queue; ask for it" in ended.out
    project.write("input", "changed")
    assert project.doit().status == 4
    assert project.ran() == ["look", "look", "a", "look"]
    project.write("world", "thing")
    assert project.doit().status == 0
    assert project.receipt("put_thing")["adopted"] is False


def test_what_was_accepted_and_refused_after_all_is_done_again_on_a_persons_word(
    project: Project,
) -> None:
    project.declare(PUBLIC)
    project.write("mood", "queue")
    assert project.doit().status == 4
    project.write("mood", "")
    assert project.doit("retry", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "thing"


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
def test_word_that_it_was_done_is_not_answered_by_doing_it(project: Project, text: str) -> None:
    """What can be looked at and is not there is not there: the step stops, and does nothing."""
    project.declare(text)
    project.write("mood", "queue")
    project.doit()
    project.write("mood", "")
    assert project.doit("adopt", "put_thing").status == 0
    ended = project.doit()
    assert ended.status == 1
    assert "it was adopted as done, but is not there: not there yet" in ended.out
    assert world(project) == ""
    assert "doit retry put_thing" in ended.out
    assert project.doit("retry", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "thing"


def test_word_that_it_was_done_is_enough_where_the_step_says_so(project: Project) -> None:
    project.declare(PUBLIC.replace("absent()", 'absent(adopted={"stands": "by hand"})'))
    project.write("mood", "queue")
    project.doit()
    project.write("mood", "")
    assert project.doit("adopt", "put_thing").status == 0
    assert project.doit().status == 0
    receipt = project.receipt("put_thing")
    assert (receipt["facts"], receipt["adopted"]) == ({"stands": "by hand"}, True)
    assert world(project) == ""


def test_a_published_thing_that_is_gone_is_not_published_again(project: Project) -> None:
    project.declare(PUBLIC)
    project.doit()
    (project.folder / "world").unlink()
    project.declare(PUBLIC)
    receipt = project.work / "receipts" / "put_thing.json"
    kept = receipt.read_bytes()
    (project.work / "receipts" / "copy_a.json").unlink()
    assert project.doit().status == 0  # nothing behind an equal result runs again
    project.declare(PUBLIC.replace('call(put, "thing")', 'call(put, "thing" + "")'))
    assert project.doit().status == 0  # nor for other words that mean the same
    assert receipt.read_bytes() == kept
    assert world(project) == ""


def test_a_public_step_with_other_inputs_is_refused_until_a_person_adopts(
    project: Project,
) -> None:
    project.declare(PUBLIC)
    project.doit()
    project.write("input", "changed")
    ended = project.doit()
    assert ended.status == 1
    assert "done already, and users have seen it" in ended.out
    assert "doit adopt put_thing" in ended.out
    adopted = project.doit("adopt", "put_thing")
    assert adopted.status == 0, adopted.err
    project.ran()
    assert project.doit().status == 0
    assert project.ran() == ["look"]
    assert world(project) == "thing"
    assert project.receipt("put_thing")["adopted"] is True


def test_a_mail_is_sent_once(project: Project) -> None:
    project.declare(MAILED)
    assert project.doit().status == 0
    assert project.receipt("put_thing")["facts"] == {"id": "mail"}
    (project.work / "state.sqlite3").unlink()
    assert project.doit().status == 0
    assert world(project) == "mail"


def test_a_mail_that_may_have_gone_out_waits_for_a_person(project: Project) -> None:
    project.declare(MAILED)
    project.write("mood", "die")
    project.doit()
    for _ in range(2):
        ended = project.doit()
        assert ended.status == 4
        assert "an earlier run started it and left no receipt" in ended.out
        assert "ask the list whether it came" in ended.out
    assert "doit adopt put_thing" in project.doit("next").out
    assert world(project) == "mail"


def test_a_mail_that_a_person_saw_arrive_is_not_sent_again(project: Project) -> None:
    project.declare(MAILED)
    project.write("mood", "die")
    project.doit()
    assert project.doit("adopt", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "mail"
    assert project.receipt("put_thing")["adopted"] is True


def test_a_mail_that_a_person_missed_is_sent_again(project: Project) -> None:
    project.declare(MAILED)
    project.write("mood", "die")
    project.doit()
    assert project.doit("retry", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "mailmail"
    assert project.doit("retry", "put_thing").status == 1


def test_a_mail_that_was_refused_outright_is_tried_again(project: Project) -> None:
    project.declare(MAILED)
    project.write("mood", "refuse")
    assert project.doit().status == 1
    project.write("mood", "")
    assert project.doit().status == 0
    assert world(project) == "mail"
    assert words(project) == ["intent", "void", "failed", "intent", "done"]


def test_a_mail_is_not_sent_on_the_word_of_a_journal_that_is_gone(project: Project) -> None:
    project.declare(MAILED)
    assert project.doit("copy_a").status == 0
    (project.work / "journal.jsonl").unlink()
    ended = project.doit()
    assert ended.status == 4
    assert "the journal is incomplete" in ended.out
    assert world(project) == ""
    assert project.doit("retry", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "mail"


def cut(project: Project, *events: str) -> None:
    """The mail's receipt is gone, and these lines of it in the journal."""
    (project.work / "receipts" / "put_thing.json").unlink()
    journal = project.work / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    entries = [(line, json.loads(line)) for line in lines]
    kept = [
        line
        for line, entry in entries
        if entry.get("task") != "put_thing" or entry["event"] not in events
    ]
    journal.write_text("".join(kept))


@pytest.mark.parametrize("voided", [False, True])
def test_a_mail_is_not_sent_again_while_the_journal_says_that_it_was_done(
    project: Project, *, voided: bool
) -> None:
    project.declare(MAILED)
    assert project.doit().status == 0
    cut(project, "intent")
    if voided:
        with (project.work / "journal.jsonl").open("a") as file:
            file.write('{"event": "void", "task": "put_thing"}\n')
    ended = project.doit()
    assert ended.status == 4
    assert "the journal says that it was done, and its receipt is gone" in ended.out
    assert world(project) == "mail"
    assert project.doit("retry", "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == "mailmail"
    cut(project, "intent")
    assert project.doit().status == 4
    assert world(project) == "mailmail"


def test_nothing_follows_once_the_lock_file_was_deleted(project: Project) -> None:
    """Neither the receipt of the step that ran nor the mail behind it: somebody else may be in."""
    project.declare(
        MAILED.replace(
            "def never_seen(",
            "def copy(old, new):\n    new.parent.mkdir(exist_ok=True)\n    new.touch()\n"
            '    if (HERE / "mood").exists():\n        plan.folder.lock.unlink()\n    return {}\n\n'
            "def never_seen(",
        )
    )
    project.write("mood", "")
    ended = project.doit()
    assert ended.status == 1
    assert "it was deleted or replaced" in ended.out
    assert not (project.work / "receipts" / "copy_a.json").exists()
    assert world(project) == ""
    (project.folder / "mood").unlink()
    assert project.doit().status == 0
    assert world(project) == "mail"


def test_a_mail_is_not_sent_again_while_a_step_behind_it_has_its_receipt(project: Project) -> None:
    project.declare(
        MAILED.replace(
            "@plan.group(of=[task_put_thing])",
            '''@plan.step(after=[task_put_thing])
def task_note():
    """Note that it was sent."""
    return call(note, 1)

@plan.group(of=[task_note])''',
        ).replace("def look(", "def note(_number):\n    return {}\n\ndef look(", 1)
    )
    assert project.doit().status == 0
    cut(project, "intent", "done")
    ended = project.doit()
    assert ended.status == 4
    assert "note was done after it, and its own receipt is gone" in ended.out
    assert world(project) == "mail"


@pytest.mark.parametrize("word", ["adopt", "retry"])
def test_a_word_about_nothing_that_is_open_is_refused(project: Project, word: str) -> None:
    project.declare(PUBLIC)
    for name in ("put_thing", "copy_a"):
        if name == "copy_a":
            project.doit("copy_a")
        ended = project.doit(word, name)
        assert ended.status == 1
        assert "there is nothing to decide about it" in ended.err
    assert project.doit(word, "put_thin").status == 3
    assert project.doit(word).status == 3


def test_a_step_without_a_look_cannot_reach_out(project: Project) -> None:
    project.declare(PUBLIC.replace(", look=look", ""))
    ended = project.doit()
    assert ended.status != 0
    assert "put_thing is PUBLIC and has no look; give look= the function" in ended.err


def test_what_must_not_be_left_as_it_is_is_shouted_by_every_command(project: Project) -> None:
    project.declare(
        PUBLIC
        + """
def open_lease(path):
    return "the protection of 3.13 is lifted" if path.exists() else ""

plan.alarm(call(open_lease, HERE / "lease"))
"""
    )
    project.write("lease", "")
    told = "!!! the protection of 3.13 is lifted\n"
    for words in (("list",), ("list", "--status"), ("why", "copy_a"), ("next",), ("run",)):
        ended = project.doit(*words)
        assert (ended.status, ended.err) == (0, told), words
    assert told in project.doit("why", "nothing").err
    (project.folder / "lease").unlink()
    assert project.doit("list").err == ""


MENDED: Final = (
    PUBLIC
    + """
def open_lease(path):
    return "the protection of 3.13 is lifted" if path.exists() else ""

def close_lease(path):
    ran("close")
    if path.read_text() == "stuck":
        raise StepFailed(where="3.13", problem="IT IS STILL LIFTED", remedy="run again")
    path.unlink()
    return {}

from doit_receipts.errors import StepFailed
plan.alarm(call(open_lease, HERE / "lease"), call(close_lease, HERE / "lease"))
"""
)


def test_what_an_earlier_run_left_open_is_closed_before_anything_else(project: Project) -> None:
    project.declare(MENDED)
    project.write("lease", "")
    for words in (("list", "--status"), ("next",)):
        assert project.doit(*words).err == "!!! the protection of 3.13 is lifted\n"
    ended = project.doit("run")
    assert (ended.status, project.ran()[0]) == (0, "close")
    told = "repaired first, left by an earlier run: the protection of 3.13 is lifted\n"
    assert ended.err == told
    assert project.doit("run").err == ""


def test_nothing_is_done_while_what_was_left_open_cannot_be_closed(project: Project) -> None:
    project.declare(MENDED)
    project.write("lease", "stuck")
    ended = project.doit("run")
    assert (ended.status, project.ran(), world(project)) == (1, ["close"], "")
    assert ended.err.startswith("3.13: IT IS STILL LIFTED; run again\n")
    assert "!!! the protection of 3.13 is lifted" in ended.err


def test_next_tells_what_a_run_and_each_person_can_do(project: Project) -> None:
    project.declare(PUBLIC)
    assert "a run: doit export\n  copy_a" in project.doit("next").out
    project.doit()
    assert project.doit("next").out == "nothing: all tasks are done\n"
    assert project.doit("next", "copy_a").status == 3


def test_nothing_is_looked_at_or_done_outside_before_the_hour(project: Project) -> None:
    """What is local is done before; afterwards the same command goes on."""
    hour = "\nfrom datetime import datetime\nplan.hold(datetime.fromisoformat('{}'))\n"
    project.declare(PUBLIC + hour.format("2999-12-08T16:00:00+00:00"))
    ended = project.doit()
    assert ended.status == 4
    assert project.ran() == ["a"]
    assert "nothing leaves this machine before 2999-12-08 16:00:00 UTC" in ended.said
    assert world(project) == ""
    assert "intent" not in words(project)
    project.declare(PUBLIC + hour.format("2026-01-01T16:00:00+00:00"))
    assert project.doit().status == 0
    assert project.ran() == ["look", "put", "look"]


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
