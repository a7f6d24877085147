"""Several releases of one day: kept back until the hour, announced once, one of them late.

Security releases: they have no installers, so nothing is waited for but each other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.publish.train_day import TrainDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

VERSIONS: Final = ("3.12.14", "3.11.16", "3.10.21")
LEAD: Final = VERSIONS[0]
HOUR: Final = datetime(2999, 12, 8, 16, 0, tzinfo=UTC)
CANARY: Final = "SpamWithoutASaltShaker"
_MEMORY: Final = Path("/dev/shm")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainDay]:
    """A train of three under embargo, whose world answers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    folder = Path(tempfile.mkdtemp(prefix="train-", dir=_MEMORY if _MEMORY.is_dir() else base))
    made = TrainDay(folder, shared / "docs-tools", VERSIONS, HOUR)
    try:
        made.start_world()
        made.save("morning")
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


def test_train_is_kept_back_until_the_hour_and_then_released_whole(
    day: TrainDay, count: Counts
) -> None:
    """Until then no byte of it, and no title, is anywhere but in the releases' own folders."""
    day.restore("morning")
    before = world_of(day)
    local = day.publish()
    assert local.status == WAITING, local
    assert "nothing leaves this machine before 2999-12-08 16:00:00 UTC" in local.said
    own = day.works[0] / "texts" / "announcement.md"
    own.parent.mkdir(parents=True)
    draft = (day.works[0] / "made" / "announcement.train.md").read_text()
    own.write_text(draft.replace("## Python 3.12.14\n", f"## Python 3.12.14\n\n{CANARY}.\n", 1))
    kept_back = day.go_on(until=lambda ended: "nothing leaves" in ended.said and not _asks(ended))
    assert kept_back.status == WAITING, kept_back
    assert differences(world_of(day), before) == {}
    assert acts(day) == Counter()
    assert _found(day.world, CANARY) == []
    count("trains kept back until the hour, with no act and no title outside", 1)
    day.declare_hour("")
    ended = day.go_on()
    assert ended.status == DONE, ended
    (topic,) = day.store.load("forum", [])
    assert topic["title"] == "Python 3.12.14, 3.11.16 and 3.10.21 are now available"
    assert CANARY in topic["raw"]
    assert [pull["repository"] for pull in day.store.load("github", {})["pulls"]].count(
        "python/peps"
    ) == 1
    doubled = [each for each, number in acts(day).items() if number != 1]
    # Each release has a run of CI and a pull request of its own, at the same addresses.
    assert [each for each in doubled if not each.startswith("github POST")] == []


@pytest.fixture(scope="module")
def ready(day: TrainDay) -> TrainDay:
    """The same, where the go is given for all and nothing is public yet."""
    day.restore("morning")
    day.declare_hour("")
    ended = day.go_on(until=lambda ended: "approve_release" in ended.said)
    assert ended.status == WAITING, ended
    day.let_people_act()
    day.save("go")
    ended = day.go_on()
    assert ended.status == DONE, ended
    day.save("evening")
    return day


def test_accident_in_the_second_release_holds_the_announcement_back(
    ready: TrainDay, count: Counts
) -> None:
    day = ready
    day.restore("go")
    assert day.alone(LEAD, "run", "publish").status == WAITING
    day.order("upstream.refuses")
    ended = day.doit("run", "publish")
    assert ended.status == FAILED, ended
    assert _titles(day) == ([], [])
    again = day.go_on()
    assert again.status == DONE, again
    assert _titles(day) == (["Python 3.12.14, 3.11.16 and 3.10.21 are now available"], [LEAD])
    count("faults in the second release of a train, and nothing announced before it was over", 1)


def _titles(day: TrainDay) -> tuple[list[str], list[str]]:
    """The topics of the forum, and by which release's pull requests the schedule is changed."""
    pulls = day.store.load("github", {})["pulls"]
    heads = [each["head"] for each in pulls if each["repository"] == "python/peps"]
    topics = [each["title"] for each in day.store.load("forum", [])]
    return topics, [head.rpartition("-")[2] for head in heads]


def _asks(ended: object) -> bool:
    return "doit approve" in str(ended)


def _found(folder: Path, word: str) -> list[str]:
    """The files below the folder that hold the word."""
    return [
        str(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and word.encode() in path.read_bytes()
    ]
