"""Blog of the simulated environment: whether its loader and its CI would take a post.

Source: python/python-insider-blog at fbd6066 of 2026-08-22: src/content.config.ts,
.pre-commit-config.yaml. Nothing here is shared with the step that makes posts.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AUTHORS", "REPOSITORY", "authors", "verdict"]

REPOSITORY: Final = "python/python-insider-blog"
AUTHORS: Final = ("Hugo van Kemenade", "Thomas Wouters", "\u0141ukasz Langa", "Rita Manager")
_POST: Final = re.compile(r"[^/]+/index\.mdx?")
_AUTHOR: Final = re.compile(r"[^/]+\.json")
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---(?:\n|\Z)(.*)", re.DOTALL)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+Z?)?")
_CONFLICT: Final = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_HEAVY_BYTES: Final = 500 * 1024
_TEXTS: Final = {"title": True, "author": True, "description": False, "legacyUrl": False}
_DATES: Final = {"publishDate": True, "updatedDate": False}


def authors() -> dict[str, str]:
    """The records of the authors who are known, by path."""
    plain = str.maketrans("\u0141\u0142", "ll")
    return {
        f"content/authors/{re.sub('[^a-z]+', '-', name.translate(plain).lower())}.json": (
            json.dumps({"name": name, "bio": "", "featured": False}, indent=2) + "\n"
        )
        for name in AUTHORS
    }


def verdict(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """What stops the pull request that changes these texts; "" if its CI is green.

    A file that no collection of the loader matches builds and is shown nowhere; that counts too.
    """
    changed = {path: text for path, text in after.items() if before.get(path) != text}
    for path, text in changed.items():
        problem = _hooks(text) or _loaded(path, text)
        if problem:
            return f"{path}: {problem}"
    return ""


def _hooks(text: str) -> str:
    if not text.endswith("\n") or text.endswith("\n\n"):
        return "end-of-file-fixer: wants one line end at the end"
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.rstrip()
        kept = f"{bare}  " if bare and line.endswith("  ") else bare
        if line != kept:
            return f"trailing-whitespace: line {number}"
    if _CONFLICT.search(text):
        return "check-merge-conflict: has a marker of a merge"
    if len(text.encode()) > _HEAVY_BYTES:
        return "check-added-large-files: over 500 KB"
    return ""


def _loaded(path: str, text: str) -> str:
    if path.startswith("content/authors/"):
        return "" if _AUTHOR.fullmatch(path.removeprefix("content/authors/")) else _unseen(path)
    if not path.startswith("content/posts/"):
        return ""
    if not _POST.fullmatch(path.removeprefix("content/posts/")):
        return _unseen(path)
    found = _FRONT.match(text)
    try:
        fields = yaml.safe_load(found[1]) if found else {}
    except yaml.YAMLError as error:
        return f"YAMLException: {' '.join(str(error).split())}"
    problem = _schema(fields if isinstance(fields, dict) else {})
    return f"InvalidContentEntryDataError: {problem}" if problem else ""


def _unseen(path: str) -> str:
    return f"no collection has it, so the blog never shows it: {path}"


def _schema(fields: Mapping[str, Any]) -> str:
    for name, required in (_TEXTS | _DATES).items():
        if name not in fields and required:
            return f"{name}: Required"
    for name in _TEXTS:
        if not isinstance(fields.get(name, ""), str):
            return f"{name}: Expected string, received {type(fields[name]).__name__}"
    for name in _DATES:
        if name in fields and not _is_date(fields[name]):
            return f"{name}: Invalid date"
    tags = fields.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        return "tags: Expected array of strings"
    if not isinstance(fields.get("published", True), bool):
        return "published: Expected boolean"
    return ""


def _is_date(value: object) -> bool:
    """Whether JavaScript's Date takes it, of the forms that posts use."""
    if isinstance(value, (date, datetime)):
        return True
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
