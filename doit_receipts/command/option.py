"""Options of commands, as doit declares them and a line each."""

from __future__ import annotations

from typing import Any

__all__ = ["option"]


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
