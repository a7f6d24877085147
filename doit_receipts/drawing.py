"""Drawing: the graph of a release as one self-contained SVG, from above to below.

A task is below all that it waits for, and those of one row can run at once. State is shown by
colour and by a sign, the kind of a task by the shape of its box, and the longest chain of what is
left by thick lines. Where everything stands is found once; the states are filled in later.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from doit_receipts.durations import longest_chain, shown_chain, shown_end
from doit_receipts.placing import Box, in_rows
from doit_receipts.printable import cut, printable
from doit_receipts.running import running_tasks
from doit_receipts.status import TaskState
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from doit_receipts.placing import Placed
    from doit_receipts.plan import Plan
    from doit_receipts.status import Status
    from doit_receipts.task import Task

__all__ = [
    "COLOURS",
    "LEGEND",
    "SIGNS",
    "STYLE",
    "Drawing",
    "chain_left",
    "drawing_of",
    "rest_of",
]

COLOURS: Final = {
    TaskState.DONE: ("#c8e6c9", "#1b4d24"),
    TaskState.RUNNING: ("#64b5f6", "#0d47a1"),
    TaskState.QUEUED: ("#d1c4e9", "#3f2a75"),
    TaskState.STALE: ("#fff59d", "#5f5100"),
    TaskState.READY: ("#bbdefb", "#123a5e"),
    TaskState.LATER: ("#ffffff", "#23262b"),
    TaskState.WAITING: ("#ffe0b2", "#6b3e00"),
    TaskState.BLOCKED: ("#ffcdd2", "#7a1a1a"),
    TaskState.FAILED: ("#ef9a9a", "#a31515"),
}
"""The colour of a task by its state, on a light and on a dark page."""
SIGNS: Final = {
    TaskState.DONE: "✓",
    TaskState.RUNNING: "▶",
    TaskState.QUEUED: "◔",
    TaskState.STALE: "↻",
    TaskState.READY: "○",
    TaskState.LATER: "·",
    TaskState.WAITING: "…",
    TaskState.BLOCKED: "■",
    TaskState.FAILED: "✗",
}
"""A sign of each state, for whoever does not see its colour."""
LEGEND: Final = (
    "A hexagon is a gate, a round box an approval, a double frame what users see; thick lines are "
    "the longest chain of what is left, and tasks of one row can run at once."
)
"""What shapes and lines mean."""

_BOX: Final = Box(wide=186, high=36, beside=14, below=26)
_MARGIN: Final = 14
_LEGEND_WIDE, _LEGEND_HIGH = 1000, 36
_TOLD_S: Final = 2.0
"""A rest that is shorter is not worth its words."""
_MOST_LETTERS: Final = 23
_MOST_SMALL: Final = 32
_ROUND: Final = {Kind.STEP: 4, Kind.APPROVAL: 13}


def _style() -> str:
    light, dark = (
        "".join(f".s-{state.value}{{fill:{of[shade]}}}" for state, of in COLOURS.items())
        for shade in (0, 1)
    )
    return (
        "svg.graph{font:12px system-ui,sans-serif}.graph text{fill:#111}"
        ".graph *>text+text{font-size:10px}"
        ".graph .box{stroke:#777}.graph .twice{fill:none;stroke:#777}"
        ".graph .arrow{fill:none;stroke:#999;stroke-width:1}"
        f".graph .chain{{stroke:#c2410c;stroke-width:2.5}}{light}"
        "@media(prefers-color-scheme:dark){.graph text{fill:#eee}.graph .arrow{stroke:#666}"
        f".graph .chain{{stroke:#fb923c}}{dark}}}"
    )


STYLE: Final = _style()
"""The style sheet of a drawing; a page that has several needs it once."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Where each task and each arrow stands; ``svg`` fills in how far each is."""

    tasks: Mapping[str, Task]
    placed: Placed
    chapters: Mapping[str, str]

    def svg(
        self, found: Mapping[str, Status], chain: Collection[str] = (), *, alone: bool = False
    ) -> str:
        """The drawing now; ``alone`` it brings its style sheet and is a document of its own."""
        wide = max(self.placed.wide, _LEGEND_WIDE * alone) + 2 * _MARGIN
        high = self.placed.high + 2 * _MARGIN + _LEGEND_HIGH * alone
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" role="img"'
            f' aria-label="graph of the tasks" viewBox="{-_MARGIN} {-_MARGIN} {wide} {high}"'
            f' width="{wide}" height="{high}">'
        )
        lines = [head]
        if alone:
            signs = ", ".join(f"{sign} {state.value}" for state, sign in SIGNS.items())
            lines.append(f"<style>{STYLE}</style>")
            for below, words in ((28, LEGEND), (44, signs)):
                lines.append(f'<text x="0" y="{self.placed.high + below}">{words}</text>')
        for (before, after), way in self.placed.ways.items():
            thick = before in chain and after in chain
            lines.append(f'<path class="arrow{" chain" * thick}" d="{way}"/>')
        lines += [
            self._box(name, found[name], thick=name in chain, linked=not alone)
            for name in self.placed.corners
        ]
        return "\n".join([*lines, "</svg>"])

    def _box(self, name: str, status: Status, *, thick: bool, linked: bool) -> str:
        task, (x, y) = self.tasks[name], self.placed.corners[name]
        kinds = f'class="box s-{status.state.value}{" chain" * thick}"'
        if task.kind is Kind.GATE:
            half, long = _BOX.high // 2, _BOX.wide - 16
            edge = f"l8-{half}h{long}l8 {half}l-8 {half}h-{long}z"
            shape = f'<path {kinds} d="M{x} {y + half}{edge}"/>'
        else:
            shape = (
                f'<rect {kinds} x="{x}" y="{y}" width="{_BOX.wide}" height="{_BOX.high}"'
                f' rx="{_ROUND[task.kind]}"/>'
            )
        if task.is_public:
            shape += (
                f'<rect class="twice" x="{x + 3}" y="{y + 3}" width="{_BOX.wide - 6}"'
                f' height="{_BOX.high - 6}" rx="2"/>'
            )
        shown = cut(name, _MOST_LETTERS)
        who = printable(status.who or task.who)
        where = cut(" · ".join(filter(None, (who, self.chapters[task.chapter]))), _MOST_SMALL)
        tip = escape(f"{name} {status.state.value}: {task.title}")
        text = f'<text x="{x + 10}" y="{y + 16}">{SIGNS[status.state]} {escape(shown)}</text>'
        text += f'<text x="{x + 10}" y="{y + 29}">{escape(where)}</text>'
        box = f"<title>{tip}</title>{shape}{text}"
        return f'<a href="#{escape(name)}">{box}</a>' if linked else f"<g>{box}</g>"


