"""Tests of the judgement on the base: upstream's head at that moment, and whose name it gets."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from checks.base import base_is_upstreams_head, identity_is_known
from doit_receipts.finding import Finding, Severity
from plugins.services.git_history import GitHistory
from plugins.services.git_remote import GitRemote
from tests.source_world import World, a_world, git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def judge(world: World) -> tuple[Finding, ...]:
    upstream = GitRemote(str(world.folder / "upstream.git"), world.programs)
    room = world.release.layout.work / "verify" / "upstream"
    history = GitHistory(room, upstream, world.cpython, world.programs)
    return base_is_upstreams_head(world.release, world.base, history, world.wanted)


def without_fetching(world: World, subject: str) -> str:
    """A colleague's commit that upstream has and the RM's clone has not."""
    before = git(world.cpython, "rev-parse", "upstream/3.13")
    commit = world.commit({"Lib/spam.py": f"{subject}\n"}, subject)
    git(world.cpython, "update-ref", "refs/remotes/upstream/3.13", before)
    return commit


def test_head_of_upstream_passes_and_fetches_nothing(world: World) -> None:
    assert judge(world) == ()
    assert not (world.release.layout.work / "verify").exists()


def test_commits_that_are_left_out_are_counted_and_named(world: World) -> None:
    without_fetching(world, "gh-1: Mend spam")
    git(world.cpython, "gc", "-q", "--prune=now")
    (finding,) = judge(world)
    assert (finding.rule, finding.severity) == ("base.is_upstreams_head", Severity.BLOCK)
    assert "1 commit left out" in finding.message
    assert "gh-1: Mend spam" in finding.message
    git(world.cpython, *finding.remedy.partition(", then")[0].split()[3:])
    assert judge(world) == ()


def test_rms_clone_is_not_fetched_into(world: World) -> None:
    without_fetching(world, "gh-1: Mend spam")
    before = git(world.cpython, "for-each-ref")
    assert judge(world)
    assert git(world.cpython, "for-each-ref") == before


def test_commits_that_only_the_rms_clone_has_block(world: World) -> None:
    git(world.cpython, "commit", "-q", "--allow-empty", "-m", "Not reviewed by anybody")
    git(world.cpython, "update-ref", "refs/remotes/upstream/3.13", "HEAD")
    (finding,) = judge(world)
    assert (finding.rule, finding.severity) == ("base.only_here", Severity.BLOCK)
    assert "1 commit that only your clone has" in finding.message
    assert "Not reviewed by anybody" in finding.message


def test_branches_that_went_two_ways_are_told_both_ways(world: World) -> None:
    without_fetching(world, "gh-1: Mend spam")
    git(world.cpython, "commit", "-q", "--allow-empty", "-m", "Not reviewed by anybody")
    git(world.cpython, "update-ref", "refs/remotes/upstream/3.13", "HEAD")
    assert [each.rule for each in judge(world)] == ["base.is_upstreams_head", "base.only_here"]


def test_tag_that_was_chosen_as_the_base_leaves_commits_out_on_purpose(world: World) -> None:
    """A final is made from its candidate and some cherry-picks."""
    (finding,) = judge(replace(world, wanted="v3.13.5"))
    assert (finding.rule, finding.severity) == ("base.is_upstreams_head", Severity.WARN)
    assert "commits left out" in finding.message


@pytest.mark.parametrize("wanted", ["", "3.13"])
def test_base_of_a_release_whose_tag_the_fork_has_stays_and_the_setting_for_another_is_named(
    world: World, wanted: str
) -> None:
    """Whoever fetches as an unpinned base is told to is told the same ever after."""
    world = replace(world, wanted=wanted)
    world.public = world.base.commit()
    head = without_fetching(world, "gh-1: Mend spam")
    (finding,) = judge(world)
    assert (finding.rule, finding.severity) == ("base.is_upstreams_head", Severity.WARN)
    assert "1 commit left out" in finding.message
    told = re.search(r'fetch upstream, write base = "([0-9a-f]{40})"', finding.remedy)
    assert told, finding.remedy
    git(world.cpython, "fetch", "-q", "upstream")
    assert judge(world) == (finding,)
    assert told[1] == head == replace(world, wanted=told[1]).base.commit()
    assert judge(replace(world, wanted=told[1])) == ()


def test_commits_of_the_release_itself_are_not_told_as_left_out(world: World) -> None:
    """Nor is anything else once upstream has its tag: it is too late for them."""
    world.public = world.base.commit()
    world.commit({"Lib/spam.py": "later\n"}, "Python 3.13.6")
    git(world.cpython, "push", "-q", "upstream", "upstream/3.13:refs/tags/v3.13.6")
    assert judge(world) == ()
    world.public = ""
    git(world.cpython, "update-ref", "refs/remotes/upstream/3.13", "v3.13.5^{commit}")
    assert [each.severity for each in judge(world)] == [Severity.BLOCK]


def test_upstream_without_the_branch_blocks(world: World) -> None:
    git(world.folder / "upstream.git", "update-ref", "-d", "refs/heads/3.13")
    (finding,) = judge(world)
    assert finding.message == "upstream has no branch 3.13"


def test_upstream_that_does_not_answer_blocks(world: World) -> None:
    shutil.rmtree(world.folder / "upstream.git")
    (finding,) = judge(world)
    assert (finding.rule, finding.severity) == ("base.is_upstreams_head", Severity.BLOCK)


def test_worktree_lends_its_objects_as_well(world: World) -> None:
    without_fetching(world, "gh-1: Mend spam")
    tree = world.folder / "tree"
    git(world.cpython, "worktree", "add", "-q", "--detach", str(tree), "upstream/3.13")
    history = GitHistory(
        world.folder / "own",
        GitRemote(str(world.folder / "upstream.git"), world.programs),
        tree,
        world.programs,
    )
    history.bring({"refs/heads/3.13": "refs/upstream/3.13"})
    alternates = (world.folder / "own/.git/objects/info/alternates").read_text().strip()
    assert alternates == str((world.cpython / ".git/objects").resolve())


# ── whose name ──────────────────────────────────────────────────────────────────────────────


def test_identity_is_looked_for_before_anything_is_made(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert identity_is_known(world.release, world.base) == ()
    git(world.cpython, "config", "--remove-section", "user")
    (finding,) = identity_is_known(world.release, world.base)
    assert (finding.rule, finding.severity) == ("clone.identity", Severity.BLOCK)
    assert "user.name" in finding.remedy
