"""Tests of the pull request that plans the next series, and of what others do to it meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from checks.schedule import series_follow
from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.manager_settings import NextSeries
from plugins.model.next_schedule import OWNERS
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.rehearsal.peps_checks import complaints
from plugins.services.programs import MachinePrograms
from plugins.steps.next_schedule import look_series, propose_series
from tests.progress import Quiet
from tests.schedule_world import DUE, Repository, a_repository

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.schedule import Schedule
    from tests.conftest import Builds

WANTED = NextSeries("Nina Next", "nina", 845)
BRANCH = "release-3.16-schedule"
PEP = "peps/pep-0845.rst"


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.15.0a6")


@pytest.fixture
def peps(tmp_path: Path, release: Release) -> Repository:
    return a_repository(tmp_path, release.version)


class Published:
    """The Schedules port, with what the repository's main branch has."""

    def __init__(self, peps: Repository) -> None:
        self._peps = peps

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert not fresh
        return read_schedule(texts(self._peps, "")[SCHEDULE_FILE])

    def branch(self, series: str) -> None:
        raise AssertionError(series)


class At:
    """A clock that stands."""

    def __init__(self, day: date) -> None:
        self._day = day

    def now(self) -> datetime:
        return datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC)


def propose(release: Release, peps: Repository, wanted: NextSeries = WANTED) -> dict[str, str]:
    return propose_series(release, peps, wanted, DUE, MachinePrograms(), Quiet())


class Meanwhile(Quiet):
    """While the pull request is opened, others have merged another one into main."""

    def __init__(self, peps: Repository) -> None:
        self._peps = peps

    def say(self, text: str) -> None:
        if text.startswith("opening"):
            self._peps.edit("Romy Manager", "Rosa Manager")


def texts(peps: Repository, ref: str) -> dict[str, str]:
    return {path: content.decode() for path, content in peps.branches[ref].items()}


def test_pep_days_and_owner_are_proposed_together(release: Release, peps: Repository) -> None:
    assert look_series(release, peps).state is RemoteState.ABSENT
    facts = propose(release, peps)
    assert facts["series"] == "3.16"
    assert look_series(release, peps).facts == facts
    assert peps.titles == ["PEP 845: Python 3.16 Release Schedule"]
    main, branch = texts(peps, ""), texts(peps, BRANCH)
    assert {path for path in branch if branch[path] != main.get(path)} == {
        SCHEDULE_FILE, PEP, OWNERS
    }  # fmt: skip
    assert f"\n{PEP}  @nina\n" in branch[OWNERS]
    planned = read_schedule(branch[SCHEDULE_FILE])
    assert (planned.branches["3.16"].phase, planned.branches["3.16"].manager) == (None, "Nina Next")
    for stage in planned.stages["3.16"]:
        assert f"\n{stage.bullet}\n" in branch[PEP]
    assert "- Windows installers: Wanda Windows\n" in branch[PEP]
    assert not (release.layout.scratch / "peps-next").exists()


@pytest.mark.parametrize("path", ["peps/pep-0790.rst", OWNERS, PEP])
def test_text_of_others_that_is_no_utf_8_is_one_line(
    release: Release, peps: Repository, path: str
) -> None:
    peps.branches[""][path] = b"Title: L\xf6we\n"
    with pytest.raises(StepFailed, match=rf"{path}: is not UTF-8"):
        propose(release, peps)


def test_what_others_merge_meanwhile_is_not_taken_back(release: Release, peps: Repository) -> None:
    """The branch begins with what was read, so it differs from that in our own changes alone."""
    read = texts(peps, "")
    propose_series(release, peps, WANTED, DUE, MachinePrograms(), Meanwhile(peps))
    assert "Rosa Manager" in texts(peps, "")[SCHEDULE_FILE]
    assert {path: text.decode() for path, text in peps.begun[BRANCH].items()} == read


def test_checks_of_the_repository_accept_it_and_see_what_is_wrong(
    release: Release, peps: Repository
) -> None:
    propose(release, peps)
    main, branch = texts(peps, ""), texts(peps, BRANCH)
    changed = {path: text for path, text in branch.items() if text != main.get(path)}
    assert complaints(changed, branch, DUE) == []
    for old, new, problem in (
        ("Type: Informational\n", "", "Must have required header: Type"),
        ("Author:", "Writer:", "Must not have invalid header: Writer"),
        ("Created: 06-Oct", "Created: 6-Oct", "Created must not be 6-Oct-2026"),
        ("06-Oct-2026", "21-Oct-2026", "Created must not be in the future: 21-Oct-2026"),
        ("PEP: 845", "PEP: 846", "PEP must be 845"),
        ("- 3.16.0 beta 2:", "- 3.16.0 beta 9:", "is other than update-peps makes it"),
    ):
        assert old in branch[PEP]
        spoiled = {**branch, PEP: branch[PEP].replace(old, new)}
        assert f"{PEP}: {problem}" in complaints({PEP: spoiled[PEP]}, spoiled, DUE)


def test_what_the_gate_says_of_a_series_that_nobody_planned_helps(
    release: Release, peps: Repository
) -> None:
    """The remedy is followed: the section is written, proposed, and merged."""
    clock = At(DUE)
    (finding,) = series_follow(release, None, Published(peps), clock)
    assert finding.rule == "schedule.next_series"
    assert "write manager, login and pep under [next_series]" in finding.remedy
    assert series_follow(release, None, Published(peps), clock, is_proposed=True) == ()
    propose(release, peps)
    peps.ends("merged", BRANCH)
    assert series_follow(release, None, Published(peps), clock) == ()


def test_what_is_merged_with_other_days_is_adopted(release: Release, peps: Repository) -> None:
    propose(release, peps)
    peps.edit('release-manager = "Nina Next"', 'release-manager = "Nele Next"', ref=BRANCH)
    peps.ends("merged", BRANCH)
    assert look_series(release, peps).state is RemoteState.IDENTICAL
    peps.opened = None
    assert look_series(release, peps).facts == {
        "series": "3.16", "pull request": "none", "url": "already up to date"
    }  # fmt: skip


@pytest.mark.parametrize("lost", [PEP, OWNERS])
def test_half_a_branch_is_gone_on_from_and_edits_of_others_stay(
    release: Release, peps: Repository, lost: str
) -> None:
    facts = propose(release, peps)
    peps.edit('release-manager = "Nina Next"', 'release-manager = "Nele Next"', ref=BRANCH)
    before = peps.branches[BRANCH].pop(lost)
    if lost in peps.branches[""]:
        peps.branches[BRANCH][lost] = peps.branches[""][lost]
    assert look_series(release, peps).state is RemoteState.ABSENT
    assert propose(release, peps) == facts
    assert peps.branches[BRANCH][lost] == before
    assert look_series(release, peps).state is RemoteState.IDENTICAL
    assert "Nele Next" in texts(peps, BRANCH)[SCHEDULE_FILE]


def test_pull_request_that_was_closed_is_shown(release: Release, peps: Repository) -> None:
    propose(release, peps)
    peps.ends("closed")
    probe = look_series(release, peps)
    assert probe.state is RemoteState.DIFFERENT
    assert "was closed and not merged" in probe.problem


def test_number_that_is_taken_is_refused_with_its_title(release: Release, peps: Repository) -> None:
    with pytest.raises(StepFailed) as caught:
        propose(release, peps, NextSeries("Nina Next", "nina", 790))
    assert caught.value.where == "[next_series] pep"
    assert caught.value.problem == "is 790, which is 'Python 3.15 Release Schedule'"
    assert BRANCH not in peps.branches
