"""Checks name the rules that they judge by, and block where they cannot look."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.looking import judged_by, judges
from docs.every_kind import every_plan
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from doit_receipts.late import resolved
from doit_receipts.task import Kind
from plugins.model.gate_rules import GATE_RULES
from plugins.model.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@judges("news.garbled", blind="news.empty")
def _judged(rule: str, error: ReleaseError | None = None) -> tuple[Finding, ...]:
    if error:
        raise error
    return (Finding(rule, Severity.BLOCK, "is wrong", "NEWS"),)


@judges("news.garbled")
def _sighted(error: ReleaseError) -> tuple[Finding, ...]:
    raise error


def test_a_check_that_cannot_look_blocks_under_its_rule() -> None:
    (found,) = _judged("news.garbled", ReleaseError(problem="is down", where="host", remedy="wait"))
    assert str(found) == "news.empty BLOCK: host: is down; wait"


def test_a_finding_that_does_not_say_what_to_do_says_what_its_rule_does() -> None:
    """A remedy of the table that nobody is shown helps nobody."""
    (found,) = _judged("news.garbled")
    assert found.remedy == GATE_RULES["news.garbled"].remedy
    (blind,) = _judged("news.garbled", ReleaseError(problem="is down", where="host"))
    assert blind.remedy == "once that is mended, run the same command again"


def test_a_check_without_a_rule_for_it_raises_what_it_met() -> None:
    with pytest.raises(ReleaseError, match="is down"):
        _sighted(ReleaseError(problem="is down", where="host"))


def test_a_finding_of_a_rule_that_the_check_does_not_name_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"_judged does not name news\.other"):
        _judged("news.other")


def test_a_check_cannot_name_a_rule_that_no_table_has() -> None:
    with pytest.raises(LookupError, match=r"no table of rules has news\.other"):
        judges("news.other")


def test_every_gate_judges_by_rules_of_the_tables_and_every_rule_of_gates_has_one() -> None:
    gates = [
        (task.name, judged_by(resolved(call.function)).rules)
        for plan in every_plan().values()
        for task in plan.tasks.values()
        if task.kind is Kind.GATE
        for call in task.calls
    ]
    assert {name for name, rules in gates if not rules} == set()
    assert GATE_RULES.keys() - {rule for _, rules in gates for rule in rules} == set()


def test_no_check_names_a_rule_in_its_code_that_it_does_not_judge_by() -> None:
    """Such a finding would end the command with a traceback, on the day that it is found."""
    folder = Path(__file__).parents[2] / "checks"
    unnamed = {
        f"{path.name} {check}": found
        for path in sorted(folder.glob("*.py"))
        for check, found in unnamed_rules(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert {check: rules for check, rules in unnamed.items() if rules} == {}


def unnamed_rules(module: ast.Module) -> Iterator[tuple[str, set[str]]]:
    """Each check, with the rules in its code and in what it calls there that it does not name."""
    known = {each.name: each for each in ast.walk(module) if isinstance(each, ast.FunctionDef)}
    named = {
        name: rules_in([decorator])
        for name, function in known.items()
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "judges"
    }

    def reached(name: str, before: frozenset[str]) -> set[str]:
        function = known[name]
        called = {
            each.id
            for part in function.body
            for each in ast.walk(part)
            if isinstance(each, ast.Name) and each.id in known
        }
        further = called - before - named.keys()
        inner = (reached(each, before | further) for each in further)
        return rules_in(function.body).union(*inner)

    for name, rules in named.items():
        yield name, reached(name, frozenset({name})) - rules


def rules_in(code: Sequence[ast.AST]) -> set[str]:
    """Every rule that stands in it as a text."""
    texts = (
        each.value for part in code for each in ast.walk(part) if isinstance(each, ast.Constant)
    )
    return {text for text in texts if isinstance(text, str) and text in {*RULES, *GATE_RULES}}


def test_every_rule_says_what_is_wanted_and_what_to_do_in_one_table_only() -> None:
    both = {**RULES, **GATE_RULES}
    assert len(both) == len(RULES) + len(GATE_RULES)
    assert [name for name, rule in both.items() if not (rule.holds and rule.remedy)] == []
