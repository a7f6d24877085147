"""Tests of the judgement on the RM's clone: passes, blocks, and cannot look."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from checks import clone_state
from doit_receipts.finding import Finding, Severity
from plugins.steps import release_clone
from tests.source_world import World, a_release, a_world, git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL: dict[str, Callable[[World], tuple[Finding, ...]]] = {
    "branch": lambda world: clone_state.base_leads_to_version(world.release, world.base),
    "next": lambda world: clone_state.version_is_next(world.release, world.base),
    "tag": lambda world: clone_state.tag_is_free(world.release, world.base, world.clone),
    "age": lambda world: clone_state.base_is_recent(
        world.release, world.base, world.clock, stale_days=30
    ),
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A toy that no test changes."""
    return a_world(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def releasing(world: World, version: str) -> World:
    return replace(world, release=a_release(world.folder / "build", version))


@pytest.mark.parametrize("check", ALL)
def test_good_clone_passes(shared: World, check: str) -> None:
    assert ALL[check](shared) == ()


@pytest.mark.parametrize("check", ALL)
@pytest.mark.parametrize("damage", ["missing", "plain folder", "empty repository"])
def test_clone_that_cannot_be_read_blocks(
    shared: World, tmp_path: Path, check: str, damage: str
) -> None:
    broken = replace(shared, folder=tmp_path)
    if damage != "missing":
        broken.cpython.mkdir()
    if damage == "empty repository":
        git(broken.cpython, "init", "-q")
    found = ALL[check](broken)
    if damage == "empty repository" and check in ("next", "tag"):
        # there is no tag at all: free, and nothing to come next to
        assert [each.rule for each in found] in ([], ["version.not_next"])
        return
    (finding,) = found
    assert finding.severity is Severity.BLOCK
    assert finding.rule == "clone.unreadable"
    assert finding.remedy


# ── branch ──────────────────────────────────────────────────────────────────────────────────


def test_branch_of_another_series_blocks(shared: World) -> None:
    (finding,) = ALL["branch"](replace(shared, wanted="main"))
    assert finding.rule == "clone.branch"
    assert "3.14" in finding.message


@pytest.mark.parametrize("version", ["3.13.5", "3.13.4", "3.13.0rc1"])
def test_base_that_is_not_before_the_version_blocks(shared: World, version: str) -> None:
    world = replace(releasing(shared, version), wanted="3.13")
    assert [each.rule for each in ALL["branch"](world)] == ["clone.branch"]


def test_base_without_a_header_blocks(world: World) -> None:
    world.commit({"Include/patchlevel.h": None})
    (finding,) = ALL["branch"](world)
    assert (finding.rule, finding.severity) == ("clone.branch", Severity.BLOCK)


def test_header_that_tells_two_versions_blocks(world: World) -> None:
    text = world.base.text(world.base.commit(), "Include/patchlevel.h") or ""
    world.commit({"Include/patchlevel.h": text.replace('"3.13.5+"', '"3.13.7+"')})
    (finding,) = ALL["branch"](world)
    assert finding.rule == "clone.unreadable"
    assert "3.13.7" in finding.message


# ── next ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("version", "passes"),
    [
        ("3.13.6", True),
        ("3.13.6rc1", True),
        ("3.13.7", False),
        ("3.13.6rc2", False),
        ("3.13.3", False),
        ("3.12.1", False),
        ("3.15.0a1", True),
        ("3.15.0a2", False),
    ],
)
def test_version_has_to_come_after_the_newest_tag_of_its_series(
    shared: World, version: str, *, passes: bool
) -> None:
    """Source: R02; nobody checked it, and numbers were skipped."""
    found = ALL["next"](releasing(shared, version))
    assert [each.rule for each in found] == ([] if passes else ["version.not_next"])


def test_skipped_version_is_told_what_comes_next(shared: World) -> None:
    (finding,) = ALL["next"](releasing(shared, "3.13.8"))
    assert "v3.13.5" in finding.message
    assert "3.13.6" in finding.remedy


def test_own_tag_does_not_count_as_the_newest(world: World) -> None:
    git(world.cpython, "tag", "v3.13.6", "HEAD")
    assert ALL["next"](world) == ()


def test_clone_without_tags_blocks_with_what_fetches_them(world: World) -> None:
    git(world.cpython, "tag", "-d", "v3.13.4", "v3.13.5")
    (finding,) = ALL["next"](world)
    assert finding.severity is Severity.BLOCK
    assert "fetch --tags" in finding.remedy


# ── tag ─────────────────────────────────────────────────────────────────────────────────────


def make_release(world: World) -> str:
    world.make()
    return release_clone.commit(world.release, world.clone, world.base, world.clock, after="base")[
        "commit"
    ]


def test_tag_on_another_commit_blocks(world: World) -> None:
    git(world.cpython, "tag", "-m", "x", "v3.13.6", "v3.13.4^{commit}")
    (finding,) = ALL["tag"](world)
    assert (finding.rule, finding.severity) == ("tag.exists", Severity.BLOCK)
    make_release(world)
    (finding,) = ALL["tag"](world)
    assert world.clone.resolve("refs/release/commit")[:12] in finding.message


def test_tag_on_the_release_commit_passes(world: World) -> None:
    commit = make_release(world)
    git(world.cpython, "fetch", "-q", str(world.clone.folder), "refs/release/commit")
    git(world.cpython, "tag", "-m", "Python 3.13.6", "v3.13.6", commit)
    assert ALL["tag"](world) == ()


# ── age ─────────────────────────────────────────────────────────────────────────────────────


def test_base_that_is_held_is_of_any_age(shared: World) -> None:
    """No fetch moves it, so none is told."""
    later = replace(shared.clock, time=shared.clock.time + timedelta(days=40))
    assert ALL["age"](replace(shared, clock=later, public=shared.base.commit())) == ()


def test_old_base_is_warned_of(shared: World) -> None:
    old = replace(shared, clock=replace(shared.clock, time=shared.clock.time + timedelta(days=40)))
    (finding,) = ALL["age"](old)
    assert (finding.rule, finding.severity) == ("clone.stale", Severity.WARN)
    assert re.search(r"is \d+ days old; is there more to release\?$", finding.message)
    assert (
        finding.remedy
        == f"git -C {shared.base.folder} fetch --all, then run the same command again; "
        "if nothing is new, nothing is wrong"
    )


def test_base_of_the_future_blocks(shared: World) -> None:
    early = replace(
        shared, clock=replace(shared.clock, time=shared.clock.time - timedelta(days=99))
    )
    (finding,) = ALL["age"](early)
    assert (finding.rule, finding.severity) == ("clone.future", Severity.BLOCK)
