"""Tests of the edits that tell the version and the year."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.model.tree_rules import NOTICES
from plugins.model.version import Version
from plugins.ports.git import Tag
from plugins.steps import version_files
from tests.source_world import DAY, World, a_world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = a_world(tmp_path)
    made.make()
    return made


def changed(world: World, step: str, after: str = "base") -> tuple[str, ...]:
    return world.clone.difference(f"refs/release/{after}", f"refs/release/{step}")


# ── version ─────────────────────────────────────────────────────────────────────────────────


def test_patchlevel_tells_the_version_and_nothing_else_changes(world: World) -> None:
    facts = version_files.bump(world.release, world.clone, after="base")
    text = world.text("Include/patchlevel.h", "bump")
    assert facts["was"] == "3.13.5+"
    assert '#define PY_VERSION              "3.13.6"\n' in text
    assert "#define PY_MICRO_VERSION        6\n" in text
    assert changed(world, "bump") == ("Include/patchlevel.h",)
    assert world.clone.difference("refs/release/base", "refs/release/bump") == (
        "Include/patchlevel.h",
    )


def test_missing_input_is_told(world: World) -> None:
    with pytest.raises(StepFailed, match="refs/release/nothing does not exist"):
        version_files.bump(world.release, world.clone, after="nothing")


@pytest.mark.parametrize(
    ("version", "last", "title"),
    [
        ("3.14.0b1", "3.14.0a7", "This is Python version 3.14.0 beta 1"),
        ("3.14.0rc2", "3.14.0rc1", "This is Python version 3.14.0 release candidate 2"),
        ("3.14.0", "3.14.0rc2", "This is Python version 3.14.0"),
    ],
)
def test_readme_begins_with_the_version_underlined(
    tmp_path: Path, version: str, last: str, title: str
) -> None:
    world = a_world(tmp_path, version, last)
    world.make()
    version_files.readme(world.release, world.clone, after="base")
    lines = world.text("README.rst", "readme").splitlines()
    assert lines[:3] == [title, "=" * len(title), ""]


def test_links_into_main_stay_in_the_release_commit(tmp_path: Path) -> None:
    """As in upstream's own commit of a first beta; the new branch changes them afterwards."""
    first_beta = a_world(tmp_path / "b1", "3.14.0b1", "3.14.0a7")
    first_beta.make()
    version_files.readme(first_beta.release, first_beta.clone, after="base")
    assert "/blob/main/PCbuild" in first_beta.text("README.rst", "readme")


@pytest.mark.parametrize("pep", ["role", "link"])
def test_readme_of_the_series_before_is_led_to_this_one(world: World, pep: str) -> None:
    """What's New, the documentation and the schedule, as on a branch that nobody mended."""
    line = {
        "role": ":pep:`693` for Python 3.12",
        "link": "`PEP 693 <https://peps.python.org/pep-0693/>`__ for Python 3.12",
    }[pep]
    wanted = {
        "role": ":pep:`719` for Python 3.13",
        "link": "`PEP 719 <https://peps.python.org/pep-0719/>`__ for Python 3.13",
    }[pep]
    readme = (world.cpython / "README.rst").read_text()
    readme = readme.replace(":pep:`719` for Python 3.13", line).replace("3.13", "3.12")
    readme = readme.replace("version 3.12", "version 3.13")
    world.commit({"README.rst": readme})
    world.make()
    facts = version_files.readme(world.release, world.clone, after="base")
    text = world.text("README.rst", "readme")
    assert wanted in text
    assert "What's New in Python 3.13\n" in text
    assert "<https://docs.python.org/3.13/whatsnew/3.13.html>" in text
    assert "<https://docs.python.org/3.13/>" in text
    assert facts["pep"] == "719"


def test_pep_that_the_tree_names_goes_before_what_this_tool_knows(world: World) -> None:
    readme = (world.cpython / "README.rst").read_text()
    world.commit({"README.rst": readme.replace(":pep:`719`", ":pep:`7190`")})
    world.make()
    assert version_files.readme(world.release, world.clone, after="base")["pep"] == "7190"


def test_readme_of_another_form_is_refused(world: World) -> None:
    world.commit({"README.rst": "Python\n======\n"})
    world.make()
    with pytest.raises(StepFailed, match="begins with 'Python'"):
        version_files.readme(world.release, world.clone, after="base")


# ── next ────────────────────────────────────────────────────────────────────────────────────

MARKERS = """\
.. versionadded:: next
.. versionchanged:: next
   More about it.
.. deprecated:: next
.. deprecated-removed:: next 3.99
.. soft-deprecated:: next
.. versionremoved::   next
   .. py:function:: f

      .. versionadded:: next Said on the same line.
* .. c:versionadded:: next
+---------------------------+
| .. versionadded:: next    |
+---------------------------+
.. VersionAdded:: next
.. versionadded::
   next
   .. soft-deprecated::
      next  Said behind it.
"""
NO_MARKERS = """\
Write ``.. versionadded:: next`` for what is new.
.. versionadded:: nextish
.. versionadded:: 3.2
.. note:: next
.. versionadded::

   next
"""


