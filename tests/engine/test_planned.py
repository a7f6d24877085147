"""`doit plan`: what the next run would do outside, with nothing sent and nothing changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.lock import holding
from doit_receipts.outside import Act, heard_by, is_held, leaves
from doit_receipts.planned import Foreseen
from tests.json_schemas import described, schema_of

if TYPE_CHECKING:
    from tests.engine.conftest import Project

WORLD = """
from doit_receipts.outside import Act, Unanswered, leaves
from doit_receipts.probe import absent, different, identical, unseen


def put(name, place, text):
    ran(name)
    if leaves(Act.sending("file", f"write {place.name}", text.encode())):
        place.write_text(text)
    return {}


def put_twice(name, place, text):
    put(name, place, text)
    if not place.exists():
        put(name, place, text)
    return {}


def note_first(name, place, text):
    (at.src / "note").write_text("begun")
    return put(name, place, text)


def scratch_first(name, place, text):
    write_whole(release.work / "kept", b"not by a plan")
    return put(name, place, text)


def ask_first(name, place, text):
    put(name, place, text)
    raise Unanswered


def ask_person(name, place, text):
    raise Waiting(who="RM", problem="no login", remedy="do it by hand")


def stumble(name, place, text):
    raise StepFailed(where="there", problem="is closed", remedy="open it")


def look(place, text):
    if not place.exists():
        return absent()
    found = place.read_text()
    return identical({}) if found == text else different("other text", "mend it", (found,))


def look_for_person(place, text):
    awaited = absent("no login", who="RM", remedy="do it by hand")
    return look(place, text) if place.exists() else awaited


def look_never(text):
    return unseen({}, "ask them")


@plan.shared(look=look)
def push_one():
    \"\"\"Write one.\"\"\"
    return call(DOES, "push_one", HERE / "one", text="1")

@plan.step(after=[push_one], reads=[HERE / "input"], writes=[at.src / "a"])
def copy_a():
    \"\"\"Copy the input to a.\"\"\"
    return call(copy, HERE / "input", at.src / "a")

@plan.public(look=look, after=[copy_a])
def push_two():
    \"\"\"Write two.\"\"\"
    return call(put, "push_two", HERE / "two", text="2")

@plan.approval(who="RM", of=[push_two])
def approve_it():
    \"\"\"It is good.\"\"\"

@plan.public(look=look_never, after=[approve_it])
def mail_three():
    \"\"\"Write three.\"\"\"
    return call(put, "mail_three", HERE / "three", text="3")

@plan.group(of=[mail_three])
def export():
    \"\"\"Everything.\"\"\"
"""


DOUBTED = (
    WORLD.partition("@plan.shared")[0]
    + """
@plan.public(look=look_never)
def mail_it():
    \"\"\"Write it.\"\"\"
    return call(stumble, "mail_it", HERE / "one", text="1")

@plan.group(of=[mail_it])
def export():
    \"\"\"Everything.\"\"\"
"""
)


UNDONE = (
    WORLD.partition("@plan.shared")[0]
    + """
class Host:
    resource = "host"

    def __repr__(self):
        return "the host"


class Texts(Host):
    resource = "texts"
    only_read = True


def reserve(host, texts, place):
    return put("reserve", place, "mine")


def lift(host, place):
    ran("lift")
    if leaves(Act("request", "DELETE one")):
        place.unlink()
    return {}


def look_reserved(place):
    return look(place, "mine")


def look_lifted(place):
    return absent() if place.exists() else identical({})


@plan.shared(look=look_reserved)
def reserve_it():
    \"\"\"Reserve it.\"\"\"
    return call(reserve, Host(), Texts(), HERE / "one")

@plan.shared(look=look_lifted, after=[reserve_it])
def lift_it():
    \"\"\"Lift it.\"\"\"
    return call(lift, Host(), HERE / "one")

def put_two(texts, place, text):
    return put("push_two", place, text)

