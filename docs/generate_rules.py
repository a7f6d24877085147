"""Generator of docs/reference/rules.md from the checks, which are read and not imported."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["PAGE", "rules_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "rules.md"

_HEAD: Final = """\
# Rules

<!-- Made by docs/generate.py from checks/*.py and chapters/*.py; edit those. -->

What the gates judge by. A rule's id never changes; every finding begins with it, and a
[waiver](../how-to/waive-a-finding.md) names it. BLOCK stops everything behind the gate, WARN is
shown in every report on the release, NOTE is only information. In the text of a finding, … is
replaced by what was found. `doit check` shows the findings of every gate that can be judged now.

A check that cannot look (a host is down, a file cannot be read) blocks under its rule, marked here
with "also blocks when it cannot look".
"""
_GAP: Final = "…"
_RULE: Final = re.compile(r"[a-z]+\.[a-z_]+")
_FIELDS: Final = ("rule", "severity", "message", "where", "remedy")
_Words = dict[str, ast.expr]


@dataclass(slots=True)
class _Rule:
    """All that the sources say about one rule."""

    severities: list[str] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    says: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    blind: bool = False

    def entry(self, rule: str) -> Iterator[str]:
        yield f"### `{rule}`\n\n"
        blind = "; also blocks when it cannot look" if self.blind else ""
        gates = ", ".join(f"`{each}`" for each in self.gates) or "no gate, or only `doit verify`"
        yield f"{', '.join(self.severities or ['BLOCK'])}{blind}. Looked at by {gates}.\n\n"
        yield f"- wanted: {' '.join(self.wanted)}\n"
        yield from (f"- says: {each}\n" for each in self.says)
        yield from (f"- remedy: {each}\n" for each in self.remedies)
        yield "\n"


class _Module:
    """One module of checks: its functions, its constants, and who calls whom."""

    def __init__(self, file: Path, gates: Mapping[str, Sequence[str]]) -> None:
        tree = ast.parse(file.read_bytes())
        self.about = _sentence(ast.get_docstring(tree) or "")
        self.rules: dict[str, _Rule] = {}
        self._gates = gates
        self._functions = {
            node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)
        }
        self._constants = _assigned(tree.body)
        for function in self._functions.values():
            self._read(function)
        self._add_named_only(tree)

    def _read(self, function: ast.FunctionDef) -> None:
        words = {**self._constants, **_assigned(ast.walk(function))}
        owned = set(_parameters(function))
        for each in function.decorator_list:
            if isinstance(each, ast.Call) and ast.unparse(each.func) == "blocks_if_blind":
                self._rule(_text(each.args[0], words), function).blind = True
        for words_here, node in _calls(function, words):
            found = self._finding(node, words_here)
            rule = _text(found["rule"], words_here) if "rule" in found else _GAP
            if _RULE.fullmatch(rule) and not _names(found["rule"]) & owned:
                self._note(rule, function, {k: _text(v, words_here) for k, v in found.items()})

    def _finding(self, node: ast.Call, words: _Words) -> _Words:
        """The parts of the Finding that this call makes, itself or by a helper; {} if none."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "Finding":
            return _bound(_FIELDS, node)
        helper = self._functions.get(name)
        if helper is None or not name.startswith("_"):
            return {}
        given = {**_defaults(helper), **_bound(_parameters(helper), node)}
        inner = {**_assigned(ast.walk(helper))}
        for each in ast.walk(helper):
            if isinstance(each, ast.Call) and each is not node:
                made = self._finding(each, words)
                if made and _names(made["rule"]) & set(_parameters(helper)):
                    return {key: _put(value, {**inner, **given}) for key, value in made.items()}
        return {}

    def _note(self, rule: str, function: ast.FunctionDef, arguments: Mapping[str, str]) -> None:
        entry = self._rule(rule, function)
        severity = arguments.get("severity", "BLOCK").rpartition(".")[2]
        _add(entry.severities, severity if severity.isalpha() else "BLOCK")
        _add(entry.says, arguments.get("message", ""))
        _add(entry.remedies, arguments.get("remedy", ""))

    def _rule(self, rule: str, function: ast.FunctionDef) -> _Rule:
        entry = self.rules.setdefault(rule, _Rule())
        for check in self._checks_that_call(function.name):
            _add(entry.wanted, _sentence(ast.get_docstring(self._functions[check]) or ""))
            for gate in self._gates.get(check, ()):
                _add(entry.gates, gate)
        return entry

    def _checks_that_call(self, name: str) -> list[str]:
        """The public functions that the one of this name belongs to."""
        if not name.startswith("_"):
            return [name]
        callers = [
            other
            for other, function in self._functions.items()
            if other != name
            and any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(function))
        ]
        return [check for caller in callers for check in self._checks_that_call(caller)]

    def _add_named_only(self, tree: ast.Module) -> None:
        """Rules whose id is in a table, and of which nothing else was read."""
        prefixes = {rule.partition(".")[0] for rule in self.rules}
        for node in ast.walk(tree):
            rule = node.value if isinstance(node, ast.Constant) else ""
            if not isinstance(rule, str) or not _RULE.fullmatch(rule) or rule in self.rules:
                continue
            if rule.partition(".")[0] in prefixes:
                check = next(each for each in self._functions if not each.startswith("_"))
                self._rule(rule, self._functions[check])


def rules_page(project: Path) -> str:
    """The whole page, from the checks and the outline of the project in this folder."""
    gates = _gates(project / "chapters", sorted((project / "checks").glob("*.py")))
    parts = [_HEAD]
    for file in sorted((project / "checks").glob("*.py")):
        module = _Module(file, gates)
        if module.rules:
            parts.append(f"\n## {file.stem.replace('_', ' ')}\n\n{module.about}\n\n")
            for rule, entry in sorted(module.rules.items()):
                parts += entry.entry(rule)
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).rstrip() + "\n"


def _gates(chapters: Path, checks: Sequence[Path]) -> dict[str, list[str]]:
    """The gates that call each check, by its name; what checks share is called by their gates."""
    found: dict[str, list[str]] = {}
    for file in sorted(chapters.glob("*.py")):
        for function in ast.parse(file.read_bytes()).body:
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.Attribute):
                        _add(found.setdefault(node.attr, []), function.name)
    for file in checks:
        _follow(ast.parse(file.read_bytes()), found)
    return found


def _follow(tree: ast.Module, gates: dict[str, list[str]]) -> None:
    """What the checks of a module call of another one's is looked at by their gates."""
    shared = {
        name.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("checks.")
        for name in node.names
    }
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name in gates:
            for name in _called(function) & shared:
                for gate in gates[function.name]:
                    _add(gates.setdefault(name, []), gate)


def _called(function: ast.FunctionDef) -> set[str]:
    return {
        node.func.id
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def _calls(function: ast.FunctionDef, words: _Words) -> Iterator[tuple[_Words, ast.Call]]:
    """Every call with the words that are valid there; the items of a loop are given one by one."""
    looped = set()
    for loop in ast.walk(function):
        if isinstance(loop, ast.For):
            through = words.get(loop.iter.id) if isinstance(loop.iter, ast.Name) else loop.iter
            for each in through.elts if isinstance(through, ast.Tuple) else ():
                here = {**words, **_matched(loop.target, each)}
                for node in ast.walk(loop):
                    if isinstance(node, ast.Call):
                        looped.add(node)
                        yield here, node
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and node not in looped:
            yield words, node


def _matched(target: ast.expr, value: ast.expr) -> _Words:
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        return {name.id: each for name, each in pairs if isinstance(name, ast.Name)}
    return {}


def _assigned(nodes: Iterator[ast.AST] | Sequence[ast.AST]) -> _Words:
    """What each name was set to; a name set twice to different things stands for neither."""
    found: _Words = {}
    for node in nodes:
        name, value = "", None
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, value = node.target.id, node.value
        if value is not None:
            found[name] = value if name not in found else ast.Constant(_GAP)
    return found


def _parameters(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(each.arg for each in (*function.args.args, *function.args.kwonlyargs))


def _defaults(function: ast.FunctionDef) -> _Words:
    names = [each.arg for each in function.args.args]
    given = function.args.defaults
    return dict(zip(names[len(names) - len(given) :], given, strict=True))


def _bound(names: Sequence[str], node: ast.Call) -> _Words:
    bound = dict(zip(names, node.args, strict=False))
    return {**bound, **{each.arg: each.value for each in node.keywords if each.arg}}


def _names(node: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _put(node: ast.expr, words: _Words) -> ast.expr:
    """The expression with these words in place of their names."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, found: ast.Name) -> ast.expr:
            return words.get(found.id, found)

    return Put().visit(ast.parse(ast.unparse(node), mode="eval")).body  # type: ignore[no-any-return] # a visit of an expression


def _text(node: ast.expr, words: _Words, depth: int = 0) -> str:
    """What a person would read, with a gap for what is only known when it runs."""
    shown = _GAP
    if depth > 5:
        return shown
    match node:
        case ast.Constant(value=str() as text):
            shown = text
        case ast.JoinedStr(values=values):
            shown = "".join(_text(each, words, depth + 1) for each in values)
        case ast.FormattedValue(value=value):
            shown = _text(value, words, depth + 1)
        case ast.Name(id=name) if name in words:
            shown = _text(words[name], words, depth + 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            shown = _text(left, words, depth + 1) + _text(right, words, depth + 1)
        case ast.Attribute(value=ast.Name(id="Severity"), attr=name):
            shown = name
        case _:
            pass
    return shown


def _add(known: list[str], sentence: str) -> None:
    sentence = re.sub(r"…(?:[ ,:;]*…)+", _GAP, " ".join(sentence.split()))
    if sentence and sentence != _GAP and sentence not in known:
        known.append(sentence)


def _sentence(text: str) -> str:
    """The first sentence, as Markdown; ids of the PEP's obligations are left to the code."""
    line = " ".join(text.partition("\n\n")[0].split()).replace("``", "`")
    first = re.match(r".*?[.](?= [A-Z]|$)", line)
    return re.sub(r" \([A-Z]\d\d(?:[-, ]+[A-Z]\d\d)*\)", "", first[0] if first else line)


if __name__ == "__main__":
    PAGE.write_text(rules_page(_PROJECT), encoding="utf-8")
