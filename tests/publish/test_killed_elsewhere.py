"""Tests on other machines in a whole release: kills at each write, and a second release manager."""

from __future__ import annotations

import signal
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

FARM: Final = f'\n[farm]\nengine = "github"\nplatforms = ["{TIER_1[0]}"]\ntests = "quick"\n'


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A release whose tag is on the fork, and moments before each task that is about machines."""
    with a_day(tmp_path_factory) as made:
        made.declaration.write_text(made.declaration.read_text() + FARM)
        made.store.save("steps", {"polls": 0, "works": False, "runs": []})
        made.start_world()
        assert made.done("check_archives", "push_fork").status == DONE
        made.save("start_tests")
        assert made.doit("run", "start_tests").status == DONE
        bundles = made.store.folder / "steps"
        wait_until(lambda: list(bundles.glob("*/bundle.json")), "the run attests")
        made.save("await_tests")
        yield made


@pytest.mark.parametrize("task", ["start_tests", "await_tests"])
def test_killed_at_any_write_it_goes_on_and_asks_for_no_second_run(
    day: Day, task: str, count: Callable[[str, int], None]
) -> None:
    day.restore(task)
    assert day.doit("run", task, seen=True).status == DONE
    whole = receipts(day)[task]
    # What the engine writes is the same for every task; see test_killed_here.
    written = [each for each in fatal(tuple(day.writes), first=False) if " elsewhere" in each]
    instants = chosen(written, kind_of_write)
    assert instants
    for instant in instants:
        day.restore(task)
        assert day.doit("run", task, at=instant).status == -signal.SIGKILL, instant
        ended = day.doit("run", task)
        assert ended.status == DONE, (instant, ended)
        assert receipts(day)[task] == whole, instant
        assert len(day.runs) == 1, instant
        count("kills at writes about other machines, gone on after", 1)


def test_killed_between_the_request_and_its_answer_it_finds_the_run_again(day: Day) -> None:
    day.restore("start_tests")
    before = len(list(day.store.happened()))
    assert day.doit("run", "start_tests", records=1).status == -signal.SIGKILL
    (event,) = list(day.store.happened())[before:]
    assert event["path"].endswith("/pep101-step.yml/dispatches")
    assert day.doit("run", "start_tests").status == DONE
    assert len(day.runs) == 1


def test_what_is_tested_elsewhere_leaves_the_archives_and_all_other_receipts_alone(
    day: Day,
) -> None:
    day.restore("await_tests")
    before = receipts(day)
    ended = day.doit("run", "check_tests")
    assert ended.status == DONE, ended
    assert "attested by python/release-tools in https://github.com/" in ended.said
    after = receipts(day)
    assert set(after) - set(before) == {"await_tests", "check_tests"}
    assert {name: after[name] for name in before} == before
    assert b"actions/runs" not in after["await_tests"] + after["start_tests"]


def test_a_second_release_manager_adopts_the_run_and_leaves_the_same_receipts(day: Day) -> None:
    day.restore("await_tests")
    assert day.doit("run", "check_tests").status == DONE
    first = receipts(day)
    # Another clone of the release knows nothing of the run: not its id, not its attestation.
    day.take_work("start_tests")
    assert not (day.work / "elsewhere").exists()
    assert day.doit("run", "check_tests").status == DONE
    second = receipts(day)
    assert len(day.runs) == 1
    assert second["await_tests"] == first["await_tests"]
    adopted = second["start_tests"].replace(b'"adopted": true', b'"adopted": false')
    assert b'"adopted": true' in second["start_tests"]
    assert _unsealed(adopted) == _unsealed(first["start_tests"])


def _unsealed(receipt: bytes) -> list[bytes]:
    return [line for line in receipt.splitlines() if b'"seal"' not in line]