@plan.shared(look=look, after=[reserve_it])
def push_two():
    \"\"\"Write two.\"\"\"
    return call(put_two, Texts(), HERE / "two", text="2")

@plan.group(of=[lift_it, push_two])
def export():
    \"\"\"Everything.\"\"\"
"""
)


def world(project: Project, does: str = "put") -> Project:
    project.declare(WORLD.replace("DOES", does))
    return project


def planned(project: Project, *words: str) -> dict[str, Any]:
    ended = project.doit("plan", "--json", *words)
    assert ended.status == 0, ended
    return {each["name"]: each for each in described("plan", ended.out)["tasks"]}


def test_each_act_is_shown_and_none_is_done(project: Project) -> None:
    found = planned(world(project))
    assert [(each, found[each]["foreseen"]) for each in found] == [
        ("push_one", "now"), ("push_two", "behind"), ("approve_it", "waits"),
        ("mail_three", "later"),
    ]  # fmt: skip
    (act,) = found["push_one"]["acts"]
    assert (act["what"], act["size_bytes"], act["sha256"][:8]) == ("write one", 1, "6b86b273")
    assert found["mail_three"]["acts"][0]["what"] == "write three"
    assert not any((project.folder / name).exists() for name in ("one", "two", "three"))
    assert not (project.work / "receipts").exists()
    assert not (project.work / "journal.jsonl").exists()


def test_what_a_run_then_does_is_in_its_log_as_the_plan_said(project: Project) -> None:
    (act,) = planned(world(project))["push_one"]["acts"]
    project.doit("push_one")
    line = f"outside: {act['what']}, 1 bytes, sha256 {act['sha256']}\n"
    assert (project.work / "logs" / "push_one.log").read_text() == line
    assert "push_one" not in planned(project)


def test_what_others_are_at_is_shown_since_when_and_with_its_address(project: Project) -> None:
    """Such as documentation that another machine builds: a step of this machine that waits."""
    address = "https://example.org/runs/1"
    project.declare(f"""
from doit_receipts.errors import Waiting


def ask():
    raise Waiting(who="GitHub", problem="the docs are queued", remedy="watch {address}")

@plan.step()
def fetch_docs():
    \"\"\"Fetch them.\"\"\"
    return call(ask)

@plan.group(of=[fetch_docs])
def export():
    \"\"\"Everything.\"\"\"
