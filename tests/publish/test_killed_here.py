"""SIGKILL and a full disk at each write on this machine while a release is published.

What users see is written elsewhere (test_killed_publish); here are the products of each task, such
as an email that waits to be sent or the digests of adopted files, and the records of the engine.
It writes those alike for all tasks, so each kind of such a moment is tried once, by the first task
that passes it; so is what is done to temporary files, and the start of a program that only reads.
Evidence, manifest and their signatures are products as all others are, and so are tried as well.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

import pytest

from doit_receipts.durable import PARTIAL
from tests.export.walk import RECORDS, fatal, growing
from tests.moments import EVERY, chosen, kind_of_write
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import products
from tests.publish.test_killed_publish import TRIES, assert_finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ended import Ended
    from tests.publish.walk import Stage, Walk

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

SHARES = 4
READING = ("git ls-remote ", "gpg ", "ssh-keygen ")
"""Programs that change nothing here, beside those of tests/export/walk."""
ELSEWHERE = "elsewhere"
"""Below a folder for temporary files, under a made-up name: no later run reads there."""
NO_ROOM = "no space left on device"
NOTE = "ci/run.json"
"""Which runs CI had before ours, and then ours: a run that is found by that is not noted again."""
LEASE = "lease/protection.json"
"""There while protection of upstream is lifted, so that every command says so and restores it."""


def points(walk: Walk, select: Callable[..., tuple[str, ...]]) -> list[tuple[Stage, str]]:
    """Each task with each of the instants of its writes that stands for others."""
    known: set[str] = set()
    return [
        (stage, instant)
        for stage in walk.stages.values()
        for instant in _of_products(stage, select) + _of_records(stage, select, known)
    ]


def _of_products(stage: Stage, select: Callable[..., tuple[str, ...]]) -> list[str]:
    found = [each for each in select(stage.writes, first=False) if not is_alike(each)]
    return chosen(found, kind_of_write)


def _of_records(stage: Stage, select: Callable[..., tuple[str, ...]], known: set[str]) -> list[str]:
    found = [each for each in select(stage.writes, first=True) if is_alike(each)]
    if EVERY:
        return found
    news = {kind_of_record(each): each for each in reversed(found)}
    told = [each for kind, each in news.items() if kind not in known]
    # A set that is or-ed with keys of a dict is another set.
    known.update(news)
    return told


def test_evidence_manifest_and_signatures_are_tried_too(walk: Walk) -> None:
    for select in (fatal, growing):
        tried = {stage.task for stage, _ in points(walk, select)}
        assert tried >= {"sign_evidence", "write_manifest", "sign_manifest"}


def is_alike(instant: str) -> bool:
    """Whether the moment is the same in whatever task it is passed."""
    _, act, what = instant.split(" ", 2)
    return what.startswith(READING if act == "start" else (*RECORDS, ELSEWHERE))


def kind_of_record(instant: str) -> str:
    """The instant without the task that it is of, and without all that is counted in it."""
    return re.sub(r"\d+", "1", re.sub(r"(logs|receipts)/[^ .]+", r"\1/any", instant))


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_any_write_here_it_goes_on_as_if_nothing_had_been(
    walk: Walk, share: int, count: Counts
) -> None:
    for stage, instant in points(walk, fatal)[share::SHARES]:
        assert_goes_on_after_kill(walk, stage, instant, count)


@pytest.mark.parametrize("share", range(SHARES))
def test_a_disk_that_is_full_from_any_write_on_is_one_clear_line(
    walk: Walk, share: int, count: Counts
) -> None:
    for stage, instant in points(walk, growing)[share::SHARES]:
        assert_goes_on_after_full_disk(walk, stage, instant, count)


def assert_goes_on_after_kill(walk: Walk, stage: Stage, instant: str, count: Counts) -> None:
    """Killed at that write of its own, the task leaves nothing half, and ends as undisturbed."""
    when = f"{stage.task}, killed {instant}"
    ended = until(walk, stage, at=instant)
    if is_beyond(ended, instant, count):
        return
    assert ended.status == -signal.SIGKILL, (when, ended)
    _assert_goes_on(walk, stage, when)
    count("kills at a write on this machine, each gone on to the same bytes", 1)


def assert_goes_on_after_full_disk(walk: Walk, stage: Stage, instant: str, count: Counts) -> None:
    """Without room from that write on, the task says so, and ends as undisturbed once there is."""
    when = f"{stage.task}, full {instant}"
    ended = until(walk, stage, full=instant)
    if is_beyond(ended, instant, count):
        return
    assert ended.status == FAILED, (when, ended)
    assert "Traceback" not in ended.said, (when, ended)
    assert NO_ROOM in ended.said.lower(), (when, ended)
    _assert_goes_on(walk, stage, when)
    count("full disks while publishing, each told in one line and gone on after", 1)


def _assert_goes_on(walk: Walk, stage: Stage, when: str) -> None:
    half = [name for name in incomplete(walk, stage) if not is_on_the_way(name)]
    assert not half, (when, half)
    assert_finished(walk.day, stage, when)
    assert not list(incomplete(walk, stage)), when


def until(walk: Walk, stage: Stage, *, at: str = "", full: str = "") -> Ended:
    """Run the task from its moment to that write; people and pipelines are waited for."""
    day = walk.day
    day.restore(stage.task)
    ended = day.doit("run", stage.task, at=at, full=full)
    for _ in range(TRIES):
        if ended.status != WAITING:
            break
        day.wait_for_experts()
        ended = day.doit("run", stage.task, at=at, full=full)
    return ended


def is_beyond(ended: Ended, instant: str, count: Counts) -> bool:
    """Whether the run came to its end, since the walk wrote there a second time and this did not.

    The walk runs a task that waits for somebody twice.
    """
    if ended.status != DONE:
        return False
    assert not instant.endswith(" 1"), (instant, ended)
    count("moments that only a second run comes to, left out", 1)
    return True


def is_on_the_way(name: str) -> bool:
    """Whether nobody takes the file for a finished one."""
    return name == LEASE or any(part.endswith(PARTIAL) for part in name.split("/"))


def incomplete(walk: Walk, stage: Stage) -> Iterator[str]:
    """The products that are neither as before the task nor as after it."""
    for name, content in products(walk.day).items():
        known = (stage.found.get(name), stage.products.get(name))
        if not name.startswith(NOTE) and content not in known:
            yield name
