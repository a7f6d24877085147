"""Tests of the tracker when the phase of a branch changes, over the real service."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.release import Phase, ReleaseType
from plugins.model.schedule import Branch, Schedule
from plugins.model.secret import Secret
from plugins.rehearsal import github, phases
from plugins.rehearsal.store import Store
from plugins.services.github import GitHub
from plugins.services.github_tracker import GitHubTracker
from plugins.services.http_errors import HttpErrors, Stumbled
from plugins.steps import phase_labels, protection, tracker_end
from tests.progress import Quiet
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.12", ("main", "3.11", "3.12"))
    return store


@pytest.fixture
def address(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    with served(github.app(store)) as found:
        yield found


@pytest.fixture
def tracker(address: str) -> GitHubTracker:
    secret = Secret("env:GITHUB_TOKEN_OF_TEST")
    return GitHubTracker(address, "python/cpython", secret, pause_s=0)


@pytest.fixture
def hub(address: str) -> GitHub:
    return GitHub(address, "python/cpython", Secret("env:GITHUB_TOKEN_OF_TEST"))


@pytest.fixture
def ending(a_release: Builds) -> Release:
    return replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)


@pytest.mark.parametrize(
    ("phase", "says"),
    [(Phase.BUGFIX, "bugs and security fixes"), (Phase.SECURITY, "only security fixes")],
)
def test_label_says_what_the_branch_is_open_for(
    phase: Phase, says: str, ending: Release, tracker: GitHubTracker
) -> None:
    assert phase_labels.look_described(ending, phase, tracker).state is RemoteState.ABSENT
    phase_labels.describe(ending, phase, tracker)
    assert phase_labels.look_described(ending, phase, tracker).state is RemoteState.IDENTICAL
    there = tracker.described_labels()
    assert there["3.12"] == says
    assert there["needs backport to 3.12"] == "backport to the branch 3.12"


def test_label_of_an_ended_series_is_renamed_on_every_issue(
    store: Store, ending: Release, tracker: GitHubTracker
) -> None:
    assert tracker_end.look_renamed(ending, tracker).state is RemoteState.ABSENT
    tracker_end.rename_label(ending, tracker)
    tracker_end.rename_label(ending, tracker)
    assert tracker_end.look_renamed(ending, tracker).state is RemoteState.IDENTICAL
    labels = [each["labels"] for each in store.load("github", {})["issues"]]
    assert not [each for each in labels if "3.12" in each]
    assert [each for each in labels if "3.12 (EOL)" in each]


def test_two_labels_of_an_ended_series_are_left_to_a_person(
    ending: Release, tracker: GitHubTracker
) -> None:
    tracker.make_label("3.12 (EOL)", "ffffff", "end of life")
    found = tracker_end.look_renamed(ending, tracker)
    assert found.state is RemoteState.DIFFERENT
    assert "there is a label 3.12 and a label 3.12 (EOL)" in found.problem
    assert "delete 3.12, then run the same command again" in found.remedy
    tracker.delete_label("3.12")
    tracker_end.rename_label(ending, tracker)
    assert tracker_end.look_renamed(ending, tracker).state is RemoteState.IDENTICAL


def test_label_for_backports_is_gone_from_everything_that_had_it(
    store: Store, ending: Release, tracker: GitHubTracker
) -> None:
    tracker.make_label("needs backport to 3.12", "ffffff", "")
    tracker.add_label(2, "needs backport to 3.12")
    assert tracker_end.look_dropped(ending, tracker).state is RemoteState.ABSENT
    tracker_end.drop_backports(ending, tracker)
    tracker_end.drop_backports(ending, tracker)
    assert tracker_end.look_dropped(ending, tracker).state is RemoteState.IDENTICAL
    assert "needs backport" not in str(store.load("github", {})["issues"])


def test_pull_requests_are_read_from_the_list_and_not_from_the_search(
    store: Store, tracker: GitHubTracker
) -> None:
    phases.file_issues(store, "3.12", 0, 2)
    found = tracker.pulls_into("3.12")
    assert [each.title for each in found] == ["[3.12] gh-0: Turn the spam",
                                              "[3.12] gh-1: Turn the spam"]  # fmt: skip
    tracker.close(found[0].number)
    assert tracker.pulls_into("3.12") == found[1:]


def test_a_secondary_limit_in_the_middle_is_waited_for(
    store: Store, tracker: GitHubTracker
) -> None:
    store.save("github_limit", {"burst": 2, "done": 0})
    for number in (1, 2, 3):
        tracker.add_label(number, "easy")
    issues = {each["number"]: each["labels"] for each in store.load("github", {})["issues"]}
    assert all(issues[number].count("easy") == 1 for number in (1, 2, 3))


def test_the_hourly_limit_is_waited_for_by_name_of_its_end(
    store: Store, tracker: GitHubTracker
) -> None:
    store.order_fault("github.rate_limited")
    with pytest.raises(Waiting, match=r"used up until .* UTC") as told:
        tracker.add_label(1, "easy")
    assert "what was done is not done again" in told.value.remedy
    tracker.add_label(1, "easy")


def test_a_secondary_limit_without_retry_after_asks_for_a_minute() -> None:
    errors = HttpErrors("github", "https://api.example", tuple)
    request = httpx.Request("POST", "https://api.example/x")
    content = {"message": "You have exceeded a secondary rate limit."}
    error = errors.refused(httpx.Response(403, json=content, request=request), "label issue 1")
    assert isinstance(error, Stumbled)
    assert error.wait_s == 60


def test_a_list_that_is_gone_is_made_by_the_same_command(
    ending: Release, tracker: GitHubTracker, store: Store
) -> None:
    with pytest.raises(StepFailed, match=r"cannot be read; run the same command again: the step"):
        tracker_end.look_moved(ending, tracker)
    phases.file_issues(store, "3.12", 2, 0)

    class Known:
        def schedule(self) -> Schedule:
            day = date(2026, 1, 1)
            branches = {
                series: Branch(series, 1, Phase.SECURITY, series, "", day, day, day, day, day)
                for series in ("3.12", "3.13")
            }
            return Schedule(branches, {})

    known: Any = Known()
    tracker_end.list_open(ending, tracker, known)
    assert tracker_end.look_moved(ending, tracker).state is RemoteState.ABSENT


def test_branch_may_be_deleted_in_the_block_and_is_as_before_if_it_stays(
    ending: Release, hub: GitHub
) -> None:
    before = hub.rules("3.12")
    with protection.deletable(hub, ending.layout, "3.12", Quiet()):
        inside = hub.rules("3.12")
        assert inside is not None
        assert (inside["allow_deletions"], inside["enforce_admins"]) == (True, False)
        assert "is lifted" in protection.lease_is_open(ending.layout)
    assert hub.rules("3.12") == before
    assert protection.lease_is_open(ending.layout) == ""


def test_lease_of_a_branch_that_was_deleted_is_closed_by_the_next_run(
    store: Store, ending: Release, hub: GitHub
) -> None:
    with protection.deletable(hub, ending.layout, "3.12", Quiet()):
        rules = store.load("protection", {})
        del rules["3.12"]
        store.save("protection", rules)
        kept = ending.layout.lease.read_bytes()
    ending.layout.lease.write_bytes(kept)  # as a process leaves it that was killed in the block
    assert "is lifted" in protection.lease_is_open(ending.layout)
    protection.restore(hub, ending.layout)
    assert protection.lease_is_open(ending.layout) == ""


def test_whole_core_team_may_merge_in_bugfix_mode(ending: Release, hub: GitHub) -> None:
    before = hub.rules("3.12")
    protection.restrict(ending, hub)
    assert protection.look_opened(ending, hub).state is RemoteState.ABSENT
    protection.open_to_all(ending, hub)
    assert protection.look_opened(ending, hub).state is RemoteState.IDENTICAL
    assert hub.rules("3.12") == before
