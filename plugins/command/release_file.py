"""The release file that was chosen on the command line or by the environment."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RELEASE_FILE"]

RELEASE_FILE: ContextVar[Path | None] = ContextVar("RELEASE_FILE", default=None)
"""The file that --release or PEP101_RELEASE chose; None for the one beside dodo.py."""
