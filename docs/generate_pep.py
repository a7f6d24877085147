"""Generator of docs/reference/pep-101.md from obligations.toml, the plans and their gates."""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from doit_receipts.plan import Plan
    from doit_receipts.task import Task
    from plugins.model.obligations import Obligation

__all__ = ["PAGE", "judged_rules", "named_by", "pep_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "pep-101.md"

_HEAD: Final = """\
# PEP 101, line by line

<!-- Made by docs/generate.py from plugins/model/obligations.toml and chapters/*.py; edit those. -->

Everything that PEP 101 asks of a release, and what came later, with what does it: a task, a gate
and the rule that it judges by, a person's approval; or why nobody does it any more, and where that
was decided. Below `tests/` is what shows it. What is **open** is not built yet. Lines are those of
the PEP as it was on 2022-01-21 (python/peps 113e49070).

`doit why U16` shows one of them, `doit why` with `line:213` what that line of the PEP asks for, and
`doit list --pep` those of the release at hand; with `--status` how far it is.

"""


def pep_page(project: Path) -> str:
    """The whole page, from the declaration and the plans of all kinds of release."""
    plans: dict[str, Plan] = runpy.run_path(str(project / "docs" / "every_kind.py"))["every_plan"]()
    from plugins.model.obligations import obligations  # noqa: PLC0415 - the path is known now

    every = tuple(obligations().by_name.values())
    tasks = {name: task for plan in plans.values() for name, task in plan.tasks.items()}
    named, gates = named_by(plans.values()), judged_rules(plans.values())
    parts = [_HEAD, *_counts(every)]
    chapter = ""
    for each in every:
        if each.chapter != chapter:
            chapter = each.chapter
            head = "| id | line | wanted | what came of it |\n| --- | --- | --- | --- |\n"
            parts.append(f"\n## {chapter}\n\n{head}")
        cells = (each.name, each.lines, _wanted(each))
        doing = [tasks[name] for name in (*named.get(each.name, ()), *each.tasks)]
        came = "; ".join(
            [*_verdict(each), *_done_by(doing), *_rules(each, gates), *_shown_by(each)]
        )
        came += f" ({each.source})" if each.source else ""
        parts.append(f"| {' | '.join(map(_cell, cells))} | {_cell(came)} |\n")
    return "".join(parts)


def named_by(plans: Iterable[Plan]) -> dict[str, list[str]]:
    """The tasks of all these plans by the obligations that they name."""
    found: dict[str, list[str]] = {}
    for plan in plans:
        for name, task in plan.tasks.items():
            for word in task.labels.get("pep", ()):
                if name not in found.setdefault(word, []):
                    found[word].append(name)
    return found


def judged_rules(plans: Iterable[Plan]) -> dict[str, list[str]]:
    """The gates that judge by each rule; ``doit verify`` for what only that judges by."""
    from checks.looking import judged_by  # noqa: PLC0415 - the path is known now
    from doit_receipts.late import resolved  # noqa: PLC0415 - the path is known now
    from plugins.model.rules import RULES  # noqa: PLC0415 - the path is known now

    found: dict[str, list[str]] = {rule: [] for rule in RULES}
    for plan in plans:
        for task in plan.tasks.values():
            for rule in sorted(
                {rule for each in task.calls for rule in judged_by(resolved(each.function)).rules}
            ):
                if task.name not in found.setdefault(rule, []):
                    found[rule].append(task.name)
    return {rule: gates or ["doit verify"] for rule, gates in found.items()}


def _counts(every: tuple[Obligation, ...]) -> Iterator[str]:
    """How many there are of each verdict, of the PEP and of what came later."""
    counted = {
        "of the PEP": Counter(_word(each) for each in every if each.lines),
        "later ones": Counter(_word(each) for each in every if not each.lines),
    }
    words = ("task", "done", "obsolete", "open")
    yield "| | all | by a task | done | obsolete | open |\n| --- | --- | --- | --- | --- | --- |\n"
    for what, count in counted.items():
        cells = (what, str(count.total()), *(str(count[word]) for word in words))
        yield f"| {' | '.join(cells)} |\n"
    missing = ", ".join(each.name for each in every if _word(each) == "open")
    yield f"\nOpen are {missing}.\n"


def _word(each: Obligation) -> str:
    return each.verdict.value if each.verdict else "task"


def _wanted(each: Obligation) -> str:
    from plugins.command.pep import kinds_of  # noqa: PLC0415 - the path is known now

    notes = [
        *([kinds_of(each)] if each.kinds else []),
        *([f"up to {each.until}"] if each.until else []),
    ]
    return f"{each.wanted}. *{'; '.join(notes)}*" if notes else f"{each.wanted}."


def _verdict(each: Obligation) -> Iterator[str]:
    if each.verdict:
        word = f"**{each.verdict.value}**" if each.verdict.value == "open" else each.verdict.value
        yield f"{word}: {each.reason}"


def _shown_by(each: Obligation) -> Iterator[str]:
    if each.tests:
        names = (f"`{test.removeprefix('tests/')}`" for test in each.tests)
        yield f"shown by {', '.join(names)}"


def _done_by(tasks: Iterable[Task]) -> Iterator[str]:
    for task in tasks:
        kind = f"approval by {task.who}" if task.who else task.label
        yield f"{kind} `{task.name}`"


def _rules(each: Obligation, gates: Mapping[str, list[str]]) -> Iterator[str]:
    by_gate: dict[str, list[str]] = {}
    for rule in each.rules:
        link = f"[`{rule}`](rules.md#{rule.replace('.', '')})"
        by_gate.setdefault(gates[rule][0], []).append(link)
    for gate, links in by_gate.items():
        yield f"{', '.join(links)} in `{gate}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    if str(_PROJECT) not in sys.path:
        sys.path.insert(0, str(_PROJECT))
    PAGE.write_text(pep_page(_PROJECT), encoding="utf-8")
