"""Tests of the rehearsed PEPs: what their repository expects, who merges, what the site tells."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from plugins.model.release import Phase
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.model.schedule_edit import is_recorded
from plugins.model.secret import Secret
from plugins.model.version import Version
from plugins.rehearsal import github, peps
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.github_proposals import GitHubProposals
from plugins.services.peps import PublishedSchedules
from plugins.services.programs import MachinePrograms
from plugins.steps import schedule
from tests.progress import Quiet
from tests.schedule_world import real_schedule
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Builds

DAY = date(2026, 10, 6)
VERSIONS = ("3.10.21", "3.13.6", "3.13.17", "3.14.5rc1", "3.14.8", "3.15.0", "3.15.0rc2",
            "3.16.0a1", "3.16.0b1", "3.16.0b2")  # fmt: skip


def seeded(folder: Path, version: str) -> Store:
    store = Store(folder / "store")
    github.seed(store, Version.parse(version).series, ("main", "3.12", "3.13"), pep=745)
    peps.seed(store, Version.parse(version), DAY)
    return store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return seeded(tmp_path, "3.14.8")


@pytest.fixture
def proposals(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubProposals]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    with served(github.app(store)) as address:
        yield GitHubProposals(address, "python/peps", Secret("env:GITHUB_TOKEN_OF_TEST"))


@pytest.fixture
def published(store: Store) -> Iterator[PublishedSchedules]:
    with served(peps.app(store)) as address:
        yield PublishedSchedules(address)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_release_is_expected_on_its_day(tmp_path: Path, version: str) -> None:
    texts = seeded(tmp_path, version).load("github", {})["texts"]
    found = read_schedule(texts[f"python/peps/{SCHEDULE_FILE}"])
    stage = found.stage(Version.parse(version))
    branch = found.branches[Version.parse(version).series]
    assert branch.phase is peps.phase_of(Version.parse(version))
    if branch.phase is Phase.SECURITY:  # as in the real one, nobody expects those
        assert stage is None
        return
    assert stage is not None
    assert (stage.actual, stage.day) == (False, DAY)
    assert stage.bullet in texts[f"python/peps/peps/pep-{branch.pep:04}.rst"]


def test_rehearsed_schedule_has_the_form_of_the_real_one(tmp_path: Path) -> None:
    texts = seeded(tmp_path, "3.14.8").load("github", {})["texts"]
    ours, real = texts[f"python/peps/{SCHEDULE_FILE}"], real_schedule()
    forms = [
        {line.partition("=")[0].strip() for line in text.splitlines() if "=" in line[:30]}
        for text in (ours, real)
    ]
    assert forms[0] == {each for each in forms[1] if not each.startswith("#")} - {"note"}


def test_what_is_proposed_is_merged_by_somebody_and_published(
    a_release: Builds, proposals: GitHubProposals, published: PublishedSchedules, store: Store
) -> None:
    release = a_release("3.14.8")
    wanted = schedule.recorded_of(release, DAY)
    facts = schedule.propose(release, proposals, wanted, MachinePrograms(), Quiet())
    assert schedule.look_proposed(release, proposals, wanted).facts == facts
    store.save("peps", {**store.load("peps", {}), "polls": 2})
    for _ in range(2):
        assert not is_recorded(published.schedule(fresh=True), wanted)
    assert is_recorded(published.schedule(fresh=True), wanted)
    assert schedule.look_proposed(release, proposals, wanted).facts == facts
    (pull,) = store.load("github", {})["pulls"]
    assert pull["state"] == "closed"
    assert pull["merged_at"]


def test_pull_request_waits_while_nobody_merges(
    a_release: Builds, proposals: GitHubProposals, published: PublishedSchedules, store: Store
) -> None:
    release = a_release("3.14.8")
    wanted = schedule.recorded_of(release, DAY)
    schedule.propose(release, proposals, wanted, MachinePrograms(), Quiet())
    store.order_fault("peps.never_merged", times=ALWAYS)
    for _ in range(3):
        assert not is_recorded(published.schedule(fresh=True), wanted)


def test_other_day_is_what_the_step_meets(
    a_release: Builds, proposals: GitHubProposals, published: PublishedSchedules, store: Store
) -> None:
    store.order_fault("peps.other_day")
    published.branch("3.14")
    probe = schedule.look_proposed(
        a_release("3.14.8"), proposals, schedule.recorded_of(a_release("3.14.8"), DAY)
    )
    assert "says that 3.14.8 was released on 2001-02-03" in probe.problem


def test_phase_can_be_another(published: PublishedSchedules, store: Store) -> None:
    store.order_fault("peps.other_phase", argument="end-of-life")
    entry = published.branch("3.14")
    assert entry is not None
    assert entry.phase is Phase.END_OF_LIFE


def test_folder_is_listed_as_github_does(proposals: GitHubProposals) -> None:
    assert proposals.names("release_management") == (
        "__init__.py", "__main__.py", "python-releases.toml",
    )  # fmt: skip
    assert proposals.names("peps") == (
        "pep-0101.rst", "pep-0719.rst", "pep-0745.rst", "pep-0790.rst",
    )  # fmt: skip
    assert proposals.names("nowhere") == ()
    assert proposals.names("release_management/__main__.py") == ()
