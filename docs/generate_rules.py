"""Generator of docs/reference/rules.md from the tables of rules and the gates of every plan."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_receipts.plan import Plan
    from plugins.model.rules import Rule

__all__ = ["PAGE", "rules_page"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = _PROJECT / "docs" / "reference" / "rules.md"

_HEAD: Final = """\
# Rules

<!-- Made by docs/generate.py from rules.py, gate_rules.py and published_remedies.py in
plugins/model; edit those. -->

What the gates and `doit verify` judge by. A rule's id never changes; it is at the beginning of
every finding, and a [waiver](../how-to/waive-a-finding.md) names it. A finding that says BLOCK
stops what waits for its gate, WARN is shown wherever the release is reported, NOTE is information
only. A finding may have a more exact remedy than the one given here.

A check that cannot look (a host is down, a file cannot be read) blocks under its rule, marked here
with "also blocks when it cannot look".
"""


def rules_page(project: Path) -> str:
    """The whole page, from the rules and the plans of all kinds of release of this project."""
    every_kind = runpy.run_path(str(project / "docs" / "every_kind.py"))
    gates, blind = _gates_by_rule(every_kind["every_plan"]())
    from plugins.model.gate_rules import GATE_RULES  # noqa: PLC0415 - the path is known now
    from plugins.model.published_remedies import PUBLISHED  # noqa: PLC0415 - the path is known now
    from plugins.model.rules import RULES  # noqa: PLC0415 - the path is known now

    for name in RULES:
        gates.setdefault(name, []).append("doit verify")
    parts, subject = [_HEAD], ""
    for name, rule in sorted({**GATE_RULES, **RULES}.items()):
        if name.partition(".")[0] != subject:
            subject = name.partition(".")[0]
            parts.append(f"\n## {subject}\n")
        also_blind, published = name in blind, PUBLISHED.get(name, "")
        parts += _entry(name, rule, gates[name], published, also_blind=also_blind)
    return "".join(parts)


def _gates_by_rule(plans: Mapping[str, Plan]) -> tuple[dict[str, list[str]], set[str]]:
    """The gates that judge by each rule, and the rules that block where a check cannot look."""
    from checks.looking import judged_by  # noqa: PLC0415 - the path is known now
    from doit_receipts.late import resolved  # noqa: PLC0415 - the path is known now

    gates: dict[str, list[str]] = {}
    blind = set()
    for plan in plans.values():
        for task in plan.tasks.values():
            for call in task.calls:
                judged = judged_by(resolved(call.function))
                blind.add(judged.blind)
                for rule in judged.rules:
                    if task.name not in gates.setdefault(rule, []):
                        gates[rule].append(task.name)
    return gates, blind


def _entry(
    name: str, rule: Rule, gates: list[str], published: str, *, also_blind: bool
) -> Iterator[str]:
    severities = ", ".join(severity.name for severity in (rule.severity, *rule.milder))
    blind = "; also blocks when it cannot look" if also_blind else ""
    fixed = "" if rule.waivable else " Cannot be waived."
    yield f"\n### `{name}`\n\n{severities}{blind}.{fixed} "
    yield f"Looked at by {', '.join(f'`{gate}`' for gate in gates)}.\n\n"
    yield f"- wanted: {rule.holds}\n- remedy: {rule.remedy}\n"
    if published:
        yield f"- where users have it: {published}\n"
    if rule.source:
        yield f"- source: {rule.source}\n"


if __name__ == "__main__":
    if str(_PROJECT) not in sys.path:
        sys.path.insert(0, str(_PROJECT))
    PAGE.write_text(rules_page(_PROJECT), encoding="utf-8")
