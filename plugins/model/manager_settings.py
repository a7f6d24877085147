"""Manager settings: what holds for the person who releases, and for the one of the next series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model import forms

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.declared import Declared

__all__ = ["Manager", "NextSeries"]

_LAST_PEP: Final = 9999


@frozen
class Manager:
    """``[manager]``: what holds for the person, whatever is released."""

    said: Path
    """The file in which the release manager says once, each with the day, that they read the
    private list of release managers (``private_list = 2026-12-01``) and are where everybody talks
    on the day of a release (``channel``). Default: ~/.config/pep101/manager.toml."""

    @classmethod
    def of(cls, table: Declared) -> Manager:
        """The section as it was declared."""
        return cls(table.path("said", "~/.config/pep101/manager.toml"))


@frozen
class NextSeries:
    """``[next_series]``: the series after this one, whose schedule an alpha proposes to the PEPs.

    Either all of it is written, or nothing.
    """

    manager: str = ""
    """The name of its release manager, as the PEPs have it. Default: none, nothing is proposed."""
    login: str = ""
    """Their name at GitHub, without @. Must be written beside ``manager``."""
    pep: int = 0
    """The number of its release PEP, as agreed with the editors of the PEPs. Must be written
    beside ``manager``."""

    @classmethod
    def of(cls, table: Declared) -> NextSeries:
        """The section as it was declared."""
        examples = {"manager": '"Full Name"', "login": '"name"', "pep": "845"}
        if any(table.holds(key) for key in examples):
            for key, example in examples.items():
                table.need(key, f"{key} = {example}")
        found = cls(
            manager=table.form("manager", "", forms.person_name),
            login=table.form("login", "", forms.github_login),
            pep=table.number("pep", "the number of a PEP, such as 845"),
        )
        if found.pep > _LAST_PEP:
            table.note("pep", f"is {found.pep}", f"write a number up to {_LAST_PEP}")
        return found
