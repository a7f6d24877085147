"""The dumpdb command, which has nothing to show: receipts are the record, and they are text."""

from __future__ import annotations

from typing import Any

from doit.exceptions import InvalidCommand

from doit_receipts.command.command_line import OptionsAnywhere
from doit_receipts.loader import plan_of

__all__ = ["DumpDB"]


class DumpDB(OptionsAnywhere):
    """Say where the records are that people can read."""

    name = "dumpdb"
    doc_purpose = "say where the records of a release are"
    doc_usage = ""
    doc_description = None
    cmd_options = ()

    def _execute(self, pos_args: Any) -> int:
        del pos_args
        plan = plan_of(self)
        message = (
            "doit dumpdb is not offered for a release, which keeps no database: its receipts are"
            f" the files in {plan.folder.receipts}; see {plan.project.command('why', 'TASK')}"
        )
        raise InvalidCommand(message)
