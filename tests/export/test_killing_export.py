"""SIGKILL while a toy CPython is exported, then the same command again.

However it was killed, what is left in the end is what an undisturbed export leaves, byte for
byte, and no step that was finished runs again. Of writes that are alike, some stand for all (see
tests/moments).
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from doit_receipts.durable import PARTIAL
from tests.moments import EVERY, chosen, kind_of_write
from tests.processes import all_end, children, family

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.export.toy import Done, Toy
    from tests.export.walk import Stage, Walk

pytestmark = pytest.mark.slow

SHARES = 4
KILLS = 100 if EVERY else 8
# Volatile gates: they look in each run until what they guard has happened.
LOOK_AGAIN = {"check_tools", "check_key", "check_base"}


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_any_write_of_any_task_it_goes_on_as_if_nothing_had_been(
    walk: Walk, share: int, count: Callable[[str, int], None]
) -> None:
    """The writes of each task, which runs by itself from a copy of the moment before it."""
    for stage in walk.stages:
        for instant in chosen(stage.instants, kind_of_write)[share::SHARES]:
            survive(walk.toy, stage, instant)
            count("kills at a write, each gone on to the bytes of an undisturbed run", 1)


def survive(toy: Toy, stage: Stage, instant: str) -> None:
    when = f"{stage.task}, killed {instant}"
    toy.restore(stage.task)
    killed = toy.quickly("--everybody", f"--at={instant}", task=stage.task)
    assert killed.status == -signal.SIGKILL, (when, killed)
    half = [name for name, content in toy.files().items() if not stage.is_whole(name, content)]
    assert all(name.endswith(PARTIAL) for name in half), (when, half)
    done, ran = toy.done(), toy.ran()
    again = toy.quickly(task=stage.task)
    assert again.status == 0, (when, again)
    assert_same(toy.left(), stage.left, when)
    assert_once(toy, done, toy.ran()[len(ran) :], when)


@pytest.mark.parametrize(
    ("seed", "at_once"), [*((seed, "-n2") for seed in range(SHARES)), (SHARES, "-n1")]
)
def test_killed_at_any_time_it_goes_on_as_if_nothing_had_been(
    toy: Toy, seed: int, at_once: str, count: Callable[[str, int], None]
) -> None:
    """Whole exports from nothing, each killed at some random instants; in half of the cases,
    programs of doit die with it.
    """
    # Seconds of autoconf in which nothing of ours happens; by write it is killed elsewhere.
    with toy.instead("autoconf", "echo autoconf 2.13"):
        toy.restore()
        began_s = time.monotonic()
        assert toy.doit(at_once, "export").status == 0
        full_s = time.monotonic() - began_s
        wanted = toy.left()
        dice = random.Random(seed)
        killed = 0
        while killed < KILLS // SHARES:
            instants_s = sorted(dice.uniform(0, full_s) for _ in range(dice.randint(1, 4)))
            when = f"seed {seed}, to be killed at {instants_s} of {full_s} s"
            times = go_on_after(toy, at_once, instants_s, dice, wanted, when)
            killed += times
            count("kills at a random instant of a whole export", times)
            count("exports that were killed, equal to an undisturbed one byte for byte", times > 0)


def go_on_after(
    toy: Toy,
    at_once: str,
    instants_s: list[float],
    dice: random.Random,
    wanted: dict[str, bytes | str],
    when: str,
) -> int:
    """An export from nothing, killed at these instants and gone on; returns how often it was."""
    toy.restore()
    done: dict[str, Done] = {}
    ran = killed = 0
    for before_s, instant_s in pairwise((0.0, *instants_s)):
        killed += kill_after(toy, at_once, instant_s - before_s, everybody=dice.random() < 0.5)
        half = [name for name, content in toy.files().items() if wanted.get(name) != content]
        assert all(name.endswith(PARTIAL) for name in half), (when, half)
        assert_once(toy, done, toy.ran()[ran:], when)
        done, ran = toy.done(), len(toy.ran())
    ended = toy.doit(at_once, "export")
    assert ended.status == 0, (when, ended.out)
    assert_same(toy.left(), wanted, when)
    assert_once(toy, done, toy.ran()[ran:], when)
    twice = {task for task, times in Counter(toy.ran()).items() if times > 1}
    assert not twice - LOOK_AGAIN, (when, twice)
    return killed


def kill_after(toy: Toy, at_once: str, time_s: float, *, everybody: bool) -> bool:
    """Run the export, and kill it after a time unless it has ended before."""
    with toy.start(at_once, "export") as process:
        time.sleep(time_s)
        if process.poll() is not None:
            return False
        doomed = family(process.pid) if everybody else [process.pid]
        # One task at a time has no workers: what the run started then are programs.
        workers = children(process.pid) if at_once != "-n1" else []
        for number in doomed:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        ended = process.wait()
        assert all_end(*workers)  # each a moment later, and what it was writing is there
        return ended == -signal.SIGKILL


def assert_same(found: dict[str, bytes | str], wanted: dict[str, bytes | str], when: str) -> None:
    differing = [
        name for name in sorted(found.keys() | wanted.keys()) if found.get(name) != wanted.get(name)
    ]
    assert not differing, (when, {name: (found.get(name), wanted.get(name)) for name in differing})


def assert_once(toy: Toy, done: dict[str, Done], since: list[str], when: str) -> None:
    """What was finished when the kill came has the same receipt file, and did not run since."""
    now = toy.done()
    assert [name for name in done if now.get(name) != done[name]] == [], when
    assert not (set(since) & done.keys()) - LOOK_AGAIN, (when, since)
