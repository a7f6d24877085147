"""Every command, with its words and options in every order: the same answer, or one line."""

from __future__ import annotations

import os
import tomllib
from itertools import permutations
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine.conftest import CHAIN, DOIT, Project
from tests.warm_doit import doit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.ended import Ended

WORDS: Final = {
    "adopt": ["copy_a"], "approve": ["copy_a"], "check": [], "clean": ["copy_a"], "dumpdb": [],
    "forget": ["copy_a"], "graph": ["copy_c"], "help": ["why"], "ignore": ["copy_a"],
    "info": ["copy_a"], "list": ["copy_a"], "next": [], "plan": ["copy_c"], "report": [],
    "reset-dep": ["copy_a"], "retry": ["copy_a"], "run": ["copy_c"], "strace": ["copy_a"],
    "tabcompletion": [], "why": ["copy_a"],
}  # fmt: skip
OPTIONS: Final = {
    "approve": ["--note=seen"], "clean": ["--dry-run"], "forget": ["--follow-sub"],
    "graph": ["--svg"], "info": ["--no-status"], "list": ["--status"], "next": ["--json"],
    "plan": ["--all"], "report": ["--markdown"], "run": ["--process=2"],
    "tabcompletion": ["--shell=zsh"], "why": ["--json"],
}  # fmt: skip
STOCK: Final = {"clean", "forget", "help", "ignore", "info", "list", "reset-dep", "run", "strace"}
NAMED: Final = set(tomllib.loads(DOIT)["tool"]["doit"]["plugins"]["command"])
OURS: Final = sorted((STOCK | NAMED) - {"board"})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A release whose tasks have all been done."""
    folder = tmp_path_factory.mktemp("a release")
    (folder / "pyproject.toml").write_text(DOIT)
    made = Project(folder)
    made.write("input", "hello")
    made.declare(CHAIN)
    assert made.doit().status == 0
    return made


def orders(*words: str) -> Iterator[list[str]]:
    """The words, each pair of an option and its value kept together, in every order."""
    for order in permutations(words):
        yield [part for each in order for part in each.split("=", 1 if each[1] != "-" else 0)]


def assert_read(ended: Ended, words: list[str]) -> None:
    """An answer, or one line: nothing of Python, and nothing of doit's own objects."""
    for shown in ("Traceback", "CmdOption", "<class"):
        assert shown not in ended.out + ended.err, words
    assert ended.status in (0, 1, 3, 4), words
    least = 1 if ended.status == 3 else 0
    assert least <= len(ended.err.splitlines()) <= (ended.status > 0), (words, ended.err)


def test_every_command_of_ours_is_tried() -> None:
    assert sorted(WORDS) == OURS


@pytest.mark.parametrize("command", OURS)
def test_options_stand_before_and_behind_the_words(done: Project, command: str) -> None:
    dodo = f"-f={done.folder / 'dodo.py'}"
    given = [*WORDS[command], *OPTIONS.get(command, []), dodo]
    ends = []
    for words in orders(*given):
        if command in ("forget", "run"):
            done.doit()
        ended = done.doit(command, *words)
        assert_read(ended, words)
        ends.append((ended.status, ended.err, ended.out if command != "report" else ""))
    assert all(each == ends[0] for each in ends), ends
    assert "is not a task" not in ends[0][1] or command == "run"


@pytest.mark.parametrize("command", OURS)
def test_a_wrong_option_is_one_line_wherever_it_stands(done: Project, command: str) -> None:
    for words in orders(*WORDS[command], "--nonsense"):
        ended = done.doit(command, *words)
        assert ended.status == 3
        assert_read(ended, words)
        assert "nonsense" in ended.err


def test_an_option_without_its_value_is_told_as_that(done: Project) -> None:
    for option in ("--wait-hours", "-n", "--file"):
        ended = done.doit("run", "copy_c", option)
        assert_read(ended, [option])
        told = f"doit run: option {option} needs a value; doit help run shows its options"
        assert ended.err == f"ERROR: {told}\n"


@pytest.mark.parametrize("command", OURS)
def test_each_command_says_what_it_takes(done: Project, command: str) -> None:
    told = done.doit(command, *WORDS[command], "--help")
    assert (told.status, told.err) == (0, "")
    usage, empty, sentence, *_ = told.out.splitlines()
    assert usage.startswith(f"usage: doit {command} [OPTION ...]")
    assert (empty, sentence[0].isupper()) == ("", True)
    assert max(map(len, told.out.splitlines())) <= 80
    if command not in ("clean", "ignore", "info", "reset-dep", "strace", "dumpdb"):
        assert f"\nexample:\n  doit {command}" in told.out


# doit's own dumpdb and tabcompletion read no dodo.py, and so never hear of ours.
@pytest.mark.parametrize("command", sorted({*OURS} - {"dumpdb", "tabcompletion"}))
def test_the_answer_elsewhere_is_the_same(
    done: Project, tmp_path_factory: pytest.TempPathFactory, command: str
) -> None:
    """Doit's own words come first there: it is they that find dodo.py."""
    elsewhere = tmp_path_factory.mktemp("else where")
    done.doit()
    named = ["-f", str(done.folder / "dodo.py")]
    given = [*WORDS[command], *(OPTIONS.get(command, []) if command not in STOCK else [])]
    here = done.doit(command, *given)
    ways = [[*named, command, *given]]
    if command in STOCK:
        ways.append([command, *named, *given])
    for words in ways:
        done.doit()
        ended = doit(*words, folder=elsewhere, env=os.environ)
        assert_read(ended, words)
        assert ended.status == here.status
        if command != "report":
            assert ended.out.replace(f"doit -f '{named[1]}'", "doit") == here.out
    assert list(elsewhere.iterdir()) == []


def test_a_command_without_the_word_that_it_needs_is_one_line(done: Project) -> None:
    for command in ("why", "adopt", "approve", "retry", "info"):
        ended = done.doit(command)
        assert ended.status == 3
        assert_read(ended, [command])


def test_files_that_are_not_there_are_named(done: Project, tmp_path: Path) -> None:
    for command in sorted(STOCK - {"help"}):
        ended = done.doit(command, "-f", str(tmp_path / "none.py"))
        assert ended.status == 3
        assert "Traceback" not in ended.err
