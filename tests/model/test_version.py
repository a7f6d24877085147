from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.errors import BadVersion
from plugins.model.version import Level, Version


@st.composite
def versions(draw: st.DrawFn) -> Version:
    """Any version that can be released."""
    level = draw(st.sampled_from(Level))
    numbers = st.integers(0, 9998)
    early = level in (Level.ALPHA, Level.BETA)
    return Version(
        draw(numbers),
        draw(numbers),
        0 if early else draw(numbers),
        level,
        0 if level is Level.FINAL else draw(st.integers(1, 9998)),
    )


RELEASE_ORDER = (
    "3.13.9", "3.14.0a1", "3.14.0a2", "3.14.0a10", "3.14.0b1", "3.14.0b4", "3.14.0rc1",
    "3.14.0rc2", "3.14.0", "3.14.1rc1", "3.14.1", "3.14.2", "3.14.10", "3.15.0a1", "4.0.0",
)  # fmt: skip


@given(versions())
def test_version_reads_back_what_it_writes(version: Version) -> None:
    assert Version.parse(str(version)) == version


def test_order_is_the_order_of_releases() -> None:
    parsed = [Version.parse(text) for text in RELEASE_ORDER]
    assert all(first < second for first, second in pairwise(parsed))


@given(versions(), versions())
def test_any_two_versions_are_ordered_one_way(one: Version, other: Version) -> None:
    assert (one < other) + (one == other) + (one > other) == 1


@given(versions())
def test_every_successor_comes_later_in_the_same_series(version: Version) -> None:
    for after in version.successors():
        assert after > version
        assert after.series == version.series
        assert Version.parse(str(after)) == after


@given(st.text(alphabet="0123456789.abrcv \uff13", max_size=14))
def test_text_is_a_version_only_if_it_is_written_in_its_one_form(text: str) -> None:
    try:
        written = str(Version.parse(text))
    except BadVersion as error:
        written = str(error)
        assert "\n" not in written
    else:
        assert written == text


@pytest.mark.parametrize(
    "text",
    [
        "", "3", "3.14", "v3.14.0", "3.14.0-rc1", "3.14.0.rc1", "3.14.0rc", "3.14.0rc0",
        "3.14.0b0", "3.14.0c1", "3.14.0a01", "3.014.0", "3.14.00", "3.14.0\n", " 3.14.0",
        "3.14.0; rm -rf x", "3.14.0/../..",
        "\uff13.14.0", "3.1\uff14.0", "3.14.0RC1", "3.14.0.dev1",
        "3.14.1a1", "3.14.2b1", "3.14.99999", "-3.14.0", "3.14.0+", "3.14.0rc1\x00",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadVersion):
        Version.parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("v3.14.0", "3.14.0"),
        ("3.14", "3.14.0"),
        ("3.14rc1", "3.14.0rc1"),
        ("3.14.0-rc1", "3.14.0rc1"),
        ("3.14.0 RC 2", "3.14.0rc2"),
        ("3.14.0c2", "3.14.0rc2"),
    ],
)
def test_slip_is_answered_with_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(BadVersion, match=f"write {meant}$"):
        Version.parse(text)


def test_names_that_follow_from_a_version() -> None:
    version = Version.parse("3.14.0rc1")
    assert version.tag == "v3.14.0rc1"
    assert version.folder == "3.14.0"
    assert version.series == "3.14"
    assert version.is_prerelease
    assert not Version.parse("3.14.0").is_prerelease


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("3.14.0a7", ("3.14.0a8", "3.14.0b1")),
        ("3.14.0b4", ("3.14.0b5", "3.14.0rc1")),
        ("3.14.0rc2", ("3.14.0rc3", "3.14.0")),
        ("3.14.0", ("3.14.1", "3.14.1rc1")),
    ],
)
def test_successors_are_those_of_pep_101(text: str, after: tuple[str, ...]) -> None:
    assert tuple(str(each) for each in Version.parse(text).successors()) == after


@pytest.mark.parametrize(
    ("version", "first", "count"),
    [
        ("3.13.6", "3.13.6rc9", 10),
        ("3.13.0", "3.13.0rc9", 27),
        ("3.14.0rc2", "3.14.0rc1", 1),
        ("3.14.0rc1", "3.14.0b9", 18),
        ("3.14.0b1", "3.14.0a9", 9),
        ("3.14.1rc1", "3.14.0", 1),
    ],
)
def test_predecessors_are_versions_that_may_come_right_before(
    version: str, first: str, count: int
) -> None:
    found = Version.parse(version).predecessors()
    assert (str(found[0]), len(found)) == (first, count)
    assert all(each < Version.parse(version) for each in found)


def test_the_first_alpha_of_a_series_has_no_predecessor() -> None:
    assert Version.parse("3.15.0a1").predecessors() == ()
