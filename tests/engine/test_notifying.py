"""Who wants to hear of a release hears of each stop, failure and alarm and of the end, once."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.conftest import CHAIN
from tests.engine.test_killing import KILLER
from tests.warm_doit import python

if TYPE_CHECKING:
    from tests.engine.conftest import Project

TOLD: Final = """
def tell(subject, text):
    with (HERE / "told").open("a") as file:
        file.write(subject + chr(10) + text)
    {then}

plan.context.notify = tell
"""
STEPS: Final = '''
@plan.step(reads=[HERE / "mood"])
def task_try_it():
    """Fail as the mood says."""
    return call(fail, HERE / "mood")

@plan.step(after=[task_try_it])
def task_send():
    """Send it."""
    return call(copy, HERE / "input", HERE / "sent")

@plan.group(of=[task_send])
def task_export():
    """Everything."""
'''
COUNTED: Final = """
def count(_source):
    raise Waiting(who="CI", problem=(HERE / "said").read_text(), remedy="run it again later")

"""


def declared(project: Project, then: str = "return ()") -> Project:
    project.declare(TOLD.format(then=then) + STEPS)
    return project


def told(project: Project) -> list[str]:
    """What was told since this was asked last."""
    file = project.folder / "told"
    if not file.exists():
        return []
    lines = file.read_text().splitlines()
    file.unlink()
    return lines


def test_each_stop_each_failure_and_the_end_are_told_once(project: Project) -> None:
    declared(project).write("mood", "wait")
    assert project.doit().status == 4
    assert told(project) == [
        "Thing 3.13.6: try_it waiting for windows",
        "try_it waiting for windows: 2 of 3 files are there; upload c.exe",
    ]
    assert project.doit().status == 4
    assert told(project) == []
    project.write("mood", "fail")
    assert project.doit().status == 1
    assert told(project) == [
        "Thing 3.13.6: try_it failed", "try_it failed: thing: broke; mend it",
    ]  # fmt: skip
    project.write("mood", "good")
    assert project.doit().status == 0
    assert told(project) == ["Thing 3.13.6: export done", "export: all 2 tasks are done"]
    assert project.doit().status == 0
    assert told(project) == []


def test_what_was_told_is_known_after_any_time_of_waiting(project: Project) -> None:
    declared(project).write("mood", "wait")
    assert project.doit().status == 4
    assert told(project)
    journal = project.work / "journal.jsonl"
    wait = {"event": "waiting", "task": "try_it", "said": "x" * 1000}
    with journal.open("a") as stream:
        stream.write((json.dumps(wait) + "\n") * 5000)
    assert project.doit().status == 4
    assert told(project) == []


def test_progress_of_what_is_waited_for_is_no_news(project: Project) -> None:
    """Whoever waits for three builds hears of it once, and not whenever one of them has ended."""
    counted = STEPS.replace("@plan.step(reads", COUNTED + "@plan.step(reads", 1)
    project.declare(TOLD.format(then="return ()") + counted.replace("call(fail,", "call(count,"))
    for mood, news in (("0 of 3 ended", 2), ("1 of 3 ended", 0), ("2 of 3 ended", 0), ("lost", 2)):
        project.write("mood", "same")
        project.write("said", mood)
        assert project.doit().status == 4
        assert len(told(project)) == news


def test_what_is_too_long_to_be_told_shows_that_it_goes_on(project: Project) -> None:
    counted = STEPS.replace("@plan.step(reads", COUNTED + "@plan.step(reads", 1)
    project.declare(TOLD.format(then="return ()") + counted.replace("call(fail,", "call(count,"))
    project.write("mood", "same")
    project.write("said", "long " * 100)
    assert project.doit().status == 4
    line = told(project)[-1]
    assert (len(line), line[-1]) == (300, "…")


def test_what_cannot_be_told_is_a_line_and_not_told_again(project: Project) -> None:
    declared(project, then='return ["the webhook hangs"]').write("mood", "good")
    ended = project.doit()
    assert (ended.status, ended.err) == (0, "the webhook hangs\n")
    again = project.doit()
    assert (again.status, again.err) == (0, "")
    assert len(told(project)) == 2


def test_the_end_of_a_wait_is_told_with_whom_it_was_for(project: Project) -> None:
    declared(project).write("mood", "wait")
    for _ in range(2):
        ended = project.doit("export", "--wait", "--wait-hours", "0.0001")
        assert ended.status == 4
        assert ended.err.splitlines()[-1].startswith("still waiting after 0 s; ")
        assert told(project)[-3:] == [
            "Thing 3.13.6: still waiting after 0 s",
            "still waiting after 0 s: nothing goes on by itself; run the same command again",
            "try_it waiting for windows: 2 of 3 files are there; upload c.exe",
        ]
    assert project.doit("export").status == 4
    assert told(project) == []


def test_it_is_in_the_journal_before_it_is_sent(project: Project) -> None:
    """A run that is killed while it sends may not have told it; it never tells it twice."""
    project.declare("RUN = os.getpid()\n" + TOLD.format(then="os.kill(RUN, 9)") + STEPS)
    project.write("mood", "wait")
    assert project.doit().status == -9
    assert len(told(project)) == 2
    declared(project).doit()
    assert told(project) == []
    assert '"event": "notified"' in (project.work / "journal.jsonl").read_text()


def test_nobody_is_told_before_the_hour_that_the_release_is_held_until(project: Project) -> None:
    hour = "\nfrom datetime import datetime\nplan.hold(datetime.fromisoformat('{}'))\n"
    then = "return ()"
    project.declare(TOLD.format(then=then) + hour.format("2999-12-08T16:00:00+00:00") + STEPS)
    project.write("mood", "wait")
    assert project.doit().status == 4
    assert told(project) == []
    project.declare(TOLD.format(then=then) + hour.format("2026-01-01T16:00:00+00:00") + STEPS)
    assert project.doit().status == 4
    assert told(project)[0] == "Thing 3.13.6: try_it waiting for windows"


def test_who_only_looks_tells_nobody(project: Project) -> None:
    declared(project).write("mood", "wait")
    for words in (("list", "--status"), ("next",), ("plan",), ("why", "send")):
        project.doit(*words)
    assert told(project) == []


def test_the_plan_says_that_it_leaves_out_what_people_will_be_told(project: Project) -> None:
    line = "notifications are left out: they say where the run stops, once it does\n"
    assert declared(project).doit("plan").out.endswith(line)
    project.declare(STEPS)
    assert line not in project.doit("plan").out


BUG: Final = "a bug in the tool or in dodo.py"
AT_ONCE: Final = """
def last_told():
    file = HERE / "told"
    return file.read_text() if file.exists() else ""

