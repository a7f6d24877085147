"""Tests of the judgement on the magic number: the tree's own places tell it, no table of ours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checks.magic_number import HEADER, IMPORTER, LAUNCHER, TEST, magic_numbers_agree
from doit_receipts.finding import Severity
from tests.source_world import World, a_release, a_world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The first candidate of 3.15, of which this tool was never told a number."""
    world = a_world(tmp_path_factory.mktemp("candidate"), "3.15.0rc1", "3.15.0b2")
    world.make()
    return world


def judge(world: World, after: str = "base") -> list[tuple[str, Severity]]:
    found = magic_numbers_agree(world.release, world.clone, after=after, base=world.base)
    assert {each.rule for each in found} <= {"source.magic"}
    return [(each.where, each.severity) for each in found]


def edited(world: World, name: str, old: str, new: str) -> list[tuple[str, Severity]]:
    """The judgement of a tree in which this file is another one."""
    clone = world.clone
    clone.checkout("refs/release/base")
    file = clone.folder / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    clone.record("edited", clone.resolve("refs/release/base"), f"Edit {name}")
    return judge(world, "edited")


def test_candidate_of_a_series_that_the_tool_was_never_told_of_passes(candidate: World) -> None:
    assert judge(candidate) == []


def test_number_that_the_table_does_not_list_blocks(candidate: World) -> None:
    found = edited(
        candidate, HEADER, "#define PYC_MAGIC_NUMBER 3671", "#define PYC_MAGIC_NUMBER 3672"
    )
    assert found == [(HEADER, Severity.BLOCK), (TEST, Severity.BLOCK)]


@pytest.mark.parametrize("named", ["3.15.2", "3.15.1rc1", "3.15rc2:", "3.15b4"])
def test_table_is_read_however_it_names_the_release(candidate: World, named: str) -> None:
    """The real table has 3.5.2, older lines a colon."""
    table = candidate.text(HEADER, "base")
    (line,) = re.findall(r"(?m)^.*Python 3\.15\w* +3671\b", table)
    moved = re.sub(r"Python 3\.15\w* +", f"Python {named} ", line)
    assert edited(candidate, HEADER, line, moved) == []


def test_number_that_the_test_of_importlib_does_not_expect_blocks(candidate: World) -> None:
    assert edited(candidate, TEST, "3671", "3670") == [(TEST, Severity.BLOCK)]


@pytest.mark.parametrize(
    ("old", "new"), [("3699", "3660"), ('L"3.15"', 'L"3.14"')], ids=["too small", "no range"]
)
def test_number_outside_of_the_range_that_the_launcher_knows_blocks(
    candidate: World, old: str, new: str
) -> None:
    """Without it, py.exe takes the compiled file for that of another Python."""
    assert edited(candidate, LAUNCHER, old, new) == [(LAUNCHER, Severity.BLOCK)]


def test_number_that_belongs_to_the_next_series_blocks(candidate: World) -> None:
    found = edited(candidate, HEADER, "will start with 3700", "will start with 3660")
    assert found == [(HEADER, Severity.BLOCK)]


def test_tree_that_tells_no_number_blocks(candidate: World) -> None:
    assert edited(candidate, HEADER, "PYC_MAGIC_NUMBER 3671", "OTHER 1") == [("", Severity.BLOCK)]


def test_two_places_with_two_numbers_block(candidate: World) -> None:
    importer = "\nMAGIC_NUMBER = (3672).to_bytes(2, 'little')\n"
    assert edited(candidate, IMPORTER, '"""\n', f'"""{importer}') == [("", Severity.BLOCK)]


def test_clone_that_is_not_there_blocks(tmp_path: Path) -> None:
    world = World(tmp_path, a_release(tmp_path / "build"))
    (found,) = magic_numbers_agree(world.release, world.clone, after="base")
    assert found.severity is Severity.BLOCK


def test_number_that_moved_since_the_last_tag_of_the_series_blocks(tmp_path: Path) -> None:
    """Tree, table and test agree, and compiled files of 3.13.5 would no longer be read."""
    world = a_world(tmp_path)
    for name in (IMPORTER, TEST):
        clone_text = (world.cpython / name).read_text()
        world.commit({name: clone_text.replace("3571", "3572")})
    world.make()
    (found,) = magic_numbers_agree(world.release, world.clone, after="base", base=world.base)
    assert found.where == IMPORTER
    assert "is 3572, and 3.13.5 had 3571" in found.message


def test_number_may_still_move_before_the_first_candidate(tmp_path: Path) -> None:
    """Upstream's own main of October 2025 defined 3657 with a table that ended at 3656."""
    world = a_world(tmp_path, "3.14.0b2", "3.14.0b1")
    text = (world.cpython / HEADER).read_text()
    world.commit(
        {HEADER: text.replace("#define PYC_MAGIC_NUMBER 3621", "#define PYC_MAGIC_NUMBER 3622")}
    )
    world.make()
    assert judge(world) == []
    rc = replace(world, release=a_release(tmp_path / "build", "3.14.0rc1"))
    found = magic_numbers_agree(rc.release, world.clone, after="base")
    assert [each.where for each in found] == [HEADER, TEST]
