"""Times of tasks: how long each took when it was done, and since when it waits."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from doit_receipts.durations import durations_in
from doit_receipts.frozen import frozen
from doit_receipts.journal import latest_entries
from doit_receipts.running import shown_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from doit_receipts.state import State
    from doit_receipts.work_folder import WorkFolder

__all__ = ["TaskTimes", "shown_since", "stops_in", "task_times", "waits_since"]

_READ_BYTES: Final = 1 << 20
"""Of the end of the journal: some thousand tasks."""
_STOPPED: Final = ("waiting", "failed", "blocked")


@frozen
class TaskTimes:
    """Seconds by task that was done, and when each began to wait or fail, as the journal has it."""

    took_s: Mapping[str, float]
    since: Mapping[str, str]
    """The first of the tries that ended so, in a row: ``2026-12-01T14:02:11+00:00``."""

    def of(self, names: Iterable[str]) -> str:
        """How long these took together, in words; "" where that is less than a second."""
        seconds = sum(self.took_s.get(name, 0.0) for name in names)
        return shown_time(seconds) if seconds >= 1 else ""


def task_times(folder: WorkFolder, state: State | None = None) -> TaskTimes:
    """What is known of this release; what cannot be read tells nothing.

    The ``state`` knows since when a task waits, whatever the journal has of others since.
    """
    since = {task: since for task, (_, since) in stops_in(folder).items()}
    return TaskTimes(durations_in(folder.journal), since | (state.stops() if state else {}))


def stops_in(folder: WorkFolder) -> dict[str, tuple[str, str]]:
    """How each task ended that was not done, and since when it does, by the end of the journal."""
    stopped: dict[str, tuple[str, str]] = {}
    for entry in latest_entries(folder.journal, _READ_BYTES):
        with suppress(ValueError, TypeError, KeyError):
            event, task = entry["event"], str(entry["task"])
            if event == "done":
                stopped.pop(task, None)
            elif event in _STOPPED and stopped.get(task, ("", ""))[0] != event:
                stopped[task] = (event, str(entry.get("since") or entry["at"]))
    return stopped


def shown_since(at: str, now: datetime) -> str:
    """``since 14:02 UTC``, with the day if that is another one; "" for what is no time."""
    from datetime import UTC, datetime

    try:
        began = datetime.fromisoformat(at)
    except ValueError:
        return ""
    began = began.astimezone(UTC) if began.tzinfo else began.replace(tzinfo=UTC)
    form = "%H:%M" if began.date() == now.astimezone(UTC).date() else "%Y-%m-%d %H:%M"
    return f"since {began:{form}} UTC"


def waits_since(who: str, why: str, at: str, now: datetime) -> str:
    """Who is waited for, since when as far as that is known, and for what."""
    head = " ".join(part for part in (who, shown_since(at, now)) if part)
    return f"{head}: {why}" if head else why
