"""The revision of this tool, as the journal records it (P03)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed

if TYPE_CHECKING:
    from plugins.ports.programs import Programs

__all__ = ["tool_revision"]

_HERE: Final = Path(__file__).parents[2]


def tool_revision(programs: Programs, home: Path = _HERE) -> str:
    """The commit that the tool runs from, with ``+`` if its files were changed since.

    Where the tool is not run from a git checkout, its version.
    """
    try:
        head = programs.run(["git", "rev-parse", "HEAD"], folder=home).stdout.strip()
        # The declaration is what is released and not what releases it: editing it is no change.
        words = ["git", "status", "--porcelain", "-uno", "--", ".", ":(exclude)release.toml"]
        changed = programs.run(words, folder=home).stdout
    except ServiceFailed:
        import tomllib

        declared = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))
        return f"pep101 {declared['project']['version']}"
    return f"{head}+" if changed.strip() else head
