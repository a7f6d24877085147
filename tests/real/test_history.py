"""Tests that releases of the past, made again, are what upstream made of them.

The environment variable PEP101_CPYTHON_CLONE names a clone of python/cpython with its tags. Without
it one release remains, of which Debian's source package has the archive.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.real.by_hand import VERSION, news_of, small_history
from tests.real.history import History
from tests.real.reasons import explained

if TYPE_CHECKING:
    from tests.real.conftest import Upstream

pytestmark = pytest.mark.real

_VARIABLE = "PEP101_CPYTHON_CLONE"
_VERSIONS = (
    "3.10.21", "3.12.14", "3.13.0", "3.13.5", "3.13.15", "3.14.0", "3.14.5rc1", "3.14.7",
    "3.15.0a8", "3.15.0b1", "3.15.0rc1",
)  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    clone = os.environ.get(_VARIABLE)
    if not clone:
        pytest.skip(f"{_VARIABLE} names no clone of python/cpython")
    return History(Path(clone).resolve(), tmp_path_factory.mktemp("history"))


@pytest.mark.slow
@pytest.mark.parametrize("version", _VERSIONS)
def test_release_commit_and_what_follows_it_are_upstreams_own(
    history: History, version: str
) -> None:
    made = (history.release_commit(version), *history.post_release(version).values())
    for replayed in made:
        assert replayed.changed
        assert replayed.unexplained == ()


@pytest.mark.slow
def test_release_of_the_archive_is_made_again_from_a_parent_made_by_hand(
    upstream: Upstream, tmp_path: Path
) -> None:
    """The whole tree of the published archive, byte for byte, and its news, line for line."""
    history = History(small_history(upstream.source, tmp_path / "cpython"), tmp_path)
    replayed = history.release_commit(VERSION)
    assert set(replayed.changed) == {
        "Include/patchlevel.h", "README.rst", f"Misc/NEWS.d/{VERSION}.rst",
    }  # fmt: skip
    assert [found.path for found in replayed.differences] == [f"Misc/NEWS.d/{VERSION}.rst"]
    assert replayed.unexplained == ()
    clone = tmp_path / VERSION / "clone"
    blurb = Path(sys.executable).with_name("blurb")
    subprocess.run([blurb, "merge", "NEWS"], cwd=clone, check=True, capture_output=True)
    ours = (clone / "NEWS").read_text().partition("**(For information about older")[0]
    theirs = news_of((upstream.source / "Misc/NEWS").read_text())
    # upstream's blurb of June 2025 had the sections in another order
    assert sorted(ours[ours.index("What's New") :].split()) == sorted(theirs.split())


def test_reasons_excuse_what_they_say_and_nothing_else() -> None:
    title = "This is Python version 3.14.6{}\n=====\n\nText.\n"
    assert explained("README.rst", title.format("+"), title.format("")) != ()
    assert explained("README.rst", title.format("+"), title.format("") + "More.\n") == ()
    assert explained("README.rst", "a", "b") == ()
    entries = ".. section: Library\n\nA {}\n"
    assert explained("Misc/NEWS.d/3.13.6.rst", entries.format("x"), entries.format("y")) == ()
    assert explained(
        "Misc/NEWS.d/3.13.6.rst", entries.format("- x\n- y"), entries.format("- x - y")
    )