def drawing_of(plan: Plan, names: Collection[str] | None = None) -> Drawing:
    """Where each of these tasks, or each at all, stands; groups and implied arrows are left out."""
    tasks = {
        name: task
        for name, task in plan.tasks.items()
        if task.kind is not Kind.GROUP and (names is None or name in names)
    }
    place = plan.context.place or in_rows
    placed = place(tuple(tasks), tuple(_arrows(tasks)), _BOX)
    return Drawing(tasks, placed, plan.project.chapters)


def chain_left(
    plan: Plan, found: Mapping[str, Status], took_s: Mapping[str, float],
    names: Collection[str] | None = None,
) -> tuple[tuple[str, ...], float]:  # fmt: skip
    """The chain of what is left that takes longest, and how many seconds that is at least.

    ``names`` are the tasks that it may go through; all, if there are none.
    """
    now_s = plan.context.clock.now().timestamp()
    spent_s = {each.task: now_s - each.since_s for each in running_tasks(plan.folder)}
    left = _left(plan, found)
    if names is not None:
        left.intersection_update(names)
    return longest_chain(plan.tasks, left, took_s, spent_s)


def rest_of(plan: Plan, found: Mapping[str, Status], took_s: Mapping[str, float]) -> str:
    """How long what is left takes at least, until when, and by which chain, in words.

    It is "" where earlier runs hardly tell.
    """
    chain, left_s = chain_left(plan, found, took_s)
    if left_s < _TOLD_S:
        return ""
    left = _left(plan, found)
    new = sum(name not in took_s for name in left)
    end = shown_end(left_s, plan.context.clock.now()) + (" or later" if new else "")
    told = f"what is left takes at least {end}, judging by earlier runs: {shown_chain(chain)}"
    return f"{told}; {new} of {len(left)} never ran" if new else told


def _left(plan: Plan, found: Mapping[str, Status]) -> set[str]:
    return {
        name
        for name, task in plan.tasks.items()
        if task.kind is not Kind.GROUP and found[name].state is not TaskState.DONE
    }


def _arrows(tasks: Mapping[str, Task]) -> Iterator[tuple[str, str]]:
    """From each task to those that wait for it, but for what other arrows imply."""
    needs: dict[str, set[str]] = {}
    for name, task in tasks.items():
        direct = [each for each in task.after if each in tasks]
        implied = {far for each in direct for far in needs[each]}
        needs[name] = {*direct, *implied}
        yield from ((each, name) for each in direct if each not in implied)
