"""The pipeline that builds for Windows, and what its runs tell."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Pipeline", "PipelineRecord", "PipelineRun"]


@frozen
class PipelineRun:
    """A run of the pipeline: ``result`` is "" until it has ended, else succeeded or failed.

    ``parameters`` are the values of its form, as far as it reports them; ``by`` who started it,
    ``took`` how long it ran, zero until it has ended and where that is not told.
    """

    id: int
    name: str
    state: str
    result: str
    url: str
    parameters: Mapping[str, str]
    by: str = ""
    took: timedelta = timedelta()


@frozen
class PipelineRecord:
    """One line of a run's timeline: a Stage, Job, Checkpoint.Approval or something else.

    ``state`` is pending, inProgress or completed; ``result`` "" until then. ``issues`` are the
    errors that it reported, one line each.
    """

    id: str
    parent: str
    kind: str
    name: str
    state: str
    result: str
    issues: tuple[str, ...] = ()
    order: int = 0


class Pipeline(Protocol):
    """The pipeline that builds, signs, tests and publishes what is made for Windows."""

    @property
    def may_act(self) -> bool:
        """Whether there is a token: without one, everybody may only look."""
        ...

    @property
    def page(self) -> str:
        """Where people see the pipeline and start it."""
        ...

    def runs(self) -> tuple[PipelineRun, ...]:
        """The newest runs, newest first."""
        ...

    def run(self, number: int) -> PipelineRun | None:
        """The run of this id; None if it was deleted."""
        ...

    def start(self, parameters: Mapping[str, str]) -> int:
        """A run with these values of the form was started; returns its id."""
        ...

    def timeline(self, number: int) -> tuple[PipelineRecord, ...]:
        """Stages, jobs and approvals of the run as far as there are any, in their order."""
        ...

    def approvers(self, approval: str) -> tuple[str, ...]:
        """Who may give a pending approval; empty if not everybody may see it."""
        ...

    def artifact(self, number: int, name: str) -> Mapping[str, bytes] | None:
        """The small files of an artifact, by name; None if it is not there, or not any more."""
        ...

    def is_retained(self, number: int) -> bool:
        """Whether the run is kept for as long as anybody can tell."""
        ...

    def retain(self, number: int) -> None:
        """The run is kept for ever."""
        ...
