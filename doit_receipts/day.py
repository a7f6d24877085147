"""Day: what was done when, by whom and for how long, as the journal tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durations import known_s
from doit_receipts.printable import printable
from doit_receipts.running import running_tasks, shown_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doit_receipts.journal import Journal
    from doit_receipts.plan import Plan

__all__ = ["STYLE", "Event", "events_of", "now_at", "timeline"]

_READ_BYTES: Final = 4 << 20
"""Of the end of the journal: some ten thousand events."""
_PAUSE: Final = timedelta(minutes=10)
"""A longer time in which nothing began or ended is drawn as long as this."""
_WITH_SECONDS: Final = timedelta(minutes=10)
"""The hours of a shorter day are told to the second."""
_MOST: Final = 200
_FIRST_YEAR: Final = 1970
_ROW, _NAME, _WIDE, _APART = 16, 170, 900, 75
_SHOWN: Final = ("done", "failed", "blocked", "waiting", "adopt", "retry")

STYLE: Final = (
    "svg.day{font:11px system-ui,sans-serif}.day text{fill:#111}.day rect{fill:#4b8b5a;height:10px}"
    ".day rect.failed,.day rect.blocked{fill:#c62828}.day rect.waiting{fill:#d98a1f}"
    ".day rect.running{fill:#1e88e5}.day path{fill:#8883}"
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
    took_s = known_s(entry.get("took_s", 0))
    try:
        at = datetime.fromisoformat(str(entry.get("at")))
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    if took_s is None or at.year < _FIRST_YEAR:
        return None
    return Event(
        at, word, printable(task), printable(str(entry.get("by", ""))), took_s,
        printable(str(entry.get("said", ""))),
    )  # fmt: skip


def now_at(plan: Plan) -> tuple[Event, ...]:
    """What runs at this moment, each as an event whose word is running."""
    now = plan.context.clock.now()
    return tuple(
        Event(now, "running", each.task, "", known_s(now.timestamp() - each.since_s) or 0.0, "")
        for each in running_tasks(plan.folder)
    )


def timeline(events: Sequence[Event]) -> str:
    """The newest events as an SVG, a row a task from above to below.

    A long time in which nothing began or ended is cut short. Who waits does so until it is
    looked at again.
    """
    shown = events[-_MOST:]
    if not shown:
        return ""
    place = _places(shown)
    rows = {task: number for number, task in enumerate(dict.fromkeys(each.task for each in shown))}
    high = (len(rows) + 2) * _ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="day" role="img" width="{_WIDE}"'
        f' height="{high}" viewBox="0 0 {_WIDE} {high}" aria-label="timeline">'
    )
    lines = [head]
    if len(shown) < len(events):
        lines.append(f'<text x="0" y="12">the newest {len(shown)} of {len(events)}</text>')
    lines += _hours(place, high)
    lines += _cut_short(shown, place, high)
    lines += (
        f'<text x="0" y="{(row + 1) * _ROW + 12}">{escape(task[:26])}</text>'
        for task, row in rows.items()
    )
    again = dict.fromkeys(rows, max(place))
    bars = []
    for each in reversed(shown):
        start = _start(each)
        end = again[each.task] if each.word == "waiting" else each.at
        again[each.task] = start
        wide = max(2.0, place[end] - place[start])
        said = f" {each.said}" if each.said else ""
        tip = escape(f"{each.task} {each.word} {each.at:%Y-%m-%d %H:%M:%S}{said}")
        y = (rows[each.task] + 1) * _ROW + 3
        bars.append(
            f'<g><title>{tip}</title><rect class="{each.word}" x="{place[start]:.1f}" y="{y}"'
            f' width="{wide:.1f}"/></g>'
        )
    return "\n".join([*lines, *reversed(bars), "</svg>"])


def _start(event: Event) -> datetime:
    return event.at - timedelta(seconds=event.took_s)


def _places(events: Sequence[Event]) -> dict[datetime, float]:
    """Where each moment is at which something began or ended, from left to right."""
    marks = sorted({moment for each in events for moment in (_start(each), each.at)})
    reached = [0.0]
    for before, mark in pairwise(marks):
        reached.append(reached[-1] + min(mark - before, _PAUSE).total_seconds())
    scale = (_WIDE - _NAME - 60) / (reached[-1] or 1.0)
    return {mark: _NAME + each * scale for mark, each in zip(marks, reached, strict=True)}


def _hours(place: Mapping[datetime, float], high: int) -> Iterator[str]:
    """What time it was, as far as there is room, ."""
    marks = list(place)
    clock = "%H:%M:%S" if marks[-1] - marks[0] < _WITH_SECONDS else "%H:%M"
    told: datetime | None = None
    for mark, x in place.items():
        if told is not None and x - place[told] < _APART:
            continue
        day = "" if told and told.date() == mark.date() else "%m-%d "
        at = mark.strftime(clock if clock.endswith("S") else day + clock)
        told = mark
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_ROW}" y2="{high - _ROW}"/>'
            f'<text x="{x:.1f}" y="12">{at}</text><text x="{x:.1f}" y="{high - 3}">{at}</text>'
        )


def _cut_short(
    events: Sequence[Event], place: Mapping[datetime, float], high: int
) -> Iterator[str]:
    """A frame about each time that is drawn shorter than it was."""
    for before, mark in pairwise(place):
        if mark - before > _PAUSE:
            pause = shown_time((mark - before).total_seconds())
            x, wide = place[before], place[mark] - place[before]
            worked = any(_start(each) <= before and mark <= each.at for each in events)
            said = f"{pause}, drawn shorter" if worked else f"nothing was done for {pause}"
            yield (
                f"<g><title>{said}</title>"
                f'<path d="M{x:.1f} {_ROW}h{wide:.1f}v{high - 2 * _ROW}h-{wide:.1f}z"/></g>'
            )
