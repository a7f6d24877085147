"""What doit plan shows before each run of a whole day, what the run says, and what came."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from plugins.model.release import ReleaseType
from tests.moments import EVERY
from tests.publish.conftest import a_day
from tests.publish.day import DONE, WAITING
from tests.publish.evening import products
from tests.publish.outside import said, seen_by_world, told
from tests.publish.train_day import TrainDay, train_day
from tests.publish.walk import order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.publish.day import Day

pytestmark = pytest.mark.slow

OTHERS: Final = {
    "3.16.0a1": ("uploads", None),
    "3.15.0b1": ("uploads", None),
    "3.15.0b2": ("manifests", None),
    "3.14.0rc1": ("manifests", None),
    "3.14.0": ("manifests", None),
    "3.13.17": ("uploads", None),
    "3.15": ("manifests", ReleaseType.BEGIN_BUGFIX),
    "3.13": ("manifests", ReleaseType.BEGIN_SECURITY),
    "3.12": ("manifests", ReleaseType.END_OF_LIFE),
}
"""Other kinds of release, each with the manner of its experts."""
TRAIN: Final = ("3.12.14", "3.11.16")
TRIED: Final = tuple(OTHERS) if EVERY else ("3.12",)
"""Of those, what is tried without PEP101_EVERY_MOMENT=1: one that makes no files, so is quick."""


@pytest.fixture
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A release whose export is done."""
    with a_day(tmp_path_factory) as made:
        made.start_world()
        assert made.doit("run", "export").status == DONE
        yield made


@pytest.fixture(params=TRIED)
def other(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Day]:
    """A release of another kind, whose export is done."""
    habit, kind = OTHERS[request.param]
    with a_day(tmp_path_factory, request.param, habit, kind) as made:
        made.start_world()
        assert made.doit("run", "export").status == DONE
        yield made


def test_every_act_of_each_publish_was_in_the_plan_before_it(day: Day) -> None:
    exact, others = _published_as_planned(day)
    assert len(exact) > len(others), sorted(others)


def test_every_act_of_another_kind_of_release_was_in_the_plan_too(other: Day) -> None:
    assert _published_as_planned(other)[0]


def test_every_act_of_a_train_was_in_its_plan_before_each_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """A run goes round until no release gets further: each of its acts is in the plan of one."""
    with train_day(tmp_path_factory, TRAIN) as train:
        assert train.doit("run", "export").status == DONE
        exact, others = _published_as_planned(train)
    assert len(exact) > len(others), sorted(others)


def _published_as_planned(day: Day) -> tuple[set[str], set[str]]:
    """The tasks whose plan was exact, and those whose plan said that it was not known whole."""
    exact: set[str] = set()
    before: dict[str, list[str]] = {}
    ended = None
    for _ in range(30):
        plan = _plan(day, "--all")
        recorded = len(list(day.store.happened()))
        ended = day.publish()
        events = list(day.store.happened())[recorded:]
        now = _said(day)
        new = {task: lines for task, lines in now.items() if before.get(task) != lines}
        lines = [line for each in new.values() for line in each]
        assert told(lines) == seen_by_world(events, lines), "what a run says is what came"
        assert {task for task, step in plan.items() if step["foreseen"] == "now"} <= set(new)
        for task, came in new.items():
            assert plan[task]["foreseen"] in ("now", "behind"), task
            if plan[task]["foreseen"] == "now" or sorted(came) == _lines(plan[task]):
                assert sorted(came) == _lines(plan[task]), task
                exact.add(task)
            else:
                assert not plan[task]["complete"], (task, plan[task], came)
        before = now
        if ended.status != WAITING:
            break
        day.wait_for_experts()
        day.let_people_act()
    assert ended is not None
    assert ended.status == DONE, ended
    return exact, set(before) - exact


def test_what_a_task_then_does_is_what_its_plan_said(day: Day) -> None:
    for task in order(day):
        if task.startswith("approve"):
            day.let_people_act()
        found = products(day)
        recorded = len(list(day.store.happened()))
        step = _plan(day, task).get(task)
        assert products(day) == found, "a plan leaves everything as it is"
        assert len(list(day.store.happened())) == recorded, "a plan sends nothing"
        while (ended := day.doit("run", task)).status == WAITING:
            day.wait_for_experts()
        assert ended.status == DONE, ended
        day.wait_for_experts()
        came = said(day.work).get(task, [])
        if step is None or step["foreseen"] == "there":
            assert not came, task
            continue
        assert step["foreseen"] == "now", step
        # Where an answer says how it goes on, nothing more goes on in this world.
        assert _lines(step) == sorted(came), task


def _plan(day: Day, *words: str) -> dict[str, Any]:
    """Each task's step, by its name; of a train, by its release's version and its name."""
    shown = day.doit("plan", "--json", *words)
    assert shown.status == DONE, shown
    found = json.loads(shown.out)
    if not isinstance(day, TrainDay):
        return {step["name"]: step for step in found["tasks"]}
    assert tuple(each["version"] for each in found) == day.versions
    return {f"{each['version']} {step['name']}": step for each in found for step in each["tasks"]}


def _said(day: Day) -> dict[str, list[str]]:
    if not isinstance(day, TrainDay):
        return said(day.work)
    return {
        f"{work.name} {task}": lines for work in day.works for task, lines in said(work).items()
    }


def _lines(step: dict[str, Any]) -> list[str]:
    return sorted(
        f"{act['what']}, {act['size_bytes']:,} bytes, sha256 {act['sha256']}"
        if act["sha256"]
        else act["what"]
        for act in step["acts"]
    )
