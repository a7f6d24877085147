"""Person: the Person port over a small TOML file in the home of the release manager."""

from __future__ import annotations

import tomllib
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["OwnFile"]

_MOST_BYTES: Final = 1 << 16


class OwnFile:
    """The Person port; a file that is not there has said nothing."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __repr__(self) -> str:
        return "manager"

    @property
    def file(self) -> Path:
        """See the port."""
        return self._file

    def said(self, what: str) -> date | None:
        """See the port."""
        try:
            with self._file.open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            raise self._error(problem) from None
        if len(raw) > _MOST_BYTES:
            problem = "is larger than 64 kB"
            raise self._error(problem)
        try:
            content: dict[str, Any] = tomllib.loads(raw.decode())
        except (ValueError, RecursionError):
            problem = "is not TOML"
            raise self._error(problem) from None
        day = content.get(what)
        if day is None:
            return None
        if type(day) is not date:
            problem = f"{what} is not a date"
            raise self._error(problem)
        return day

    def _error(self, problem: str) -> SettingsError:
        return SettingsError(
            where=str(self._file),
            problem=problem,
            remedy="write lines such as private_list = 2026-12-01 into it, or delete it",
        )
