"""Colour: the word of each state in a colour of its own, where somebody wants to see colours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.command.option import option

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COLOUR", "InColour", "coloured"]

COLOUR: Final = (
    option("no_colour", "", default="", long="", env_var="NO_COLOR"),
    option("force_colour", "", default="", long="", env_var="FORCE_COLOR"),
    option("terminal", "", default="", long="", env_var="TERM"),
)
"""What the environment says of colours, for ``cmd_options`` of what is ``InColour``."""
_SHADES: Final = {
    "done": 32, "running": 34, "queued": 36, "stale": 33, "ready": 36, "later": 2, "waiting": 33,
    "blocked": 31, "failed": 31,
}  # fmt: skip
_STATES: Final = "|".join(_SHADES)
# In a row of the list; behind the effect of a task; behind the name of one; before a sentence.
_STATE: Final = (
    rf"(?m)^(?:(  )({_STATES})(?= (?!by ))|(  [A-Za-z]+, )({_STATES})\b(?=$|, )"
    rf"|(  (?:needs|done by) +[a-z]\w* \()({_STATES})(?=\))"
    r"|([a-z]\w* )(failed|blocked)(?=: )|()(running|queued)(?=: ))"
)


class InColour:
    """A command that writes what people read: in colour to a terminal that has it.

    NO_COLOR (no-color.org) is the last word, whatever it is set to; FORCE_COLOR, unless it is 0,
    gives colours to what is no terminal.
    """

    outstream: Any
    _wants = False

    def execute(self, params: Mapping[str, Any], args: Any) -> Any:
        """Do what the options say."""
        is_forced = params["force_colour"] not in ("", "0")
        is_terminal = getattr(self.outstream, "isatty", lambda: False)()
        has_colours = is_forced or (is_terminal and params["terminal"] != "dumb")
        self._wants = has_colours and not params["no_colour"]
        return super().execute(params, args)  # type: ignore[misc]

    def write(self, text: str) -> None:
        """The text is written, in colour where that is wanted."""
        self.outstream.write(coloured(text) if self._wants else text)


def coloured(text: str) -> str:
    """The text with the word of each task's state in a colour of its own."""
    return re.sub(_STATE, _in_its_shade, text)


def _in_its_shade(found: re.Match[str]) -> str:
    before, state = (each for each in found.groups() if each is not None)
    return f"{before}\x1b[{_SHADES[state]}m{state}\x1b[0m"
