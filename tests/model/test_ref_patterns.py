"""Tests of the patterns by which a ruleset names refs."""

from __future__ import annotations

import pytest

from plugins.model.ref_patterns import is_about

TAG = "refs/tags/v3.13.6"


@pytest.mark.parametrize(
    "pattern",
    ["~ALL", TAG, "refs/tags/v*", "refs/tags/*", "refs/tags/**/*", "refs/tags/**/**/*", "**/*",
     "refs/**/v*", "refs/tags/**", "refs/**/**", "refs/tags/v[0-9].*",
     "refs/tags/v?.13.?", "refs/t*/v3*"],
)  # fmt: skip
def test_pattern_names_the_tag(pattern: str) -> None:
    assert is_about(pattern, TAG)


@pytest.mark.parametrize(
    "pattern",
    ["", "*", "refs/*", "refs/**", "refs/tags/*/*", "refs/heads/**/*", "refs/tags/V*", "v*",
     "refs/tags/v{3,4}*", "refs/tags/v3.13.6/*", "refs/tags/v3.13.6/**/*", "~DEFAULT_BRANCH"],
)  # fmt: skip
def test_pattern_does_not_name_the_tag(pattern: str) -> None:
    """A star stands for no slash: ``refs/*`` names no tag."""
    assert not is_about(pattern, TAG)


def test_folders_of_any_depth_are_named() -> None:
    assert is_about("refs/heads/qa/**/*", "refs/heads/qa/foo/bar/hello-world")
    assert not is_about("refs/heads/qa/*", "refs/heads/qa/foo/bar")


def test_pattern_of_many_stars_is_no_trouble() -> None:
    assert is_about("**/" * 2000 + "v*", TAG)
    assert not is_about("**/" * 2000 + "x", TAG)
    assert not is_about("**/*/" * 2000 + "x", TAG)
    assert not is_about("*a" * 1000, TAG)
