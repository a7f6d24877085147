"""Watching: whether anything of a release has changed since one looked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.plan import Plan

    Signature = tuple[tuple[int, int, int], ...]
    """How files stood: another one once one of them has changed."""

__all__ = ["signature_of"]


def signature_of(plan: Plan) -> Signature:
    """Another one once a task has ended or begun, or an approval was given; cheap to take.

    The journal, the receipts, the approvals and what says which tasks run are looked at; the logs
    of those that run too.
    """
    folder = plan.folder
    watched = [folder.journal, folder.receipts, folder.approvals, folder.running]
    return tuple(map(_of, (*watched, folder.logs, *_newest(folder.logs))))


def _of(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _newest(logs: Path) -> list[Path]:
    """The logs that were written to last."""
    try:
        with os.scandir(logs) as found:
            files = [(each.stat().st_mtime_ns, each.name) for each in found]
    except OSError:
        return []
    return [logs / name for _, name in sorted(files)[-3:]]
