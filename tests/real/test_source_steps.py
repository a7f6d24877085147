"""Tests of the source steps on the real CPython 3.13.5, released as 3.13.6."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

import pytest

from checks import clone_state, magic_number, source_tree
from checks import news as news_checks
from plugins.model.patchlevel import Patchlevel, read_patchlevel
from plugins.model.tree_rules import NOTICES
from plugins.model.version import Version
from plugins.services.git_base import GitBase
from plugins.steps import configure, news, release_clone, version_files
from tests.progress import Quiet
from tests.real.tree import make_real_clone
from tests.source_world import DAY, NOON, FixedClock, World, a_release

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.real


class Upstream(Protocol):
    @property
    def source(self) -> Path: ...


@pytest.fixture(scope="module")
def world(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> World:
    """All edits and the release commit, made once; the tests look at them."""
    folder = tmp_path_factory.mktemp("real")
    make_real_clone(folder, upstream.source)
    made = World(folder, a_release(folder / "build"))
    clone, release, base = made.clone, made.release, base_of(made)
    release_clone.make(clone, base, Quiet())
    news.merge(release, clone, made.programs, date=DAY)
    version_files.bump(release, clone, after="news")
    version_files.readme(release, clone, after="bump")
    version_files.mark_next(release, clone, after="readme")
    version_files.copyright_years(release, clone, base, date=DAY, after="mark_next")
    version_files.whatsnew_date(release, clone, date=date(2024, 10, 7), after="years")
    version_files.source_uri(release, clone, after="whatsnew")
    release_clone.commit(release, clone, base, FixedClock(), after="source_uri")
    return made


def base_of(world: World) -> GitBase:
    return GitBase(
        world.cpython, world.programs, branch="3.13", upstream=str(world.folder / "fork.git")
    )


def test_release_commit_changes_what_a_release_changes(world: World) -> None:
    changed = set(world.clone.difference("refs/release/base", "refs/release/commit"))
    fragments = {name for name in changed if name.startswith("Misc/NEWS.d/next/")}
    assert changed - fragments == {"Include/patchlevel.h", "Misc/NEWS.d/3.13.6.rst", *NOTICES}
    assert len(fragments) == 3


def test_real_files_tell_version_and_year(world: World) -> None:
    header = read_patchlevel(world.text("Include/patchlevel.h", "commit"))
    assert header == Patchlevel(Version.parse("3.13.6"), "")
    assert world.text("README.rst", "commit").startswith("This is Python version 3.13.6\n====")
    for name in NOTICES:
        assert f"2001-{NOON.year} Python Software Foundation" in world.text(name, "commit")


def test_real_whatsnew_tells_its_day_already(world: World) -> None:
    assert world.clone.difference("refs/release/years", "refs/release/whatsnew") == ()


def test_real_tree_passes_its_checks(world: World) -> None:
    release, clone = world.release, world.clone
    clone.checkout("refs/release/commit")
    found = [
        *clone_state.base_leads_to_version(release, base_of(world)),
        *clone_state.version_is_next(release, base_of(world)),
        *magic_number.magic_numbers_agree(release, clone, after="commit"),
        *source_tree.versions_agree(release, clone, after="commit"),
        *source_tree.next_markers_are_gone(release, clone, after="commit"),
        *source_tree.tree_is_clean(release, clone, after="commit"),
        *source_tree.only_release_files_changed(release, clone, after="commit"),
        *source_tree.autoconf_is_the_agreed_one(release, clone, after="commit"),
        *source_tree.notices_are_current(release, clone, date=DAY, after="commit"),
        *news_checks.news_tells_something(release, clone, after="commit"),
        *news_checks.news_says_what_was_written(release, clone, after="commit"),
    ]
    assert found == []


def test_real_markers_of_the_next_version_are_replaced(world: World) -> None:
    clone = world.clone
    clone.checkout("refs/release/base")
    file = clone.folder / "Doc/library/json.rst"
    before = file.read_text()
    file.write_text(before.replace(".. versionadded:: 3.5", ".. versionadded:: next"))
    clone.record("with_next", clone.resolve("refs/release/base"), "Use next")
    facts = version_files.mark_next(world.release, clone, after="with_next", step="without_next")
    assert facts["markers"] == str(before.count(".. versionadded:: 3.5\n"))
    text = world.text("Doc/library/json.rst", "without_next")
    assert text == before.replace(".. versionadded:: 3.5", ".. versionadded:: 3.13.6")


@pytest.mark.slow
def test_real_configure_is_compared_with_what_autoconf_makes(world: World) -> None:
    if configure.autoconf_of("2.71", world.programs) is None:
        pytest.skip("no autoconf 2.71 here")
    facts = configure.regenerate(
        world.release, world.clone, world.programs, Quiet(), after="commit"
    )
    assert facts["made with"] == "2.71"
    assert facts["skipped"] == ""
    shown = (world.release.layout.made / configure.DIFFERENCES).read_text()
    assert (facts["differs"] == "no") == (shown == "")
