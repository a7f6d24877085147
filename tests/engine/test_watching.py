"""Whoever watches a release for long sees how it is declared, and what time changes of it."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.board import Board
from doit_receipts.watching import Watch
from tests.engine.conftest import CHAIN, RELEASE, Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from doit_receipts.plan import Plan

WAIVER: Final = """
[[waivers]]
rule = "thing.odd"
reason = "it is always odd"
by = "me"
until = 2999-12-01
"""
MORE: Final = '''
@plan.step()
def task_sweep():
    """Sweep."""
    return call(dict)
'''


class Day:
    """A clock that stands still until somebody moves it."""

    def __init__(self) -> None:
        self.at = datetime(2999, 12, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def declared(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose dodo.py is imported here, under a name of its own."""
    project.declare(CHAIN)
    (project.folder / "dodo.py").rename(project.folder / "watched_dodo.py")
    monkeypatch.syspath_prepend(project.folder)
    yield project
    sys.modules.pop("watched_dodo", None)


def plan_of() -> Plan:
    plan: Plan = importlib.import_module("watched_dodo").plan
    plan.context.clock = Day()
    return plan


def edit(project: Project, name: str, text: str) -> None:
    project.write(name, text)
    # As an editor does it, another second.
    os.utime(project.folder / name, (2_000_000_000, 2_000_000_000 + len(text)))


def shown(board: Board) -> str:
    board.forget()
    return board.now()[1]


@pytest.fixture
def board(declared: Project) -> Iterator[Board]:
    del declared
    made = Board(plan_of())
    with made._server:
        made.now()
        yield made


def test_an_edited_declaration_is_seen(declared: Project, board: Board) -> None:
    assert "waived" not in shown(board)
    edit(declared, "release.toml", RELEASE + WAIVER)
    now = shown(board)
    assert "waived: thing.odd by me until 2999-12-01: it is always odd" in now
    assert 'class="alarm"' not in now


def test_a_plan_that_has_another_task_is_seen(declared: Project, board: Board) -> None:
    text = (declared.folder / "watched_dodo.py").read_text()
    assert "of 3 tasks are done" in shown(board)
    edit(declared, "watched_dodo.py", text + MORE)
    assert "of 4 tasks are done" in shown(board)


@pytest.mark.parametrize("file", ["release.toml", "watched_dodo.py"])
def test_what_cannot_be_read_is_told_above_what_was_declared_before(
    file: str, declared: Project, board: Board
) -> None:
    """And forgotten once it can be."""
    before = (declared.folder / file).read_text()
    edit(declared, file, before + "\nthis is = = <nothing>")
    now = shown(board)
    told = "this is as it was declared before; what is declared now cannot be read: "
    assert f'<p class="alarm">{told}' in now
    assert "of 3 tasks are done" in now
    assert "<nothing>" not in now
    edit(declared, file, before)
    assert 'class="alarm"' not in shown(board)


def test_an_edit_is_seen_where_chapters_have_the_plan_too(
    declared: Project,
) -> None:
    """They are imported before the dodo.py that reads them is, as Python orders modules."""
    dodo = (declared.folder / "watched_dodo.py").read_text()
    edit(declared, "watched_dodo.py", f"{dodo}\nplan.read_chapters('watched')\n")
    (declared.folder / "watched").mkdir()
    declared.write("watched/__init__.py", "")
    head = "from doit_receipts.calls import call\nfrom doit_receipts.plan import OPENED\n"
    chapter = f"{head}plan = OPENED.get()\n"
    edit(declared, "watched/before.py", chapter)
    sys.modules.pop("watched_dodo", None)
    watch = Watch(plan_of())
    edit(declared, "release.toml", RELEASE + WAIVER)
    assert watch.changed()
    assert watch.problem == ""
    assert [str(each.rule) for each in watch.plan.receipts.covering_waivers()] == ["thing.odd"]
    edit(declared, "watched/before.py", chapter + MORE)
    assert watch.changed()
    assert watch.problem == ""
    assert "sweep" in watch.plan.tasks


def test_an_edited_module_that_is_not_read_anew_is_told_for_good(
    declared: Project, board: Board
) -> None:
    del board
    edit(declared, "deeds_of_it.py", "number = 1\n")
    dodo = (declared.folder / "watched_dodo.py").read_text()
    edit(declared, "watched_dodo.py", "import deeds_of_it\n" + dodo)
    sys.modules.pop("watched_dodo")
    watch = Watch(plan_of())
    edit(declared, "deeds_of_it.py", "number = 20\n")
    told = f"{declared.folder / 'deeds_of_it.py'} was changed since this began: Ctrl-C, then"
    assert watch.changed()
    assert watch.problem.startswith(told)
    edit(declared, "release.toml", RELEASE + WAIVER)
    assert watch.changed()
    assert watch.problem.startswith(told)
    sys.modules.pop("deeds_of_it")


def test_an_edited_module_is_told_too_where_what_is_declared_cannot_be_read(
    declared: Project, board: Board
) -> None:
    """It may be the reason: as a pull brings a module and a chapter that needs the new one."""
    del board
    edit(declared, "deeds_of_more.py", "number = 1\n")
    dodo = "import deeds_of_more\n" + (declared.folder / "watched_dodo.py").read_text()
    edit(declared, "watched_dodo.py", dodo)
    sys.modules.pop("watched_dodo")
    watch = Watch(plan_of())
    edit(declared, "deeds_of_more.py", "number, more = 20, 3\n")
    edit(declared, "watched_dodo.py", f"from deeds_of_more import more\n{dodo}")
    remedy = (
        f"; {declared.folder / 'deeds_of_more.py'} was changed since this began: Ctrl-C, then start"
        " it again"
    )
    assert watch.changed()
    assert watch.problem.startswith("this is as it was declared before; what is declared now")
    assert watch.problem.endswith(remedy)
    edit(declared, "watched_dodo.py", dodo)
    assert watch.changed()
    assert watch.problem == remedy.removeprefix("; ")
    sys.modules.pop("deeds_of_more")


def test_every_file_that_the_declaration_names_is_watched(declared: Project, board: Board) -> None:
    """As the file of several releases, which holds them until an hour."""
    del board
    edit(declared, "day.toml", "")
    text = (declared.folder / "watched_dodo.py").read_text()
    files = 'plan.context.declared_in = (HERE / "release.toml", HERE / "day.toml")\n'
    more = 'if (HERE / "day.toml").read_text():\n    plan.hold("now")\n'
    edit(declared, "watched_dodo.py", text + files + more)
    sys.modules.pop("watched_dodo")
    watch = Watch(plan_of())
    assert watch.plan.held_until is None
    edit(declared, "day.toml", "hour")
    assert watch.changed()
    assert watch.plan.held_until is not None


def test_the_end_of_a_waiver_is_seen_and_nothing_is_where_time_changed_nothing(
    declared: Project,
) -> None:
    edit(declared, "release.toml", RELEASE + WAIVER)
    plan, day = plan_of(), Day()
    plan.context.clock = day
    board = Board(plan)
    with board._server:
        assert "waived: thing.odd" in shown(board)
        mark = board.now()[0]
        shown(board)
        assert board.now()[0] == mark
        assert day.at.date() == date(2999, 12, 1)
        day.at = datetime(2999, 12, 2, 0, 1, tzinfo=UTC)
        assert "waived: thing.odd" not in shown(board)
