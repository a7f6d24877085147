"""Remedies: the texts of the sources that tell a person what to type, write or read."""

from __future__ import annotations

import ast
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PROJECT", "UNKNOWN", "Text", "commands", "named_settings", "sections", "texts"]

PROJECT: Final = Path(__file__).resolve().parents[1]
UNKNOWN: Final = "…"
"""Stands where a text has a value that is known only when it is told."""

_FOLDERS: Final = ("checks", "chapters", "doit_receipts", "plugins")
# they speak in the name of other people's sites, or are read by other projects
_NOT_OURS: Final = ("plugins/rehearsal/", "doit_receipts/examples/")
_END: Final = r"(?=[];:,)`\"\n]|\. | and | then | or | again| in it| says| signs| makes| works|$)"


@dataclass(frozen=True)
class Text:
    """A text of a source file, where it stands, and what it says."""

    where: str
    said: str


@functools.cache
def texts() -> tuple[Text, ...]:
    """Every text of the sources that is no documentation of code."""
    found = []
    for folder in _FOLDERS:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            name = str(file.relative_to(PROJECT))
            if name.startswith(_NOT_OURS):
                continue
            tree = ast.parse(file.read_text(encoding="utf-8"))
            found += [Text(f"{name}:{line}", said) for line, said in _said(tree)]
    return tuple(found)


def _said(tree: ast.AST) -> Iterator[tuple[int, str]]:
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        elif isinstance(node, ast.JoinedStr):
            skipped.update(each for each in node.values if isinstance(each, ast.Constant))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [
                str(each.value) if isinstance(each, ast.Constant) else UNKNOWN
                for each in node.values
            ]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, re.sub(r"\{\w*\}", UNKNOWN, node.value)


def commands(program: str) -> list[tuple[Text, list[str]]]:
    """Every text that names a command of the program, and the words behind its name."""
    pattern = re.compile(rf"(?<![\w./{UNKNOWN}-])(?<!this ){program} ([a-z{UNKNOWN}-].*?){_END}")
    return [(text, found[1].split()) for text in texts() for found in pattern.finditer(text.said)]


@functools.cache
def sections() -> dict[str, set[str]]:
    """The settings of each section of release.toml, as editors are told; "" has those above."""
    schema = json.loads((PROJECT / "docs/reference/release.schema.json").read_bytes())
    known: dict[str, set[str]] = {"": set(schema["properties"])}
    for name, section in schema["properties"].items():
        one = section.get("items", section)
        for pattern in one.get("patternProperties", {}).values():
            one = {"properties": {**one.get("properties", {}), **pattern.get("properties", {})}}
        known[name] = set(one.get("properties", {}))
    return known


# what stands behind [section] and is no setting of it
_PROSE: Final = frozenset(
    ("above", "and", "below", "has", "in", "is", "names", "number", "or", "said", "so", "that")
)
# in brackets, and no section of release.toml: a default, the file of doit, an expression
_NO_SECTIONS: Final = {"default", "rc", "tool"}

_SETTING: Final = re.compile(
    r"(?<![\w(\\>,])\[\[?([a-z]{2,})(?:\.[a-z]+)?\]\]?(?! ?[=(])(?:`` | )?"
    r"([a-z_]+(?: and [a-z]+_[a-z_]+)*)?"
)


def named_settings() -> list[tuple[Text, str, str]]:
    """Every text that names a section or a setting of release.toml: section and setting, or ""."""
    found = []
    for text in texts():
        for each in _SETTING.finditer(text.said):
            if each[1] in _NO_SECTIONS:
                continue
            words = (each[2] or "").split(" and ")
            found += [(text, each[1], "" if word in _PROSE else word) for word in words]
        for each in re.finditer(r"([a-z_]+) = \S+ (?:under|below) \[([a-z]+)\]", text.said):
            found.append((text, each[2], each[1]))
    return found
