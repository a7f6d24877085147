"""Generator of docs/reference/tasks.md from dodo.py, and of accidents.md from the rehearsal.

Both are read and not imported.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ACCIDENTS", "PAGE", "accidents_page", "tasks_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "tasks.md"
ACCIDENTS: Final = _PROJECT / "docs" / "reference" / "accidents.md"

_HEAD: Final = """\
# Tasks

<!-- Made by docs/generate.py from dodo.py; edit that. -->

Every task of a release, in the order in which PEP 101 tells them. They are not done in this order:
each runs as soon as all that it stands behind is done, which `doit why TASK` lists. `doit export`
does what the local artifacts need, `doit publish` all of it, and `doit run TASK` what that task
needs.

The second column is a step's effect ([what that means](../design.md#a-release-as-a-graph)), or what
kind of task it is. A task marked *only* is not there in other releases. The ids are those of
PEP 101's obligations, as `dodo.py` and `doit why` tell them.
"""

_ACCIDENTS_HEAD: Final = """\
# Accidents

<!-- Made by docs/generate.py from plugins/rehearsal/*.py; edit those. -->

What can go wrong in a rehearsed world on demand: `doit rehearse --fault NAME` or, where the
sentence speaks of an argument, `--fault=NAME=ARGUMENT` in one word. An accident happens once, at
the first opportunity. `doit rehearse --fault list` shows this list too. How to use it:
[rehearse](../how-to/rehearse.md).

| accident | what happens |
| --- | --- |
"""
# What a condition of a decorator says to a person; another one is shown as it is written.
_CONDITIONS: Final = {
    "release.ships_docs": "in releases with documentation archives",
    "release.signs_with_gpg": "in series signed with OpenPGP, up to 3.13",
    "release.series.ships_sbom": "in series with SBOMs, 3.12 and later",
    "release.ships_docs and release.type.is_final": "in final releases with documentation archives",
    "release.ships_docs and 'html' in settings.docs.formats": "in releases with HTML documentation",
    "release.type is ReleaseType.NEW_BRANCH": "in the first beta, which makes a new branch",
    "tells_day": "in the first final release of a series",
    "bundled": "in releases with Sigstore bundles",
    "bool(roles)": "with experts in release.toml",
    "bool(told)": "with experts who have a mail address",
    "WINDOWS in roles": "with `[experts.windows]`",
    "MACOS in roles": "with `[experts.macos]`",
    "bool(tell.blog)": "with `[announce] blog`",
    "release.ships_docs and any((each.role == DOCS for each in settings.experts))": (
        "with `[experts.docs]`"
    ),
}


def tasks_page(project: Path) -> str:
    """The whole page, from the outline of the project in this folder."""
    chapters = _chapters(project / "plugins" / "flow" / "listing.py")
    parts = [_HEAD]
    for node in ast.parse((project / "dodo.py").read_bytes()).body:
        chapter = _chapter(node)
        if chapter:
            parts.append(
                f"\n## {chapter} {chapters[chapter]}\n\n"
                "| task | effect | what it does | PEP 101 |\n| --- | --- | --- | --- |\n"
            )
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("task_"):
            parts.append(_row(node))
    return "".join(parts)


def accidents_page(project: Path) -> str:
    """Every accident that a part of the rehearsed world knows, by name."""
    found = dict(
        pair
        for file in (project / "plugins" / "rehearsal").glob("*.py")
        for pair in _accidents(ast.parse(file.read_bytes()))
    )
    rows = (f"| `{name}` | {_sentence(told)} |\n" for name, told in sorted(found.items()))
    return "".join((_ACCIDENTS_HEAD, *rows))


def _chapters(listing: Path) -> dict[int, str]:
    for node in ast.parse(listing.read_bytes()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "CHAPTERS":
            told: dict[int, str] = ast.literal_eval(node.value or ast.Dict([], []))
            return told
    return {}


def _chapter(node: ast.stmt) -> int:
    """The number in ``plan.chapter(3)``; 0 for any other statement."""
    match node:
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(attr="chapter"), args=[ast.Constant(value=number)])
        ):
            return int(str(number))
        case _:
            return 0


def _row(function: ast.FunctionDef) -> str:
    kind, words = _decorator(function)
    effect = ast.unparse(words["effect"]).rpartition(".")[2] if "effect" in words else "LOCAL"
    if kind == "approval":
        role = words["who"]
        name = (
            ast.literal_eval(role) if isinstance(role, ast.Constant) else ast.unparse(role).lower()
        )
        effect = f"approval by {name}"
    elif kind != "step":
        effect = kind
    told = _sentence(ast.get_docstring(function) or "")
    if "only" in words:
        condition = ast.unparse(words["only"])
        told += f" *Only {_CONDITIONS.get(condition, f'if `{condition}`')}.*"
    ids = ", ".join(ast.literal_eval(words["pep"])) if "pep" in words else ""
    return f"| `{function.name.removeprefix('task_')}` | {effect} | {told} | {ids} |\n"


def _decorator(function: ast.FunctionDef) -> tuple[str, dict[str, ast.expr]]:
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            return each.func.attr, {word.arg: word.value for word in each.keywords if word.arg}
    return "step", {}


def _accidents(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.AnnAssign(
                target=ast.Name(id="FAULTS"), value=ast.Dict(keys=keys, values=told)
            ):
                for key, value in zip(keys, told, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
                        yield str(key.value), str(value.value)
            case _:
                pass


def _sentence(text: str) -> str:
    line = " ".join(text.partition("\n\n")[0].split()).replace("``", "`").replace("|", "\\|")
    line = re.sub(r"(?<=\S) \([A-Z]\d\d(?:, [A-Z]\d\d)*\)", "", line)
    return line[:1].upper() + line[1:].rstrip(".") + "."


if __name__ == "__main__":
    PAGE.write_text(tasks_page(_PROJECT), encoding="utf-8")
    ACCIDENTS.write_text(accidents_page(_PROJECT), encoding="utf-8")
