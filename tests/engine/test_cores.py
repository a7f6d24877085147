"""Cores that steps share: never more at work than there are, and make is one of them."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import threading
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.calls import call
from doit_receipts.cores import Cores, cores_here, jobs_of_make, sharing, some_cores
from doit_receipts.schedule import Schedule
from doit_receipts.task import Effect
from tests.engine.test_schedule import a_task, all_that_begin, named
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from doit_receipts.task import Task


@pytest.fixture
def cores() -> Iterator[Cores]:
    found = Cores(4)
    with sharing(found):
        yield found


@pytest.mark.parametrize("most", [1, cores_here(), cores_here() + 5, None])
def test_alone_a_step_has_all_that_it_asks_for_and_that_there_is(most: int | None) -> None:
    """One at a time is what a machine is told to do whose memory ran out."""
    with some_cores(most) as count:
        assert count == min(most or cores_here(), cores_here())


def test_a_step_has_one_and_gets_what_others_leave(cores: Cores) -> None:
    assert cores.take(1) == 1  # as the run does before the step begins
    with some_cores(8) as count:
        assert count == 4
        assert cores.take(1) == 0
    with some_cores(2) as count:
        assert count == 2
        assert cores.take(9) == 2
        assert cores.take(0) == 0


def test_a_second_thread_of_a_step_waits_for_a_core_of_its_own(cores: Cores) -> None:
    cores.take(4)
    had = []

    def work() -> None:
        with some_cores(3) as count:
            had.append(count)

    with some_cores(1) as count:
        assert count == 1
        thread = threading.Thread(target=work)
        thread.start()
        assert had == []
        cores.give_back(2)
        thread.join()
    assert had == [2]
    assert cores.take(9) == 2


def test_a_second_thread_goes_on_with_the_core_that_the_first_one_gives_up(cores: Cores) -> None:
    """However hungry others are, such as a make that takes each core as soon as it is free."""
    assert cores.take(4) == 4
    had = []

    def work() -> None:
        with some_cores(2) as count:
            had.append(count)

    with some_cores(1):
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
    thread.join(timeout=60)
    assert had == [1]
    with some_cores(2) as count:
        assert count == 1  # the step has it still
    assert cores.take(9) == 0  # and others have no more than before


def test_who_waits_for_most_of_them_lends_its_own_meanwhile(cores: Cores) -> None:
    """What runs for hours with what it had at its beginning does not begin with one of four."""
    assert cores.take(4) == 4  # one is its own, and three are those of others
    had = []

    def work() -> None:
        with some_cores(most_of_them=True) as count:
            had.append(count)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: cores.take(1), "its own is lent")
    cores.give_back(1)
    assert had == []
    cores.give_back(2)
    thread.join(timeout=60)
    assert had == [3]


def test_what_a_killed_program_had_comes_back_when_nobody_is_left(cores: Cores) -> None:
    assert cores.take(3) == 3
    cores.restore()
    assert cores.take(9) == 4


def test_who_waits_goes_on_with_what_there_is_once_no_more_come() -> None:
    """A make that was killed gave nothing back, and another task may run that has some."""
    now_s = itertools.count(0, 1800)
    with sharing(cores := Cores(4, now_s=lambda: next(now_s))):
        assert cores.take(3) == 3  # one is its own
        assert had_at_last() == 2
        assert cores.take(9) == 1


def waits_while_free_are(*free: int, step_s: float) -> int:
    """With how many of four a step goes on; at its looks so many are free, with what it lent."""
    with sharing(cores := Cores(4)):
        assert cores.take(4) == 4  # one is its own
        looks = iter(free)
        spare, now_s = 0, 0.0

        def now() -> float:
            nonlocal spare, now_s
            now_s += step_s
            # What was free and what it lent is taken by others, and so much comes back.
            cores.take(9)
            spare = next(looks, spare)
            cores.give_back(spare)
            return now_s

        cores._now_s = now
        return had_at_last()


def test_who_waits_goes_on_waiting_while_some_come_and_go() -> None:
    """A build that has cores for an hour gives some back now and then, and all in the end."""
    assert waits_while_free_are(0, *[2, 0, 1, 0] * 5, 3, step_s=400) == 3


@pytest.mark.parametrize(
    ("free", "had"),
    [((0, 2, *[0] * 7, 1, 2), 2), ((0, 2, *[0] * 7, 0, 1, 2), 1), ((0, 2, *[0] * 9), 1)],
    ids=["it comes again", "not all of it", "nothing comes"],
)
def test_who_waits_in_vain_goes_on_with_the_most_that_was_free(
    free: tuple[int, ...], had: int
) -> None:
    """What is free at one instant is not what it has for hours, if a little later there is more."""
    assert waits_while_free_are(*free, step_s=500) == had


def test_who_waits_goes_on_as_with_one_core_where_there_is_none() -> None:
    """Others took what it lent, and give it back: it is there once when all have ended."""
    tasks = named(a_task("a", cores=1), a_task("b", cores=1))
    now_s = itertools.count(0, 1800)

    def hungry_make() -> float:
        shared.work_for("")
        shared.take(9)
        shared.work_for("a")
        return next(now_s)

    with sharing(shared := Cores(4, tasks, now_s=hungry_make)):
        schedule = running(tasks, shared)
        shared.work_for("a")
        assert had_at_last() == 1
        assert shared.take(9) == 0
        shared.work_for("")
        shared.give_back(3)
        schedule.ended("a")
        assert shared.take(9) == 3


def test_what_a_killed_task_had_is_there_for_one_that_waits() -> None:
    """Another one runs that may have cores, so that they are not all made anew."""
    tasks = named(a_task("a", cores=1), a_task("b", cores=1))
    with sharing(cores := Cores(4, tasks)):
        schedule = running(tasks, cores)
        cores.work_for("a")
        assert cores.take(2) == 2
        cores.work_for("")
        schedule.ended("a")
        assert all_that_begin(schedule) == []
        assert had_at_last() == 4
        assert cores.take(9) == 3


@pytest.mark.parametrize("in_good_order", [True, False])
def test_the_core_that_a_stopped_task_had_lent_comes_back_once(*, in_good_order: bool) -> None:
    tasks = named(a_task("a", cores=1), a_task("b", cores=1))

    def stopped() -> float:
        raise KeyboardInterrupt

    with sharing(cores := Cores(4, tasks, now_s=stopped)):
        schedule = running(tasks, cores)
        assert cores.take(1) == 1
        cores.work_for("a")
        if in_good_order:
            with pytest.raises(KeyboardInterrupt), some_cores(most_of_them=True):
                pass
            assert cores.take(9) == 1
            cores.give_back(1)
        else:
            cores.give_back(1)
        cores.work_for("")
        schedule.ended("a")
        assert all_that_begin(schedule) == []
        cores.give_back(1)
        assert cores.take(9) == 3


def running(tasks: Mapping[str, Task], cores: Cores) -> Schedule:
    """A schedule in which all of them have begun."""
    schedule = Schedule(tasks, 8, took_s={}, cores=cores)
    for name in tasks:
        schedule.add(name)
    assert all_that_begin(schedule) == list(tasks)
    return schedule


def had_at_last() -> int:
    """With how many cores a step goes on that waits for most of them; it does not wait for ever."""
    had = []

    def work() -> None:
        with some_cores(most_of_them=True) as count:
            had.append(count)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout=60)
    (count,) = had
    return count


def test_who_takes_cores_begins_when_they_are_there(cores: Cores) -> None:
    tasks = named(a_task("a", cores=3), a_task("b", cores=3), a_task("c"), a_task("d", cores=99))
    schedule = Schedule(tasks, 8, took_s={}, cores=cores)
    for name in tasks:
        schedule.add(name)
    assert all_that_begin(schedule) == ["a", "c"]
    assert cores.take(1) == 1
    schedule.look_again()
    assert all_that_begin(schedule) == []
    schedule.ended("a")
    assert all_that_begin(schedule) == ["b"]
    schedule.ended("b")  # nobody else says that he takes any: what is missing was lost
    assert all_that_begin(schedule) == ["d"]


def test_what_a_task_had_is_for_those_that_begin_next_and_then_for_pools(cores: Cores) -> None:
    """A pool that waits for one more keeps it for long, and what is behind the task is urgent."""
    tasks = named(a_task("pool", cores=2), a_task("head", cores=2), a_task("tail", "head", cores=1))
    schedule = Schedule(tasks, 8, took_s={}, cores=cores)
    schedule.add("pool")
    schedule.add("head")
    assert all_that_begin(schedule) == ["head", "pool"]
    schedule.ended("head")
    assert cores.take(1) == 0
    schedule.add("tail")
    assert all_that_begin(schedule) == ["tail"]
    assert cores.take(9) == 1


def test_cores_of_a_gate_that_judges_again_within_an_act_are_not_made_twice(cores: Cores) -> None:
    """The act takes none by its declaration, and its gate has some while another step ends."""
    act = replace(a_task("act", effect=Effect.SHARED), look=lambda: call(print))
    tasks = named(act, a_task("build", cores=1))
    schedule = Schedule(tasks, 8, took_s={}, cores=cores)
    for name in tasks:
        schedule.add(name)
    assert all_that_begin(schedule) == ["act", "build"]
    with cores.some(3):
        schedule.ended("build")
        assert all_that_begin(schedule) == []
    assert cores.take(9) == 4
    schedule.ended("act")  # one that was killed gives nothing back
    assert cores.take(9) == 4


def test_more_cores_than_there_are_do_not_stay(cores: Cores) -> None:
    cores.give_back(2)
    cores.restore()
    assert cores.take(9) == 4


MAKEFILE = """\
all: $(foreach number,1 2 3 4 5 6 7 8 9,made-$(number))
made-%:
\t@echo begin >>$(LOG); sleep 0.05; echo end >>$(LOG)
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_two_makes_at_once_never_use_more_cores_than_there_are(
    cores: Cores, tmp_path: Path
) -> None:
    """Each has one of the four, and both share the other two as they come and go."""
    (tmp_path / "Makefile").write_text(MAKEFILE)
    log = tmp_path / "log"
    assert cores.take(2) == 2
    with ExitStack() as stack:
        makes = [
            stack.enter_context(
                subprocess.Popen(
                    ["make", f"LOG={log}"], cwd=tmp_path, pass_fds=cores.descriptors,
                    env={**os.environ, "MAKEFLAGS": cores.makeflags},
                )
            )
            for _ in range(2)
        ]  # fmt: skip
        for each in makes:
            assert each.wait(timeout=120) == 0
    running = most = 0
    for word in log.read_text().split():
        running += 1 if word == "begin" else -1
        most = max(most, running)
    assert most <= 4
    assert cores.take(9) == 2


