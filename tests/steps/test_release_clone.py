"""Tests of the release clone's first and last commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import SettingsError, StepFailed
from plugins.steps import release_clone
from tests.progress import Quiet
from tests.source_world import World, a_world, git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def make(world: World, *picks: str) -> dict[str, str]:
    return release_clone.make(world.clone, world.base, Quiet(), cherry_picks=picks)


def edit(world: World, text: str = "edited\n") -> str:
    clone = world.clone
    base = clone.resolve("refs/release/base")
    clone.checkout(base)
    (clone.folder / "README.rst").write_text(text)
    return clone.record("edit", base, "Edit")


def commit(world: World) -> dict[str, str]:
    return release_clone.commit(world.release, world.clone, world.base, world.clock, after="edit")


# ── first ───────────────────────────────────────────────────────────────────────────────────


def test_edits_start_from_the_base_commit(world: World) -> None:
    facts = make(world)
    assert facts == {"base": world.base.commit(), "commit": world.base.commit()}
    assert release_clone.base_of(world.base) == facts["base"]
    ref = world.release.layout.clone_ref("base")
    assert ref.read_text() == f"{facts['base']}\n"
    assert world.clone.unrecorded() == ()


def test_moved_branch_moves_the_base(world: World) -> None:
    make(world)
    later = world.commit({"Lib/spam.py": "later\n"})
    assert make(world)["commit"] == later


def test_candidate_is_made_from_the_last_one_with_picks_on_top(tmp_path: Path) -> None:
    """Source: PEP 101, a subset of the changes since the last candidate (Q11-Q13)."""
    world = replace(a_world(tmp_path, "3.14.0rc2", "3.14.0rc1"), wanted="v3.14.0rc1")
    picks = (
        world.commit({"Lib/spam.py": "fixed\n"}, "First"),
        world.commit({"Lib/spam.py": "fixed again\n"}, "Second"),
    )
    facts = make(world, *picks)
    tagged = git(world.cpython, "rev-parse", "v3.14.0rc1^{commit}")
    assert facts["base"] == tagged
    assert facts["pick 1"].split()[0] == picks[0]
    assert facts["pick 2"] == f"{picks[1]} {facts['commit']}"
    folder = world.clone.folder
    assert git(folder, "log", "--format=%s", f"{tagged}..refs/release/base") == "Second\nFirst"
    assert git(folder, "log", "--format=%an", "-1", "refs/release/base") == "A Colleague"
    assert make(world, *picks) == facts


def test_conflicting_pick_leaves_a_clone_that_can_be_made_again(tmp_path: Path) -> None:
    world = replace(a_world(tmp_path, "3.14.0rc2", "3.14.0rc1"), wanted="v3.14.0rc1")
    first = world.commit({"Lib/spam.py": "fixed\n"}, "First")
    second = world.commit({"Lib/spam.py": "fixed again\n"}, "Second")
    with pytest.raises(StepFailed, match=r"Second.*conflicts in Lib/spam\.py"):
        make(world, second)
    assert make(world, first, second)["commit"]


def test_base_that_is_not_there_leaves_nothing(world: World) -> None:
    with pytest.raises(SettingsError):
        make(replace(world, wanted="v9.9.9"))
    assert not world.clone.folder.exists()


# ── last ────────────────────────────────────────────────────────────────────────────────────


def test_release_is_one_commit_by_the_rm_on_top_of_the_base(world: World) -> None:
    made = make(world)
    edited = edit(world)
    facts = commit(world)
    folder = world.clone.folder
    assert facts["parent"] == made["commit"]
    assert git(folder, "log", "-2", "--format=%H", "refs/release/commit").splitlines() == [
        facts["commit"],
        made["commit"],
    ]
    shown = git(folder, "log", "-1", "--format=%an %ae|%cn|%cI|%s|%b", facts["commit"])
    assert shown == (
        "Release Manager rm@example.org|Release Manager|2026-11-22T12:00:00+00:00|Python 3.13.6|"
    )
    assert world.clone.difference(edited, facts["commit"]) == ()
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "rev-parse", "HEAD") == facts["commit"]


def test_same_release_made_later_keeps_its_commit(world: World) -> None:
    make(world)
    edit(world)
    first = commit(world)
    world.clock.time += timedelta(hours=5)
    assert commit(world) == first


def test_commit_is_found_by_its_tag_when_its_own_ref_is_lost(world: World) -> None:
    make(world)
    edit(world)
    first = commit(world)
    git(world.clone.folder, "tag", "-m", "Python 3.13.6", "v3.13.6", first["commit"])
    world.release.layout.clone_ref("commit").unlink()
    world.clock.time += timedelta(hours=5)
    assert commit(world) == first


def test_other_edits_make_another_commit(world: World) -> None:
    make(world)
    edit(world)
    first = commit(world)
    edit(world, "otherwise\n")
    assert commit(world)["commit"] != first["commit"]


def test_moved_base_makes_another_commit(world: World) -> None:
    make(world)
    edit(world)
    first = commit(world)
    later = world.commit({"Lib/spam.py": "later\n"})
    make(world)
    edit(world)
    again = commit(world)
    assert again["parent"] == later
    assert again["commit"] != first["commit"]


def test_clock_behind_the_base_is_refused(world: World) -> None:
    """Every member of the archives carries the commit's time."""
    make(world)
    edit(world)
    world.clock.time -= timedelta(days=400)
    with pytest.raises(StepFailed, match="in the future"):
        commit(world)


def test_missing_edit_is_told(world: World) -> None:
    make(world)
    with pytest.raises(StepFailed, match="refs/release/edit does not exist"):
        commit(world)
