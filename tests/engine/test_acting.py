"""Acting on the world: once, after a look, and never blindly again."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Project

WORLD: Final = '''
from doit_receipts.errors import LetThrough, NothingDone, NotYet, ServiceFailed
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
    if mood == "turned away":
        raise NotYet(who="host", problem="it is busy until 12:00", remedy="run it again then")
    if mood == "queue":
        raise LetThrough(who="a moderator", problem="it is in the queue", remedy="ask for it")
    with WORLD.open("a") as file:
        file.write("half" if mood == "half" else wanted)
    if mood == "lost":
        raise ServiceFailed(service="host", action="put", problem="timed out")
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


MAY_MISS: Final = 'absent("none is seen", adopted={"stands": "by hand"}, remedy="ask the queue")'
ASKED: Final = (
    "left no receipt; ask the queue; if it was done: doit adopt put_thing, if not: doit retry"
)


def miss(project: Project, text: str, mood: str) -> None:
    """An act whose answer was lost, and that no look may see."""
    project.declare(text.replace("absent()", MAY_MISS))
    project.write("mood", mood)
    ended = project.doit()
    assert ended.status == (1 if mood == "lost" else -signal.SIGKILL), ended.said
    (project.folder / "mood").unlink(missing_ok=True)
    (project.folder / "world").rename(project.folder / "queue")
    project.ran()


@pytest.mark.parametrize("text", [SHARED, PUBLIC])
@pytest.mark.parametrize("mood", ["lost", "die"])
def test_what_a_look_may_miss_is_not_done_again_after_a_lost_answer(
    project: Project, text: str, mood: str
) -> None:
    miss(project, text, mood)
    for _ in range(2):
        ended = project.doit()
        assert (ended.status, project.ran(), world(project)) == (4, ["look"], "")
        assert ASKED in ended.out
    project.write("input", "changed")
    assert (project.doit().status, world(project)) == (4, "")
    (project.folder / "queue").rename(project.folder / "world")
    assert project.doit().status == 0
    assert project.receipt("put_thing")["adopted"] is False


@pytest.mark.parametrize("word", ["adopt", "retry"])
def test_what_a_look_may_have_missed_is_decided_by_a_person(project: Project, word: str) -> None:
    miss(project, PUBLIC, "lost")
    assert project.doit().status == 4
    assert project.doit(word, "put_thing").status == 0
    assert project.doit().status == 0
    assert world(project) == ("" if word == "adopt" else "thing")


def test_word_about_other_inputs_does_not_do_again_what_a_look_may_miss(project: Project) -> None:
    """What was adopted is still there; what users get of it is asked of a person once more."""
    miss(project, PUBLIC, "lost")
    project.doit()
    assert project.doit("adopt", "put_thing").status == 0
    project.write("input", "changed")
    ended = project.doit()
    assert (ended.status, world(project)) == (4, "")
    assert ASKED in ended.out
    assert project.doit("adopt", "put_thing").status == 0
    assert project.doit().status == 0
    assert (project.receipt("put_thing")["adopted"], world(project)) == (True, "")


def test_what_a_look_may_miss_is_not_done_on_the_word_of_a_journal_that_is_gone(
    project: Project,
) -> None:
    miss(project, PUBLIC, "lost")
    (project.work / "journal.jsonl").unlink()
    ended = project.doit()
    assert (ended.status, world(project)) == (4, "")
    assert "the journal is incomplete" in ended.out


@pytest.mark.parametrize("mood", ["refuse", "turned away"])
def test_what_a_look_may_miss_and_was_refused_outright_is_tried_again(
    project: Project, mood: str
) -> None:
    project.declare(PUBLIC.replace("absent()", MAY_MISS))
    project.write("mood", mood)
    assert project.doit().status == (1 if mood == "refuse" else 4)
    (project.folder / "mood").unlink()
    ended = project.doit()
    assert "put" in project.ran()
    assert (ended.status, world(project)) == (0, "thing"), ended.said


def test_what_a_person_has_to_do_is_waited_for_and_not_begun(project: Project) -> None:
    words_ = 'absent("no key is here", who="you", remedy="do it by hand", adopted={"stands": "so"})'
    project.declare(PUBLIC.replace("absent()", words_))
    for _ in range(2):
        ended = project.doit()
        assert ended.status == 4
        assert "you: no key is here; do it by hand" in ended.out
    assert "put" not in project.ran()
    assert "intent" not in words(project)
    project.write("world", "thing")
    assert project.doit().status == 0
    assert project.receipt("put_thing")["adopted"] is True


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
