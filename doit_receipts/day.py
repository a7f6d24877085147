"""Day: what was done when, by whom and for how long, as the journal tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.printable import printable
from doit_receipts.running import running_tasks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doit_receipts.journal import Journal
    from doit_receipts.plan import Plan

__all__ = ["STYLE", "Event", "events_of", "now_at", "timeline"]

_READ_BYTES: Final = 4 << 20
"""Of the end of the journal: some ten thousand events."""
_PAUSE: Final = timedelta(minutes=10)
"""A longer one, in which nothing was done, is drawn as long as this."""
_ROW, _NAME, _WIDE = 16, 170, 900
_SHOWN: Final = ("done", "failed", "blocked", "waiting", "adopt", "retry")

STYLE: Final = (
    "svg.day{font:11px system-ui,sans-serif}.day text{fill:#111}.day rect{fill:#4b8b5a}"
    ".day rect.failed,.day rect.blocked{fill:#c62828}.day rect.waiting{fill:#d98a1f}"
    ".day rect.running{fill:#1e88e5}"
    ".day line{stroke:#bbb;stroke-dasharray:2 3}"
    "@media(prefers-color-scheme:dark){.day text{fill:#ddd}.day line{stroke:#555}}"
)


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the journal: ``word`` is done, failed, blocked, waiting, adopt or retry.

    Of what runs now it is running. ``took_s`` is 0 where the journal does not say it; ``said`` is
    what a task said that ended so.
    """

    at: datetime
    word: str
    task: str
    by: str
    took_s: float
    said: str


def events_of(journal: Journal) -> tuple[Event, ...]:
    """What was done, failed and waited for, oldest first; a line that says nothing is left out."""
    found = (_event(entry) for entry in journal.latest(_READ_BYTES))
    return tuple(each for each in found if each is not None)


def _event(entry: Mapping[str, Any]) -> Event | None:
    word, task = entry.get("event"), entry.get("task")
    if word not in _SHOWN or not isinstance(task, str):
        return None
    try:
        at = datetime.fromisoformat(str(entry.get("at")))
        took_s = float(entry.get("took_s", 0))
    except (ValueError, TypeError):
        return None
    return Event(
        at if at.tzinfo else at.replace(tzinfo=UTC), word, printable(task),
        printable(str(entry.get("by", ""))), max(0.0, took_s) if isfinite(took_s) else 0.0,
        printable(str(entry.get("said", ""))),
    )  # fmt: skip


def now_at(plan: Plan) -> tuple[Event, ...]:
    """What runs at this moment, each as an event whose word is running."""
    now = plan.context.clock.now()
    return tuple(
        Event(now, "running", each.task, "", max(0.0, now.timestamp() - each.since_s), "")
        for each in running_tasks(plan.folder)
    )


def timeline(events: Sequence[Event], most: int = 160) -> str:
    """The newest events as an SVG, a row each from above to below, with long pauses cut short."""
    shown = events[-most:]
    if not shown:
        return ""
    starts = [each.at - timedelta(seconds=each.took_s) for each in shown]
    marks = sorted({*starts, *(each.at for each in shown)})
    place, reached = {marks[0]: 0.0}, 0.0
    for before, mark in pairwise(marks):
        reached += min(mark - before, _PAUSE).total_seconds()
        place[mark] = reached
    scale = (_WIDE - _NAME - 60) / (reached or 1.0)
    high = (len(shown) + 2) * _ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="day" role="img" width="{_WIDE}"'
        f' height="{high}" viewBox="0 0 {_WIDE} {high}" aria-label="timeline">'
    )
    lines = [head]
    for number, (each, start) in enumerate(zip(shown, starts, strict=True)):
        y, x = (number + 1) * _ROW, _NAME + place[start] * scale
        wide = max(2.0, (place[each.at] - place[start]) * scale)
        said = f" {each.said}" if each.said else ""
        tip = escape(f"{each.task} {each.word} {each.at:%Y-%m-%d %H:%M:%S}{said}")
        lines.append(
            f'<g><title>{tip}</title><text x="0" y="{y + 12}">{escape(each.task[:26])}</text>'
            f'<rect class="{each.word}" x="{x:.1f}" y="{y + 3}" width="{wide:.1f}"'
            ' height="10"/></g>'
        )
    for at in (shown[0].at, shown[-1].at):
        x = _NAME + place[at] * scale
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_ROW}" y2="{high - _ROW}"/>'
            f'<text x="{x:.1f}" y="12">{at:%H:%M}</text>'
            f'<text x="{x:.1f}" y="{high - 3}">{at:%H:%M}</text>'
        )
    return "\n".join([*lines, "</svg>"])
