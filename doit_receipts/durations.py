"""Durations: how long tasks took when they were last done, by the journals of this machine.

What is told of the rest of a release, in a list, on a page or while it runs, is ``longest_chain``.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.journal import latest_of
from doit_receipts.running import shown_time
from doit_receipts.task import Kind

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from doit_receipts.task import Task
    from doit_receipts.work_folder import WorkFolder

__all__ = [
    "durations_in",
    "durations_s",
    "known_s",
    "longest_chain",
    "shown_chain",
    "shown_end",
    "shown_rest",
]

_JOURNALS: Final = 4
_LONGEST_S: Final = 366 * 86_400
"""No task took longer."""
_WHOLE: Final = 4
"""A chain of so many is told whole."""
_TOLD_S: Final = 5.0
"""A rest that is shorter is not worth its words."""
_NEVER_DONE_S: Final = 0.01
"""So little that of the chains of unknown tasks the one of most of them is the longest."""


def durations_s(folder: WorkFolder) -> dict[str, float]:
    """Seconds by task: of this release where it was done here, else of the newest one beside it.

    What cannot be read tells nothing.
    """
    found: dict[str, float] = {}
    for journal in _journals(folder):
        found |= durations_in(journal)
    return found


def durations_in(journal: Path) -> dict[str, float]:
    """Seconds by task, as this journal has them."""
    found: dict[str, float] = {}
    for entry in latest_of(journal, "done"):
        took_s = known_s(entry.get("took_s"))
        if took_s is not None and "task" in entry:
            found[str(entry["task"])] = took_s
    return found


def known_s(told: Any) -> float | None:
    """So many seconds as a file tells it; None for what is no time or is longer than a year."""
    with suppress(ValueError, TypeError, OverflowError):
        seconds = float(told)
        if isfinite(seconds):
            return max(0.0, seconds) if seconds <= _LONGEST_S else None
    return None


def longest_chain(
    tasks: Mapping[str, Task],
    left: Container[str],
    took_s: Mapping[str, float],
    spent_s: Mapping[str, float],
) -> tuple[tuple[str, ...], float]:
    """The chain of what is left that takes longest, and how many seconds that is at least.

    ``tasks`` has each behind all that it waits for; ``spent_s`` is since when what runs does. A
    task that takes longer than it did before is through at any moment.
    """
    ends: dict[str, tuple[float, str]] = {}
    for name, task in tasks.items():
        if task.kind is Kind.GROUP or name not in left:
            continue
        before = max(((ends[each][0], each) for each in task.after if each in ends),
                     default=(0.0, ""))  # fmt: skip
        own_s = max(took_s.get(name, _NEVER_DONE_S) - spent_s.get(name, 0.0), 0.0)
        ends[name] = (before[0] + own_s, before[1])
    last = max(ends, key=lambda each: ends[each][0], default="")
    length_s = ends[last][0] if last else 0.0
    chain = []
    while last:
        chain.append(last)
        last = ends[last][1]
    return tuple(reversed(chain)), length_s


def shown_end(left_s: float, now: datetime, words: str = "") -> str:
    """``2 min 05 s, until 23:14 UTC``, with the day where that is another one.

    ``words`` stand behind the time that it takes.
    """
    end = now + timedelta(seconds=left_s)
    day = "" if end.date() == now.date() else f"{end:%m-%d} "
    return f"{shown_time(left_s)}{words}, until {day}{end:%H:%M} UTC"


def shown_chain(chain: Sequence[str]) -> str:
    """``one → other → third``; of a long one, the first two, how many more, and the last."""
    more = len(chain) - _WHOLE + 1
    few = chain if more <= 1 else (*chain[:2], f"{more} more", chain[-1])
    return " → ".join(few)


def shown_rest(chain: Sequence[str], left_s: float, now: datetime) -> str:
    """``2 min 05 s to go, until 23:14 UTC: one → other``; "" where that is too little for words."""
    if left_s < _TOLD_S:
        return ""
    return f"{shown_end(left_s, now, ' to go')}: {shown_chain(chain)}"


def _journals(folder: WorkFolder) -> list[Path]:
    """That of this release last, so that it has the last word."""
    beside = []
    with suppress(OSError):
        for each in folder.work.parent.iterdir():
            journal = each / folder.journal.name
            if each != folder.work:
                with suppress(OSError):
                    beside.append((journal.stat().st_mtime, journal))
    return [*(journal for _, journal in sorted(beside)[-_JOURNALS:]), folder.journal]
