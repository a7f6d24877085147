"""Processes of this machine, as tests ask after them."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["lives"]


def lives(number: int) -> bool:
    """Whether the process runs; one that ended and that nobody asked after does not.

    A small Linux has no ps, and macOS has no /proc.
    """
    if Path("/proc/self/stat").exists():
        try:
            told = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return told.rpartition(")")[2].split()[0] not in "ZX"
    command = ["ps", "-o", "stat=", "-p", str(number)]
    state = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    return state != "" and not state.startswith("Z")
