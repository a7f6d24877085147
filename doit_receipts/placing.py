"""Placing: where each task of a graph stands, and which way each arrow between them goes.

Nobody needs more than ``in_rows``. A project that has a library for it, which leads arrows around
what is in their way, gives that to its plan (``RunContext.place``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Box", "Placed", "in_rows"]

_SWEEPS: Final = 6


@frozen
class Box:
    """The size of each task, and what is left free beside and below it, in pixels."""

    wide: int
    high: int
    beside: int
    below: int


@frozen
class Placed:
    """Tasks and arrows of a graph, each task below all that it waits for."""

    corners: Mapping[str, tuple[int, int]]
    """The upper left corner of each task, in pixels from the upper left corner of the drawing."""
    ways: Mapping[tuple[str, str], str]
    """What draws each arrow: the data of an SVG path."""
    wide: int
    high: int
    """The size of the drawing, in pixels: no task and no arrow is beyond it."""


def in_rows(names: Sequence[str], arrows: Sequence[tuple[str, str]], box: Box) -> Placed:
    """Each task is one row below all that it waits for, and near to what it is joined with.

    ``names`` has each behind all that it waits for.
    """
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for one, other in arrows:
        before[other].append(one)
        after[one].append(other)
    rows = _rows(names, before)
    columns = {name: float(number) for row in rows for number, name in enumerate(row)}
    for sweep in range(_SWEEPS):
        near, turn = (after, reversed(rows)) if sweep % 2 else (before, iter(rows))
        for row in turn:
            _settle(row, near, columns)
    least = min(columns.values(), default=0.0)
    corners = {
        name: (
            round((columns[name] - least) * (box.wide + box.beside)),
            number * (box.high + box.below),
        )
        for number, row in enumerate(rows)
        for name in row
    }
    ways = {each: _curve(corners, each, box) for each in arrows}
    wide = max((x for x, _ in corners.values()), default=0) + box.wide
    high = max((y for _, y in corners.values()), default=0) + box.high
    return Placed(corners, ways, wide, high)


def _rows(names: Sequence[str], before: Mapping[str, Sequence[str]]) -> list[list[str]]:
    depth: dict[str, int] = {}
    rows: list[list[str]] = []
    for name in names:
        depth[name] = 1 + max((depth[each] for each in before[name]), default=-1)
        while len(rows) <= depth[name]:
            rows.append([])
        rows[depth[name]].append(name)
    return rows


def _settle(row: list[str], near: Mapping[str, list[str]], columns: dict[str, float]) -> None:
    """Each of the row moves towards what it is joined with, and nobody stands on anybody."""
    wanted = {
        name: sum(columns[each] for each in near[name]) / len(near[name])
        if near[name]
        else columns[name]
        for name in row
    }
    row.sort(key=lambda name: (wanted[name], name))
    right = None
    for name in row:
        columns[name] = wanted[name] if right is None else max(wanted[name], right + 1)
        right = columns[name]
    # As far to the left as to the right of where they would like to be.
    shift = sum(wanted[name] - columns[name] for name in row) / len(row)
    for name in row:
        columns[name] += shift


def _curve(corners: Mapping[str, tuple[int, int]], arrow: tuple[str, str], box: Box) -> str:
    (x1, y1), (x2, y2) = (corners[each] for each in arrow)
    x1, x2, y1 = x1 + box.wide // 2, x2 + box.wide // 2, y1 + box.high
    middle = (y2 - y1) // 2 or 1
    return f"M{x1} {y1}C{x1} {y1 + middle} {x2} {y2 - middle} {x2} {y2}"
