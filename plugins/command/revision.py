"""The revision of this tool, as the journal records it (P03)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.errors import ServiceFailed

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["tool_revision"]


def tool_revision(programs: Programs) -> str:
    """The commit that the tool runs from, with ``+`` if its files were changed since.

    Where the tool is not run from a git checkout, its version.
    """
    home = Path(__file__).parents[2]
    try:
        head = programs.run(["git", "rev-parse", "HEAD"], folder=home).stdout.strip()
        changed = programs.run(["git", "status", "--porcelain", "-uno"], folder=home).stdout
    except ServiceFailed:
        from importlib.metadata import version

        return version("pep101")
    return f"{head}+" if changed.strip() else head
