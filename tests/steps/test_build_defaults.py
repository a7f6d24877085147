"""Tests of the release that CI's workflow tries, over the simulated GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.secret import Secret
from plugins.rehearsal import forms, github
from plugins.rehearsal.store import Store
from plugins.services.github_proposals import GitHubProposals
from plugins.steps import build_defaults
from tests.progress import Quiet
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Builds

COMMIT = "5" * 40
PLACE = f"python/release-tools/{build_defaults.WORKFLOW}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.14", ("main", "3.13", "3.14"))
    forms.seed(store)
    return store


@pytest.fixture
def tools(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubProposals]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    with served(github.app(store)) as address:
        secret = Secret("env:GITHUB_TOKEN_OF_TEST")
        yield GitHubProposals(address, "python/release-tools", secret)


def _replaced(store: Store, old: str, new: str) -> None:
    known = store.load("github", {})
    known["texts"][PLACE] = known["texts"][PLACE].replace(old, new)
    store.save("github", known)


def test_one_pull_request_changes_two_lines(
    store: Store, tools: GitHubProposals, a_release: Builds
) -> None:
    release = a_release("3.14.5")
    look = build_defaults.look_proposed_defaults
    assert look(release, tools, COMMIT).state is RemoteState.ABSENT
    facts = build_defaults.propose(release, tools, COMMIT, Quiet())
    assert build_defaults.propose(release, tools, COMMIT, Quiet()) == facts
    probe = look(release, tools, COMMIT)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    (pull,) = store.load("github", {})["pulls"]
    assert pull["title"] == "Try Python 3.14.5 by default"
    before = store.load("github", {})["texts"][PLACE].splitlines()
    after = (tools.text(build_defaults.WORKFLOW, f"release-{release.version}") or b"").decode()
    changed = [line.strip() for line in after.splitlines() if line not in before]
    assert changed == [
        f"GIT_COMMIT: ${{{{ github.event.inputs.git_commit || '{COMMIT}' }}}}",
        "CPYTHON_RELEASE: ${{ github.event.inputs.cpython_release || '3.14.5' }}",
    ]


def test_release_of_an_older_series_leaves_a_newer_default(
    store: Store, tools: GitHubProposals, a_release: Builds
) -> None:
    _replaced(store, "3.12.0", "3.15.0a8")
    release = a_release("3.14.5")
    facts = build_defaults.propose(release, tools, COMMIT, Quiet())
    probe = build_defaults.look_proposed_defaults(release, tools, COMMIT)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert store.load("github", {})["pulls"] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [("CPYTHON_RELEASE:", "PYTHON:"), ("'3.12.0'", "'newest'"), ("GIT_REMOTE:", "GIT_COMMIT:"),
     ("|| '3.12.0'", "")],
)  # fmt: skip
def test_workflow_of_another_form_is_refused(
    store: Store, tools: GitHubProposals, a_release: Builds, old: str, new: str
) -> None:
    _replaced(store, old, new)
    with pytest.raises(StepFailed, match="one line each with the default commit and release"):
        build_defaults.propose(a_release("3.14.5"), tools, COMMIT, Quiet())
    # the remedy is to change it by hand and say so: the look, which comes first, has to let that be
    found = build_defaults.look_proposed_defaults(a_release("3.14.5"), tools, COMMIT)
    assert "one line each with the default commit and release" in found.problem
    assert "doit adopt propose_defaults" in found.remedy
    assert (found.state, dict(found.facts)) == (
        RemoteState.DIFFERENT, {"pull request": "none", "url": "changed by hand"},
    )  # fmt: skip
