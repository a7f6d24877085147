"""Tests of the judgement on the release's tree: passes, blocks, and cannot look."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from checks import file_names, source_tree, tag_tree
from checks import news as news_checks
from doit_receipts.finding import Finding, Severity
from plugins.model.tree_rules import LEFT_MARKER, NEXT_MARKER
from plugins.steps import news, version_files
from tests.source_world import DAY, World, a_release, a_world

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Tests that alter the tree put it under this name.
EDITED = "edited"
ALL: dict[str, Callable[..., tuple[Finding, ...]]] = {
    "version": source_tree.versions_agree,
    "next": source_tree.next_markers_are_gone,
    "clean": source_tree.tree_is_clean,
    "changes": source_tree.only_release_files_changed,
    "autoconf": source_tree.autoconf_is_the_agreed_one,
    "news": news_checks.news_tells_something,
    "names": file_names.names_fit_everywhere,
    "attributes": tag_tree.attributes_change_nothing,
    "garbled": news_checks.news_says_what_was_written,
    "notices": lambda *given, **named: source_tree.notices_are_current(*given, date=DAY, **named),
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A release whose edits are all made; tests only add commits under names of their own."""
    world = a_world(tmp_path_factory.mktemp("ready"))
    clone, release = world.make(), world.release
    news.merge(release, clone, world.programs, date=DAY)
    version_files.mark_next(release, clone, after="news")
    version_files.bump(release, clone, after="mark_next")
    version_files.readme(release, clone, after="bump")
    return world


def judge(world: World, check: str, after: str = "readme") -> list[tuple[str, str, Severity]]:
    clone = world.clone
    clone.checkout(f"refs/release/{after}")
    found = ALL[check](world.release, clone, after=after)
    return [(each.rule, each.where, each.severity) for each in found]


def with_file(world: World, name: str, content: str | None) -> None:
    """The step ``edited`` left the tree with this file so; None leaves it out."""
    clone = world.clone
    parent = clone.resolve("refs/release/readme")
    clone.checkout(parent)
    file = clone.folder / name
    if content is None:
        file.unlink()
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    clone.record(EDITED, parent, f"Edit {name}")


def replaced(world: World, name: str, old: str, new: str) -> None:
    text = world.text(name, "readme")
    assert old in text
    with_file(world, name, text.replace(old, new))


@pytest.mark.parametrize("check", ALL)
def test_good_tree_passes(ready: World, check: str) -> None:
    assert judge(ready, check) == []


@pytest.mark.parametrize("check", [check for check in ALL if check != "clean"])
def test_tree_that_is_not_there_blocks(ready: World, check: str) -> None:
    (finding,) = ALL[check](ready.release, ready.clone, after="nothing")
    assert finding.severity is Severity.BLOCK


@pytest.mark.parametrize("check", ALL)
def test_clone_that_is_not_there_blocks(tmp_path: Path, check: str) -> None:
    world = World(tmp_path, a_release(tmp_path / "build"))
    found = ALL[check](world.release, world.clone, after="readme")
    assert [each.severity for each in found] == [Severity.BLOCK]


# ── version ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Include/patchlevel.h", '"3.13.6"', '"3.13.6+"'),
        ("README.rst", "version 3.13.6", "version 3.13.5"),
        ("configure.ac", "[3.13]", "[3.14]"),
        ("configure", "for python 3.13.", "for python 3.12."),
    ],
)
def test_each_place_that_tells_another_version_blocks(
    ready: World, name: str, old: str, new: str
) -> None:
    replaced(ready, name, old, new)
    assert judge(ready, "version", EDITED) == [("source.version", name, Severity.BLOCK)]


@pytest.mark.parametrize("name", ["Misc/NEWS.d/3.13.6.rst", "Doc/whatsnew/3.13.rst"])
def test_missing_file_of_the_version_blocks(ready: World, name: str) -> None:
    with_file(ready, name, None)
    assert judge(ready, "version", EDITED) == [("source.version", name, Severity.BLOCK)]


def test_tree_before_its_edits_blocks(ready: World) -> None:
    found = judge(ready, "version", "base")
    assert {where for _, where, _ in found} == {
        "Include/patchlevel.h", "README.rst", "Misc/NEWS.d/3.13.6.rst",
    }  # fmt: skip


# ── docs, cleanliness, autoconf, NEWS, notices ──────────────────────────────────────────────


def test_marker_that_is_left_blocks_with_its_line(ready: World) -> None:
    with_file(ready, "Doc/library/eggs.rst", "Eggs\n\n.. versionadded:: next\n")
    assert judge(ready, "next", EDITED) == [("docs.next", "Doc/library/eggs.rst:3", Severity.BLOCK)]


def test_what_was_meant_for_a_marker_and_is_none_blocks_too(ready: World) -> None:
    """No edit replaces these, and readers would see them as they are."""
    meant = ("next.", "next, 3.15", "Next", "'next'", "|next|", "*next*")
    for word in meant:
        content = f"Eggs\n\n  .. versionadded:: {word}\n"
        assert LEFT_MARKER.search(content.encode()), word
        assert not NEXT_MARKER.search(content.encode()), word
    for word in ("nextafter", "next-door", "3.14 next"):
        assert not LEFT_MARKER.search(f".. versionadded:: {word}\n".encode()), word
    with_file(ready, "Doc/library/eggs.rst", "Eggs\n\n.. py:deprecated:: Next\n")
    assert judge(ready, "next", EDITED) == [("docs.next", "Doc/library/eggs.rst:3", Severity.BLOCK)]


