"""Told errors: every place in the sources where an error or a look says what a person has to do."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from tests.remedies import PROJECT, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ERRORS", "Told", "told", "told_errors"]

ERRORS: Final = frozenset({
    "AlreadyPublished", "BadVersion", "NothingDone", "ServiceFailed", "SettingsError", "StepFailed",
    "Waiting",
})  # fmt: skip
"""Errors that a person is told of, and that say what to do."""
_PROBES: Final = frozenset({"different", "unknown", "unseen"})
_PLACES: Final = ("checks", "chapters", "doit_receipts", "plugins")
_ELSEWHERE: Final = ("plugins/rehearsal/", "doit_receipts/examples/")
_DEEPEST: Final = 4


@dataclass(frozen=True)
class Told:
    """An error or a look of the sources."""

    function: str
    """Where it is: ``module.py::Class.function``."""
    line: int
    remedies: tuple[str, ...]
    """What it may say, as far as the module shows that; () where it only hands another's on."""


@cache
def told() -> tuple[Told, ...]:
    """All of them."""
    found: list[Told] = []
    for folder in _PLACES:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            name = str(file.relative_to(PROJECT))
            if not name.startswith(_ELSEWHERE):
                found += _Module(name, ast.parse(file.read_text(encoding="utf-8"))).told()
    return tuple(found)


def told_errors() -> Mapping[str, tuple[int, ...]]:
    """The lines of its errors for each function of the sources."""
    found: dict[str, tuple[int, ...]] = {}
    for each in told():
        found[each.function] = (*found.get(each.function, ()), each.line)
    return found


class _Module:
    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._tree = tree
        self._functions = {
            each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)
        }
        self._calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]

    def told(self) -> Iterator[Told]:
        yield from self._of(self._tree, (), ())

    def _of(
        self, node: ast.AST, path: tuple[str, ...], within: tuple[ast.FunctionDef, ...]
    ) -> Iterator[Told]:
        for child in ast.iter_child_nodes(node):
            inner, deeper = path, within
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                inner = (*path, child.name)
            if isinstance(child, ast.FunctionDef):
                deeper = (*within, child)
            if isinstance(child, ast.Call) and ast.unparse(child.func) in ERRORS | _PROBES:
                texts = tuple(dict.fromkeys(self._told_by(child, within)))
                yield Told(f"{self._name}::{'.'.join(path)}", child.lineno, texts)
            yield from self._of(child, inner, deeper)

    def _told_by(self, call: ast.Call, within: Sequence[ast.FunctionDef]) -> list[str]:
        given = {each.arg: each.value for each in call.keywords}
        at = 1 if ast.unparse(call.func) in _PROBES else None
        if "remedy" in given:
            return self._said(given["remedy"], within, _DEEPEST)
        if at is not None and len(call.args) > at:
            return self._said(call.args[at], within, _DEEPEST)
        return []

    def _said(self, node: ast.AST, within: Sequence[ast.FunctionDef], depth: int) -> list[str]:
        """The texts that an expression may be; [] for one that this module does not show."""
        found: list[str] = []
        match node:
            case ast.Constant(value=str(text)):
                found = [text]
            case ast.JoinedStr(values=parts):
                found = ["".join(self._part(each, within, depth) for each in parts)]
            case ast.IfExp(body=one, orelse=other):
                found = self._said(one, within, depth) + self._said(other, within, depth)
            case ast.BoolOp(values=choices):
                found = [text for each in choices for text in self._said(each, within, depth)]
            case ast.BinOp(left=one, right=other):
                found = self._said(one, within, depth) or self._said(other, within, depth)
            case ast.Name(id=name) if depth:
                found = self._named(name, within, depth - 1)
            case ast.Call(func=ast.Attribute(value=template, attr="format")):
                found = self._said(template, within, depth)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if depth:
                found = self._returned(name, depth - 1)
        return found

    def _returned(self, name: str, depth: int) -> list[str]:
        function = self._functions.get(name)
        if function is None:
            return []
        ends = [each.value for each in ast.walk(function) if isinstance(each, ast.Return)]
        return [text for each in ends if each for text in self._said(each, (function,), depth)]

    def _part(self, node: ast.AST, within: Sequence[ast.FunctionDef], depth: int) -> str:
        if isinstance(node, ast.FormattedValue):
            return (self._said(node.value, within, depth) or [UNKNOWN])[0]
        return self._said(node, within, depth)[0]

    def _named(self, name: str, within: Sequence[ast.FunctionDef], depth: int) -> list[str]:
        """What is given to a name in these functions, by those who call them, or in the module."""
        found = []
        for scope in (*within, self._tree):
            for each in ast.walk(scope) if scope is not self._tree else scope.body:
                for value in _given(each, name):
                    found += self._said(value, within, depth)
        for function in within:
            names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
            if name in names:
                found += self._handed(function, name, names, depth)
        return found

    def _handed(
        self, function: ast.FunctionDef, name: str, names: list[str], depth: int
    ) -> list[str]:
        found = []
        for call in self._calls:
            called = ast.unparse(call.func).rpartition(".")[2]
            if called == function.name:
                at = names.index(name) - (names[0] == "self")
                values = [each.value for each in call.keywords if each.arg == name]
                values += call.args[at : at + 1] if not values else []
                for each in values:
                    found += self._said(each, self._around(call), depth)
        return found

    def _around(self, call: ast.Call) -> list[ast.FunctionDef]:
        return [
            each for each in self._functions.values() if any(one is call for one in ast.walk(each))
        ]


def _given(node: ast.AST, name: str) -> Iterator[ast.AST]:
    """Values that a statement gives to a name."""
    if isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value:
        targets, value = [node.target], node.value
    else:
        return
    for target in targets:
        if isinstance(target, ast.Name) and target.id == name:
            yield value
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, other in zip(target.elts, value.elts, strict=False):
                if isinstance(one, ast.Name) and one.id == name:
                    yield other
