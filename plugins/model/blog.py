"""Blog: how the Python Insider blog names its authors' records."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["author_file"]

# Letters that no decomposition turns into plain ones; the blog's own rule knows these two.
_POLISH_L: Final = str.maketrans({"\u0141": "l", "\u0142": "l"})


def author_file(name: str) -> str:
    """The path of an author's record in the blog's repository, by the name that posts are under.

    Source: slugify in src/lib/utils.ts of python/python-insider-blog, by which a post links to its
    author; a post of somebody without a record builds, and its link leads nowhere.
    """
    plain = unicodedata.normalize("NFD", name).translate(_POLISH_L)
    bare = re.sub("[\u0300-\u036f]", "", plain).lower()
    return f"content/authors/{re.sub('[^a-z0-9]+', '-', bare).strip('-')}.json"
