"""The help command: doit's own, without the commands that do nothing for a release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.cmd_help import Help as DoitHelp

from doit_receipts.loader import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Help"]


class Help(DoitHelp):
    """Show what can be asked for, or the help of one command or task."""

    def print_usage(self, cmds: Mapping[str, Any]) -> None:
        """The commands that a release has use for, each with its purpose."""
        super().print_usage({name: each for name, each in cmds.items() if name not in NOT_OFFERED})
