"""A train of three that is killed at every write of its day, and one that leaves a release out.

Whatever happens, the world ends as on an undisturbed day, and each public act is done once.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.moments import EVERY
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.publish.test_killed_publish import go_on
from tests.publish.train_day import TrainDay, train_day

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from tests.ended import Ended

    Counts = Callable[[str, int], None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not EVERY, reason="only with PEP101_EVERY_MOMENT=1: it takes a quarter of an hour"
    ),
]

VERSIONS: Final = ("3.12.14", "3.11.16", "3.10.21")
LEAD, SECOND, THIRD = VERSIONS
_MOST_KILLS: Final = 5_000


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainDay]:
    """A train of three: all exported, the moment of the go, and an undisturbed evening."""
    with train_day(tmp_path_factory, VERSIONS) as made:
        # Signatures of OpenPGP tell when they were made: a second export gives other ones.
        ended = made.doit("run", "export")
        assert ended.status == DONE, ended
        made.save("exported")
        ended = made.go_on(until=lambda ended: "approve_release" in ended.said)
        assert ended.status == WAITING, ended
        made.let_people_act()
        made.save("go")
        ended = made.go_on()
        assert ended.status == DONE, ended
        made.save("evening")
        yield made


@pytest.fixture(scope="module")
def evening(day: TrainDay) -> tuple[dict[str, Any], Counter[str]]:
    """What there is after an undisturbed day, and how often each public act was done."""
    day.restore("evening")
    return world_of(day), acts(day)


class Heard:
    """What the world was asked by runs that were killed, and how far the next one may go.

    A task that goes on behind the record at which it was killed is killed at the next one. One
    that does all of it again is killed one record later each time, until it was at each of them.
    """

    def __init__(self, day: TrainDay) -> None:
        self.day = day
        self.records = 1
        self._deepest = 1
        self._seen: set[str] = set()

    def is_new(self) -> bool:
        """Whether no run was killed at this record before, with as much of the day done."""
        done = sum(len(list((work / "receipts").glob("*.json"))) for work in self.day.works)
        *_, last = self.day.store.happened()
        told = json.dumps({**last, "at": "", "done": done}, sort_keys=True)
        is_new = told not in self._seen
        self._seen.add(told)
        if is_new:
            self._deepest, self.records = self.records, 1
        else:
            self._deepest = max(self._deepest, self.records)
            self.records = self._deepest + 1
        return is_new


@pytest.mark.parametrize(("begin", "end"), [("exported", "go"), ("go", "evening")])
def test_train_that_is_killed_at_every_write_ends_as_on_an_undisturbed_day(
    day: TrainDay,
    evening: tuple[dict[str, Any], Counter[str]],
    begin: str,
    end: str,
    count: Counts,
) -> None:
    """One day, killed after each record of the world between two of its moments."""
    world, done = evening
    day.restore(begin)
    heard = Heard(day)
    ended = day.doit("run", "publish", records=1)
    for _ in range(_MOST_KILLS):
        day.store.save("aim", {})
        if ended.status == -signal.SIGKILL:
            if heard.is_new():
                count(f"writes of a train of three, {begin} to {end}, killed behind each", 1)
        elif ended.status == WAITING and not (end == "go" and "approve_release" in ended.said):
            people_act(day, ended)
        else:
            break
        ended = day.doit("run", "publish", records=heard.records)
    else:
        pytest.fail(f"it gets nowhere: {ended}")
    if ended.status == WAITING:
        ended = go_on(day)
    assert ended.status == DONE, ended
    assert differences(world_of(day), world) == {}
    assert acts(day) == done, (acts(day) - done, done - acts(day))


def people_act(day: TrainDay, ended: Ended) -> None:
    """They look into the mailbox if they are asked to, and give every green light."""
    for task in ended.waiting:
        if f"doit adopt {task}" in ended.said:
            day.answer_mail(task, ended)
            return
    day.let_people_act()


def test_release_is_taken_out_after_the_first_is_public_and_the_others_are_announced(
    day: TrainDay,
) -> None:
    """What is common is done for those that stay, and one line says what is left out."""
    day.restore("go")
    assert day.alone(LEAD, "run", "publish").status == WAITING
    day.order("upstream.refuses", times=9)
    assert day.doit("run", "publish").status == FAILED
    day.train.write_text(f'releases = ["{LEAD}.toml", "{THIRD}.toml"]\n')
    kept = day.declarations
    day.declarations = [each for each in kept if each.stem != SECOND]
    day.store.save("faults", {})
    try:
        ended = go_on(day)
    finally:
        day.declarations = kept
    assert ended.status == DONE, ended
    (topic,) = day.store.load("forum", [])
    assert topic["title"] == f"Python {LEAD} and {THIRD} are now available"
    assert SECOND not in topic["raw"]
    alone = day.alone(SECOND, "list", "--status")
    assert f"{SECOND}.toml" in alone.said, alone
    assert "train" in alone.said, alone
