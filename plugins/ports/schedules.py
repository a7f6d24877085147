"""Branches and releases of Python, as the PEPs' site publishes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from plugins.model.schedule import CycleEntry, Schedule

__all__ = ["Schedules"]


class Schedules(Protocol):
    """Branches and releases of Python as peps.python.org publishes them.

    Each document is asked for once and kept. Raises ServiceFailed if it does not come, and
    StepFailed if it is not of the form that is known.
    """

    def branch(self, series: str) -> CycleEntry | None:
        """Phase, PEP and end of life of a series; None if it is not listed."""
        ...

    def schedule(self, *, fresh: bool = False) -> Schedule:
        """All releases, out or expected; ``fresh`` asks again."""
        ...
