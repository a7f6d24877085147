"""doit's own commands, as a release has them: options before and behind the words, one-line errors.

What they do is doit's. For the tasks of a plan most are refused (see ``loader.NOT_OFFERED``); for
tasks that dodo.py has beside it they are as they always were.
"""

from __future__ import annotations

from typing import Any, Final

from doit.doit_cmd import DoitMain

from doit_receipts.command.command_line import OptionsAnywhere

__all__: list[str] = []

_TOLD: Final = {
    "forget": {
        "doc_purpose": "have tasks done again whose results users have not seen",
        "example": "doit forget build_docs",
    },
}


def __getattr__(name: str) -> Any:
    """The command of doit of this name."""
    theirs = next((each for each in DoitMain.DOIT_CMDS if each.get_name() == name), None)
    if theirs is None:
        raise AttributeError(name)
    parts = {"__doc__": theirs.__doc__, "asks_plan": False, **_TOLD.get(name, {})}
    return type(theirs.__name__, (OptionsAnywhere, theirs), parts)
