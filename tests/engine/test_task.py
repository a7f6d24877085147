"""How a call is told: equal on every machine, and different when something about it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from doit_receipts.calls import Deferred, Fact, call, deferred
from doit_receipts.task import Effect

WORK = Path("/somewhere/build/3.13.6")


@dataclass(frozen=True)
class Layout:
    work: Path
    version: str


@dataclass(frozen=True)
class Secret:
    place: str
    value: str = field(default="hunter2", repr=False)


class Service:
    def __repr__(self) -> str:
        return "downloads"


def act(*values: object, **named: object) -> tuple[object, ...]:
    return (*values, *sorted(named.items()))


def test_paths_below_the_work_folder_are_told_without_it() -> None:
    here = call(act, Layout(WORK, "1.0"), WORK / "src" / "a").describe(WORK)
    other = Path("/elsewhere/3.13.6")
    there = call(act, Layout(other, "1.0"), other / "src" / "a").describe(other)
    assert here == there
    assert "src/a" in here


def test_every_kind_of_argument_counts() -> None:
    values = (
        1, True, "1", b"1", None, 1.5, date(2026, 1, 1), Effect.LOCAL, (1,), {"a": 1}, {"a"},
        Deferred(Fact("task", "name")), Service(), act, Layout(WORK, "1.0"), Path("/x"),
    )  # fmt: skip
    told = {call(act, each).describe(WORK) for each in values}
    assert len(told) == len(values)
    assert call(act, a=1).describe(WORK) != call(act, b=1).describe(WORK)


def test_sets_and_mappings_are_told_in_one_order() -> None:
    one = call(act, {"b", "a"}, {"y": 1, "x": 2}).describe(WORK)
    two = call(act, {"a", "b"}, {"x": 2, "y": 1}).describe(WORK)
    assert one == two


def test_a_field_that_is_kept_out_of_the_repr_is_not_told() -> None:
    assert "hunter2" not in call(act, Secret("env:X")).describe(WORK)


def test_facts_and_inner_calls_are_known_when_the_call_is_performed() -> None:
    inner = deferred(int, cast("str", Deferred(Fact("day", "epoch_s"))))
    made = call(act, inner, again=Deferred(Fact("day", "date")))
    facts = {"epoch_s": "5", "date": "2026-11-22"}
    assert made.perform(lambda fact: facts[fact.name]) == (5, ("again", "2026-11-22"))


def test_what_cannot_tell_itself_is_refused() -> None:
    """An address in memory would make every receipt stale."""

    class Nameless:
        pass

    with pytest.raises(TypeError, match="Nameless stands in a call"):
        call(act, Nameless()).describe(WORK)