def wait_to_be_told(words):
    import time
    for _ in range(200):
        if words in last_told():
            return {"heard": words}
        time.sleep(0.05)
    raise StepFailed(where="nobody", problem="was told of " + words, remedy="see to it")

@plan.step(reads=[HERE / "mood"])
def task_try_it():
    return call(fail, HERE / "mood")

@plan.step()
def task_wait_for_it():
    return call(wait_to_be_told, "try_it")

@plan.group(of=[task_try_it, task_wait_for_it])
def task_export():
    pass
"""


@pytest.mark.parametrize("at_once", ["1", "2"])
@pytest.mark.parametrize(
    ("mood", "heard"),
    [
        ("fail", "try_it failed: thing: broke; mend it"),
        ("wait", "try_it waiting for windows: 2 of 3 files are there; upload c.exe"),
        ("bug", f"try_it stopped by {BUG}; the terminal of the run shows more"),
    ],
)
def test_a_stop_is_told_while_the_run_goes_on(
    mood: str, heard: str, at_once: str, project: Project
) -> None:
    """What another task waits for, which begins behind it or runs beside it."""
    project.declare(TOLD.format(then="return ()") + AT_ONCE)
    project.write("mood", mood)
    ended = project.doit("export", "-n", at_once)
    assert "+ wait_for_it" in ended.out
    assert told(project)[1:] == [heard]


SLOW: Final = """
import time
from doit_receipts.lock import is_worked_on

def wait_until(happened):
    for _ in range(1000):
        if happened():
            return
        time.sleep(0.05)
    raise StepFailed(where="nothing", problem="happened", remedy="see to it")

def fail_later(mood):
    wait_until((HERE / "told").exists)
    return fail(mood)

@plan.step(reads=[HERE / "mood"])
def task_try_a():
    return call(fail, HERE / "mood")

@plan.step(reads=[HERE / "mood"])
def task_try_b():
    return call(fail_later, HERE / "mood")

@plan.step(reads=[HERE / "mood"])
def task_try_c():
    return call(fail_later, HERE / "mood")
