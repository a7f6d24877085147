"""The approve command, and the judgement of what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.cmd_base import DoitCmdBase

from plugins.model.errors import Waiting

if TYPE_CHECKING:
    from plugins.flow.task import Task
    from plugins.model.release import Release
    from plugins.model.settings import Settings

__all__ = ["Approve", "judge"]


class Approve(DoitCmdBase):
    """Sign a green light."""

    name = "approve"
    doc_purpose = "sign a green light for exactly what is there now"
    doc_usage = "TASK"
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        return 0


def judge(settings: Settings, release: Release, task: Task, subject: str) -> dict[str, str]:
    raise Waiting(who=task.who, problem=f"no approval of {task.name} yet")
