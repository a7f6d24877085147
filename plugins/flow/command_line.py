"""Command line of our own commands: options may stand before names, between them or behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doit.cmd_base import DoitCmdBase

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OptionsAnywhere"]


class OptionsAnywhere(DoitCmdBase):
    """A command that reads ``doit why build_docs --release FILE`` as people write it.

    doit takes options only before the first name, and what stands behind it for more names.
    """

    def parse_execute(self, in_args: Sequence[str]) -> Any:
        """Parse the words in any order and do what they ask for."""
        return super().parse_execute(_options_first(in_args, self.cmdparser))


def _options_first(words: Sequence[str], parser: Any) -> list[str]:
    """The same words in the order that doit reads."""
    from getopt import GetoptError, gnu_getopt

    takes_value = set(parser.get_long())
    try:
        options, names = gnu_getopt(list(words), parser.get_short(), parser.get_long())
    except GetoptError:
        # In front, where doit sees what it has to refuse.
        return sorted(words, key=lambda word: not word.startswith("-"))
    first = [
        f"{name}={value}" if f"{name[2:]}=" in takes_value else f"{name}{value}"
        for name, value in options
    ]
    return [*first, "--", *names]
