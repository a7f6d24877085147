"""WorkFolder: where the engine keeps what it knows of a release; nothing is opened here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["WorkFolder"]


@frozen
class WorkFolder:
    """The folder of one release: receipts, approvals, journal, logs, and what is made."""

    work: Path

    @property
    def receipts(self) -> Path:
        """One JSON file for each finished task."""
        return self.work / "receipts"

    @property
    def approvals(self) -> Path:
        """Signed approvals."""
        return self.work / "approvals"

    @property
    def logs(self) -> Path:
        """One log for each task that ran."""
        return self.work / "logs"

    @property
    def journal(self) -> Path:
        """The append-only record of who did what when."""
        return self.work / "journal.jsonl"

    @property
    def state(self) -> Path:
        """The cache of digests and doit's own records; may be deleted at any time."""
        return self.work / "state.sqlite3"

    @property
    def lock(self) -> Path:
        """Held by the one process that may change this release."""
        return self.work / "lock"

    @property
    def running(self) -> Path:
        """What the run that holds the lock is doing; gone when it does nothing."""
        return self.work / "running.json"

    @property
    def scratch(self) -> Path:
        """Room for what nobody needs afterwards; may be deleted at any time."""
        return self.work / "scratch"

    def receipt(self, task: str) -> Path:
        """The receipt that the task leaves."""
        return self.work.joinpath("receipts", f"{task}.json")  # one join: asked for each task

    def log(self, task: str) -> Path:
        """Where the task's programs write what they say."""
        return self.work.joinpath("logs", f"{task}.log")

    def approval(self, task: str) -> Path:
        """The statement that approves the task's subject; its signature has ``.asc`` at the end."""
        return self.approvals / f"{task}.json"