""")
    assert "fetch_docs" not in planned(project)
    assert project.doit("fetch_docs").status == 4
    found = planned(project)["fetch_docs"]
    assert found["foreseen"] == "awaited"
    said = rf"GitHub since \d\d:\d\d UTC: the docs are queued; watch {address}"
    assert re.fullmatch(said, found["why"])
    assert re.search(rf"^fetch_docs waits for {said}$", project.doit("plan").out, re.MULTILINE)


def test_what_is_there_already_is_not_sent(project: Project) -> None:
    world(project).write("one", "1")
    assert planned(project)["push_one"]["foreseen"] == "there"
    assert "push_one is there already: nothing is sent" in project.doit("plan").out


def test_what_is_there_may_be_undone_by_an_act_on_the_same_thing_before_it(
    project: Project,
) -> None:
    """No reservation has to be lifted before one is made, and there is one by then."""
    project.declare(UNDONE)
    project.write("two", "2")
    found = planned(project)
    assert found["lift_it"]["foreseen"] == "behind"
    assert (found["lift_it"]["acts"], found["lift_it"]["complete"]) == ([], False)
    assert found["push_two"]["complete"], "what is only read by both stays as it is"
    assert "not known before that" in project.doit("plan").out
    assert project.doit().status == 0
    assert not (project.folder / "one").exists()


def test_what_is_there_and_other_stops_it(project: Project) -> None:
    world(project).write("one", "other")
    found = planned(project)
    assert found["push_one"]["foreseen"] == "stops"
    assert "something else exists there: other text; mend it" in found["push_one"]["why"]
    assert found["push_two"]["foreseen"] == "later"


def test_an_act_that_fails_before_anything_left_stops_it(project: Project) -> None:
    found = planned(world(project, "stumble"))["push_one"]
    assert (found["foreseen"], found["why"]) == ("stops", "there: is closed; open it")


def by_hand(project: Project, task: str) -> Project:
    """This task of the world waits for a person, as its look finds."""
    before, at, after = WORLD.partition(f"def {task}():")
    head, look, rest = before.rpartition("look=look")
    project.declare((head + "look=look_for_person" + rest + at + after).replace("DOES", "put"))
    assert look
    return project


def test_what_a_person_does_is_waited_for_by_the_plan_as_by_the_run(project: Project) -> None:
    step = planned(by_hand(project, "push_one"))["push_one"]
    assert (step["foreseen"], step["who"]) == ("waits", "RM")
    assert (step["why"], step["acts"]) == ("no login; do it by hand", [])
    assert "push_one waits for RM: no login; do it by hand\n" in project.doit("plan").out
    assert planned(project)["push_two"]["foreseen"] == "later"
    ended = project.doit("push_one")
    assert ended.status == 4
    assert "no login; do it by hand" in ended.said


def test_what_a_person_does_behind_another_task_is_asked_for_then(project: Project) -> None:
    """Such as a post by hand, which nobody may write before everything is public."""
    found = planned(by_hand(project, "push_two"))
    assert found["push_one"]["foreseen"] == "now"
    step = found["push_two"]
    assert (step["foreseen"], step["who"], step["why"]) == ("behind", "RM", "after copy_a")
    said = project.doit("plan").out
    assert "push_two (PUBLIC, after copy_a): Write two.\n  asks RM then\n" in said
    assert "push_two waits" not in said
    assert "do it by hand" not in said
    assert "not known before that" not in said
    assert "1 more task acts outside behind that" in said
    assert found["mail_three"]["foreseen"] == "later"


def test_what_a_person_does_later_is_no_act_of_the_run(project: Project) -> None:
    project.declare(WORLD.replace("DOES", "put").replace('put, "mail_three"', 'ask_person, "it"'))
    step = planned(project)["mail_three"]
    assert (step["foreseen"], step["who"], step["why"]) == ("later", "RM", "after approve_it")
    assert "outside behind that" not in project.doit("plan").out
    said = project.doit("plan", "--all").out
    assert "mail_three (PUBLIC, after approve_it): Write three.\n  asks RM then\n" in said


def test_what_the_act_asks_of_a_person_is_waited_for(project: Project) -> None:
    found = planned(world(project, "ask_person"))["push_one"]
    assert (found["foreseen"], found["who"]) == ("waits", "RM")
    assert found["why"] == "no login; do it by hand"
    project.declare(WORLD.replace("DOES", "put").replace('put, "push_two"', 'ask_person, "it"'))
    found = planned(project)["push_two"]
    assert (found["foreseen"], found["who"]) == ("behind", "RM")


HOLD: Final = "from datetime import datetime\nplan.hold(datetime.fromisoformat('{}'))\n"
ALARM: Final = """

def is_open(door):
    return "the door is open; doit publish closes it" if door.exists() else ""


def close(door):
    if door.read_text() == "stuck":
        raise StepFailed(where="door", problem="is stuck", remedy="push it")
    if leaves(Act("http", "close the door")):
        door.unlink()
    return {}


def look_closed(door):
    return absent("the door is open") if door.exists() else identical({})


plan.alarm(call(is_open, HERE / "door"), call(close, HERE / "door"))

@plan.shared(look=look_closed)
def close_door():
    \"\"\"The door is closed.\"\"\"
    return call(close, HERE / "door")
