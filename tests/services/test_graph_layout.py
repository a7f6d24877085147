"""Where the tasks of a graph stand: each below what it waits for, none on another or an arrow."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygraphviz import AGraph

from doit_receipts.placing import Box, Placed, in_rows
from plugins.services import graph_layout

if TYPE_CHECKING:
    from collections.abc import Iterator

BOX: Final = Box(wide=186, high=36, beside=14, below=26)
SAMPLES: Final = 16
Graph = tuple[list[str], list[tuple[str, str]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Names of any kind in reading order, and arrows that lead from earlier to later ones."""
    names = draw(st.lists(st.text(max_size=8), unique=True, max_size=12))
    pairs = [(one, two) for at, one in enumerate(names) for two in names[at + 1 :]]
    arrows = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return names, arrows


def hold(placed: Placed, graph: Graph) -> None:
    names, arrows = graph
    assert set(placed.corners) == set(names)
    assert list(placed.ways) == arrows
    for one, two in arrows:
        assert placed.corners[one][1] + BOX.high < placed.corners[two][1]
    corners = list(placed.corners.values())
    for x, y in corners:
        assert 0 <= x <= placed.wide - BOX.wide + 1
        assert 0 <= y <= placed.high - BOX.high + 1
    for at, (x, y) in enumerate(corners):
        assert all(
            abs(x - other_x) >= BOX.wide or abs(y - other_y) >= BOX.high
            for other_x, other_y in corners[at + 1 :]
        )


def points_on(way: str) -> Iterator[tuple[float, float]]:
    """Points on the curves of the path."""
    first, *curves = re.split("c", way.removeprefix("M"))
    at_x, at_y = map(int, first.split())
    for curve in curves:
        steps = [int(each) for each in re.findall(r"-?\d+", curve)]
        x = [at_x, *(at_x + each for each in steps[::2])]
        y = [at_y, *(at_y + each for each in steps[1::2])]
        assert len(x) == 4
        for number in range(SAMPLES + 1):
            t = number / SAMPLES
            parts = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield (
                sum(part * each for part, each in zip(parts, x, strict=True)),
                sum(part * each for part, each in zip(parts, y, strict=True)),
            )
        at_x, at_y = x[-1], y[-1]


@given(graphs())
def test_graphviz_places_any_graph_and_leads_arrows_around_what_is_in_their_way(
    graph: Graph,
) -> None:
    placed = graph_layout.place(*graph, BOX)
    hold(placed, graph)
    waiting = {after for _, after in graph[1]}
    assert {placed.corners[name][1] for name in graph[0] if name not in waiting} <= {0}
    for arrow, way in placed.ways.items():
        others = [corner for name, corner in placed.corners.items() if name not in arrow]
        for at_x, at_y in points_on(way):
            assert -1 <= at_x <= placed.wide + 1
            assert -1 <= at_y <= placed.high + 1
            # by rounding to pixels it may touch an edge
            assert not any(
                x + 2 < at_x < x + BOX.wide - 2 and y + 2 < at_y < y + BOX.high - 2
                for x, y in others
            )


@given(graphs())
def test_rows_place_any_graph_too(graph: Graph) -> None:
    hold(in_rows(*graph, BOX), graph)


@pytest.mark.parametrize("fails", ["is missing", "cannot lay out", "says no place"])
def test_without_graphviz_tasks_stand_in_rows(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that draws stops no release."""

    def layout(_graph: AGraph, prog: str) -> None:
        if fails == "cannot lay out":
            raise ValueError(prog)

    monkeypatch.setattr(AGraph, "layout", layout)
    if fails == "is missing":
        monkeypatch.setitem(sys.modules, "pygraphviz", None)
    graph = ["a", "b"], [("a", "b")]
    assert graph_layout.place(*graph, BOX) == in_rows(*graph, BOX)


def test_it_tells_nothing_of_fonts_that_it_does_not_need(capfd: pytest.CaptureFixture[str]) -> None:
    graph_layout.place(["a", "b"], [("a", "b")], BOX)
    assert capfd.readouterr() == ("", "")
