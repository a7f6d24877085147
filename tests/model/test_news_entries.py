"""NEWS entries are read as blurb writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.news_entries import (
    SecurityContent,
    cves_in,
    entries_of,
    issues_in,
    news_files_of,
    release_before,
)
from plugins.model.version import Version
from tests.news_world import an_entry

FILE = "\n..\n\n".join(
    [
        an_entry("Security", 100, "Two\nlines of :func:`spam`."),
        ".. bpo: 37451\n.. date: 2019\n.. section: Library\n\nAn old one.\n",
        ".. gh-issue: 0\n.. section: Tests\n\nNo issue.\n",
    ]
)


def test_entries_have_section_issue_and_text() -> None:
    found = [(each.section, each.issue, each.text) for each in entries_of(FILE)]
    assert found == [
        ("Security", "100", "Two\nlines of :func:`spam`."),
        ("Library", "37451", "An old one."),
        ("Tests", "", "No issue."),
    ]


def test_security_content_knows_what_is_in_which_section() -> None:
    text = "See :cve:`2026-1234`, CVE-2025-99999 and gh-200."
    content = SecurityContent.of([FILE, an_entry("security", 300, text)])
    assert content.issues == {"100", "200", "300"}
    assert content.cves == {"2026-1234", "2025-99999"}
    assert (content.section_of("37451"), content.section_of("100")) == ("Library", "Security")
    assert content.section_of("1") == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (":func:`a.b` and :func:`~a.b.c`", "`a.b()` and `c()`"),
        (":mod:`!spam` or ``x = 1``", "`spam` or `x = 1`"),
        (":meth:`name <a.b>`", "`name()`"),
        (":gh:`12` in :pep:`703`, :ref:`here <label>`", "gh-12 in PEP 703, here"),
        (":cve:`2026-1`", "[CVE-2026-1](https://www.cve.org/CVERecord?id=CVE-2026-1)"),
        ("`text <https://x.org/a>`__ here", "[text](https://x.org/a) here"),
    ],
)
def test_entry_in_markdown(text: str, plain: str) -> None:
    (entry,) = entries_of(an_entry("Library", 1, text))
    assert entry.markdown == plain


def test_ids_are_found_in_every_form() -> None:
    text = "gh-1, :gh:`2`, bpo-3, https://github.com/python/cpython/issues/4 and /pull/5"
    assert issues_in(text) == ("1", "2", "3", "4")
    text = "#143930, gh-issue-43124 &#128514; x#54321 [1](#12345678) #12 /#54321"
    assert issues_in(text) == ("143930", "43124")
    assert cves_in("CVE-2026-0001, **CVE 2026-22222**, :cve:`2026-3333`") == (
        "2026-0001", "2026-22222", "2026-3333",
    )  # fmt: skip


PATHS = [f"Misc/NEWS.d/{name}.rst" for name in ("3.14.0a1", "3.14.4", "3.14.5rc1", "3.14.5")]


def test_files_of_a_version_are_found_among_others() -> None:
    others = ["Misc/NEWS.d/next/Security/x.rst", "Misc/NEWS.d/README.rst", "Misc/NEWS.d/3.14.5.txt"]
    version = Version.parse("3.14.5")
    assert news_files_of(version, [*PATHS, *others], whole=False) == (PATHS[3],)
    assert news_files_of(version, [*PATHS, *others], whole=True) == (PATHS[2], PATHS[3])


@pytest.mark.parametrize(
    ("version", "before"),
    [("3.14.5", "3.14.5rc1"), ("3.14.5rc1", "3.14.4"), ("3.15.0a1", ""), ("3.14.0a1", "")],
)
def test_release_before_is_the_last_of_the_series(version: str, before: str) -> None:
    assert release_before(Version.parse(version), PATHS) == before


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    for entry in entries_of(text):
        assert entry.text
        assert "\n" not in entry.markdown


def test_ids_are_found_however_editors_and_forums_write_them() -> None:
    text = (
        "python/cpython#143930, https://bugs.python.org/issue43124 and GH\u2011987,"
        " CVE\u20112026\u20112297 and CVE\u20132025\u20131234"
    )
    assert issues_in(text) == ("143930", "43124", "987")
    assert cves_in(text) == ("2026-2297", "2025-1234")
