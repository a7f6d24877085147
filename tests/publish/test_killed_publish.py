"""SIGKILL after every record of the world: each command on a host, request, push and mail.

The client dies before it hears that what it asked was done. Each task that the world hears of is
killed at its records (at those that stand for others, see moments), from a copy of the moment
before it, and run again: then world and receipts are what they are after that task on an
undisturbed day, so all that follows is as well. That it does follow is seen once for each task, up
to the announcement. Evidence and manifest are staged, published and purged by tasks of their own,
which are among them.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.moments import fatal_records
from tests.publish.day import ASKING, DONE, POSTS, WAITING
from tests.publish.evening import acts, differences, receipts, world_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from tests.ended import Ended
    from tests.publish.day import Day
    from tests.publish.walk import Stage, Walk

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

SHARES = 4
TRIES = 50


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_after_any_record_it_goes_on_as_if_nothing_had_been(
    walk: Walk, share: int, count: Counts
) -> None:
    points = [(stage, number) for stage in walk.heard for number in fatal_records(stage)]
    for stage, number in points[share::SHARES]:
        if killed(walk.day, stage, number, stage.task):
            count("kills after a record of the world", 1)
            assert_finished(walk.day, stage, f"{stage.task}, killed after record {number}")
            count("worlds compared after a kill, each equal byte for byte, each act done once", 1)


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_in_any_task_the_release_ends_as_on_an_undisturbed_day(
    walk: Walk, share: int, count: Counts
) -> None:
    """The whole of ``doit publish`` from each task's middle record to the announcement."""
    stages = [each for each in walk.heard if fatal_records(each)]
    for stage in stages[share::SHARES]:
        points = fatal_records(stage)
        number = points[len(points) // 2]
        if not killed(walk.day, stage, number, "publish"):
            continue
        when = f"publish from {stage.task}, killed after record {number}"
        ended = go_on(walk.day)
        assert ended.status == DONE, (when, ended)
        assert_same(walk.day, walk.world, walk.acts, when)
        count("releases that were killed and went on to the announcement, equal to the byte", 1)


def killed(day: Day, stage: Stage, number: int, task: str) -> bool:
    """Run the task until the record, and kill it there; False if it was done before."""
    day.restore(stage.task)
    ended = day.doit("run", task, records=number)
    assert ended.status in (-signal.SIGKILL, DONE, WAITING), (stage.task, number, ended)
    # Experts and other connections may have recorded something in between: not killed, then.
    day.store.save("aim", {})
    return ended.status == -signal.SIGKILL


def assert_finished(day: Day, stage: Stage, when: str) -> None:
    """Run again, the task ends; world, receipts and acts are those of an undisturbed day."""
    ended = finished(day, stage.task)
    assert ended.status == DONE, (when, ended)
    day.wait_for_experts()
    assert_same(day, stage.world, stage.acts, when)
    found = receipts(day)
    unlike = [name for name, wanted in stage.receipts.items() if found.get(name) != wanted]
    # That a person told that a mail is there stands in its receipt; of each bundle, its digest.
    # Of the archive, what the journal says of when it was.
    signs = ("sign_bundles", "sign_evidence", "sign_manifest", "write_archive", "sign_archive")
    own = is_mail(stage.task) or stage.task in signs
    assert [name for name in unlike if not (name == stage.task and own)] == [], when


def is_mail(task: str) -> bool:
    """Whether nobody can look whether it was done."""
    return task.startswith("mail_") or task in ("warn_experts", "tell_experts", "request_windows")


def go_on(day: Day) -> Ended:
    """Publish to the end; people answer, and look into the mailbox if they are asked to."""
    while True:
        ended = day.go_on(until=lambda each: ASKING in each.said)
        if ASKING not in ended.said:
            return ended
        for task in ended.waiting:
            if f"doit adopt {task}" in ended.said:
                day.answer_mail(task, ended)


def finished(day: Day, task: str) -> Ended:
    """Run the task until nobody is waited for any more."""
    ended = answered(day, day.doit("run", task), task)
    for _ in range(TRIES):
        if ended.status != WAITING:
            break
        day.wait_for_experts()
        ended = day.doit("run", task)
    return ended


def answered(day: Day, ended: Ended, task: str) -> Ended:
    """If a person is asked whether the mail arrived, they look and say so, and it is run again."""
    asked = is_mail(task) or (task in POSTS and ASKING in ended.said)
    if ended.status != WAITING or not asked:
        return ended
    day.answer_mail(task, ended)
    return day.doit("run", task)


def assert_same(day: Day, world: dict[str, object], done: Counter[str], when: str) -> None:
    found = differences(world_of(day), world)
    assert not found, (when, found)
    assert acts(day) == done, (when, acts(day) - done, done - acts(day))
