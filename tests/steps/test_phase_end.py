"""Tests of what ends with a series: rights, and the report that closes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from plugins.model.release import Phase, ReleaseType
from plugins.model.schedule import Branch, Schedule
from plugins.model.secret import Secret
from plugins.rehearsal import github
from plugins.rehearsal.store import Store
from plugins.services.github_tracker import GitHubTracker
from plugins.steps import phase_end
from tests.served import served
from tests.source_world import FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.schedule import CycleEntry
    from tests.conftest import Builds

UNTIL = datetime(2026, 12, 8, tzinfo=UTC)
CLOCK = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))


class Managed:
    """The Schedules port: who manages 3.12 and 3.13."""

    def __init__(self, *managers: str) -> None:
        day = date(2026, 1, 1)
        self._schedule = Schedule(
            {
                series: Branch(series, 1, phase, series, manager, day, day, day, day, day)
                for (series, phase), manager in zip(
                    (("3.12", Phase.END_OF_LIFE), ("3.13", Phase.SECURITY)), managers, strict=True
                )
            },
            {},
        )

    def branch(self, series: str) -> CycleEntry | None:
        raise NotImplementedError(series)

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        return self._schedule


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    github.seed(store, "3.12", ("main", "3.11", "3.12"))
    return store


@pytest.fixture
def tracker(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHubTracker]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", store.load("github", {})["token"])
    with served(github.app(store)) as address:
        secret = Secret("env:GITHUB_TOKEN_OF_TEST")
        yield GitHubTracker(address, "python/cpython", secret, pause_s=0)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return replace(a_release("3.12.0"), type=ReleaseType.END_OF_LIFE)


def test_rights_that_end_are_listed_with_whom_to_ask(release: Release) -> None:
    facts = phase_end.write_rights(release, Managed("Thea", "Tom"))
    assert facts == {"manages": "no other series"}
    text = (release.layout.made / phase_end.RIGHTS).read_text()
    for word in ("administrator", "release-managers", "python/psf-salt"):
        assert word in text


def test_whoever_manages_another_series_keeps_all(release: Release, tracker: GitHubTracker) -> None:
    schedules = Managed("Thea", "Thea")
    assert phase_end.write_rights(release, schedules) == {"manages": "3.13"}
    facts = phase_end.await_rights(release, tracker, schedules, CLOCK, until=UNTIL)
    assert facts == {"administrator": "stays, for 3.13"}


def test_end_of_the_administrators_role_is_waited_for(
    release: Release, store: Store, tracker: GitHubTracker
) -> None:
    schedules = Managed("Thea", "Tom")
    with pytest.raises(Waiting, match=r"rm is still an administrator.*; ask the owners of python"):
        phase_end.await_rights(release, tracker, schedules, CLOCK, until=UNTIL)
    late = FixedClock(datetime(2026, 12, 9, tzinfo=UTC))
    with pytest.raises(StepFailed, match=r"rm is still an administrator"):
        phase_end.await_rights(release, tracker, schedules, late, until=UNTIL)
    document = store.load("github", {})
    document["permissions"]["admin"] = False
    store.save("github", document)
    facts = phase_end.await_rights(release, tracker, schedules, CLOCK, until=UNTIL)
    assert facts == {"administrator": "ended"}


def test_report_has_a_line_for_each_task(release: Release) -> None:
    done = {"push_end_tag": {"tag": "abc"}, "await_rights": {}}
    assert phase_end.close(release, done) == {"tasks": "2"}
    text = (release.layout.made / phase_end.REPORT).read_text()
    assert "- `push_end_tag`: tag: abc\n- `await_rights`: done\n" in text
