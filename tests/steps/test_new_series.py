"""Tests of what begins anew on main with a series: magic number, issue templates, What's New."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from plugins.model.readme import pep_of, with_series
from plugins.steps import new_series, next_main
from tests.source_world import World, a_world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path, "3.14.0b1", "3.14.0a7")


def test_every_form_of_the_versions_to_choose_gets_the_branch(world: World) -> None:
    """The forms that upstream's templates had in 2023 and have in 2026."""
    world.commit(
        {
            ".github/ISSUE_TEMPLATE/bug.yml": (
                '      options:\n        - "3.13"\n        - "3.14 (main branch or an alpha)"\n'
            ),
            ".github/ISSUE_TEMPLATE/crash.yml": (
                "      options:\n        - 3.13\n        - CPython main branch\n"
            ),
        }
    )
    clone = world.make()
    found = new_series.issue_templates(clone, "refs/release/base", "3.14", "3.15")
    bug, crash = (each.decode() for each in found.values())
    assert bug.endswith(
        '        - "3.13"\n        - "3.14"\n        - "3.15 (main branch or an alpha)"\n'
    )
    assert crash.endswith(
        '        - 3.13\n        - "3.14"\n        - "3.15"\n        - CPython main branch\n'
    )


def test_templates_list_the_series_of_main_as_upstream_s_of_2026_do(world: World) -> None:
    """3.15.0b1: the forms listed 3.15 already, and the commit of 3.16.0a0 added 3.16."""
    text = '      options:\n        - "3.14"\n        - "CPython main branch"\n'
    name = ".github/ISSUE_TEMPLATE/bug.yml"
    world.commit({name: text})
    clone = world.make()
    found = new_series.issue_templates(clone, "refs/release/base", "3.14", "3.15")
    assert '- "3.14"\n        - "3.15"\n        - "CPython' in found[name].decode()


def test_templates_that_list_both_series_are_left_alone(world: World) -> None:
    text = '      options:\n        - "3.14"\n        - "3.15"\n        - "CPython main branch"\n'
    names = [f".github/ISSUE_TEMPLATE/{each}.yml" for each in ("bug", "crash")]
    world.commit(dict.fromkeys(names, text))
    clone = world.make()
    found = new_series.issue_templates(clone, "refs/release/base", "3.14", "3.15")
    assert found == dict.fromkeys(names, text.encode())


def test_help_of_configure_names_the_new_series_as_autoconf_would(world: World) -> None:
    """3.16.0a0: the option for another interpreter has the version twice in its help."""
    help_text = "--with-build-python=python{0}\n (default: _bootstrap_python or python{0})\n"
    script = (world.cpython / "configure").read_text()
    world.commit({"configure": script + help_text.format("3.14")})
    clone = world.make()
    edited = next_main.edits(world.release, clone, "refs/release/base")["configure"].decode()
    assert edited.endswith(help_text.format("3.15"))


def test_tree_that_does_not_say_where_its_numbers_start_is_left_alone(world: World) -> None:
    header = "Include/internal/pycore_magic_number.h"
    text = (world.cpython / header).read_text()
    world.commit({header: text.replace("will start", "may start")})
    clone = world.make()
    assert new_series.magic_number(clone, "refs/release/base", "3.14", "3.15") == {}


def test_whatsnew_has_the_sections_of_today_and_what_is_going_to_be_removed() -> None:
    there = [
        "Doc/deprecations/index.rst",
        *(f"Doc/deprecations/pending-removal-in-{each}.rst" for each in ("3.9", "3.15", "3.16")),
        "Doc/deprecations/pending-removal-in-3.20.rst",
        "Doc/deprecations/pending-removal-in-future.rst",
        "Doc/deprecations/c-api-pending-removal-in-3.18.rst",
    ]
    text = new_series.whatsnew("3.14", "3.15", there)
    for wanted in ("Summary --- release highlights", "New deprecations", "Removed C APIs"):
        assert f"\n{wanted}\n" in text
    included = [line.rpartition("/")[2] for line in text.splitlines() if "include::" in line]
    assert included == [
        "pending-removal-in-3.16.rst",
        "pending-removal-in-3.20.rst",
        "pending-removal-in-future.rst",
        "c-api-pending-removal-in-3.18.rst",
    ]
    lines = text.splitlines()
    for above, line in pairwise(lines):
        if line and not line.strip("=-*") and above.strip("*"):
            assert len(line) >= len(above), above


def test_whatsnew_that_main_has_already_and_its_line_in_the_index_are_kept(world: World) -> None:
    """Somebody began it before the branch was cut: their words must not be lost."""
    index = (world.cpython / "Doc/whatsnew/index.rst").read_text()
    listed = index.replace("3.14.rst", "3.15.rst\n   3.14.rst", 1)
    assert listed != index
    kept = {"Doc/whatsnew/3.15.rst": "What's new in 3.15, as somebody began it\n"}
    world.commit({**kept, "Doc/whatsnew/index.rst": listed})
    clone = world.make()
    found = next_main.edits(world.release, clone, "refs/release/base")
    assert not {name for name in found if name.startswith("Doc/whatsnew/")}


def test_schedule_whose_number_nobody_knows_stays_that_of_the_series_before() -> None:
    line = b"See `PEP 826 <https://peps.python.org/pep-0826/>`__ for Python 3.16 release details."
    assert with_series(line, "3.17") == line
    assert pep_of(line, "3.17") == 0
    assert pep_of(with_series(line, "3.17", 840), "3.17") == 840


def test_banner_of_the_tutorial_has_the_next_series_and_the_day_of_the_release(
    world: World,
) -> None:
    """The form that it has upstream; the hour is nobody's, and stays."""
    name = "Doc/tutorial/interpreter.rst"
    text = "   $ python3.14\n   Python 3.14 (default, April 4 2024, 09:25:04)\n   [GCC 10.2.0]\n"
    world.commit({name: text})
    clone = world.make()
    day = clone.about("refs/release/base").committed
    found = next_main.edits(world.release, clone, "refs/release/base")[name].decode()
    assert found.splitlines()[0] == "   $ python3.15"
    assert found.splitlines()[1] == (
        f"   Python 3.15 (default, {day:%B} {day.day} {day.year}, 09:25:04)"
    )
    assert found.splitlines()[2] == "   [GCC 10.2.0]"


def test_banner_of_another_form_gets_the_series_alone(world: World) -> None:
    name = "Doc/tutorial/interpreter.rst"
    world.commit({name: "   Python 3.14 of some day\n"})
    clone = world.make()
    found = next_main.edits(world.release, clone, "refs/release/base")[name].decode()
    assert found == "   Python 3.15 of some day\n"
