"""doit's own commands, as a release has them: options before and behind the words, one-line errors.

What they do is doit's. For the tasks of a plan most are refused (see ``loader.NOT_OFFERED``); for
tasks that dodo.py has beside it they are as they always were.
"""

from __future__ import annotations

from typing import Any, Final

from doit.cmd_clean import Clean as DoitClean
from doit.cmd_forget import Forget as DoitForget
from doit.cmd_ignore import Ignore as DoitIgnore
from doit.cmd_info import Info as DoitInfo
from doit.cmd_resetdep import ResetDep as DoitResetDep
from doit.cmd_strace import Strace as DoitStrace

from doit_receipts.command.command_line import OptionsAnywhere

__all__ = ["Clean", "Forget", "Ignore", "Info", "ResetDep", "Strace"]


def _read_anywhere(theirs: Any, purpose: str = "", example: str = "") -> Any:
    parts = {
        "__doc__": theirs.__doc__,
        "asks_plan": False,
        "doc_purpose": purpose or theirs.doc_purpose,
        "example": example,
    }
    return type(theirs.__name__, (OptionsAnywhere, theirs), parts)


Forget: Final = _read_anywhere(
    DoitForget, "have tasks done again that users have not seen", "doit forget build_docs"
)
"""Remove receipts, so that the next run does those tasks again."""
Clean: Final = _read_anywhere(DoitClean)
"""doit's own, for tasks that are not of the plan; so are those below."""
Info: Final = _read_anywhere(DoitInfo)
Ignore: Final = _read_anywhere(DoitIgnore)
ResetDep: Final = _read_anywhere(DoitResetDep)
Strace: Final = _read_anywhere(DoitStrace)