def test_every_form_of_next_becomes_the_version(world: World) -> None:
    world.commit({"Doc/library/eggs.rst": MARKERS + NO_MARKERS, "Doc/includes/x.inc": MARKERS})
    world.make()
    facts = version_files.mark_next(world.release, world.clone, after="base")
    text = world.text("Doc/library/eggs.rst", "mark_next")
    assert text.endswith(NO_MARKERS)
    marked = text.removesuffix(NO_MARKERS)
    assert "next" not in marked
    assert ".. deprecated-removed:: 3.13.6 3.99" in marked
    assert "| .. versionadded:: 3.13.6  |\n" in marked
    assert marked.count("3.13.6") == 12
    assert facts["markers"] == "26"
    assert facts["files"] == "3"


def test_marking_twice_changes_nothing_more(world: World) -> None:
    version_files.mark_next(world.release, world.clone, after="base", step="once")
    facts = version_files.mark_next(world.release, world.clone, after="once", step="twice")
    assert facts["markers"] == "0"
    assert changed(world, "twice", "once") == ()


def test_candidate_of_a_feature_release_documents_the_series(tmp_path: Path) -> None:
    world = a_world(tmp_path, "3.14.0rc1", "3.14.0b4")
    world.make()
    version_files.mark_next(world.release, world.clone, after="base")
    assert ".. versionadded:: 3.14\n" in world.text("Doc/library/spam.rst", "mark_next")


def test_only_docs_are_searched(world: World) -> None:
    world.commit({"Lib/test/sample.rst": MARKERS, "Doc/conf.txt.py": MARKERS})
    world.make()
    version_files.mark_next(world.release, world.clone, after="base")
    assert changed(world, "mark_next") == ("Doc/library/spam.rst",)


# ── years ───────────────────────────────────────────────────────────────────────────────────


def years(world: World, day: date) -> dict[str, str]:
    return version_files.copyright_years(
        world.release, world.clone, world.base, date=day, after="base"
    )


def test_first_release_of_a_year_renews_all_six_files(world: World) -> None:
    facts = years(world, date(2027, 1, 5))
    assert changed(world, "years") == tuple(sorted(NOTICES))
    for name in NOTICES:
        text = world.text(name, "years")
        assert "2001-2027" in text
        assert "2026" not in text
    assert world.text("README.rst", "years").count("2001-2027") == 2
    assert facts["last release"] == "v3.13.5 in 2026"


def test_years_that_nobody_asked_for_are_left_alone(world: World) -> None:
    facts = version_files.copyright_years(
        world.release, world.clone, world.base, date=date(2027, 1, 7), after="base", wanted=False
    )
    assert facts["files"] == "none"
    assert changed(world, "years") == ()


def test_later_release_of_a_year_changes_no_notice(world: World) -> None:
    assert years(world, DAY)["files"] == "none"
    assert changed(world, "years") == ()


def test_years_are_never_told_twice(world: World) -> None:
    years(world, date(2027, 1, 5))
    version_files.copyright_years(
        world.release, world.clone, world.base, date=date(2027, 1, 5), after="years", step="again"
    )
    assert changed(world, "again", "years") == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(c) 2001-2024 Python Software Foundation", "(c) 2001-2027 Python Software Foundation"),
        ("(C) 2001-2024 Python Software Foundation", "(C) 2001-2027 Python Software Foundation"),
        (
            "© 2001-2024 Python\n   Software Foundation",
            "© 2001-2027 Python\n   Software Foundation",
        ),
        ("(c) 2001 Python Software Foundation", "(c) 2001 Python Software Foundation"),
        (
            "(c) 2001, 2002,\n2024, 2025 Python Software Foundation",
            "(c) 2001, 2002,\n2024, 2025, 2026, 2027 Python Software Foundation",
        ),
        ("(c) 2001-2028 Python Software Foundation", "(c) 2001-2028 Python Software Foundation"),
    ],
)
def test_notice_of_any_age_is_brought_to_the_year(world: World, before: str, after: str) -> None:
    world.commit({"LICENSE": f"Copyright {before}; All Rights Reserved\n"})
    world.make()
    years(world, date(2027, 1, 5))
    assert world.text("LICENSE", "years") == f"Copyright {after}; All Rights Reserved\n"


def test_others_notices_are_left_alone(world: World) -> None:
    before = world.text("Doc/copyright.rst", "base")
    years(world, date(2027, 1, 5))
    assert world.text("Doc/copyright.rst", "years") == before.replace("2001-2026", "2001-2027")


def test_file_without_a_notice_is_named(world: World) -> None:
    world.commit({"Python/getcopyright.c": "/* nothing */\n"})
    world.make()
    with pytest.raises(StepFailed) as error:
        years(world, date(2027, 1, 5))
    assert error.value.where == "Python/getcopyright.c"


