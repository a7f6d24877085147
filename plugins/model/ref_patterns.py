"""Ref patterns: which refs a ruleset of GitHub is about, by the names that its conditions have."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

__all__ = ["is_about"]

_ANY: Final = "~ALL"
_FOLDERS: Final = "**"


def is_about(pattern: str, ref: str) -> bool:
    """Whether a pattern such as ``refs/tags/v*`` names the ref; ``~ALL`` names each.

    A star stands for no slash, and ``**/`` for folders, none included. Source: GitHub's "Creating
    rulesets for a repository", which names Ruby's File.fnmatch with FNM_PATHNAME.
    """
    if pattern == _ANY:
        return True
    named = pattern.split("/")
    # several in a row say what one says, and would be tried in as many ways as there are
    kept = [
        each
        for each, after in zip(named, [*named[1:-1], "", ""], strict=False)
        if (each, after) != (_FOLDERS, _FOLDERS)
    ]
    return _fits(kept, ref.split("/"))


def _fits(patterns: list[str], parts: list[str]) -> bool:
    if not patterns or not parts:
        return not patterns and not parts
    first, *others = patterns
    if first == _FOLDERS and others:
        return any(_fits(others, parts[count:]) for count in range(len(parts)))
    return fnmatchcase(parts[0], first) and _fits(others, parts[1:])
