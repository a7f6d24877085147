"""Options of commands, as doit declares them and a line each."""

from __future__ import annotations

from typing import Any

from doit.exceptions import InvalidCommand

__all__ = ["option", "refuse_number"]


def option(
    name: str, says: str, *, default: Any = False, long: str | None = None, short: str = "",
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """What doit's ``cmd_options`` holds for an option, of the type of its default or ``type``.

    It is written ``--name``, or ``--long`` where that is another word, and not at all where that
    is ""; ``says`` is for the help.
    """
    words = {"name": name, "short": short, "long": name if long is None else long}
    return {**words, "type": type(default), "default": default, "help": says, **more}


def refuse_number(at_once: int | None) -> None:
    """The number that ``-n`` was given is one of tasks, or none was given.

    Raises InvalidCommand otherwise.
    """
    if at_once is not None and at_once < 1:
        message = f"-n {at_once} is not a number of tasks; wanted 1 or more"
        raise InvalidCommand(message)
