"""Tests and rebuilds on other machines in a whole release: kills at each write, and adoption."""

from __future__ import annotations

import signal
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.action import TIER_1
from tests.export.walk import fatal
from tests.moments import chosen, kind_of_write
from tests.publish.conftest import a_day
from tests.publish.day import DONE
from tests.publish.evening import receipts
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.publish.day import Day

pytestmark = pytest.mark.slow

FARM: Final = f"""
[farm]
engine = "github"
steps = ["test_source", "build_tarballs"]
platforms = ["{TIER_1[0]}"]
tests = "quick"
"""
ASKING: Final = ("start_tests", "start_rebuild")
AWAITED: Final = ("await_tests", "await_rebuild")
BEFORE: Final = {**dict.fromkeys(ASKING, "nothing asked"), **dict.fromkeys(AWAITED, "all attested")}
"""The moment before each task."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A release whose tag is on the fork, before anybody asks for runs and when they are over."""
    with a_day(tmp_path_factory) as made:
        made.declaration.write_text(made.declaration.read_text() + FARM)
        made.store.save("steps", {"polls": 0, "works": False, "runs": []})
        made.start_world()
        assert made.done("check_archives", "push_fork").status == DONE
        made.save("nothing asked")
        assert made.doit("run", *ASKING).status == DONE
        wait_until(lambda: attested(made) == len(ASKING), "the runs attest")
        made.save("all attested")
        yield made


def attested(day: Day) -> int:
    """How many runs are over."""
    return len(list(day.store.folder.glob("steps/*/bundle.json")))


def asked(day: Day) -> Counter[str]:
    """How many runs were asked for to do each action."""
    return Counter(run["inputs"]["digest"] for run in day.runs)


@pytest.mark.parametrize("task", [*ASKING, *AWAITED])
def test_killed_at_any_write_it_goes_on_and_asks_for_no_second_run(
    day: Day, task: str, count: Callable[[str, int], None]
) -> None:
    day.restore(BEFORE[task])
    assert day.doit("run", task, seen=True).status == DONE
    whole = receipts(day)[task]
    runs = len(day.runs)
    # What the engine writes is the same for every task; see test_killed_here.
    written = [each for each in fatal(tuple(day.writes), first=False) if " elsewhere" in each]
    instants = chosen(written, kind_of_write)
    assert instants
    for instant in instants:
        day.restore(BEFORE[task])
        assert day.doit("run", task, at=instant).status == -signal.SIGKILL, instant
        ended = day.doit("run", task)
        assert ended.status == DONE, (instant, ended)
        assert receipts(day)[task] == whole, instant
        assert list(asked(day).values()) == [1] * runs, instant
        count("kills at writes about other machines, gone on after", 1)


@pytest.mark.parametrize("task", ASKING)
def test_killed_between_the_request_and_its_answer_it_finds_the_run_again(
    day: Day, task: str
) -> None:
    day.restore(BEFORE[task])
    before = len(list(day.store.happened()))
    assert day.doit("run", task, records=1).status == -signal.SIGKILL
    (event,) = list(day.store.happened())[before:]
    assert event["path"].endswith("/pep101-step.yml/dispatches")
    assert day.doit("run", task).status == DONE
    assert len(day.runs) == 1


def test_what_is_done_elsewhere_leaves_the_archives_and_all_other_receipts_alone(
    day: Day,
) -> None:
    day.restore("all attested")
    before = receipts(day)
    ended = day.doit("run", "check_tests", "await_rebuild")
    assert ended.status == DONE, ended
    assert "attested by python/release-tools in https://github.com/" in ended.said
    after = receipts(day)
    assert set(after) - set(before) == {*AWAITED, "check_tests"}
    assert {name: after[name] for name in before} == before
    assert not [task for task in (*ASKING, *AWAITED) if b"actions/runs" in after[task]]


def test_a_second_release_manager_adopts_the_runs_and_leaves_the_same_receipts(day: Day) -> None:
    day.restore("all attested")
    assert day.doit("run", *AWAITED, "check_tests").status == DONE
    first = receipts(day)
    # Another clone of the release knows nothing of the runs: not their ids, not what they attest.
    day.take_work("nothing asked")
    assert not (day.work / "elsewhere").exists()
    assert day.doit("run", *AWAITED, "check_tests").status == DONE
    second = receipts(day)
    assert list(asked(day).values()) == [1] * len(ASKING)
    for task in AWAITED:
        assert second[task] == first[task]
    for task in ASKING:
        adopted = second[task].replace(b'"adopted": true', b'"adopted": false')
        assert b'"adopted": true' in second[task]
        assert _unsealed(adopted) == _unsealed(first[task])


def test_a_colleague_goes_on_where_the_first_one_died_and_asks_for_no_second_run(day: Day) -> None:
    """The first one died between the request and its answer, and comes back later."""
    for task, wanted in zip(ASKING, AWAITED, strict=True):
        day.restore("nothing asked")
        assert day.doit("run", task, records=1).status == -signal.SIGKILL
        day.save_work("the first one")
        for who in ("nothing asked", "the first one"):
            day.take_work(who)
            assert day.doit("run", task).status == DONE, (task, who)
            assert len(day.runs) == 1, (task, who)
        wait_until(lambda: attested(day) == 1, "the run attests")
        assert day.doit("run", wanted).status == DONE
        assert len(day.runs) == 1


def _unsealed(receipt: bytes) -> list[bytes]:
    return [line for line in receipt.splitlines() if b'"seal"' not in line]