@pytest.mark.parametrize(
    ("name", "content"),
    [("README.rst", "edited\n"), ("stray.txt", "new\n"), ("Doc/build/x", "ignored\n")],
)
def test_work_in_the_release_clone_blocks(ready: World, name: str, content: str) -> None:
    clone = ready.clone
    clone.checkout("refs/release/readme")
    file = clone.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    found = source_tree.tree_is_clean(ready.release, clone, after="readme")
    assert [each.rule for each in found] == ["source.dirty"]
    assert found[0].where.startswith(name.rpartition("/")[0])


def test_other_commit_in_the_release_clone_blocks(ready: World) -> None:
    ready.clone.checkout("refs/release/base")
    (finding,) = source_tree.tree_is_clean(ready.release, ready.clone, after="readme")
    assert finding.rule == "source.dirty"


@pytest.mark.parametrize("name", ["Lib/spam.py", "Modules/evil.c", "Makefile.pre.in", ".gitignore"])
def test_code_that_differs_from_the_base_blocks(ready: World, name: str) -> None:
    with_file(ready, name, "slipped in\n")
    assert judge(ready, "changes", EDITED) == [("source.unexpected", name, Severity.BLOCK)]


def test_other_autoconf_blocks(ready: World) -> None:
    """Source: 3.11.4 (python/cpython#105455)."""
    replaced(ready, "configure", "Autoconf 2.71", "Autoconf 2.72")
    assert judge(ready, "autoconf", EDITED) == [("source.autoconf", "configure", Severity.BLOCK)]
    with_file(ready, "configure", "#!/bin/sh\n")
    assert judge(ready, "autoconf", EDITED) == [("source.autoconf", "configure", Severity.BLOCK)]


@pytest.mark.parametrize(
    ("differs", "skipped", "expected"),
    [
        ("no", "", []),
        ("12 lines", "", [Severity.WARN]),
        ("12 lines, all in white space", "", [Severity.NOTE]),
        ("unknown", "no autoconf 2.71 on PATH", [Severity.WARN]),
    ],
)
def test_regeneration_is_told_by_its_weight(
    differs: str, skipped: str, expected: list[Severity]
) -> None:
    found = source_tree.configure_is_as_generated(differs, skipped)
    assert [each.severity for each in found] == expected


def test_release_without_news_is_warned_of(ready: World) -> None:
    name = "Misc/NEWS.d/3.13.6.rst"
    with_file(ready, name, ".. no changes: True\n.. section: Library\n\nNothing.\n")
    assert judge(ready, "news", EDITED) == [("news.empty", name, Severity.WARN)]
    with_file(ready, name, None)
    assert judge(ready, "news", EDITED) == [("news.empty", name, Severity.BLOCK)]


def test_notice_of_an_earlier_year_is_warned_of(ready: World) -> None:
    found = source_tree.notices_are_current(
        ready.release, ready.clone, date=date(2027, 1, 5), after="readme"
    )
    assert len(found) == 6
    assert {each.severity for each in found} == {Severity.WARN}


def test_notice_without_a_last_year_is_current(ready: World) -> None:
    text = ready.text("LICENSE", "readme").replace("2001-2026", "2001")
    with_file(ready, "LICENSE", text)
    found = source_tree.notices_are_current(
        ready.release, ready.clone, date=date(2027, 1, 5), after=EDITED
    )
    assert "LICENSE" not in {each.where for each in found}


# ── names and attributes ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "Lib/test/aux.py",
        "Lib/test/what?.txt",
        "Lib/test/ends.",
        "Lib/SPAM.py",
        "lib/other.py",
        "Lib/test/" + "long/" * 50 + "x",
    ],
)
def test_name_that_not_every_system_can_have_blocks_before_the_tag(ready: World, name: str) -> None:
    with_file(ready, name, "x\n")
    found = judge(ready, "names", EDITED)
    assert ("source.file_name", Severity.BLOCK) in {(rule, how) for rule, _, how in found}


def test_name_that_is_not_shipped_may_be_any(ready: World) -> None:
    with_file(ready, ".github/aux.yml", "x\n")
    assert judge(ready, "names", EDITED) == []


@pytest.mark.parametrize(
    "line",
    ["Doc/** export-ignore", "*.py export-subst", "[attr]x text export-ignore", "*.c ident",
     "*.bin filter=lfs"],
)  # fmt: skip
def test_attribute_that_changes_the_archives_blocks_before_the_tag(ready: World, line: str) -> None:
    with_file(ready, "Doc/.gitattributes", f"# export-ignore\n*.png binary\n{line}\n")
    found = judge(ready, "attributes", EDITED)
    assert found == [("source.attributes", "Doc/.gitattributes:3", Severity.BLOCK)]


def test_attribute_that_is_switched_off_changes_nothing(ready: World) -> None:
    with_file(ready, "Doc/.gitattributes", "* -export-ignore !export-subst\n")
    assert judge(ready, "attributes", EDITED) == []