"""


def test_one_that_hangs_holds_up_no_task_and_the_rest_is_told_together(project: Project) -> None:
    """The first message is on its way until the run has ended all of its tasks."""
    hangs = "wait_until(lambda: not is_worked_on(plan.folder.lock))\n    return [subject]"
    project.declare(TOLD.format(then=hangs) + SLOW)
    project.write("mood", "fail")
    ended = project.doit("try_a", "try_b", "try_c")
    assert ended.status == 1
    assert ended.err == "Thing 3.13.6: try_a failed\nThing 3.13.6: try_b failed and 1 more\n"


def test_what_nobody_is_there_to_tell_is_told_by_the_next_run(project: Project) -> None:
    """It is in no journal, so it does not count as told; what was on its way does."""
    ends = 'os.kill(os.getppid(), 9)\n    (HERE / "gone").touch()\n    return ()'
    project.declare(TOLD.format(then=ends) + SLOW.replace('"told"', '"gone"'))
    project.write("mood", "fail")
    asked = ("try_a", "try_b")
    shows = "doit list --status shows what waits\n"
    assert project.doit(*asked).err == (
        f"nobody was notified: what notifies them was ended; {shows}"
        "Thing 3.13.6: try_a failed: it is not known who was notified: what notifies them was"
        f" ended; {shows}"
    )
    assert told(project) == ["Thing 3.13.6: try_a failed", "try_a failed: thing: broke; mend it"]
    project.declare(TOLD.format(then="return ()") + SLOW.replace('"told"', '"gone"'))
    assert project.doit(*asked).err == ""
    assert told(project) == ["Thing 3.13.6: try_b failed", "try_b failed: thing: broke; mend it"]


def test_what_raises_anything_while_it_tells_is_a_line(project: Project) -> None:
    declared(project, then="raise ValueError('it lies')").write("mood", "good")
    ended = project.doit()
    assert (ended.status, ended.err) == (0, "nobody was notified: it lies\n")


ALARM: Final = """
def is_open(lease):
    return "the door is open; doit publish closes it" if lease.exists() else ""

def close(lease):
    if (HERE / "mood").read_text() == "stuck":
        raise StepFailed(where="door", problem="is stuck", remedy="push it")
    lease.unlink()
    return {}

def leave(lease, mood):
    lease.touch()
    if mood.read_text() == "kill":
        os.kill(os.getpid(), 9)
    raise StepFailed(where="door", problem="does not close", remedy="push it")

plan.alarm(call(is_open, HERE / "lease"), call(close, HERE / "lease"))

@plan.step(reads=[HERE / "mood"])
def task_leave():
    return call(leave, HERE / "lease", HERE / "mood")

@plan.group(of=[task_leave])
def task_export():
    pass
"""


def test_what_must_not_be_left_and_is_left_is_told_and_once_more_if_it_comes_again(
    project: Project,
) -> None:
    project.declare(TOLD.format(then="return ()") + ALARM)
    project.write("mood", "fail")
    alarm = "!!! the door is open; doit publish closes it"
    assert project.doit().status == 1
    assert alarm in told(project)
    project.write("mood", "stuck")
    assert project.doit().status == 1
    assert told(project) == []
    project.write("mood", "fail")
    assert project.doit().status == 1
    assert alarm in told(project)


def test_what_a_killed_run_left_and_the_next_cannot_put_right_is_told(project: Project) -> None:
    project.declare(TOLD.format(then="return ()") + ALARM)
    project.write("mood", "kill")
    assert project.doit().status == -9
    assert told(project) == []
    project.write("mood", "stuck")
    assert project.doit().status == 1
    assert told(project)[1:] == ["!!! the door is open; doit publish closes it"]


HELD: Final = """
from doit_receipts.probe import absent

def is_open(lease):
    return "the door is open; doit publish closes it" if lease.exists() else ""

def wait_until(happened):
    import time
    for _ in range(400):
        if happened():
            return
        time.sleep(0.05)
    raise StepFailed(where="nothing", problem="happened", remedy="see to it")

def hold(lease, mood):
    told = HERE / "told"
    lease.touch()
    wait_until(lambda: told.exists() and "send waiting for windows" in told.read_text())
    if not mood.read_text().startswith("leave"):
        lease.unlink()
    raise Waiting(who="CI", problem="it is not built", remedy="build it")

def send(lease, mood):
    wait_until(lease.exists)
    raise Waiting(who="windows", problem="no file for " + mood.read_text(), remedy="upload it")

plan.alarm(call(is_open, HERE / "lease"), file=HERE / "lease")

@plan.shared(look=absent)
def task_hold():
    return call(hold, HERE / "lease", HERE / "mood")

@plan.shared(look=absent)
def task_send():
    return call(send, HERE / "lease", HERE / "mood")

@plan.group(of=[task_hold, task_send])
def task_export():
    pass
