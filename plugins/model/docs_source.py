"""DocsSource: what documentation is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK_FILE", "DocsSource"]

LOCK_FILE: Final = "docs-tools.lock"
"""The file below ``made/`` that locks the tools which make it."""


@frozen
class DocsSource:
    """What documentation is made from: a commit, the time it is said to be made at, its tools."""

    clone: Path
    """A git repository that has the commit; it is only read."""
    commit: str
    epoch_s: int
    """Seconds since 1970, UTC: the time that every page and archive carries."""
    constraints: Path | None = None
    """A pip constraints file for the documentation's tools."""
    python: Path | None = None
    """The Python that runs them; None for the one that runs us."""
    tools: Path | None = None
    """Where their environment is kept; None for a folder of the release's own."""
    lock: Path | None = None
    """The lock that their packages are installed from; None for what the tree asks for."""
    lock_sha256: str = ""
    """The digest of the lock that was approved."""
