"""Tests of a branch that is kept for administrators while it is new, over the real service."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.rehearsal import github
from plugins.rehearsal.store import Store
from plugins.services.github import GitHub
from plugins.services.github_rulesets import GitHubRulesets
from plugins.steps import protection, reservation
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Builds

PROJECT = Path(__file__).parents[2]
Hubs = tuple[GitHubRulesets, GitHub]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.14", ("main", "3.13", "3.14"))
    return store


@pytest.fixture
def hubs(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hubs]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    token = Secret("env:GITHUB_TOKEN_OF_TEST")
    with served(github.app(store)) as address:
        yield (
            GitHubRulesets(address, "python/cpython", token),
            GitHub(address, "python/cpython", token),
        )


def test_only_administrators_may_push_to_a_branch_that_does_not_exist_yet(
    hubs: Hubs, a_release: Builds
) -> None:
    rulesets, hub = hubs
    release = a_release("3.15.0b1")
    assert reservation.look_reserved(release, rulesets, hub).state is RemoteState.ABSENT
    facts = reservation.reserve(release, rulesets, hub)
    probe = reservation.look_reserved(release, rulesets, hub)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    kinds = {each.kind: each.passed for each in hub.rulesets("3.15")}
    assert kinds == dict.fromkeys(("creation", "update", "deletion", "non_fast_forward"), True)
    assert hub.rulesets("main") == ()


def test_the_reservation_stays_until_the_branch_is_protected_and_then_goes(
    hubs: Hubs, a_release: Builds, store: Store
) -> None:
    rulesets, hub = hubs
    release = a_release("3.15.0b1")
    reservation.reserve(release, rulesets, hub)
    with pytest.raises(StepFailed, match="has no protection yet"):
        reservation.lift(release, rulesets, hub)
    assert rulesets.reserved("3.15 until it is protected")
    protection.copy_rules(release, hub)
    assert reservation.look_lifted(release, rulesets, hub).state is RemoteState.ABSENT
    reservation.lift(release, rulesets, hub)
    assert reservation.look_lifted(release, rulesets, hub).state is RemoteState.IDENTICAL
    assert store.load("rulesets", []) == []
    # whoever lost the receipts is not kept out of a protected branch again
    assert reservation.look_reserved(release, rulesets, hub).state is RemoteState.IDENTICAL


def test_a_reservation_that_would_keep_us_out_is_not_left_behind(
    store: Store, a_release: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    token = Secret("env:GITHUB_TOKEN_OF_TEST")
    with served(github.app(store)) as address:
        rulesets = GitHubRulesets(address, "python/cpython", token, role=4)
        hub = GitHub(address, "python/cpython", token)
        release = a_release("3.15.0b1")
        with pytest.raises(ServiceFailed, match="could not bypass") as caught:
            reservation.reserve(release, rulesets, hub)
        assert store.load("rulesets", []) == []
        # its remedy: one that somebody makes by hand is taken as it is
        assert 'make a ruleset named "3.15 until it is protected" for 3.15' in caught.value.remedy
        by_hand = {"id": 9, "name": "3.15 until it is protected", "branches": ["3.15"],
                   "rules": ["creation"], "bypass": "always"}  # fmt: skip
        store.save("rulesets", [by_hand])
        assert reservation.look_reserved(release, rulesets, hub).state is RemoteState.IDENTICAL


def test_a_run_that_was_killed_before_it_looked_who_may_bypass_leaves_nothing_unseen(
    store: Store, hubs: Hubs, a_release: Builds
) -> None:
    rulesets, hub = hubs
    release = a_release("3.15.0b1")
    left = {"id": 101, "name": "3.15 until it is protected", "branches": ["3.15"],
            "rules": ["creation"], "bypass": "never"}  # fmt: skip
    store.save("rulesets", [left])
    found = reservation.look_reserved(release, rulesets, hub)
    assert found.state is RemoteState.DIFFERENT
    assert "keeps your account out as well" in found.problem
    # both of its remedies
    store.save("rulesets", [{**left, "bypass": "always"}])
    assert reservation.look_reserved(release, rulesets, hub).state is RemoteState.IDENTICAL
    store.save("rulesets", [])
    assert reservation.look_reserved(release, rulesets, hub).state is RemoteState.ABSENT


def test_other_rulesets_are_left_alone(hubs: Hubs, a_release: Builds, store: Store) -> None:
    other = {"id": 7, "branches": [], "rules": ["deletion"], "bypass": "never"}
    store.save("rulesets", [other])
    rulesets, hub = hubs
    release = a_release("3.15.0b1")
    reservation.reserve(release, rulesets, hub)
    protection.copy_rules(release, hub)
    reservation.lift(release, rulesets, hub)
    assert store.load("rulesets", []) == [other]


CLIENT = """
import sys, os
from plugins.model.secret import Secret
from plugins.services.github_rulesets import GitHubRulesets
address, role = sys.argv[1], int(sys.argv[2])
rulesets = GitHubRulesets(
    address, "python/cpython", Secret("env:GITHUB_TOKEN_OF_TEST"), role=role
)
print(flush=True)
input()
rulesets.reserve("3.15 until it is protected", "3.15")
"""
ADMINISTRATORS, WRITERS = 5, 4


@pytest.mark.parametrize("role", [ADMINISTRATORS, WRITERS])
def test_killed_before_it_hears_that_the_ruleset_was_made_it_makes_no_second_one(
    store: Store, a_release: Builds, monkeypatch: pytest.MonkeyPatch, role: int
) -> None:
    """SIGKILL between the making and the reading back, and after each other change."""
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    token = Secret("env:GITHUB_TOKEN_OF_TEST")
    release = a_release("3.15.0b1")
    with served(github.app(store)) as address:
        rulesets = GitHubRulesets(address, "python/cpython", token, role=role)
        hub = GitHub(address, "python/cpython", token)
        states: list[tuple[RemoteState, int]] = []
        while killed_after(len(states) + 1, store, address, role):
            probe = reservation.look_reserved(release, rulesets, hub)
            states.append((probe.state, len(store.load("rulesets", []))))
            # As a person is told: one that keeps us out is deleted.
            store.save("rulesets", [])
    made_and_unread = RemoteState.IDENTICAL if role == ADMINISTRATORS else RemoteState.DIFFERENT
    deleted = [] if role == ADMINISTRATORS else [(RemoteState.ABSENT, 0)]
    assert states == [(made_and_unread, 1), *deleted]


def killed_after(changes: int, store: Store, address: str, role: int) -> bool:
    """Reserve in a process that is killed after so many changes; False if it makes fewer."""
    words = [sys.executable, "-c", CLIENT, address, str(role)]
    with subprocess.Popen(
        words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    ) as client:  # fmt: skip
        assert client.stdout is not None
        assert client.stdout.readline() == "\n"
        store.aim(client.pid, changes)
        client.communicate("\n")
    store.save("aim", {})
    return client.returncode == -signal.SIGKILL
