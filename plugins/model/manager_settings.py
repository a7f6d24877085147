"""Manager settings: where the answers are to what a release manager is asked once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.declared import Declared

__all__ = ["Manager"]


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
