"""A colleague takes over on another machine, with the release as it was before a task.

The first operator dies in the middle of the task; the colleague has none of their intents and
receipts, and finds in the world what was done by then. Whoever acts, each act is done once. Then
the first one comes back, and takes for done what the colleague did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.moments import fatal_records
from tests.publish.day import DONE, FAILED
from tests.publish.evening import acts, differences, world_of
from tests.publish.test_killed_publish import finished, is_mail, killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.publish.day import Day
    from tests.publish.walk import Stage, Walk

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

SHARES = 4
FIRST = "the first operator"
DISPATCH = "/dispatches"
ASKS: Final = {"start_build": "cancel all but one of them"}
# What a colleague cannot see. GitHub lists runs without their inputs, so CI builds once more; and
# that protection is lifted for a moment is known where it was lifted, which restores it.
UNSEEN: Final = {"start_build": {"ci"}, "push_upstream": {"protection"}}


@pytest.mark.parametrize("share", range(SHARES))
def test_what_another_operator_began_is_finished_and_done_once(
    walk: Walk, share: int, count: Counts
) -> None:
    day = walk.day
    for stage in stages(walk)[share::SHARES]:
        points = fatal_records(stage)
        if not killed(day, stage, points[len(points) // 2], stage.task):
            continue
        day.save_work(FIRST)
        day.take_work(stage.task)
        unseen = UNSEEN.get(stage.task, set())
        finish(day, stage, f"{stage.task}, a colleague goes on", unseen)
        day.take_work(FIRST)
        if stage.task in ASKS:
            ended = day.doit("run", stage.task)
            assert ended.status == FAILED, ended
            assert ASKS[stage.task] in ended.line_of(stage.task)
        else:
            finish(day, stage, f"{stage.task}, the first operator comes back", set())
        count("tasks that a second operator finished, and the first one found done", 1)


def stages(walk: Walk) -> list[Stage]:
    """The tasks that the world hears of, but emails: only their readers see that they were sent."""
    return [each for each in walk.heard if fatal_records(each) and not is_mail(each.task)]


def finish(day: Day, stage: Stage, when: str, unseen: set[str]) -> None:
    ended = finished(day, stage.task)
    assert ended.status == DONE, (when, ended)
    found = differences(world_of(day), stage.world)
    assert found.keys() <= unseen, (when, found)
    done, wanted = (
        {act: times for act, times in each.items() if not unseen or DISPATCH not in act}
        for each in (acts(day), stage.acts)
    )
    assert done == wanted, (when, done, wanted)
