"""Told errors: every place in the sources where an error or a look says what a person has to do."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Final

from tests.remedies import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ERRORS", "told_errors"]

ERRORS: Final = frozenset({
    "AlreadyPublished", "BadVersion", "NothingDone", "ServiceFailed", "SettingsError", "StepFailed",
    "Waiting",
})  # fmt: skip
"""Errors that a person is told of, and that say what to do."""
_PROBES: Final = frozenset({"different", "unknown", "unseen"})
_PLACES: Final = ("checks", "chapters", "doit_receipts", "plugins")
_ELSEWHERE: Final = ("plugins/rehearsal/", "doit_receipts/examples/")


@cache
def told_errors() -> Mapping[str, tuple[int, ...]]:
    """The lines of its errors for each function of the sources: ``module.py::Class.function``."""
    found: dict[str, tuple[int, ...]] = {}
    for folder in _PLACES:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            name = str(file.relative_to(PROJECT))
            if name.startswith(_ELSEWHERE):
                continue
            for path, line in _of(ast.parse(file.read_text(encoding="utf-8")), ()):
                key = f"{name}::{'.'.join(path)}"
                found[key] = (*found.get(key, ()), line)
    return found


def _of(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    for child in ast.iter_child_nodes(node):
        named = isinstance(child, (ast.FunctionDef, ast.ClassDef))
        inner = (*path, child.name) if named else path  # type: ignore[attr-defined]
        if isinstance(child, ast.Call) and ast.unparse(child.func) in ERRORS | _PROBES:
            yield path, child.lineno
        yield from _of(child, inner)
