"""Coverage of PEP 101: every obligation has a task or a verdict, and both sides know each other."""

from __future__ import annotations

import ast
import re
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from docs.every_kind import every_plan
from docs.generate_pep import judged_rules, named_by
from doit_receipts.task import Kind
from plugins.model.obligations import Verdict, obligations, read, unaccounted

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.plan import Plan

PROJECT: Final = Path(__file__).resolve().parents[1]
DECLARED: Final = PROJECT / "plugins" / "model" / "obligations.toml"


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    """The plan of each kind of release, by version."""
    return every_plan()


@pytest.fixture(scope="module")
def named(plans: dict[str, Plan]) -> dict[str, list[str]]:
    """The tasks by the obligation that they name."""
    return named_by(plans.values())


@pytest.fixture(scope="module")
def tasks(plans: dict[str, Plan]) -> set[str]:
    """Every task that any release has."""
    return {name for plan in plans.values() for name in plan.tasks}


@pytest.fixture(scope="module")
def judged(plans: dict[str, Plan]) -> dict[str, list[str]]:
    """The gates by the rule that they judge by."""
    return judged_rules(plans.values())


@pytest.fixture
def content() -> dict[str, Any]:
    """What obligations.toml holds, to be changed."""
    return deepcopy(tomllib.loads(DECLARED.read_text(encoding="utf-8")))


def test_every_obligation_has_a_task_or_a_verdict_and_not_both(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    assert unaccounted(obligations(), named, tasks, judged) == []


def test_the_pep_asks_for_265_things_and_every_line_is_accounted_for() -> None:
    declared = obligations()
    assert sum(1 for each in declared.by_name.values() if each.lines) == 265
    asking = {number for each in declared.by_name.values() for number in each.numbers}
    assert asking | declared.without == set(range(1, 455))
    assert asking & declared.without == set()


def test_tests_that_show_what_is_done_exist() -> None:
    gone = [
        f"{name}: {test}"
        for name, each in obligations().by_name.items()
        for test in each.tests
        if not _exists(test)
    ]
    assert gone == []


def test_a_task_that_is_taken_away_is_missed(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    """Every task that names something alone: its obligations would be nobody's."""
    alone = {task for doing in named.values() for task in doing if len(doing) == 1}
    assert len(alone) > 40
    for gone in alone:
        left = {name: [each for each in doing if each != gone] for name, doing in named.items()}
        found = unaccounted(obligations(), left, tasks - {gone}, judged)
        lost = [name for name, doing in named.items() if doing == [gone]]
        assert [f"{name}: has neither a task nor a verdict" for name in lost] == [
            each for name in lost for each in found if each.startswith(f"{name}: has neither")
        ]


def test_a_task_for_what_has_a_verdict_is_one_too_many(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    for name, each in obligations().by_name.items():
        if each.verdict is None or each.tasks:
            continue
        found = unaccounted(obligations(), {**named, name: ["do_it"]}, tasks, judged)
        assert found == [f"{name}: has a task, do_it, and is {each.verdict.value}"]


def test_a_task_that_names_what_nobody_declared_is_found(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    found = unaccounted(obligations(), {**named, "Q99": ["ask"]}, tasks, judged)
    assert found == ["Q99: ask names it, and obligations.toml does not have it"]


def test_a_rule_that_no_gate_judges_by_any_more_is_found(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    left = {rule: gates for rule, gates in judged.items() if rule != "hosts.clock"}
    assert unaccounted(obligations(), named, tasks, left) == [
        "P07: no gate judges by hosts.clock",
        "P08: no gate judges by hosts.clock",
    ]


THINGS: Final = "Things You'll Need"
NEWER: Final = "After January 2022"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda file: file[THINGS]["P06"].pop("source"), "P06: has no source"),
        (lambda file: file[NEWER]["Z03"].pop("source"), "Z03: has no source"),
        (lambda file: file[THINGS]["P06"].pop("wanted"), "P06: does not say what is wanted"),
        (lambda file: file[THINGS]["P06"].update(obsolete=""), "P06: is obsolete without a reason"),
        (lambda file: file[THINGS]["P06"].update(open="later"),
         "P06: has 2 verdicts, open and obsolete"),
        (lambda file: file[THINGS]["P06"].update({"for": "RC X"}), "P06: X is no kind of release"),
        (lambda file: file[THINGS]["P06"].update(kinds="A"),
         "P06: kinds is not a key of an obligation"),
        (lambda file: file[NEWER]["Z20"].pop("tests"),
         "Z20: names tests if and only if its verdict is that it is done"),
        (lambda file: file[THINGS]["P06"].pop("lines"), "no obligation has line 27 of the PEP"),
        (lambda file: file[THINGS].pop("P15"), "no obligation has line 35 of the PEP"),
        (lambda file: file[THINGS]["P15"].update(lines="35-37"),
         "line 37 of the PEP asks for nothing"),
        (lambda file: file[THINGS]["P15"].update(lines="35 455"),
         "line 455 of the PEP asks for nothing"),
        (lambda file: file[NEWER].update(P15=file[THINGS]["P15"]), "P15: is in two chapters"),
    ],
)  # fmt: skip
def test_what_is_missing_in_the_file_is_found(
    change: Callable[[dict[str, Any]], object], problem: str, content: dict[str, Any]
) -> None:
    change(content)
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        read(content)
    assert str(caught.value) == problem


def test_what_is_open_is_counted_and_named_in_the_reference() -> None:
    page = (PROJECT / "docs" / "reference" / "pep-101.md").read_text(encoding="utf-8")
    every = obligations().by_name
    missing = [name for name, each in every.items() if each.verdict is Verdict.OPEN]
    assert f"\nOpen are {', '.join(missing)}.\n" in page
    rows = re.findall(r"^\| ([A-Z]+[0-9]+[ab]?) \| .+ \| (.+) \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == list(every)
    assert [name for name, came in rows if came.startswith("**open**: ")] == missing
    assert [name for name, came in rows if not came] == []


def test_the_practice_that_came_after_the_pep_is_in_the_same_file() -> None:
    """The 30 duties that the PEP does not have yet, and 52 newer ones."""
    names = obligations().by_name
    assert {f"Z{number:02}" for number in range(1, 31)} <= set(names)
    assert {f"NEW{number:02}" for number in range(1, 53)} <= set(names)


def test_a_task_that_a_verdict_names_and_no_release_has_is_found(
    named: dict[str, list[str]], tasks: set[str], judged: dict[str, list[str]]
) -> None:
    found = unaccounted(obligations(), named, tasks - {"await_nuget"}, judged)
    assert found == ["NEW27: no release has the task await_nuget"]


def test_every_task_is_somebodys_wish(plans: dict[str, Plan]) -> None:
    """A task that no obligation asks for has to say what it is there for, here."""
    known = {task for each in obligations().by_name.values() for task in each.tasks}
    idle = {
        name
        for plan in plans.values()
        for name, task in plan.tasks.items()
        if task.kind is not Kind.GROUP and not task.labels.get("pep") and name not in known
    }
    assert idle == {
        "read_docs_source",  # the topics' input, so that they are built only when it changed
        "lock_docs_tools",  # what the topics are built with, by hash
        "check_docs_tools",  # and signed
        "settle_announcement",  # a person's text as it was when it was approved
        "settle_page",
        "settle_words",
        "write_summary",  # all at once, for the last word before users see anything of it
    }


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = PROJECT / path
    if not file.is_file():
        return False
    names = {
        node.name
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.FunctionDef)
    }
    return name.partition("[")[0] in names
