"""The doit section of this project's pyproject.toml, for projects that tests make elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["DOIT_SECTION"]

DOIT_SECTION = "\n".join(
    re.findall(
        r"^\[tool\.doit.*?(?=^\[(?!tool\.doit)|\Z)",
        (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)
"""Which loader, backend, reporter and commands doit takes in such a folder."""
