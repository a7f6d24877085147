"""Machines: other people's, which run a step when they are asked, and what they said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.ports.github import Artifact

__all__ = ["Machines", "MachinesReader", "StepRun"]


@frozen
class StepRun:
    """A run that does a step, or did."""

    id: int
    title: str
    status: str
    """GitHub's word: queued, waiting, in_progress, completed and others."""
    conclusion: str
    """How it ended: success, failure, cancelled and others; "" while it has not."""
    url: str
    asked: str
    """When it was asked for, in ISO 8601; of jobs that were run again, when that was."""


class MachinesReader(Protocol):
    """The attestations that one repository keeps."""

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """The bundle of each attestation about what has this digest; nothing of it is verified."""
        ...


class Machines(MachinesReader, Protocol):
    """The workflow of one repository that runs steps, and the attestations kept there."""

    def dispatch(self, inputs: Mapping[str, str]) -> int:
        """A run was asked for; returns its id, 0 if GitHub does not report it.

        Raises NothingDone where it is certain that no run was started.
        """
        ...

    def runs(self) -> tuple[StepRun, ...]:
        """The newest hundred runs that were asked for, newest first."""
        ...

    def run(self, number: int) -> StepRun | None:
        """The run with this id, or None if there is none any more."""
        ...

    def artifacts(self, number: int) -> tuple[Artifact, ...]:
        """What the run left."""
        ...

    def download(self, artifact: Artifact, file: Path) -> str:
        """The file holds the artifact's zip; returns its sha256. Streamed to disk."""
        ...
