"""What remedies tell a person to type, write or read is there: every text of the sources."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from docs.every_kind import every_plan
from plugins.model.gate_rules import GATE_RULES
from plugins.model.published_remedies import PUBLISHED
from plugins.model.rules import RULES
from tests.followed import FOLLOWED
from tests.followed_errors import (
    CONSEQUENTIAL,
    FOLLOWED_ERRORS,
    HANDED_ON,
    LEAST_FOLLOWED,
    NOBODY,
)
from tests.remedies import PROJECT, UNKNOWN, commands, named_settings, sections, texts
from tests.remedy_kinds import KINDS, kind_of
from tests.told_errors import ERRORS, told, told_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

# Commands that are a person's task, and of doit itself.
_STOCK = {"clean", "forget", "info", "run"}
_OF_TASKS = ("adopt", "approve", "check", "forget", "retry", "why")
# What is typed in a clone of CPython or of the PEPs, whose own this is.
_OF_CPYTHON = {"regen-sbom"}
_OF_THE_PEPS = {"release_management"}
# What only the authors of this tool, or of another one, can mend.
_REPORTS = r"report (it|this|the difference|a bug)|please report"
# Words that say what a program did, and are no command.
_TOLD_OF_GIT = {"does", "ended", "has", "repository", "returned"}


@pytest.fixture(scope="module")
def tasks() -> set[str]:
    return {name for plan in every_plan().values() for name in plan.tasks}


@pytest.fixture(scope="module")
def offered() -> dict[str, str]:
    """The commands of doit in a release, and where each is."""
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    declared: dict[str, str] = tomllib.loads(text)["tool"]["doit"]["plugins"]["command"]
    return declared


def _is_one(word: str, names: set[str]) -> bool:
    """Whether a name is this one, of which a part may be known only when it is told."""
    pattern = re.escape(word).replace(re.escape(UNKNOWN), r"\w*")
    return any(re.fullmatch(pattern, name) for name in names)


def test_enough_is_read_to_judge_by() -> None:
    assert len(texts()) > 5000
    assert len(commands("doit")) > 100
    assert len(commands("gpg")) > 10
    assert len(named_settings()) > 100


def test_each_command_of_doit_that_is_told_is_one(tasks: set[str], offered: dict[str, str]) -> None:
    known = {*offered, *tasks, *_STOCK}
    told = [(text.where, words[0]) for text, words in commands("doit")]
    assert [each for each in told if not _is_one(each[1], known)] == []


def test_each_task_that_a_command_is_told_for_is_one(tasks: set[str]) -> None:
    """An example of a command of the engine, which has no tasks of its own, is among them."""
    wrong = []
    for text, words in commands("doit"):
        names = [word for word in words[1:] if "_" in word and not word.startswith("-")]
        if words[0] in _OF_TASKS:
            wrong += [(text.where, name) for name in names if not _is_one(name, tasks)]
    assert wrong == []


def test_each_option_that_is_told_for_a_command_of_doit_is_one_of_it(
    offered: dict[str, str],
) -> None:
    helps: dict[str, str] = {}
    wrong = []
    for text, words in commands("doit"):
        of = words[0] if words[0] in offered else "run"
        options = [word for word in words if word.startswith("--") and word != "--help"]
        for option in options:
            if UNKNOWN in words[0]:
                continue
            if of not in helps:
                helps[of] = _help(of)
            if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", helps[of]):
                wrong.append((text.where, of, option))
    assert wrong == []


def _help(command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "doit", "help", command], cwd=PROJECT, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_each_command_of_git_that_is_told_is_one_and_has_the_options() -> None:
    wrong = []
    for text, said in commands("git"):
        words = said[2:] if said[:2] == ["-C", UNKNOWN] else said
        if words[0] in _TOLD_OF_GIT or UNKNOWN in words[0]:
            continue
        known = subprocess.run(
            ["git", words[0], "-h"], capture_output=True, text=True, check=False, cwd="/"
        )
        usage = (known.stdout + known.stderr).replace("[no-]", "")
        options = [word for word in words[1:] if word.startswith("-") and word != "--"]
        wrong += [(text.where, each) for each in ("usage:", *options) if each not in usage]
    assert wrong == []


def test_each_option_of_gpg_that_is_told_is_one() -> None:
    known = subprocess.run(
        ["gpg", "--dump-options"], capture_output=True, text=True, check=True
    ).stdout.split()
    told = [
        (text.where, word)
        for text, words in commands("gpg")
        for word in words
        if word.startswith("--")
    ]
    assert len(told) > 10
    assert [each for each in told if each[1] not in known] == []


def test_each_target_of_make_and_module_of_python_that_is_told_is_there() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE), *_OF_CPYTHON}
    # in prose people make things too; a target is typed, or set off by an option or a hyphen
    told = re.compile(r"`make ([a-z-]+)`|&& make ([a-z-]+)|make ([a-z]+-[a-z-]+)")
    named = {
        next(filter(None, each.groups())) for text in texts() for each in told.finditer(text.said)
    }
    assert named >= {"setup", "regen-sbom"}
    assert named - targets == set()
    for text, words in commands("python -m"):
        name = words[0].partition(".")[0]
        if name not in _OF_THE_PEPS and UNKNOWN not in name:
            assert importlib.util.find_spec(words[0]), text


def test_each_setting_that_is_told_is_one_of_its_section() -> None:
    known = sections()
    told = [(text.where, section, name) for text, section, name in named_settings()]
    assert [each for each in told if each[1] not in known] == []
    assert [each for each in told if each[2] and each[2] not in known[each[1]]] == []


def test_each_page_that_is_told_is_there() -> None:
    named = {
        (text.where, page)
        for text in texts()
        for page in re.findall(r"(?<![\w/.])(docs/[\w/.-]*\w\.(?:md|toml|json))", text.said)
    }
    assert len(named) > 2
    assert [each for each in named if not (PROJECT / each[1]).exists()] == []


def test_a_name_in_a_text_that_looks_like_a_task_is_one(tasks: set[str]) -> None:
    """`see await_docs`: a task that was given another name is not told by its old one."""
    verbs = {name.partition("_")[0] for name in tasks}
    wrong = []
    for text in texts():
        if " " not in text.said.strip():
            continue
        named = re.findall(r"(?<![\w./\"'`{=-])([a-z]+_[a-z_]+)(?![\w(.\"'=*/])", text.said)
        wrong += [
            (text.where, name)
            for name in named
            if name.partition("_")[0] in verbs and not _is_one(name, tasks)
        ]
    assert wrong == []


def test_whatever_may_be_adopted_as_the_text_says_can_be() -> None:
    """``different`` has to give the facts that the receipt gets, or ``doit adopt`` does nothing."""
    told, wrong = 0, []
    for file in sorted((PROJECT / "plugins").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "different"):
                continue
            says = "doit adopt" in ast.unparse(node)
            gives = any(each.arg == "adopted" for each in node.keywords)
            told += says
            if says and not gives:
                wrong.append(f"{file.relative_to(PROJECT)}:{node.lineno}")
    assert told > 4
    assert wrong == []


def test_each_rule_says_what_to_do_and_a_test_does_it() -> None:
    rules = {**RULES, **GATE_RULES}
    assert [name for name, rule in rules.items() if not rule.remedy] == []
    assert rules.keys() == FOLLOWED.keys()
    assert PUBLISHED.keys() <= RULES.keys()
    assert [name for name, remedy in PUBLISHED.items() if remedy == RULES[name].remedy] == []
    _exist(FOLLOWED.values())


def test_each_error_of_an_act_is_listed_with_who_follows_its_remedy() -> None:
    """Or with nobody, by name: what nobody tried is not called tried."""
    lines_of = told_errors()
    listed = {each for each in lines_of if each.partition("::")[0] in CONSEQUENTIAL}
    assert {each.partition("::")[0] for each in listed} == set(CONSEQUENTIAL)
    assert listed - FOLLOWED_ERRORS.keys() == set()
    counts = {each: len(lines) for each, lines in lines_of.items() if each in FOLLOWED_ERRORS}
    assert {each: len(tests) for each, tests in FOLLOWED_ERRORS.items()} == counts
    followed = [test for tests in FOLLOWED_ERRORS.values() for test in tests if test != NOBODY]
    assert len(followed) >= LEAST_FOLLOWED
    _exist(followed)


def _exist(tests: Iterable[str]) -> None:
    for test in set(tests):
        file, _, name = test.partition("::")
        assert f"def {name}(" in (PROJECT / file).read_text(encoding="utf-8"), test


def test_whatever_an_error_says_to_do_is_of_a_kind_that_a_test_does() -> None:
    """Every error of the sources; one that asks for something new wants a test of its own."""
    errors = told()
    assert len(errors) > 400
    new = [(each.function, text) for each in errors for text in each.remedies if not kind_of(text)]
    assert new == []
    silent = {each.function for each in errors if not each.remedies}
    assert silent - HANDED_ON == set()
    said = {text for each in errors for text in each.remedies}
    assert [kind.act for kind in KINDS if kind not in {kind_of(text) for text in said}] == []
    assert [kind.words for kind in KINDS if not kind.test] == [_REPORTS]
    _exist(kind.test for kind in KINDS if kind.test)


def test_an_error_that_stops_a_release_says_what_to_do() -> None:
    """Each of them; what only a mistake of this tool can cause shows its traceback instead."""
    silent = []
    for folder in ("checks", "chapters", "doit_receipts", "plugins"):
        for file in sorted((PROJECT / folder).rglob("*.py")):
            name = str(file.relative_to(PROJECT))
            if name.startswith(("plugins/rehearsal/", "doit_receipts/examples/")):
                continue
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in ERRORS:
                    given = {each.arg for each in node.keywords}
                    silent += [] if given & {"remedy", None} else [f"{name}:{node.lineno}"]
    assert silent == []
