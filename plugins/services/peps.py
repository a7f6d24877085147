"""Peps: the JSON that peps.python.org publishes of branches and releases, for everybody to read.

Asked at most once a run, and bounded in time and size: a server that is slow or endless costs
seconds, and is not asked a second time.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed, Waiting
from plugins.model.schedule import read_cycle_entry, read_published_schedule
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient
from plugins.services.http_errors import Stumbled

if TYPE_CHECKING:
    from plugins.model.schedule import CycleEntry, Schedule

__all__ = ["PublishedSchedules"]

_CYCLE: Final = "/api/release-cycle.json"
_RELEASES: Final = "/api/python-releases.json"
# On the day that the form was read they had 6 kB and 90 kB.
_BOUNDS: Final = Bounds(
    grace_s=6.0, least_rate=50_000, silence_s=4.0, longest_s=15.0, size_bytes=4 << 20
)


class PublishedSchedules:
    """The Schedules port over the API of peps.python.org."""

    def __init__(self, address: str, bounds: Bounds = _BOUNDS) -> None:
        self._address = address.rstrip("/")
        self._web = HttpClient(self._address, address, bounds=bounds)
        self._lock = Lock()
        self._answers: dict[str, Any] = {}
        self._unreached: ServiceFailed | None = None

    def __repr__(self) -> str:
        return f"schedules({self._address})"

    def branch(self, series: str) -> CycleEntry | None:
        """See the port."""
        return read_cycle_entry(self._asked(_CYCLE), series, f"{self._address}{_CYCLE}")

    def schedule(self, *, fresh: bool = False) -> Schedule:
        """See the port."""
        content = self._asked(_RELEASES, fresh=fresh)
        return read_published_schedule(content, f"{self._address}{_RELEASES}")

    def _asked(self, path: str, *, fresh: bool = False) -> Any:
        with self._lock:
            if fresh:
                self._unreached = None
            if fresh or path not in self._answers:
                try:
                    self._answers[path] = self._unreached or self._answer(path)
                except ServiceFailed as error:
                    self._answers[path] = error
            found = self._answers[path]
        if isinstance(found, ServiceFailed):
            raise found
        return found

    def _answer(self, path: str) -> Any:
        try:
            return self._once(path)
        except Stumbled as error:
            if error.__cause__ is None:  # it answered, so it may do better in a moment
                return self._once(path)
            # who was waited for once is not waited for twice, nor for the other document
            self._unreached = error
            raise

    def _once(self, path: str) -> Any:
        action = f"GET {path}"
        try:
            answer = self._web.send("GET", path, action, again=False)
        except Waiting as error:
            raise self._web.failed(action, error.problem, error.remedy) from error
        return self._web.json(answer, action).plain
