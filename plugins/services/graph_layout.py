"""Graph layout: Graphviz places the tasks of a graph, and leads the arrows around them.

The wheels of pygraphviz contain Graphviz; where it cannot be had, or fails, tasks stand in rows.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.placing import Placed, in_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from doit_receipts.placing import Box

__all__ = ["place"]

_PER_INCH: Final = 72
"""Graphviz counts sizes in inches, and places in points of which one is a pixel here."""
_ONE_AT_A_TIME: Final = Lock()
"""Graphviz works for one thread of a process only."""


def place(names: Sequence[str], arrows: Sequence[tuple[str, str]], box: Box) -> Placed:
    """What Graphviz's ``dot`` makes of it: each task below all that it waits for.

    Those that wait for nothing stand at the top.
    """
    try:
        with _ONE_AT_A_TIME:
            return _placed(names, arrows, box)
    except Exception:  # noqa: BLE001 - a library that draws stops no release
        return in_rows(names, arrows, box)


def _placed(names: Sequence[str], arrows: Sequence[tuple[str, str]], box: Box) -> Placed:
    from pygraphviz import AGraph

    # By number: Graphviz has words and signs of its own, and a task may be called anything.
    numbers = {name: str(number) for number, name in enumerate(names)}
    waiting = {after for _, after in arrows}
    graph = AGraph(directed=True, nodesep=box.beside / _PER_INCH, ranksep=box.below / _PER_INCH)
    try:
        # Without words in the boxes it looks for no fonts, and tells of none that it misses.
        size = {"width": box.wide / _PER_INCH, "height": box.high / _PER_INCH}
        graph.node_attr.update(shape="box", label="", fixedsize=True, **size)
        graph.edge_attr.update(dir="none")
        graph.add_nodes_from(numbers.values())
        graph.add_edges_from((numbers[one], numbers[two]) for one, two in arrows)
        graph.add_subgraph([numbers[name] for name in names if name not in waiting], rank="min")
        graph.layout("dot")
        *_, wide, high = map(float, graph.graph_attr["bb"].split(","))
        corners = {}
        for name, number in numbers.items():
            ((x, y),) = _points(graph.get_node(number), high)
            corners[name] = x - box.wide // 2, y - box.high // 2
        ways = {
            (one, two): _way(_points(graph.get_edge(numbers[one], numbers[two]), high))
            for one, two in arrows
        }
    finally:
        graph.close()
    return Placed(corners, ways, round(wide), round(high))


def _points(drawn: Any, high: float) -> list[tuple[int, int]]:
    """Where it is drawn, counted from above, as a drawing is, and not from below."""
    pairs = (each.split(",") for each in drawn.attr["pos"].split())
    return [(round(float(x)), round(high - float(y))) for x, y in pairs]


def _way(points: Sequence[tuple[int, int]]) -> str:
    """The curves through these points, three a curve, each from where the last one ended."""
    (at_x, at_y), *more = points
    words = [f"M{at_x} {at_y}"]
    for first in range(0, len(more), 3):
        curve = more[first : first + 3]
        words.append("c" + " ".join(f"{x - at_x} {y - at_y}" for x, y in curve))
        at_x, at_y = curve[-1]
    # A minus needs no space before it, and a page of a hundred arrows has many.
    return "".join(words).replace(" -", "-")
