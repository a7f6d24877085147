"""Tests of the end of a branch: real git, a tag that is there before the branch goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.release import ReleaseType
from plugins.model.schedule import Schedule, Stage
from plugins.model.version import Version
from plugins.rehearsal.remotes import colleague_pushes
from plugins.services.git_remote import GitRemote
from plugins.steps import branch_end, tag
from tests.progress import Quiet
from tests.source_world import DAY, World, a_world, git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from plugins.model.release import Release
    from plugins.model.schedule import CycleEntry


class Told:
    """The Schedules port: 3.13.5 is the last release."""

    def branch(self, series: str) -> CycleEntry | None:
        raise NotImplementedError(series)

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        last = Version.parse("3.13.5")
        return Schedule({}, {"3.13": (Stage(last, "3.13.5", actual=True, day=DAY),)})


class Unprotected:
    """The Protection port of a repository without rules."""

    def rules(self, branch: str) -> dict[str, Any] | None:
        assert branch
        return None

    def enforce_admins(self, branch: str, *, on: bool) -> None:
        raise NotImplementedError(branch, on)

    def protect(self, branch: str, rules: Mapping[str, Any]) -> None:
        raise NotImplementedError(branch, rules)


@dataclass
class Ending:
    """A branch that is about to become a tag."""

    world: World
    release: Release
    upstream: GitRemote

    def find(self) -> str:
        world = self.world
        facts = branch_end.find_head(self.release, world.clone, world.base, self.upstream, Told())
        return facts["head"]

    def make_tag(self) -> str:
        world = self.world
        made = tag.make(
            self.release, world.clone, world.base, None, world.clock, after=branch_end.HEAD,
            remotes={"upstream": self.upstream}, named=branch_end.named(self.release),
        )  # fmt: skip
        return made["tag"]

    def push(self, made: str, head: str) -> None:
        clone = self.world.clone
        branch_end.push_tag(self.release, clone, self.upstream, Quiet(), tag=made, head=head)

    def delete(self, made: str, head: str) -> None:
        branch_end.delete(
            self.release, self.world.clone, self.upstream, Unprotected(), Quiet(), tag=made,
            head=head,
        )  # fmt: skip

    def look(self, made: str, head: str) -> RemoteState:
        return branch_end.look_deleted(self.release, self.upstream, made, head).state


@pytest.fixture
def ending(tmp_path: Path) -> Ending:
    world = a_world(tmp_path)
    # a series without OpenPGP: what is signed is tried by the rehearsals
    series = replace(world.release.series, signs_with_gpg=False)
    version = Version.parse("3.13.0")
    release = replace(world.release, type=ReleaseType.END_OF_LIFE, series=series, version=version)
    return Ending(world, release, GitRemote(str(tmp_path / "upstream.git"), world.programs))


def test_branch_becomes_a_tag_of_its_name_on_its_last_commit(ending: Ending) -> None:
    upstream = ending.world.folder / "upstream.git"
    wanted = git(upstream, "rev-parse", "refs/heads/3.13")
    head = ending.find()
    made = ending.make_tag()
    assert head == wanted
    assert branch_end.look_tagged(ending.release, ending.upstream, made).state is (
        RemoteState.ABSENT
    )
    ending.push(made, head)
    assert branch_end.look_tagged(ending.release, ending.upstream, made).state is (
        RemoteState.IDENTICAL
    )
    assert ending.look(made, head) is RemoteState.ABSENT
    ending.delete(made, head)
    assert ending.look(made, head) is RemoteState.IDENTICAL
    assert git(upstream, "rev-parse", "refs/tags/3.13^{commit}") == wanted
    assert not git(upstream, "for-each-ref", "refs/heads/3.13")


def test_what_no_release_has_is_listed(ending: Ending) -> None:
    ending.find()
    listed = (ending.release.layout.made / branch_end.UNRELEASED).read_text().splitlines()
    assert listed[0] == "# 5 commits of 3.13 after v3.13.5"
    assert len([each for each in listed if each.startswith("- ")]) == 5


def test_commits_that_come_before_the_tag_is_pushed_are_approved_first(ending: Ending) -> None:
    head = ending.find()
    made = ending.make_tag()
    ending.world.commit({"Misc/ACKS": "A. Colleague\n"})
    with pytest.raises(StepFailed, match="has moved since its head was found"):
        ending.push(made, head)
    assert ending.world.clone.resolve(f"refs/release/{branch_end.HEAD}") == ""
    again = ending.find()
    assert again != head
    ending.push(ending.make_tag(), again)


def test_commits_that_come_after_the_tag_keep_the_branch(ending: Ending) -> None:
    head = ending.find()
    made = ending.make_tag()
    ending.push(made, head)
    colleague_pushes(ending.world.folder / "upstream.git", "3.13")
    found = branch_end.look_deleted(ending.release, ending.upstream, made, head)
    assert found.state is RemoteState.DIFFERENT
    assert "3.13 has commits that the tag 3.13 does not name" in found.problem
    assert "taken back before this one goes" in found.remedy
    git(ending.world.folder / "upstream.git", "update-ref", "refs/heads/3.13", head)
    ending.delete(made, head)
    assert ending.look(made, head) is RemoteState.IDENTICAL


def test_without_its_tag_no_branch_is_deleted(ending: Ending) -> None:
    head = ending.find()
    made = ending.make_tag()
    assert ending.look(made, head) is RemoteState.DIFFERENT
    with pytest.raises(StepFailed, match=r"does not have the tag 3\.13 that was pushed"):
        ending.delete(made, head)
    assert git(ending.world.folder / "upstream.git", "for-each-ref", "refs/heads/3.13")
    ending.push(made, head)
    assert ending.look(made, head) is RemoteState.ABSENT
    ending.delete(made, head)
    assert ending.look(made, head) is RemoteState.IDENTICAL


def test_a_tag_of_somebody_else_is_left_to_a_person(ending: Ending) -> None:
    head = ending.find()
    made = ending.make_tag()
    git(ending.world.folder / "upstream.git", "update-ref", "refs/tags/3.13", head)
    found = branch_end.look_tagged(ending.release, ending.upstream, made)
    assert found.state is RemoteState.DIFFERENT
    assert "find out who made it; if it is right, run doit adopt" in found.remedy
    assert found.facts == {"tag": head}
    git(ending.world.folder / "upstream.git", "update-ref", "-d", "refs/tags/3.13")
    ending.push(made, head)


def test_branch_that_is_gone_is_found_once_it_is_back(ending: Ending) -> None:
    upstream = ending.world.folder / "upstream.git"
    head = git(upstream, "rev-parse", "refs/heads/3.13")
    git(upstream, "update-ref", "refs/keep", head)
    git(upstream, "update-ref", "-d", "refs/heads/3.13")
    with pytest.raises(StepFailed, match="if it is right, find out who deleted it"):
        ending.find()
    git(upstream, "update-ref", "refs/heads/3.13", head)
    assert ending.find() == head


def test_series_without_a_release_is_another_one_in_release_toml(ending: Ending) -> None:
    other = replace(ending.release, version=Version.parse("3.12.0"))
    with pytest.raises(StepFailed, match=r"no release of 3\.12; check version in release\.toml"):
        replace(ending, release=other).find()
    assert ending.find()


def test_branch_that_lacks_its_last_release_is_no_end(ending: Ending) -> None:
    upstream = ending.world.folder / "upstream.git"
    head = git(upstream, "rev-parse", "refs/heads/3.13")
    git(upstream, "update-ref", "refs/heads/3.13", "refs/tags/v3.13.5^{commit}~2")
    with pytest.raises(StepFailed, match=r"does not contain v3\.13\.5.*merge v3\.13\.5 into 3\.13"):
        ending.find()
    git(upstream, "update-ref", "refs/heads/3.13", head)
    assert ending.find() == head
