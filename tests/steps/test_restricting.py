"""Tests of a branch that turns to security fixes: who may merge into it, over the real service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.rehearsal import github
from plugins.rehearsal.store import Store
from plugins.services.github import GitHub
from plugins.steps import protection
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.13", ("main", "3.12", "3.13"))
    return store


@pytest.fixture
def hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    with served(github.app(store)) as address:
        yield GitHub(address, "python/cpython", Secret("env:GITHUB_TOKEN_OF_TEST"))


def test_branch_is_restricted_to_release_managers_and_nothing_else_changes(
    store: Store, hub: GitHub, a_release: Builds
) -> None:
    release = a_release("3.13.17")
    before = hub.rules("3.13")
    assert protection.look_restricted(release, hub).state is RemoteState.ABSENT
    facts = protection.restrict(release, hub)
    probe = protection.look_restricted(release, hub)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert before is not None
    wanted = {"users": [], "teams": ["release-managers"], "apps": []}
    assert hub.rules("3.13") == {**before, "restrictions": wanted}
    assert store.load("protection", {})["3.12"]["restrictions"] is None


def test_people_who_were_named_go_and_apps_stay(
    store: Store, hub: GitHub, a_release: Builds
) -> None:
    rules = store.load("protection", {})
    named = {"users": ["somebody"], "teams": ["core"], "apps": ["bedevere"]}
    rules["3.13"]["restrictions"] = named
    store.save("protection", rules)
    protection.restrict(a_release("3.13.17"), hub)
    found = hub.rules("3.13")
    assert found is not None
    assert found["restrictions"] == {
        "users": [], "teams": ["release-managers"], "apps": ["bedevere"]
    }  # fmt: skip


def test_branch_without_protection_is_left_to_a_person(
    store: Store, hub: GitHub, a_release: Builds
) -> None:
    before = store.load("protection", {})
    store.save("protection", {})
    release = a_release("3.13.17")
    assert protection.look_restricted(release, hub).state is RemoteState.DIFFERENT
    for act in (protection.restrict, protection.open_to_all):
        with pytest.raises(StepFailed, match="has no protection; protect it in GitHub's settings"):
            act(release, hub)
    store.save("protection", before)
    assert protection.look_restricted(release, hub).state is RemoteState.ABSENT
    protection.restrict(release, hub)
    assert protection.look_restricted(release, hub).state is RemoteState.IDENTICAL
