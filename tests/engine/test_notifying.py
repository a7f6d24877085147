"""Who wants to hear of a release hears of each stop, each failure and the end, once at most."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

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


def test_what_cannot_be_told_is_a_line_and_not_told_again(project: Project) -> None:
    declared(project, then='return ["the webhook hangs"]').write("mood", "good")
    ended = project.doit()
    assert (ended.status, ended.err) == (0, "the webhook hangs\n")
    again = project.doit()
    assert (again.status, again.err) == (0, "")
    assert len(told(project)) == 2


def test_it_is_in_the_journal_before_it_is_sent(project: Project) -> None:
    """A run that is killed while it sends may not have told it; it never tells it twice."""
    declared(project, then="os.kill(os.getpid(), 9)").write("mood", "wait")
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
