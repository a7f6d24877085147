"""The schedule: bounds that hold whatever ends first, the longest chain first, and its length."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from typing import Any, Final

import pytest

from doit_receipts.calls import call, deferred
from doit_receipts.cores import Cores
from doit_receipts.schedule import Schedule, chains_s
from doit_receipts.task import Effect, Kind, Task

MACHINE: Final = {"cores": 3, "memory_mb": 100}


def free_mb() -> int:
    return MACHINE["memory_mb"]


class Shared:
    """What several tasks are given, as a service is."""

    resource = ""

    def __init__(self, resource: str) -> None:
        self.resource = resource


class OnlyRead(Shared):
    """The same, of which nothing is changed by it."""

    only_read = True


def a_task(
    name: str, *after: str, given: tuple[Any, ...] = (), effect: Effect = Effect.LOCAL, **takes: int
) -> Task:
    calls = (call(print, *given),)
    return Task(
        name, Kind.STEP, "", "", calls=calls, effect=effect, after=tuple(after), takes=takes
    )


def named(*tasks: Task) -> dict[str, Task]:
    return {each.name: each for each in tasks}


def a_schedule(*tasks: Task, at_once: int = 8, **took_s: float) -> Schedule:
    found = Schedule(named(*tasks), at_once, took_s=took_s, free_memory_mb=free_mb)
    for each in tasks:
        if not each.after:
            found.add(each.name)
    return found


def all_that_begin(schedule: Schedule) -> list[str]:
    return list(iter(schedule.begin, None))


def test_the_longest_chain_begins_first_and_equal_ones_as_they_came() -> None:
    tasks = a_task("short"), a_task("long"), a_task("head"), a_task("tail", "head")
    schedule = a_schedule(*tasks, short=1, long=5, head=1, tail=9)
    assert all_that_begin(schedule) == ["head", "long", "short"]
    schedule = a_schedule(a_task("c"), a_task("a"), a_task("b"))
    assert all_that_begin(schedule) == ["c", "a", "b"]


def test_no_more_than_asked_for_begin_at_once() -> None:
    schedule = a_schedule(*(a_task(f"t{number}") for number in range(5)), at_once=2)
    assert all_that_begin(schedule) == ["t0", "t1"]
    schedule.ended("t1")
    assert all_that_begin(schedule) == ["t2"]
    assert schedule.running == ("t0", "t2")


def test_who_changes_what_others_read_is_alone_with_it() -> None:
    """Wherever the service stands in what the call is given."""
    host = Shared("host")
    schedule = a_schedule(
        a_task("reads", given=(host,)),
        a_task("reads_too", given=([host],)),
        a_task("writes", given=(deferred(str, {"to": host}),), effect=Effect.SHARED),
        a_task("elsewhere", given=(Shared("other"),), effect=Effect.PUBLIC),
    )
    assert all_that_begin(schedule) == ["reads", "reads_too", "elsewhere"]
    schedule.ended("reads")
    assert all_that_begin(schedule) == []
    schedule.ended("reads_too")
    assert all_that_begin(schedule) == ["writes"]


def test_who_changes_one_thing_lets_others_read_what_it_only_reads() -> None:
    """One that pushes a tag does not keep anybody from making archives of it."""
    clone, clone_to_read = Shared("clone"), OnlyRead("clone")
    schedule = a_schedule(
        a_task("pushes", given=(clone_to_read, Shared("fork")), effect=Effect.SHARED),
        a_task("packs", given=(clone,)),
        a_task("edits", given=(clone,), effect=Effect.CLONE),
        a_task("pushes_too", given=(clone_to_read, Shared("fork")), effect=Effect.SHARED),
        a_task("has_both", given=(clone_to_read, clone), effect=Effect.SHARED),
    )
    assert all_that_begin(schedule) == ["pushes", "packs"]
    schedule.ended("packs")
    schedule.ended("pushes")
    assert all_that_begin(schedule) == ["edits"]
    schedule.ended("edits")
    assert all_that_begin(schedule) == ["pushes_too"]
    schedule.ended("pushes_too")
    assert all_that_begin(schedule) == ["has_both"]


def test_the_clone_has_one_writer_and_any_number_of_readers() -> None:
    schedule = a_schedule(a_task("a", effect=Effect.CLONE), a_task("b", effect=Effect.CLONE))
    assert all_that_begin(schedule) == ["a"]
    schedule.ended("a")
    assert all_that_begin(schedule) == ["b"]


def test_who_takes_more_than_the_machine_has_waits_until_nothing_runs() -> None:
    schedule = a_schedule(
        a_task("small", memory_mb=10), a_task("giant", memory_mb=1000), a_task("none")
    )
    assert all_that_begin(schedule) == ["small", "none"]
    schedule.ended("small")
    assert all_that_begin(schedule) == []
    schedule.ended("none")
    assert all_that_begin(schedule) == ["giant"]
    assert not schedule.has_more


def test_memory_is_asked_for_when_a_step_would_begin() -> None:
    """Another program, or a task that never said what it takes, may have it by then."""
    free_now_mb = 100
    tasks = named(a_task("other"), a_task("big", memory_mb=60), a_task("second", memory_mb=60))
    schedule = Schedule(tasks, 8, took_s={}, free_memory_mb=lambda: free_now_mb)
    schedule.add("other")
    assert all_that_begin(schedule) == ["other"]
    free_now_mb = 50
    schedule.add("big")
    assert all_that_begin(schedule) == []
    free_now_mb = 90
    schedule.look_again()
    schedule.add("second")
    assert all_that_begin(schedule) == ["big"], "60 of 90 are its, used or not yet"
    free_now_mb = 30
    schedule.look_again()
    assert all_that_begin(schedule) == []
    schedule.ended("other")
    schedule.ended("big")
    assert all_that_begin(schedule) == ["second"], "nothing else runs"


def test_memory_that_is_already_used_is_not_counted_twice() -> None:
    free_now_mb = 100
    tasks = named(a_task("first", memory_mb=50), a_task("second", memory_mb=50))
    schedule = Schedule(tasks, 8, took_s={}, free_memory_mb=lambda: free_now_mb)
    schedule.add("first")
    assert all_that_begin(schedule) == ["first"]
    free_now_mb = 50
    schedule.add("second")
    assert all_that_begin(schedule) == ["second"]


def test_what_a_task_waits_for_is_told_with_who_has_it() -> None:
    clone, fork = Shared("clone"), Shared("fork")
    schedule = a_schedule(
        a_task("reads", given=(clone,), memory_mb=60), a_task("edits", given=(clone,),
        effect=Effect.SHARED), a_task("pushes", given=(fork,), effect=Effect.SHARED),
        a_task("pushes_too", given=(fork,), effect=Effect.SHARED), a_task("large", memory_mb=4000),
        a_task("small", memory_mb=50),
    )  # fmt: skip
    assert all_that_begin(schedule) == ["reads", "pushes"]
    assert schedule.held_up == {
        "edits": "clone, reads has it", "pushes_too": "fork, pushes has it",
        "large": "memory, 3.91 GiB, reads has it", "small": "memory, 50 MiB, reads has it",
    }  # fmt: skip
    schedule.ended("reads")
    assert all_that_begin(schedule) == ["edits", "small"]
    assert schedule.held_up["large"] == "memory, 3.91 GiB, small has it"
    schedule.ended("small")
    assert schedule.held_up == {"pushes_too": "fork, pushes has it"}, "it is tried again first"
    assert all_that_begin(schedule) == []
    assert schedule.held_up["large"] == "memory, 3.91 GiB, and less is free"
    schedule.forget_more()
    assert schedule.held_up == {}


def test_chains_are_as_long_as_what_stands_behind_a_task() -> None:
    tasks = named(a_task("a"), a_task("b", "a"), a_task("c", "a"), a_task("d", "b", "c"))
    assert chains_s(tasks, {"a": 1, "b": 5, "c": 2, "d": 3}) == {"a": 9, "b": 8, "c": 5, "d": 3}
    assert chains_s(tasks, {"a": 4, "b": 2}) == {"a": 10, "b": 5, "c": 6, "d": 3}
    assert chains_s({}, {}) == {}
    group = Task("all", Kind.GROUP, "", "", after=("d",))
    assert chains_s({**tasks, "all": group}, {"a": 4, "b": 2})["d"] == 3, "a group takes no time"


def a_random_graph(dice: random.Random, count: int) -> dict[str, Task]:
    hosts = [Shared("one"), Shared("two")]
    found: dict[str, Task] = {}
    for number in range(count):
        before = dice.sample(sorted(found), min(len(found), dice.choice((0, 0, 1, 1, 2, 3))))
        takes = dice.choice(({}, {}, {"cores": dice.randint(1, 5)}, {"memory_mb": 60}))
        given = tuple(dice.sample(hosts, dice.choice((0, 0, 1, 2))))
        effect = dice.choice((Effect.LOCAL, Effect.LOCAL, Effect.CLONE, Effect.SHARED))
        name = f"t{number:03}"
        found[name] = a_task(name, *before, given=given, effect=effect, **takes)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_nothing_begins_early_or_beyond_a_bound_in_any_graph(seed: int) -> None:
    """In time that is only counted, so that each order of ends can be had."""
    dice = random.Random(seed)
    tasks = a_random_graph(dice, 60)
    at_once = dice.choice((1, 2, 8))
    took_s = {name: dice.uniform(0.1, 9) for name in tasks if dice.random() < 0.7}
    cores = Cores(MACHINE["cores"])
    schedule = Schedule(tasks, at_once, took_s=took_s, free_memory_mb=free_mb, cores=cores)
    for name, task in tasks.items():
        if not task.after:
            schedule.add(name)
    done: set[str] = set()
    ends: list[tuple[float, str]] = []
    now_s = 0.0
    while schedule.running or schedule.has_more:
        for name in all_that_begin(schedule):
            assert done >= set(tasks[name].after)
            heapq.heappush(ends, (now_s + dice.uniform(0.1, 9), name))
        assert_within_bounds([tasks[name] for name in schedule.running], at_once)
        now_s, ended = heapq.heappop(ends)
        schedule.ended(ended)
        done.add(ended)
        for name, task in tasks.items():
            if ended in task.after and done >= set(task.after):
                schedule.add(name)
    cores.close()
    assert done == set(tasks)


def assert_within_bounds(running: list[Task], at_once: int) -> None:
    assert 0 < len(running) <= at_once
    for what, most in MACHINE.items():
        takers = [each.takes[what] for each in running if what in each.takes]
        assert sum(takers) <= most or len(takers) == 1
    used = Counter(value.resource for each in running for value in each.calls[0].arguments)
    used["clone"] = sum(each.effect is Effect.CLONE for each in running)
    assert used["clone"] <= 1
    for each in running:
        if each.effect is not Effect.LOCAL:
            assert all(used[value.resource] == 1 for value in each.calls[0].arguments)
