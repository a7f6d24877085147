"""Moments: which of all instants of a day or an export it is killed at.

A task that sends fifty files passes the same few kinds of moments fifty times. The first, the
middle and the last of each kind stand for all others; with PEP101_EVERY_MOMENT=1 all are tried.
Runs do two tasks at once, in processes of their own, as people's do; with PEP101_AT_ONCE=1 one
after another, in the order of the list.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from tests.publish.walk import Stage

__all__ = [
    "AT_ONCE",
    "EVERY",
    "IN_ORDER",
    "at_once",
    "certain",
    "chosen",
    "fatal_records",
    "kind_of_write",
]

Moment = TypeVar("Moment")
EVERY: Final = os.environ.get("PEP101_EVERY_MOMENT", "") == "1"
_ASKED: Final = os.environ.get("PEP101_AT_ONCE", "")
AT_ONCE: Final = f"-n{_ASKED or 2}"
"""How many tasks each run of a day or an export does at once, as a word for ``doit run``."""
IN_ORDER: Final = f"-n{_ASKED or 1}"
"""The same for tests that name the order of the list, or what is done when something fails."""


def at_once(words: Sequence[str], number: str = AT_ONCE) -> Sequence[str]:
    """The words of a command, with that number if it is a run."""
    return ("run", number, *words[1:]) if words[:1] == ("run",) else words


def certain(writes: Iterable[str]) -> list[str]:
    """The instants that are in each run: how long a task takes is not certain.

    With several at once, others are told only of what runs for longer than a moment.
    """
    return [each for each in writes if AT_ONCE == "-n1" or " running." not in each]


def chosen(moments: Iterable[Moment], kind: Callable[[Moment], Hashable]) -> list[Moment]:
    """The first, the middle and the last moment of each kind, in their order."""
    listed = list(moments)
    if EVERY:
        return listed
    places: dict[Hashable, list[int]] = {}
    for place, moment in enumerate(listed):
        places.setdefault(kind(moment), []).append(place)
    kept = {at for each in places.values() for at in (each[0], each[len(each) // 2], each[-1])}
    return [listed[place] for place in sorted(kept)]


def fatal_records(stage: Stage) -> list[int]:
    """The records of the stage after which the client is killed, counted from 1.

    What experts do by themselves is none of the client's.
    """
    mine = [
        number for number, each in enumerate(stage.events, start=1) if each["part"] != "experts"
    ]

    def kind(number: int) -> Hashable:
        event = stage.events[number - 1]
        return event["part"], event["event"]

    return chosen(mine, kind)


def kind_of_write(instant: str) -> Hashable:
    """What is done to which sort of file, such as a rename of a bundle."""
    _, act, *what = instant.split(" ")
    folder, _, name = " ".join(what[:-1]).rpartition("/")
    return act, folder, name.partition(".")[2].rpartition(".")[2]
