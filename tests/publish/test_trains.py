"""Several releases of one day: kept back until the hour, announced once, one of them late.

The three are security releases: they have no installers, so nothing is waited for but each other.
The two have experts, whose installers are waited for.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest

from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.publish.train_day import train_day
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.publish.train_day import TrainDay

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

VERSIONS: Final = ("3.12.14", "3.11.16", "3.10.21")
PAIR: Final = ("3.14.7", "3.13.15")
HOUR: Final = datetime(2999, 12, 8, 16, 0, tzinfo=UTC)
CANARY: Final = "SpamWithoutASaltShaker"


@pytest.fixture
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainDay]:
    """A train of three under embargo, whose world answers."""
    with train_day(tmp_path_factory, VERSIONS, HOUR) as made:
        yield made


@pytest.fixture
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrainDay]:
    """A train of two, where the go is given for both and nothing is public yet."""
    with train_day(tmp_path_factory, PAIR) as made:
        ended = made.go_on(until=lambda ended: "approve_release" in ended.said)
        assert ended.status == WAITING, ended
        made.let_people_act()
        made.save("go")
        yield made


def test_train_is_kept_back_until_the_hour_and_then_released_whole(
    day: TrainDay, count: Counts
) -> None:
    """Until then no byte of it, and no title, is anywhere but in the releases' own folders."""
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
    plans = json.loads(day.doit("plan", "--json").out)
    steps = [step for plan in plans for step in plan["tasks"]]
    assert not {step["foreseen"] for step in steps} & {"now", "behind", "there"}
    assert len({step["why"] for step in steps if step["who"] == "the hour" and step["acts"]}) == 1
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


def test_accident_in_the_second_release_holds_the_announcement_back(
    pair: TrainDay, count: Counts
) -> None:
    """The first is public by then; both end as on a day without an accident, each act done once."""
    lead, second = PAIR
    ended = pair.go_on()
    assert ended.status == DONE, ended
    evening, done = world_of(pair), acts(pair)
    pair.restore("go")
    alone = pair.alone(lead, "run", "publish")
    assert alone.status == WAITING, alone
    assert _public(pair) == [lead]
    pair.order("upstream.refuses")
    ended = pair.doit("run", "publish")
    assert ended.status == FAILED, ended
    assert _public(pair) == [lead]
    assert _titles(pair) == ([], [])
    again = pair.go_on()
    assert again.status == DONE, again
    assert _public(pair) == [lead, second]
    assert _titles(pair) == ([f"Python {lead} and {second} are now available"], [lead])
    assert differences(world_of(pair), evening) == {}
    assert acts(pair) == done
    count("faults in the second release of a train, and nothing announced before it was over", 1)


def _public(day: TrainDay) -> list[str]:
    """The releases whose tag upstream has."""
    told = git(day.world / "upstream.git", "for-each-ref", "--format=%(refname:short)", "refs/tags")
    return [each for each in day.versions if f"v{each}" in told.split()]


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
