"""The list command: with --status the remaining work, judged together, for 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from doit.cmd_list import List as DoitList
from doit.exceptions import InvalidCommand

from doit_receipts.command.colour import COLOUR, InColour
from doit_receipts.command.command_line import JSON, OptionsAnywhere
from doit_receipts.command.status_table import rows, table, upcoming, width_of
from doit_receipts.doit_records import ReceiptRecords
from doit_receipts.loader import plan_of
from doit_receipts.status import statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["List"]

_OPTIONS: Final = {
    "sort": {"default": "definition"},  # dodo.py tells the release in order; an alphabet does not
    "status": {"help": "the status of each task, what remains, and what to do next"},
    "subtasks": {"help": "every task; with --status a line for each, and no chapter in one line"},
}


class List(InColour, OptionsAnywhere, DoitList):
    """List tasks; with --status the status of each, what remains, and what to do next."""

    cmd_options = (
        *({**each, **_OPTIONS.get(each["name"], {})} for each in DoitList.cmd_options),
        JSON,
        *COLOUR,
    )

    doc_purpose = "list the tasks; with --status what is done, what remains, and what to do next"
    example = "doit list --status\ndoit list --status build_docs"

    def execute(self, params: Any, args: Any) -> Any:
        """Do what the options say; doit's own tasks are needed for its own list alone."""
        theirs = params["template"] or params["list_deps"] or not params["status"]
        self.asks_plan = bool(params["as_json"] or not theirs)
        return super().execute(params, args)

    def _execute(
        self,
        subtasks: Any = False,
        quiet: Any = True,
        status: Any = False,
        private: Any = False,
        list_deps: Any = False,
        template: Any = None,
        sort: str = "name",
        pos_args: Any = None,
        as_json: Any = False,
    ) -> int:
        other = "--deps" if list_deps else "--template" if template else ""
        if other and (as_json or (status and isinstance(self.dep_manager, ReceiptRecords))):
            form = "--json" if as_json else "--status"
            message = f"doit list {form} has a form of its own; leave {other} out, or {form}"
            raise InvalidCommand(message)
        if as_json:
            return self._write_document(pos_args)
        if not self.asks_plan:
            result: int = super()._execute(
                subtasks, quiet, status, private, list_deps, template, sort, pos_args
            )
            return result
        plan = plan_of(self)
        columns = width_of(self.outstream)
        whole = not pos_args
        text = table(plan, columns, unfolded=subtasks) if whole else rows(plan, pos_args, columns)
        self.write(text)
        plan.state.close()
        return 0

    def _write_document(self, pos_args: Sequence[str]) -> int:
        # late: the list for people needs no JSON
        from doit_receipts.status_document import status_document

        if pos_args:
            message = "list --json is of the whole release, and takes no names of tasks"
            raise InvalidCommand(message)
        plan = plan_of(self)
        found = statuses(plan)
        self.outstream.write(status_document(plan, found, upcoming(plan, found)))
        plan.state.close()
        return 0
