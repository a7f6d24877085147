"""Source tree: what of a tag's tree the source archives leave out, and what they add to it.

Source: PEP 101, "export the tag" (B01); what CPython's archives have held since they are made
from git. Paths are relative to the tree's top, with ``/`` between their parts.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LEFT_OUT", "MADE", "NEWS", "NEWS_FRAGMENTS", "is_left_out"]

NEWS: Final = "Misc/NEWS"
"""The merged news: made by ``blurb merge`` when a release is exported, never in git."""

NEWS_FRAGMENTS: Final = "Misc/NEWS.d"
"""What the news are made of; ``blurb export`` takes them away."""

MADE: Final = (NEWS,)
"""What the archives hold and the tag does not."""

# Doc's three are leftovers of a documentation build; a tag never holds them, a folder may.
LEFT_OUT: Final = frozenset(
    (
        ".azure-pipelines",
        ".git",
        ".gitattributes",
        ".github",
        ".gitignore",
        "Doc/build",
        "Doc/dist",
        "Doc/venv",
        "Misc/mypy",
        NEWS_FRAGMENTS,
    )
)
"""Files and folders of the tag, from its top, that no archive holds."""

_COMPILED: Final = (".pyc", ".pyo")
_DEPTH: Final = max(name.count("/") for name in LEFT_OUT) + 1


def is_left_out(path: str) -> bool:
    """Whether a file or folder of the tree is not in the archives, nor what is below it.

    Compiled modules and their folders are left out at any depth; ignore files of nested
    projects, such as ``Android/testbed/.gitignore``, stay in.
    """
    parts = path.split("/")
    if parts[-1].endswith(_COMPILED) or "__pycache__" in parts:
        return True
    return any("/".join(parts[:depth]) in LEFT_OUT for depth in range(1, _DEPTH + 1))
