"""Archive rules: what of the tag's tree a source archive leaves out, and what is made for it.

The step that writes the archives and the check that judges them both read this page, so a
path is left out on purpose or not at all.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LEFT_OUT", "LEFT_OUT_NAMES", "LEFT_OUT_SUFFIXES", "MADE", "is_left_out"]

LEFT_OUT: Final = (
    ".azure-pipelines",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "Doc/build",
    "Doc/dist",
    "Doc/venv",
    "Misc/NEWS.d",
    "Misc/mypy",
)
"""Files and folders of the top of the tree, as paths from it. Source: the published archives."""

LEFT_OUT_NAMES: Final = ("__pycache__",)
"""Folders that are left out wherever they are."""

LEFT_OUT_SUFFIXES: Final = (".pyc", ".pyo")
"""Files that are left out wherever they are (B09)."""

MADE: Final = ("Misc/NEWS",)
"""Files of the archives that the tag does not hold: NEWS is merged from Misc/NEWS.d by blurb."""


def is_left_out(path: str) -> bool:
    """Whether a path of the tag's tree, with ``/`` between its parts, is kept from the archives.

    A folder is left out with all that is in it; ``Doc/building`` is not ``Doc/build``.
    """
    parts = path.split("/")
    return (
        path.endswith(LEFT_OUT_SUFFIXES)
        or any(name in LEFT_OUT_NAMES for name in parts)
        or any("/".join(parts[:count]) in LEFT_OUT for count in range(1, len(parts) + 1))
    )
