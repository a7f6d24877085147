"""The board command: the release as a page that lives, for this machine's browsers alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.command.option import option
from doit_receipts.loader import plan_of

if TYPE_CHECKING:
    from doit_receipts.board import Board
    from doit_receipts.plan import Plan

__all__ = ["BoardCommand"]

_PORT: Final = option(
    "port", "the port to answer at [default: any that is free]", default=0, short="p"
)
_MOST: Final = 65535


class BoardCommand(OptionsAnywhere):
    """Serve a page that shows how the release stands, until Ctrl-C; nothing can be done with it."""

    name = "board"
    example = "doit board --port 8101"
    doc_purpose = "serve a living page of the release on this machine; it only shows"
    doc_usage = ""
    doc_description = None
    cmd_options = (_PORT,)

    def _execute(self, port: int, pos_args: Any) -> int:
        if pos_args:
            message = "doit board takes no task"
            raise InvalidCommand(message)
        plan = plan_of(self)
        plan.state.close()
        board = _opened(plan, port)
        self.outstream.write(f"{board.address}\n")
        self.outstream.write("open it in a browser of this machine; Ctrl-C ends it\n")
        self.outstream.flush()
        with suppress(KeyboardInterrupt):
            board.serve()
        return 0


def _opened(plan: Plan, port: int) -> Board:
    """A board at this port. Raises InvalidCommand for one that cannot be had."""
    # late: no other command needs a server
    from doit_receipts.board import Board

    if not 0 <= port <= _MOST:
        message = f"--port {port} is no port; wanted 0 to {_MOST}, 0 for any that is free"
        raise InvalidCommand(message)
    try:
        return Board(plan, port)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        message = f"port {port} cannot be used: {reason}; leave out --port to take one that is free"
        raise InvalidCommand(message) from error
