"""A toy export leaves the same bytes and the same journal, however many tasks run at once.

And in whatever order: those with the longest chain behind them go first, by what they took before,
so made-up times of another release make any order.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.export.test_killing_export import assert_same

if TYPE_CHECKING:
    from tests.export.toy import Toy

pytestmark = pytest.mark.slow

RUNS = 20
ANOTHER = "3.13.5"
DELAYED = ("git", "gzip", "xz")
LATE = """case $$ in *[13579]) sleep 0.0$(($$ % 10)) ;; esac
exec {program} "$@"
"""
"""By the number of its process, a program starts up to a tenth of a second later."""


def told(toy: Toy) -> Counter[str]:
    """What the journal tells, in no order, without its times and what only its run can check."""
    entries = map(json.loads, (toy.work / "journal.jsonl").read_text().splitlines())
    return Counter(
        json.dumps({name: each[name] for name in each if name not in ("at", "took_s", "seal")})
        for each in entries
    )


def test_any_number_at_once_exports_the_same(toy: Toy) -> None:
    left, journals = {}, {}
    with toy.instead("autoconf", "echo autoconf 2.13"):
        for at_once in (1, 2, 8):
            toy.restore()
            ended = toy.doit(f"-n{at_once}", "export")
            assert ended.status == 0, ended.out
            left[at_once], journals[at_once] = toy.left(), told(toy)
    assert len(left[1]) > 40
    for at_once in (2, 8):
        assert_same(left[at_once], left[1], f"{at_once} at once")
        assert journals[at_once] == journals[1]


def test_any_order_with_any_delay_exports_the_same(toy: Toy) -> None:
    dice = random.Random(RUNS)
    orders = set()
    with ExitStack() as stack:
        stack.enter_context(toy.instead("autoconf", "echo autoconf 2.13"))
        for name in DELAYED:
            late = LATE.format(program=shutil.which(name))
            stack.enter_context(toy.instead(name, late))
        stack.callback(shutil.rmtree, toy.work.parent / ANOTHER, ignore_errors=True)
        toy.restore()
        assert toy.doit("-n1", "export").status == 0
        wanted, entries, tasks = toy.left(), told(toy), toy.ran()
        for number in range(RUNS):
            at_once = dice.choice((2, 3, 8))
            when = f"run {number}, {at_once} at once"
            make_up_times(toy, tasks, dice)
            toy.restore()
            ended = toy.doit(f"-n{at_once}", "export")
            assert ended.status == 0, (when, ended.out)
            assert_same(toy.left(), wanted, when)
            assert told(toy) == entries, when
            orders.add(tuple(toy.ran()))
    assert len(orders) > 1


def make_up_times(toy: Toy, tasks: list[str], dice: random.Random) -> None:
    """Another release beside it tells that its tasks took any time."""
    journal = toy.work.parent / ANOTHER / "journal.jsonl"
    journal.parent.mkdir(exist_ok=True)
    entries = [{"event": "done", "task": task, "took_s": dice.uniform(0, 99)} for task in tasks]
    journal.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
