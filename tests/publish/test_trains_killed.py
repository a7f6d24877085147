"""A train of three that is killed at writes of its day, and one of whose releases is taken out.

Whatever happens, the world ends as on an undisturbed day, and each public act is done once. Some
moments, spread over the day, stand for all others.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.moments import EVERY
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.publish.test_killed_publish import go_on
from tests.publish.train_day import TrainDay

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    Counts = Callable[[str, int], None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not EVERY, reason="only with PEP101_EVERY_MOMENT=1: it takes ten minutes"),
]

VERSIONS: Final = ("3.12.14", "3.11.16", "3.10.21")
LEAD, SECOND, THIRD = VERSIONS
_MEMORY: Final = Path("/dev/shm")
SHARES: Final = 2
SPREAD: Final = 4
"""How many moments of each half of the day are tried."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainDay]:
    """A train of three: all exported, the moment of the go, and an undisturbed evening."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = Path(tempfile.mkdtemp(prefix="train-", dir=_MEMORY if _MEMORY.is_dir() else base))
    made = TrainDay(folder, shared / "docs-tools", VERSIONS)
    try:
        made.start_world()
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
    finally:
        made.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def evening(day: TrainDay) -> tuple[dict[str, Any], Counter[str]]:
    """What there is after an undisturbed day, and how often each public act was done."""
    day.restore("evening")
    return world_of(day), acts(day)


def moments(day: TrainDay, begin: str, end: str) -> list[int]:
    """Records of the world between two moments of the day, counted from the first."""
    day.restore(begin)
    before = len(list(day.store.happened()))
    day.restore(end)
    between = list(day.store.happened())[before:]
    return [1 + (len(between) - 2) * share // (SPREAD - 1) for share in range(SPREAD)]


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize(("begin", "end"), [("exported", "go"), ("go", "evening")])
def test_train_that_was_killed_at_a_write_ends_as_on_an_undisturbed_day(
    day: TrainDay,
    evening: tuple[dict[str, Any], Counter[str]],
    begin: str,
    end: str,
    share: int,
    count: Counts,
) -> None:
    world, done = evening
    for number in moments(day, begin, end)[share::SHARES]:
        when = f"{begin}, killed after record {number}"
        day.restore(begin)
        killed = day.doit("run", "publish", records=number)
        day.store.save("aim", {})
        if killed.status != -signal.SIGKILL:  # people were waited for before that
            assert killed.status == WAITING, (when, killed)
            continue
        ended = go_on(day)
        assert ended.status == DONE, (when, ended)
        assert differences(world_of(day), world) == {}, when
        assert acts(day) == done, (when, acts(day) - done, done - acts(day))
        count("trains of three killed at a write, equal to the byte, each act done once", 1)


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
