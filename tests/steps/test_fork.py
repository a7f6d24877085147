"""Tests of the push to the fork: real git, a fork with hooks that tell of each push."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.rehearsal.remotes import take_tag
from plugins.steps import fork
from tests.hub_world import QUIET, HubWorld, a_hub_world
from tests.source_world import git

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome


@pytest.fixture(scope="module")
def key(keyring: GnupgHome) -> str:
    return keyring.key("forker")


@pytest.fixture
def hub(tmp_path: Path, keyring: GnupgHome, key: str) -> HubWorld:
    return a_hub_world(tmp_path, keyring, key)


def look(hub: HubWorld) -> RemoteState:
    return fork.look_pushed(hub.release, hub.world.clone, hub.fork).state


def push(hub: HubWorld) -> dict[str, str]:
    return fork.push(hub.release, hub.world.clone, hub.fork, QUIET)


def test_fork_gets_exactly_the_branch_and_the_tag(hub: HubWorld) -> None:
    git(hub.world.clone.folder, "tag", "private-note")
    before = git(hub.world.folder / "fork.git", "for-each-ref", "--format=%(refname)").split()
    assert look(hub) is RemoteState.ABSENT
    facts = push(hub)
    after = git(hub.world.folder / "fork.git", "for-each-ref", "--format=%(refname)").split()
    assert set(after) - set(before) == {"refs/heads/branch-v3.13.6", "refs/tags/v3.13.6"}
    probe = fork.look_pushed(hub.release, hub.world.clone, hub.fork)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert facts["commit"] == hub.world.clone.resolve("refs/release/commit")


def test_second_push_changes_nothing(hub: HubWorld) -> None:
    assert push(hub) == push(hub)
    assert len(hub.pushes("fork")) == 1


def test_missing_half_is_pushed(hub: HubWorld) -> None:
    facts = push(hub)
    git(hub.world.folder / "fork.git", "update-ref", "-d", "refs/tags/v3.13.6")
    assert look(hub) is RemoteState.ABSENT
    assert push(hub) == facts
    assert look(hub) is RemoteState.IDENTICAL


def test_other_tag_on_the_fork_is_shown_with_both_sides(hub: HubWorld) -> None:
    theirs = take_tag(hub.world.folder / "fork.git", "v3.13.6", "3.13")
    probe = fork.look_pushed(hub.release, hub.world.clone, hub.fork)
    assert probe.state is RemoteState.DIFFERENT
    assert probe.details[0] == f"found  {theirs}"
    command = probe.remedy.partition("delete it: ")[2].split()
    assert command[-2:] == ["--delete", "refs/tags/v3.13.6"]
    git(hub.world.clone.folder, *command[1:])
    assert look(hub) is RemoteState.ABSENT
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL


def test_refused_push_says_why_and_leaves_nothing(hub: HubWorld) -> None:
    hub.store.order_fault("fork.refuses")
    with pytest.raises(ServiceFailed, match=r"nothing was pushed: GH013: Repository rule") as told:
        push(hub)
    assert str(hub.world.folder / "fork.git") in str(told.value)
    assert look(hub) is RemoteState.ABSENT
    push(hub)
    assert look(hub) is RemoteState.IDENTICAL


def test_branch_is_deleted_only_while_it_is_the_release(hub: HubWorld) -> None:
    push(hub)
    assert fork.look_deleted(hub.release, hub.fork).state is RemoteState.ABSENT
    head = git(hub.world.folder / "fork.git", "rev-parse", "3.13")
    git(hub.world.folder / "fork.git", "update-ref", "refs/heads/branch-v3.13.6", head)
    with pytest.raises(StepFailed, match="see what was pushed to it"):
        fork.delete(hub.release, hub.world.clone, hub.fork)
    git(hub.world.folder / "fork.git", "update-ref", "-d", "refs/heads/branch-v3.13.6")
    assert fork.look_deleted(hub.release, hub.fork).state is RemoteState.IDENTICAL
    commit = hub.world.clone.resolve("refs/release/commit")
    git(hub.world.folder / "fork.git", "update-ref", "refs/heads/branch-v3.13.6", commit)
    facts = fork.delete(hub.release, hub.world.clone, hub.fork)
    probe = fork.look_deleted(hub.release, hub.fork)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert hub.fork.refs("refs/tags/v3.13.6")["refs/tags/v3.13.6"]


def test_review_shows_all_that_the_release_changes(hub: HubWorld) -> None:
    facts = fork.review(hub.release, hub.world.clone)
    text = (hub.release.layout.made / fork.DIFF).read_text()
    assert '+#define PY_VERSION              "3.13.6"' in text or '"3.13.6"' in text
    assert int(facts["files"]) == text.count("\ndiff --git") + 1
    assert fork.review(hub.release, hub.world.clone) == facts
