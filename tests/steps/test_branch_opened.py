"""Tests of what follows a new branch: its builders, CI of both branches, and what came late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.release import ReleaseType
from plugins.model.secret import Secret
from plugins.ports.builders import Builder
from plugins.ports.github import Run
from plugins.rehearsal import github
from plugins.rehearsal.remotes import colleague_pushes
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.github import GitHub
from plugins.steps import branch_opened, day, ended_places, merge_back, tracker
from plugins.steps.pull_requests import branch_of
from tests.hub_world import QUIET, HubWorld, a_hub_world
from tests.progress import Heard, Quiet
from tests.schedule_world import Repository
from tests.served import served
from tests.source_world import FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.ports.github import Job
    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.conftest import Builds

NOW = datetime(2026, 5, 7, 12, 0, tzinfo=UTC)
BRANCHES = """\
def generate_branches():
    yield BranchInfo(
        '3.x',
        version_tuple=(3, 15),
        git_branch='main',
    )
    yield _maintenance_branch(3, 14)
    yield _maintenance_branch(3, 13)


def _maintenance_branch(major, minor, **kwargs):
    version_tuple = (major, minor)
"""
"""As python/buildmaster-config had it before 7e8da94, in short."""


def test_builders_are_asked_for_as_the_repository_does_it(a_release: Builds) -> None:
    release = a_release("3.15.0b1")
    repository = Repository({ended_places.BRANCHES: BRANCHES})
    assert branch_opened.look_builders(release, repository).state is RemoteState.ABSENT
    branch_opened.propose_builders(release, repository, Quiet())
    assert repository.titles == ["Add builders for the branch 3.15"]
    text = repository.branches["release-3.15.0b1"][ended_places.BRANCHES].decode()
    wanted = BRANCHES.replace("(3, 15)", "(3, 16)").replace(
        "    yield _maintenance_branch(3, 14)",
        "    yield _maintenance_branch(3, 15)\n    yield _maintenance_branch(3, 14)",
    )
    assert text == wanted
    assert branch_opened.look_builders(release, repository).state is RemoteState.IDENTICAL
    assert branch_opened.with_builders(wanted, "3.15") == wanted


def test_form_that_is_not_known_is_shown_and_not_edited(a_release: Builds) -> None:
    release = a_release("3.15.0b1")
    repository = Repository({ended_places.BRANCHES: BRANCHES.replace("(3, 15)", "(3, 17)")})
    probe = branch_opened.look_builders(release, repository)
    assert probe.state is RemoteState.DIFFERENT
    assert "does not list main as 3.15" in probe.problem


class Bots:
    """Builders by branch."""

    def __init__(self, *found: Builder) -> None:
        self.found = found

    def stable(self, branch: str) -> tuple[Builder, ...]:
        return tuple(each for each in self.found if branch in each.tags)


def a_builder(result: str) -> Builder:
    return Builder("AMD64 Debian 3.15", ("3.15", "stable"), "https://x", online=True, result=result)


def test_builders_are_waited_for_and_then_somebody_is_named(a_release: Builds) -> None:
    later, past = NOW + timedelta(days=3), NOW - timedelta(days=1)
    pulls = Repository({})
    pull = pulls.propose(branch_of(release := a_release("3.15.0b1")), {}, "", "")

    def wait(*builders: Builder, until: datetime = later) -> dict[str, str]:
        return branch_opened.await_builders(
            release, Bots(*builders), pulls, FixedClock(NOW), until=until
        )

    with pytest.raises(Waiting, match=r"there is no builder of 3\.15"):
        wait()
    with pytest.raises(Waiting, match=r"none of the 1 builder of 3\.15 has built it yet"):
        wait(a_builder(""))
    with pytest.raises(StepFailed, match="ask the administrators of the buildbots to merge"):
        wait(until=past)
    pulls.ends("closed")
    with pytest.raises(StepFailed, match=f"{pull.url}: .* was closed and not merged, and there is"):
        wait()
    with pytest.raises(StepFailed, match="buildbots to start a build"):
        wait(a_builder(""), until=past)
    pulls.ends("merged")
    with pytest.raises(StepFailed, match="buildbots to reconfigure; the pull request is merged"):
        wait(until=past)
    assert wait(a_builder("failure")) == {"builders": "1", "series": "3.15"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    github.seed(made, "3.15", ("main", "3.14", "3.15"))
    return made


@pytest.fixture
def upstream(store: Store, tmp_path: Path) -> Iterator[GitHub]:
    token = tmp_path / "token"
    token.write_text(store.load("github", {})["token"])
    token.chmod(0o600)
    with served(github.app(store)) as address:
        yield GitHub(address, "python/cpython", Secret(f"file:{token}"))


def test_first_backport_by_the_bot_shows_that_it_knows_the_branch(
    upstream: GitHub, a_release: Builds
) -> None:
    """A pull request into the branch by anybody else says nothing of the bot."""
    release, later = a_release("3.15.0b1"), NOW + timedelta(days=3)
    words = (release, upstream, FixedClock(NOW), Quiet())
    assert upstream.open_pulls("3.14")
    with pytest.raises(Waiting, match=r"it has not backported anything to 3\.15 yet") as caught:
        branch_opened.await_backports(*words, until=later)
    assert caught.value.who == "miss-islington"
    tracker.make_labels(release, upstream)
    facts = branch_opened.await_backports(*words, until=later)
    assert facts == {"backport": "https://github.com/python/cpython/pull/9002", "series": "3.15"}


def test_bot_that_backports_nothing_is_noted_after_three_days_and_holds_nothing_up(
    upstream: GitHub, store: Store, a_release: Builds
) -> None:
    release, heard = a_release("3.15.0b1"), Heard()
    tracker.make_labels(release, upstream)
    store.order_fault("github.no_backports", times=ALWAYS)
    until = day.deadline(NOW.date(), branch_opened.BOT_DAYS)
    with pytest.raises(Waiting, match="has not backported"):
        branch_opened.await_backports(release, upstream, FixedClock(until), heard, until=until)
    late = FixedClock(until + timedelta(seconds=1))
    facts = branch_opened.await_backports(release, upstream, late, heard, until=until)
    assert facts == {"backport": "none by 2026-05-11", "series": "3.15"}
    (note,) = heard.lines
    assert note.startswith("NOTE: no backport to 3.15 by miss-islington until 2026-05-11; ")
    assert note.endswith("tell https://github.com/python/core-workflow/issues")


class Checks:
    """One conclusion for each commit; the run is there from the first look on."""

    def __init__(self, conclusion: str) -> None:
        self.conclusion = conclusion

    def runs_of(self, workflow: str, commit: str) -> tuple[Run, ...]:
        return (Run(1, workflow, commit, self.conclusion, f"https://x/{commit[:6]}"),)

    def check_runs(self, commit: str) -> tuple[Job, ...]:
        del commit
        return ()


@pytest.fixture(scope="module")
def key(keyring: GnupgHome) -> str:
    return keyring.key("opener")


@pytest.fixture
def hub(tmp_path: Path, keyring: GnupgHome, key: str) -> HubWorld:
    """The first beta is tagged, a colleague's commit came to main, and the merge is made."""
    made = a_hub_world(tmp_path, keyring, key, "3.15.0b1", "3.15.0a7", None)
    assert made.release.type is ReleaseType.NEW_BRANCH
    colleague_pushes(made.world.folder / "upstream.git", "main")
    merge_back.make(
        made.release, made.world.clone, made.merge_clone, made.world.base, made.upstream, QUIET
    )
    return made


def test_ci_of_both_branches_has_to_pass(hub: HubWorld) -> None:
    clock, later = FixedClock(NOW), NOW + timedelta(days=3)
    given = (hub.release, hub.merge_clone)
    with pytest.raises(Waiting, match="CI of main has not passed yet"):
        branch_opened.await_runs(*given, Checks(""), clock, until=later)
    with pytest.raises(StepFailed, match="CI of main ended with failure"):
        branch_opened.await_runs(*given, Checks("failure"), clock, until=later)
    with pytest.raises(StepFailed, match="it was due on"):
        branch_opened.await_runs(*given, Checks(""), clock, until=NOW - timedelta(days=1))
    facts = branch_opened.await_runs(*given, Checks("success"), clock, until=later)
    assert set(facts) == {"main", "3.15"}


def test_what_came_to_main_after_the_tag_is_listed(hub: HubWorld) -> None:
    hub.release.layout.made.mkdir(parents=True, exist_ok=True)
    facts = branch_opened.write_late(hub.release, hub.merge_clone)
    assert facts["commits"] == "1"
    text = hub.release.layout.merged_late.read_text()
    assert "gh-300001: Thank a colleague" in text
    assert "The branch 3.15 has all of these." in text
