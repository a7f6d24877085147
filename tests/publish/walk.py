"""An undisturbed release, walked task by task: what each leaves, and what the world saw of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.publish.day import DONE, WAITING
from tests.publish.evening import acts, products, receipts, world_of

if TYPE_CHECKING:
    from collections import Counter

    from tests.publish.day import Day

__all__ = ["EXPORTED", "Stage", "Walk", "order"]

EXPORTED = "exported"
_TRIES = 50


@dataclass(frozen=True, slots=True)
class Stage:
    """One task of the walk: what the world recorded meanwhile, and what all is after it."""

    task: str
    events: tuple[dict[str, Any], ...]
    world: dict[str, Any]
    receipts: dict[str, bytes]
    acts: Counter[str]
    writes: tuple[str, ...]
    """Each instant of its own writes, as tests/engine/killer names them."""
    found: dict[str, bytes | str]
    """What was on this machine before it, and what it leaves there."""
    products: dict[str, bytes | str]

    def records_until(self, part: str, event: str, path: str = "") -> int:
        """How many things were recorded when the first such one was."""
        for number, entry in enumerate(self.events, start=1):
            if (entry["part"], entry["event"]) == (part, event) and path in entry.get("path", ""):
                return number
        raise LookupError(part, event, path)


class Walk:
    """The stages of ``doit publish`` in order, from an exported release to the announcement.

    Before each task that the world hears of, the day is saved under the task's name.
    """

    def __init__(self, day: Day) -> None:
        self.day = day
        day.start_world()
        ended = day.doit("run", "export")
        assert ended.status == DONE, ended
        day.save(EXPORTED)
        self.stages = {task: self._stage(task) for task in order(day)}
        self.world = world_of(day)
        self.receipts = receipts(day)
        self.acts = acts(day)

    @property
    def heard(self) -> list[Stage]:
        """The stages in which the world recorded something."""
        return [each for each in self.stages.values() if each.events]

    def _stage(self, task: str) -> Stage:
        day = self.day
        before = len(list(day.store.happened()))
        if task.startswith("approve"):
            day.let_people_act()
        day.save(task)
        found = products(day)
        ended = day.doit("run", task, seen=True)
        for _ in range(_TRIES):
            if ended.status != WAITING:
                break
            day.wait_for_experts()
            ended = day.doit("run", task, seen=True)
        assert ended.status == DONE, (task, ended)
        day.wait_for_experts()
        events = tuple(day.store.happened())[before:]
        return Stage(
            task, events, world_of(day), receipts(day), acts(day),
            tuple(day.writes), found, products(day),
        )  # fmt: skip


def order(day: Day) -> list[str]:
    """Every task behind the export, in the order in which ``doit publish`` does them."""
    done = set(receipts(day))
    listed = day.doit("list").out
    names = [line.split()[0] for line in listed.splitlines() if line.strip()]
    return [name for name in names if name not in done and name not in ("export", "publish")]
