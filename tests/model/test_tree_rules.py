"""Tests of the forms in which CPython's tree tells its version and years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.tree_rules import (
    NEXT_MARKER,
    NOTICE,
    documented_version,
    is_documentation,
    readme_title,
)
from plugins.model.version import Version


@pytest.mark.parametrize(
    ("version", "title"),
    [
        ("3.15.0a2", "This is Python version 3.15.0 alpha 2"),
        ("3.14.0b1", "This is Python version 3.14.0 beta 1"),
        ("3.13.1rc1", "This is Python version 3.13.1 release candidate 1"),
        ("3.13.0", "This is Python version 3.13.0"),
    ],
)
def test_readme_says_levels_in_words(version: str, title: str) -> None:
    assert readme_title(Version.parse(version)) == title


@pytest.mark.parametrize(
    ("version", "told"),
    [("3.15.0a2", "3.15"), ("3.14.0rc1", "3.14"), ("3.14.0", "3.14"), ("3.13.6", "3.13.6"),
     ("3.13.6rc1", "3.13.6")],
)  # fmt: skip
def test_docs_tell_the_version_that_users_look_up(version: str, told: str) -> None:
    assert documented_version(Version.parse(version)) == told


@pytest.mark.parametrize(
    ("path", "expected"),
    [("Doc/a.rst", True), ("Doc/x/y.inc", True), ("Doc/conf.py", False), ("Lib/a.rst", False)],
)
def test_markers_are_looked_for_in_the_docs(path: str, *, expected: bool) -> None:
    assert is_documentation(path) is expected


@given(st.binary())
def test_replaced_markers_are_gone(content: bytes) -> None:
    marked = b".. versionadded:: next\n" + content + b"\n.. deprecated:: next"
    once = NEXT_MARKER.sub(lambda found: found["before"] + b"3.99", marked)
    assert NEXT_MARKER.search(once) is None
    assert once.startswith(b".. versionadded:: 3.99\n")
    assert once.endswith(b"\n.. deprecated:: 3.99")


@given(st.integers(2002, 2999), st.sampled_from([b"(c)", b"\xc2\xa9", b"\xa9", b"\\xA9", b"(C)"]))
def test_notice_is_known_whatever_its_sign(year: int, sign: bytes) -> None:
    text = b"Copyright %b 2001-%d Python Software Foundation" % (sign, year)
    found = NOTICE.search(text)
    assert found is not None
    assert found["last"] == b"%d" % year


def test_notices_of_others_are_not_ours() -> None:
    assert NOTICE.search(b"Copyright (c) 2001-2006 Twisted Matrix Laboratories.") is None