def test_resource_in_the_code_page_of_windows_stays_in_it(world: World) -> None:
    world.commit(
        {"PC/python_ver_rc.h": b"Copyright \xa9 2001-2024 Python Software Foundation \xe9"}
    )
    world.make()
    years(world, date(2027, 1, 5))
    content = world.clone.read("refs/release/years", "PC/python_ver_rc.h")
    assert content == b"Copyright \xa9 2001-2027 Python Software Foundation \xe9"


def tag(name: str, year: int) -> Tag:
    return Tag(name, "", "", datetime(year, 6, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.13.6", "v3.13.5"),
        ("3.13.5", "v3.13.4"),
        ("3.14.0rc1", "v3.14.0b2"),
        ("3.15.0a1", "v3.13.5"),
        ("3.8.0a1", None),
    ],
)
def test_last_release_is_of_the_series_or_else_the_latest(
    version: str, expected: str | None
) -> None:
    """Source: PEP 101 asks for the first release of a year, of the branch that is released."""
    tags = [
        tag("v3.12.9", 2025), tag("v3.13.4", 2026), tag("v3.13.5", 2027), tag("v3.14.0b1", 2024),
        tag("v3.14.0b2", 2025), tag("v3.13.50-odd", 2027), tag("v2to3", 2009),
    ]  # fmt: skip
    found = version_files.last_release(Version.parse(version), tags)
    assert (found.name if found else None) == expected


# ── What's New ──────────────────────────────────────────────────────────────────────────────

WHATSNEW = "Doc/whatsnew/3.14.rst"
DATED = date(2026, 10, 7)


@pytest.fixture
def final(tmp_path: Path) -> World:
    made = a_world(tmp_path, "3.14.0", "3.14.0rc2")
    made.make()
    return made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Python 3.14 will be released on October XX, 2026.", "October 7, 2026"),
        ("Python 3.14 was released on 1 October 2026.", "7 October 2026"),
        ("Python 3.14 was released on October 7, 2026.", "October 7, 2026"),
    ],
)
def test_first_paragraph_tells_the_day(final: World, before: str, after: str) -> None:
    final.commit({WHATSNEW: f"Intro.\n{before}\nMore. Python 3.13 was released on May 1, 2025.\n"})
    final.make()
    version_files.whatsnew_date(final.release, final.clone, date=DATED, after="base")
    assert final.text(WHATSNEW, "whatsnew") == (
        f"Intro.\nPython 3.14 was released on {after}.\n"
        "More. Python 3.13 was released on May 1, 2025.\n"
    )


def test_sentence_is_added_where_there_is_none(final: World) -> None:
    explains = "This article explains the new features in Python 3.14, compared to 3.13.\n"
    final.commit({WHATSNEW: f"Title\n=====\n\n{explains}\nFor full details, read on.\n"})
    final.make()
    version_files.whatsnew_date(final.release, final.clone, date=DATED, after="base")
    assert f"{explains}Python 3.14 was released on October 7, 2026.\n\nFor" in final.text(
        WHATSNEW, "whatsnew"
    )


def test_paragraph_without_a_place_for_the_day_is_refused(final: World) -> None:
    final.commit({WHATSNEW: "Nothing of the kind.\n"})
    final.make()
    with pytest.raises(StepFailed, match="no sentence that could state the date"):
        version_files.whatsnew_date(final.release, final.clone, date=DATED, after="base")


# ── SOURCE_URI ──────────────────────────────────────────────────────────────────────────────

URI = "Doc/tools/extensions/pyspecific.py"


def test_docs_of_the_new_branch_link_to_it(tmp_path: Path) -> None:
    world = a_world(tmp_path, "3.14.0b1", "3.14.0a7")
    world.make()
    facts = version_files.source_uri(world.release, world.clone, after="base")
    assert "cpython/tree/3.14/%s'" in world.text(URI, "source_uri")
    assert (facts["was"], facts["branch"]) == ("main", "3.14")


def test_docs_of_an_alpha_link_to_main(tmp_path: Path) -> None:
    world = a_world(tmp_path, "3.15.0a3", "3.15.0a2")
    world.make()
    version_files.source_uri(world.release, world.clone, after="base")
    assert changed(world, "source_uri") == ()


def test_wrong_branch_is_put_right(world: World) -> None:
    world.commit({URI: "SOURCE_URI = 'https://github.com/python/cpython/tree/main/%s'\n"})
    world.make()
    facts = version_files.source_uri(world.release, world.clone, after="base")
    assert "tree/3.13/%s" in world.text(URI, "source_uri")
    assert facts["was"] == "main"


def test_tree_that_computes_it_is_left_alone(world: World) -> None:
    world.commit({URI: "SOURCE_URI = computed()\n"})
    world.make()
    facts = version_files.source_uri(world.release, world.clone, after="base")
    assert facts["was"] == "computed"
    assert changed(world, "source_uri") == ()
