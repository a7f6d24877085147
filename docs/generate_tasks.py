"""Generator of docs/reference: tasks.md from the plans, and faults.md from the rehearsal."""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.plan import Plan

__all__ = ["FAULTS_PAGE", "PAGE", "faults_page", "tasks_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "tasks.md"
FAULTS_PAGE: Final = _PROJECT / "docs" / "reference" / "faults.md"

_HEAD: Final = """\
# Tasks

<!-- Made by docs/generate.py from chapters/*.py; edit those. -->

Every task of a release, in the order of PEP 101's chapters. They do not run in this order:
each runs as soon as the tasks that it waits for are done, which `doit why TASK` lists.
`doit export` runs what the local artifacts need, `doit publish` everything, and `doit run TASK`
what that task needs. `doit check` only judges the gates. Add `--release FILE` for another release
than that of `release.toml`.

The second column is a step's effect ([what that means](../design.md#a-release-as-a-graph)), or what
kind of task it is. Some tasks exist only in some kinds of release. The ids are those of
PEP 101's obligations, as in `chapters/` and `doit why`: all that the task fulfils in any kind of
release; [their own page](pep-101.md) says which are wanted up to a series only.
"""

_A_PHASE: Final = """\
From here on: what is done where no files are made and only the phase of a branch changes, by
`kind = "begin-bugfix"`, `"begin-security-only"` or `"end-of-life"` in `release.toml`. The archive
above is the last chapter of that too.

"""
_FAULTS_HEAD: Final = """\
# Faults

<!-- Made by docs/generate.py from plugins/rehearsal/*.py; edit those. -->

What can go wrong in the simulated environment on demand: `doit rehearse --fault NAME`, or
`--fault NAME=ARGUMENT` where the description mentions an argument (its default is in
parentheses). A fault happens once, at the first opportunity. `doit rehearse --fault list` prints
this list too. How to use it: [rehearse](../how-to/rehearse.md#with-faults).

| fault | what happens |
| --- | --- |
"""
_KINDS: Final = {
    "3.15.0a3": "alphas",
    "3.15.0b1": "the first beta, which makes a new branch",
    "3.15.0b2": "later betas",
    "3.14.0rc1": "the first release candidate",
    "3.14.0rc2": "later release candidates",
    "3.14.0": "the first final release of a series",
    "3.13.6": "bugfix releases",
    "3.13.17": "the last bugfix release of a series",
    "3.12.12": "security releases",
    "3.15": "the begin of bugfix mode",
    "3.13": "the begin of security-only mode",
    "3.12": "the end of life",
}


def tasks_page(project: Path) -> str:
    """The whole page, from the plans of all kinds of release of the project in this folder."""
    every_kind = runpy.run_path(str(project / "docs" / "every_kind.py"))
    plans: dict[str, Plan] = every_kind["every_plan"]()
    bare: dict[str, Plan] = every_kind["every_plan"](bare=True)
    parts = [_HEAD]
    chapters: dict[str, str] = {}
    for plan in plans.values():
        for key, title in plan.project.chapters.items():
            chapters.setdefault(key, title)  # a chapter of both is called as a release calls it
    for chapter, title in chapters.items():
        rows = [_row(name, plans, bare) for name in _names(plans, chapter)]
        if rows:
            head = "| task | effect | what it does | PEP 101 |\n| --- | --- | --- | --- |\n"
            intro = _A_PHASE if title.startswith("1 the moment") else ""
            parts += [f"\n## {title}\n\n{intro}{head}", *rows]
    return "".join(parts)


def _names(plans: Mapping[str, Plan], chapter: str) -> list[str]:
    """The tasks of the chapter in any kind of release, in reading order."""
    found: list[str] = []
    for plan in plans.values():
        place = 0
        for name, task in plan.tasks.items():
            if task.chapter != chapter or task.kind.value == "group":
                continue
            if name in found:
                place = found.index(name) + 1
            else:
                found.insert(place, name)
                place += 1
    return found


def _row(name: str, plans: Mapping[str, Plan], bare: Mapping[str, Plan]) -> str:
    every = [version for version, plan in plans.items() if name in plan.tasks]
    # What a release has alone, it mostly has in a train as well.
    have = [version for version in every if version in _KINDS] or every
    task = plans[have[0]].tasks[name]
    effect = f"approval by {task.who}" if task.who else task.label
    notes = []
    of_files = "." in have[0].partition(".")[2]
    likely = [version for version in _KINDS if ("." in version.partition(".")[2]) is of_files]
    if have[0] not in _KINDS:
        notes.append("only in a train")
    elif len(have) < len(likely):
        lacking = [version for version in likely if version not in have]
        few, word = (have, "only in") if len(have) <= len(lacking) else (lacking, "not in")
        notes.append(f"{word} {', '.join(_KINDS[version] for version in few)}")
    if not any(name in bare[version].tasks for version in have):
        notes.append("only if release.toml asks for it")
    note = f" *{'; '.join(notes)[:1].upper()}{'; '.join(notes)[1:]}.*" if notes else ""
    ids = ", ".join(
        dict.fromkeys(
            word for version in have for word in plans[version].tasks[name].labels.get("pep", ())
        )
    )
    return f"| `{name}` | {effect} | {_sentence(task.title)}{note} | {ids} |\n"


def faults_page(project: Path) -> str:
    """Every fault that a part of the simulated environment can have, by name."""
    found = dict(
        pair
        for file in (project / "plugins" / "rehearsal").glob("*.py")
        for pair in _faults(ast.parse(file.read_bytes()))
    )
    rows = (f"| `{name}` | {_sentence(described)} |\n" for name, described in sorted(found.items()))
    return "".join((_FAULTS_HEAD, *rows))


def _faults(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        match node:
            case ast.AnnAssign(
                target=ast.Name(id="FAULTS"), value=ast.Dict(keys=keys, values=values)
            ):
                for key, value in zip(keys, values, strict=True):
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
    FAULTS_PAGE.write_text(faults_page(_PROJECT), encoding="utf-8")
