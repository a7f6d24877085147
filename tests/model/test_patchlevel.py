"""Tests of Include/patchlevel.h as the version's home."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.errors import StepFailed
from plugins.model.patchlevel import Patchlevel, read_patchlevel, written_patchlevel
from plugins.model.version import Level, Version

HEADER = """\
/* #define PY_VERSION in a comment is told nowhere else than in the next lines */
#define PY_RELEASE_LEVEL_FINAL  0xF     /* Serial should be 0 here */
/*--start constants--*/
#define PY_MAJOR_VERSION        3
#define PY_MINOR_VERSION        13
#define PY_MICRO_VERSION        5
#define PY_RELEASE_LEVEL        PY_RELEASE_LEVEL_FINAL
#define PY_RELEASE_SERIAL       0

/* Version as a string */
#define PY_VERSION              "3.13.5+"
/*--end constants--*/
#define PY_VERSION_HEX ((PY_MAJOR_VERSION << 24) | (PY_MINOR_VERSION << 16))
"""


@st.composite
def versions(draw: st.DrawFn) -> Version:
    numbers = st.integers(0, 99)
    level = draw(st.sampled_from(Level))
    serial = draw(st.integers(0, 20)) if level is not Level.FINAL else 0
    return Version(3, draw(numbers), draw(numbers), level, serial)


def test_version_and_what_follows_it_are_read() -> None:
    assert read_patchlevel(HEADER) == Patchlevel(Version(3, 13, 5), "+")


@given(versions(), st.sampled_from(["", "+", "+dev"]))
def test_what_is_written_is_read_again(version: Version, suffix: str) -> None:
    text = written_patchlevel(HEADER, version, suffix)
    assert read_patchlevel(text) == Patchlevel(version, suffix)
    assert written_patchlevel(text, Version(3, 13, 5), "+") == HEADER


@given(versions())
def test_only_the_six_constants_change(version: Version) -> None:
    before, after = HEADER.splitlines(), written_patchlevel(HEADER, version).splitlines()
    assert len(before) == len(after)
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert all(line.startswith("#define PY_") and "HEX" not in line for line in changed)
    assert len(changed) <= 6


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("#define PY_MICRO_VERSION        5\n", "", "PY_MICRO_VERSION is defined nowhere"),
        ('"3.13.5+"', '"3.13.6"', "numbers say 3.13.5, and PY_VERSION says"),
        ('"3.13.5+"', '"3.13.55"', "numbers say 3.13.5"),
        ('"3.13.5+"', '"3.13.5+ by hand"', "numbers say"),
        ("        13\n", "        XIII\n", "no version in numbers"),
        ("PY_RELEASE_LEVEL        PY_RELEASE_LEVEL_FINAL", "PY_RELEASE_LEVEL 0xF", "no version"),
        (
            "#define PY_RELEASE_SERIAL       0\n",
            "#define PY_RELEASE_SERIAL 0\n#define PY_RELEASE_SERIAL 1\n",
            "defined 2 times",
        ),
    ],
)
def test_header_that_tells_no_one_version_is_refused(old: str, new: str, told: str) -> None:
    with pytest.raises(StepFailed, match=told) as error:
        read_patchlevel(HEADER.replace(old, new))
    assert error.value.where == "Include/patchlevel.h"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(StepFailed):
        read_patchlevel(text)
