"""Generator of docs/graph.svg: the tasks of a bugfix release before it begins, drawn."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from doit_receipts.drawing import chain_left, drawing_of
from doit_receipts.status import Status, TaskState

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

__all__ = ["PAGE", "graph_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "graph.svg"
_VERSION: Final = "3.13.6"


def graph_page(project: Path) -> str:
    """The drawing of all tasks of the plan that ``project`` has; no state of any release in it."""
    every_kind = runpy.run_path(str(project / "docs" / "every_kind.py"))
    plan: Plan = every_kind["every_plan"]()[_VERSION]
    at_first = {
        name: Status(TaskState.LATER if task.after else TaskState.READY)
        for name, task in plan.tasks.items()
    }
    chain, _ = chain_left(plan, at_first, {})
    return drawing_of(plan).svg(at_first, chain, alone=True) + "\n"


if __name__ == "__main__":
    PAGE.write_text(graph_page(_PROJECT), encoding="utf-8")