"""


def alarmed(project: Project, door: str, more: str = "") -> tuple[list[Any], dict[str, Any]]:
    """What is put right first, and each task of the plan, while the door is open so."""
    project.declare(WORLD.replace("DOES", "put") + ALARM + more)
    project.write("door", door)
    found = described("plan", project.doit("plan", "--json").out)
    return found["mends"], {each["name"]: each for each in found["tasks"]}


def test_what_the_next_run_repairs_first_is_shown_first(project: Project) -> None:
    (mend,), found = alarmed(project, "")
    assert (mend["stops"], mend["complete"]) == ("", True)
    assert [act["what"] for act in mend["acts"]] == ["close the door"]
    assert (project.folder / "door").exists()
    assert (found["close_door"]["foreseen"], found["close_door"]["acts"]) == ("there", [])
    assert found["push_one"]["foreseen"] == "now"
    said = project.doit("plan").out
    first = "The next run first repairs what an earlier run left:\n\nthe door is open; doit publish"
    assert said.index(first) < said.index("  close the door\n") < said.index("The next run does")
    assert project.doit("run", "close_door").err.startswith("repaired first, left by an earlier")
    assert described("plan", project.doit("plan", "--json").out)["mends"] == []


def test_what_a_run_that_is_at_work_has_open_was_left_by_nobody(project: Project) -> None:
    with holding(project.work / "lock"):
        first, found = alarmed(project, "")
        assert first == []
        assert found["push_one"]["foreseen"] == "now"
        assert described("plan", project.doit("plan", "--json").out)["run_is_at_work"]
        said = project.doit("plan").out
        assert "\na run is at work: this plan is of the next run, as if" in said
        assert "repairs" not in said
    said = project.doit("plan").out
    assert "The next run first repairs" in said
    assert "is at work" not in said
    assert not described("plan", project.doit("plan", "--json").out)["run_is_at_work"]


def test_where_it_cannot_be_repaired_the_plan_does_nothing_else(project: Project) -> None:
    (mend,), found = alarmed(project, "stuck")
    assert (mend["stops"], mend["acts"]) == ("door: is stuck; push it", [])
    assert found["push_one"]["foreseen"] == "later"
    said = project.doit("plan").out
    assert "  stops there, and does nothing else: door: is stuck; push it" in said
    assert "The next run does" not in said
    assert project.doit("run").err.startswith("door: is stuck; push it\n")


def test_where_it_cannot_be_repaired_nothing_else_stops_or_waits(project: Project) -> None:
    """But for people: what they say is taken at any time."""
    project.write("one", "other")
    found = alarmed(project, "stuck")[1]
    assert {found[name]["foreseen"] for name in found if name != "approve_it"} == {"later"}
    assert (found["push_one"]["why"], found["push_one"]["complete"]) == ("", False)
    assert found["approve_it"]["foreseen"] == "waits"
    said = project.doit("plan").out
    assert "push_one" not in said
    (project.folder / "one").unlink()
    found = alarmed(project, "stuck", HOLD.format("2999-12-08T16:00:00+00:00"))[1]
    assert {found[name]["foreseen"] for name in found if name != "approve_it"} == {"later"}
    assert not any(found[name]["who"] for name in found if name != "approve_it")
    assert "the hour" not in project.doit("plan").out


ASKED: Final = """
def ask(name, kept):
    if leaves(Act.sending("host", f"run it on {name}", b"action")):
        write_whole(kept, b"answer")
    return {}

@plan.step(asks_others=True, writes=[at.src / "one"])
def ask_one():
    \"\"\"Ask a machine.\"\"\"
    return call(ask, "one", at.src / "one")

@plan.step(asks_others=True, after=[copy_it], writes=[at.src / "two"])
def ask_two():
    \"\"\"Ask another one.\"\"\"
    return call(ask, "two", at.src / "two")

@plan.group(of=[ask_one, ask_two])
def export():
    \"\"\"Everything.\"\"\"
"""
COPIED: Final = """
from doit_receipts.outside import Act, leaves

@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def copy_it():
    \"\"\"Copy the input to a.\"\"\"
    return call(copy, HERE / "input", at.src / "a")