"""


def test_what_an_act_has_open_that_still_runs_is_no_alarm_and_what_it_leaves_is(
    project: Project,
) -> None:
    """Nor does it silence one; and what came again is another, whoever put the first one right."""
    project.declare(TOLD.format(then="return ()") + HELD)
    alarm = "!!! the door is open; doit publish closes it"
    project.write("mood", "good")
    assert project.doit("-n", "2").status == 4
    assert alarm not in told(project)
    for mood in ("leave it", "leave it again"):
        project.write("mood", mood)
        assert project.doit("-n", "2").status == 4
        assert told(project).count(alarm) == 1
        (project.folder / "lease").unlink()


def test_a_run_that_another_one_holds_up_tells_nothing(project: Project) -> None:
    """What the other one has open it closes itself."""
    project.declare(TOLD.format(then="return ()") + ALARM)
    project.write("mood", "fail")
    project.write("lease", "")
    project.work.mkdir(parents=True)
    lock = project.work / "lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert project.doit().status == 1
    assert told(project) == []


def test_a_stop_that_was_mended_and_comes_again_is_told_again(project: Project) -> None:
    """With the same words and inputs, and each time once, however often it is tried."""
    declared(project)
    for mood, heard in (("wait", "waiting for windows"), ("fail", "failed"), ("bug", f"by {BUG}")):
        for time_of_it in ("first", "again"):
            # The journal tells of seconds.
            time.sleep(1)
            project.write("mood", mood)
            project.doit("try_it")
            assert heard in "".join(told(project)), mood
            project.doit("try_it")
            assert told(project) == [], mood
            # What a receipt is of already would not be done.
            project.write("mood", f"good after {mood}, {time_of_it}")
            assert project.doit("try_it").status == 0
            told(project)


def test_a_failure_that_comes_again_behind_a_wait_is_told_again_and_the_wait_is_not(
    project: Project,
) -> None:
    declared(project)
    seen = []
    for mood in ("wait", "fail", "wait", "fail", "wait"):
        project.write("mood", mood)
        project.doit("try_it")
        seen.append(bool(told(project)))
        time.sleep(1)
    assert seen == [True, True, False, True, False]


def test_the_end_is_told_again_where_something_was_made_anew(project: Project) -> None:
    """A last fix comes, and people wait for the end of the run that has it."""
    project.declare(TOLD.format(then="return ()") + CHAIN)
    for content in ("as it was", "with a last fix", "as it was"):
        project.write("input", content)
        assert project.doit().status == 0
        assert told(project)[:1] == ["Thing 3.13.6: export done"], content
        assert project.doit().status == 0
        assert told(project) == []
        # The journal tells of seconds.
        time.sleep(1)


HELD_WHILE_TOLD: Final = """
import fcntl
append = plan.context.journal.append

def noted(event, **more):
    if event == "notified":
        with plan.folder.lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                what = "another run could tell it too: "
            except OSError:
                what = ""
        with (HERE / "noted").open("a") as file:
            file.write(what + more["said"] + chr(10))
    append(event, **more)

plan.context.journal.append = noted
"""


def test_what_a_run_tells_at_its_end_no_other_run_can_tell_meanwhile(project: Project) -> None:
    """Two terminals: the second reads what was told when the first has told all of it."""
    project.declare(TOLD.format(then="return ()") + HELD_WHILE_TOLD + STEPS)
    project.write("mood", "good")
    assert project.doit().status == 0
    assert (project.folder / "noted").read_text() == "export done\n"


@pytest.mark.slow
def test_a_kill_at_any_write_tells_nothing_twice(project: Project) -> None:
    """The run and whoever tells for it are killed; what no journal has the next run tells."""
    told_file = TOLD.replace('HERE / "told"', 'HERE / os.environ["TOLD"]')
    project.declare(told_file.format(then="return ()") + STEPS)
    project.write("mood", "wait")

    def run(*options: str, into: str) -> int:
        env = {**os.environ, "TOLD": into}
        # Under the same name in each run, whatever is told into.
        below = f"--below={project.work}/"
        words = ("--everybody", below, *options, "run", "export")
        return python(KILLER, *words, folder=project.folder, env=env).status

    assert run("--report=instants", into="undisturbed") == 4
    subject, line = (project.folder / "undisturbed").read_text().splitlines()
    instants = (project.folder / "instants").read_text().splitlines()
    assert any("journal.jsonl" in each for each in instants)
    for number, fatal in enumerate(instants):
        shutil.rmtree(project.folder / "build")
        assert run(f"--at={fatal}", into=f"told-{number}") == -9, fatal
        journal = project.work / "journal.jsonl"
        is_known = journal.exists() and '"event": "notified"' in journal.read_text()
        ended = project.doit(env={"TOLD": f"told-{number}"})
        assert ended.status == 4, (fatal, ended)
        if not is_known:
            assert (project.folder / f"told-{number}").read_text().splitlines() == [subject, line]
    # Whoever told for a run that was killed may have ended after the next one.
    for number, fatal in enumerate(instants):
        file = project.folder / f"told-{number}"
        lines = file.read_text().splitlines() if file.exists() else []
        assert Counter(lines) <= Counter([subject, line]), fatal