BOTH = """\
all: left right
left:
\t@touch L; until test -e R; do sleep 0.01; done
right:
\t@touch R; until test -e L; do sleep 0.01; done
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_make_uses_the_cores_that_nobody_has(cores: Cores, tmp_path: Path) -> None:
    """Its two jobs wait for each other, so that one after the other they would never end."""
    (tmp_path / "Makefile").write_text(BOTH)
    assert cores.take(1) == 1
    subprocess.run(
        ["make"], cwd=tmp_path, pass_fds=cores.descriptors, check=True, timeout=120,
        env={**os.environ, "MAKEFLAGS": cores.makeflags},
    )  # fmt: skip
    assert cores.take(9) == 3


def test_a_make_is_told_of_shared_cores_and_else_of_a_number(cores: Cores) -> None:
    assert cores.take(1) == 1
    with jobs_of_make("4.3") as jobs:
        assert jobs.words == ()
        assert jobs.environment == {"MAKEFLAGS": cores.makeflags}
        assert cores.take(9) == 3  # its own is its own, and it takes others as it needs them
        cores.give_back(3)
    for version in ("3.81", "4.1", ""):
        with jobs_of_make(version) as jobs:
            assert (jobs.words, jobs.environment, jobs.descriptors) == (("-j4",), {}, ())
    assert cores.take(9) == 3


def test_alone_a_make_is_told_of_all_cores() -> None:
    with jobs_of_make("4.3") as jobs:
        assert (jobs.words, jobs.environment) == ((f"-j{cores_here()}",), {})


def test_a_program_that_fills_the_pipe_makes_nobody_wait_or_fail(cores: Cores) -> None:
    looking = cores.descriptors[1]
    with suppress(BlockingIOError):
        while os.write(looking, b"+" * 4096):
            pass
    cores.give_back(1)
    cores.restore()