"""


def test_what_other_machines_are_asked_is_shown_and_is_in_the_log_of_the_run(
    project: Project,
) -> None:
    project.declare(COPIED + ASKED)
    found = planned(project)
    assert [(each, found[each]["foreseen"], found[each]["why"]) for each in found] == [
        ("ask_one", "now", ""), ("ask_two", "behind", "after copy_it"),
    ]  # fmt: skip
    (act,) = found["ask_one"]["acts"]
    assert (act["kind"], act["what"], act["size_bytes"]) == ("host", "run it on one", 6)
    assert found["ask_two"]["acts"][0]["what"] == "run it on two"
    assert not (project.work / "src").exists()
    assert project.doit().status == 0
    log = (project.work / "logs" / "ask_one.log").read_text()
    assert log.startswith("outside: run it on one, 6 bytes, sha256 ")
    assert planned(project) == {}


def test_what_others_are_asked_behind_the_hour_waits_for_it_too(project: Project) -> None:
    """It looks at nothing and is not held itself; behind work of this machine it goes on."""
    copied = COPIED.replace('"a"', '"b"') + ASKED.replace("export", "asked")
    at_once = copied.replace("asks_others=True, w", "asks_others=True, after=[copy_it], w", 1)
    asked = at_once.replace(
        'after=[copy_it], writes=[at.src / "two', 'after=[push_one], writes=[at.src / "two'
    )
    project.declare(WORLD.replace("DOES", "put") + asked + HOLD.format("2999-12-08T16:00:00+00:00"))
    found = planned(project)
    assert (found["ask_two"]["foreseen"], found["ask_two"]["who"]) == ("waits", "the hour")
    assert found["ask_two"]["acts"][0]["what"] == "run it on two"
    assert (found["ask_one"]["foreseen"], found["ask_one"]["who"]) == ("behind", "")


HELD: Final = "nothing leaves this machine before 2999-12-08 16:00:00 UTC"


def at_the_hour(project: Project, hour: str, does: str = "put") -> Project:
    project.declare(WORLD.replace("DOES", does) + HOLD.format(hour))
    return project


def test_before_the_hour_the_plan_waits_for_it_as_the_run_does(project: Project) -> None:
    """Its acts are those of the first run after it, and the time is named once."""
    found = planned(at_the_hour(project, "2999-12-08T16:00:00+00:00"))
    for name in ("push_one", "push_two"):
        step = found[name]
        assert (step["foreseen"], step["who"], step["why"]) == ("waits", "the hour", HELD)
        assert [act["what"] for act in step["acts"]] == [f"write {name.removeprefix('push_')}"]
    assert (found["mail_three"]["foreseen"], found["mail_three"]["who"]) == ("later", "")
    said = project.doit("plan").out
    assert f"Waits for the hour: {HELD}. Then, as far as it is known now:" in said
    assert "push_one (SHARED): Write one.\n  write one, 1 bytes, sha256" in said
    assert "push_two (PUBLIC): Write two.\n  write two, 1 bytes, sha256" in said
    assert (said.count("16:00"), "The next run does" in said) == (1, False)
    ended = project.doit("push_one")
    assert (ended.status, HELD in ended.said) == (4, True)
    assert planned(at_the_hour(project, "2026-01-01T16:00:00+00:00"))["push_one"]["who"] == ""


def test_before_the_hour_what_is_behind_local_work_and_what_is_there_wait_too(
    project: Project,
) -> None:
    at_the_hour(project, "2999-12-08T16:00:00+00:00").write("one", "1")
    found = planned(project)
    assert [found[each]["who"] for each in ("push_one", "push_two")] == ["the hour"] * 2
    assert found["push_one"]["acts"] == []
    behind = WORLD.replace("DOES", "put").replace("@plan.step(after=[push_one], ", "@plan.step(")
    project.declare(behind + HOLD.format("2999-12-08T16:00:00+00:00"))
    assert planned(project)["push_two"]["who"] == "the hour"


def test_before_the_hour_what_a_person_does_after_it_is_left_to_them(project: Project) -> None:
    by_hand(project, "push_two")
    held = (project.folder / "dodo.py").read_text() + HOLD.format("2999-12-08T16:00:00+00:00")
    (project.folder / "dodo.py").write_text(held)
    found = planned(project)
    assert [found[each]["who"] for each in ("push_one", "push_two")] == ["the hour", "RM"]
    assert found["push_two"]["foreseen"] == "later"
    assert found["mail_three"]["foreseen"] == "later"


def test_what_would_stop_at_the_hour_is_told_before_it(project: Project) -> None:
    at_the_hour(project, "2999-12-08T16:00:00+00:00").write("one", "other")
    assert planned(project)["push_one"]["foreseen"] == "stops"


def test_what_an_earlier_run_left_in_doubt_waits_for_the_releaser(project: Project) -> None:
    project.declare(DOUBTED)
    assert project.doit("mail_it").status == 1
    found = planned(project)["mail_it"]
    assert (found["foreseen"], found["who"]) == ("waits", "RM")
    assert "an earlier run started it and left no receipt; ask them; if it was" in found["why"]


def test_an_act_that_does_the_same_again_has_told_all(project: Project) -> None:
    """It would go on as the world answers, and a plan cannot know that."""
    found = planned(world(project, "put_twice"))["push_one"]
    assert (len(found["acts"]), found["complete"]) == (1, False)
    assert "and what the answer asks for" in project.doit("plan").out


def test_an_act_that_needs_an_answer_is_shown_as_far_as_that(project: Project) -> None:
    found = planned(world(project, "ask_first"))["push_one"]
    assert (len(found["acts"]), found["complete"]) == (1, False)


def test_a_plan_writes_no_file_of_the_release(project: Project) -> None:
    world(project, "scratch_first")
    (act,) = planned(project)["push_one"]["acts"]
    assert act["what"] == "write one"
    assert not (project.work / "kept").exists()


def test_an_act_that_would_change_the_release_otherwise_is_ended_there(project: Project) -> None:
    (project.work / "src").mkdir(parents=True)
    found = planned(world(project, "note_first"))["push_one"]
    assert (found["acts"], found["complete"]) == ([], False)
    assert not list((project.work / "src").iterdir())


def test_the_text_for_people_has_each_part(project: Project) -> None:
    said = world(project).doit("plan").out
    assert "The next run does this outside; nothing was sent to find out:" in said
    assert "push_one (SHARED): Write one.\n  write one, 1 bytes, sha256 6b86b273" in said
    assert "push_two (PUBLIC, after copy_a): Write two." in said
    assert "approve_it waits for RM: doit approve approve_it" in said
    assert "1 more task acts outside behind that: doit plan --all" in said
    assert (
        "mail_three (PUBLIC, after approve_it): Write three." in project.doit("plan", "--all").out
    )


def test_only_what_some_tasks_need_is_planned(project: Project) -> None:
    assert list(planned(world(project), "push_two")) == ["push_one", "push_two"]
    ended = project.doit("plan", "push_too")
    assert (ended.status, ended.out) == (3, "")
    assert "'push_too' is not a task of this release" in ended.err


def test_an_act_is_let_go_where_nobody_listens_and_told_where_somebody_does() -> None:
    act, told = Act("push", "push it"), []

    def listen(each: Act) -> bool:
        told.append(each)
        return False

    assert leaves(act)
    with heard_by(listen, held=True):
        assert not leaves(act)
        assert is_held()
    assert leaves(act)
    assert not is_held()
    assert told == [act]


def test_what_an_act_tells_obeys_no_terminal() -> None:
    act = Act("mail", "to \x1b[31mred", ("a\x07line",))
    assert (act.what, act.lines) == ("to \\x1b[31mred", ("a\\x07line",))


def test_schema_has_each_word_for_what_is_foreseen() -> None:
    task = schema_of("plan")["definitions"]["task"]
    assert task["properties"]["foreseen"]["enum"] == [each.value for each in Foreseen]
