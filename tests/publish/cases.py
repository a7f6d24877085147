"""Cases: what every fault of a release day asks of the day, and of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.rehearsal.site_rows import Rows
from tests.publish.day import DONE, FAILED
from tests.publish.evening import acts, differences, world_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ended import Ended
    from tests.publish.day import Day
    from tests.publish.walk import Walk

    Observed = Callable[[str, str], None]

__all__ = [
    "ARCHIVE",
    "TAG",
    "assert_alike",
    "assert_nothing_shown",
    "assert_nothing_told",
    "assert_protected",
    "assert_told",
    "ends_alike",
]

TAG = "v3.13.6"
ARCHIVE = "Python-3.13.6.tgz"


def assert_alike(walk: Walk, but: tuple[str, ...] = ()) -> None:
    """The world is that of an undisturbed day, and each public act was done as often as there."""
    found = differences(world_of(walk.day), walk.world)
    assert not [name for name in found if name not in but], found
    unlike = {name: times for name, times in acts(walk.day).items() if walk.acts[name] != times}
    assert not {name for name in unlike if not name.startswith(but)}, unlike


def ends_alike(walk: Walk, but: tuple[str, ...] = ()) -> Ended:
    """The fault is over; now everything gets done, as on an undisturbed day."""
    walk.day.store.save("faults", {})
    ended = walk.day.go_on()
    assert ended.status == DONE, ended
    assert_alike(walk, but)
    return ended


def assert_told(ended: Ended, task: str, *words: str, status: int = FAILED) -> str:
    """The command ended so, with no traceback, and its one line about the task has the words."""
    assert ended.status == status, ended
    assert "Traceback" not in ended.said, ended
    line = ended.line_of(task)
    for word in words:
        assert word in line, (word, line, ended)
    return line


def assert_nothing_told(day: Day) -> None:
    """Nobody outside was told that there is a release."""
    told = [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    assert not told
    assert not day.store.load("forum", [])
    assert not any(row["is_published"] for row in Rows(day.store).table("release").values())


def assert_protected(day: Day) -> None:
    """No rule of upstream is lifted, and nothing says so."""
    assert all(rules["enforce_admins"] for rules in day.store.load("protection", {}).values())
    assert not day.lease.exists()


def assert_nothing_shown(day: Day) -> None:
    """Users find nothing of the release on the downloads host."""
    assert not (day.downloads / "3.13.6").exists() or not list((day.downloads / "3.13.6").iterdir())
