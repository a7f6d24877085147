"""The help command: doit's own, without the commands that do nothing for a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.cmd_help import Help as DoitHelp
from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.declaration import near
from doit_receipts.loader import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Help"]


class Help(OptionsAnywhere, DoitHelp):
    """Show what can be asked for, or the help of one command or task."""

    name = "help"
    asks_plan = False
    doc_purpose = "show all commands, or what one command or task is for"
    doc_usage = "[COMMAND | TASK]"
    example = "doit help approve"

    def _execute(self, pos_args: Any) -> bool:
        if not super()._execute(pos_args):
            name = pos_args[0]
            known = [*self.cmds, *(each.name for each in self.task_list)]
            meant = near(name, known, "doit list shows the tasks, and doit help the commands")
            message = f"'{name}' is neither a command nor a task; {meant}"
            raise InvalidCommand(message)
        return True

    def print_usage(self, cmds: Mapping[str, Any]) -> None:
        """The commands that a release has use for, each with its purpose."""
        self.bin_name = "doit"
        super().print_usage({name: each for name, each in cmds.items() if name not in NOT_OFFERED})
