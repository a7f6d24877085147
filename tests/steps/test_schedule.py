"""Tests of the schedule's pull request: what it has, and what others do to it meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, SettingsError, StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.release import Phase
from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.model.schedule_edit import Entered, Recorded, recorded
from plugins.model.version import Version
from plugins.rehearsal import peps as seeded
from plugins.rehearsal.peps_generator import updated
from plugins.rehearsal.store import Store
from plugins.services.programs import MachinePrograms
from plugins.steps import phase_schedule, schedule
from tests.progress import Quiet
from tests.schedule_world import DUE, Repository, a_repository

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.model.schedule import Schedule
    from plugins.ports.clock import Clock
    from tests.conftest import Builds

BRANCH = "release-3.14.8"
PEP = "peps/pep-0745.rst"
LATER = timedelta(days=1)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.14.8")


@pytest.fixture
def peps(tmp_path: Path, release: Release) -> Repository:
    return a_repository(tmp_path, release.version)


def look(release: Release, peps: Repository, day: date = DUE) -> Probe:
    return schedule.look_proposed(release, peps, schedule.recorded_of(release, day))


def propose(
    release: Release, peps: Repository, day: date = DUE, becomes: Phase | None = None
) -> dict[str, str]:
    wanted = schedule.recorded_of(release, day, becomes)
    return schedule.propose(release, peps, wanted, MachinePrograms(), Quiet())


def text(peps: Repository, path: str, ref: str = BRANCH) -> str:
    found = peps.text(path, ref)
    assert found is not None
    return found.decode()


def test_schedule_and_pep_are_proposed_together(release: Release, peps: Repository) -> None:
    assert look(release, peps).state is RemoteState.ABSENT
    facts = propose(release, peps)
    assert look(release, peps).facts == facts
    assert facts["pull request"] == "5076"
    assert peps.titles == ["PEP 745: 3.14.8 released on 2026-10-06"]
    before, after = text(peps, PEP, ""), text(peps, PEP)
    assert before.count("\n- 3.14.8: Tuesday, 2026-10-06\n") == 1
    assert after.index("- 3.14.8: Tuesday, 2026-10-06") < after.index("- 3.14.9: ")
    assert text(peps, SCHEDULE_FILE) == recorded(
        text(peps, SCHEDULE_FILE, ""), [Recorded(release.version, DUE)]
    )
    changed = {path for path, content in peps.branches[BRANCH].items()
               if content != peps.branches[""][path]}  # fmt: skip
    assert changed == {SCHEDULE_FILE, PEP}
    assert not (release.layout.scratch / "peps").exists()


@pytest.mark.parametrize("version", ["3.15.0a2", "3.15.0b1", "3.15.0rc1", "3.15.0", "3.14.5rc1",
                                     "3.13.17", "3.16.0b1"])  # fmt: skip
def test_every_kind_of_release_is_recorded(a_release: Builds, tmp_path: Path, version: str) -> None:
    release = a_release(version)
    peps = a_repository(tmp_path, release.version)
    facts = propose(release, peps)
    assert look(release, peps).facts == facts
    peps.ends("merged", f"release-{version}")
    assert look(release, peps).facts == facts


def test_several_releases_are_one_pull_request(release: Release, peps: Repository) -> None:
    both = [Recorded(Version.parse("3.13.6"), DUE), Recorded(release.version, DUE)]
    files = schedule.proposed_files(
        both, peps, "", MachinePrograms(), release.layout.scratch / "peps"
    )
    assert set(files) == {SCHEDULE_FILE, PEP, "peps/pep-0719.rst"}
    title = schedule.title_of(both, read_schedule(files[SCHEDULE_FILE].decode()))
    assert title == "PEP 719, 745: 3.13.6, 3.14.8 released on 2026-10-06"


def test_what_stands_on_the_main_branch_is_adopted(release: Release, peps: Repository) -> None:
    propose(release, peps)
    peps.ends("merged", BRANCH)
    peps.opened = None
    assert look(release, peps).facts == {"pull request": "none", "url": "already up to date"}


def test_half_a_branch_is_gone_on_from(release: Release, peps: Repository) -> None:
    facts = propose(release, peps)
    peps.branches[BRANCH][PEP] = peps.branches[""][PEP]
    assert look(release, peps).state is RemoteState.ABSENT
    assert propose(release, peps) == facts
    assert look(release, peps).state is RemoteState.IDENTICAL


def test_what_an_earlier_try_put_on_the_branch_is_described_all_the_same(
    release: Release, peps: Repository
) -> None:
    """Killed before the pull request was opened; then its text names every file that it changes."""
    propose(release, peps)
    files = schedule.proposed_files(
        [Recorded(release.version, DUE)], peps, BRANCH, MachinePrograms(),
        release.layout.scratch / "peps",
    )  # fmt: skip
    assert set(files) == {SCHEDULE_FILE, PEP}


def test_edits_of_others_on_the_branch_are_kept(release: Release, peps: Repository) -> None:
    propose(release, peps)
    peps.edit("# The releases", "# All releases", ref=BRANCH)
    peps.edit("Status: Active", "Status: Final", path=PEP, ref=BRANCH)
    peps.branches[BRANCH][PEP] = text(peps, PEP).replace("- 3.14.8: Tuesday", "- 3.14.8: ").encode()
    assert look(release, peps).state is RemoteState.ABSENT
    propose(release, peps)
    assert "# All releases" in text(peps, SCHEDULE_FILE)
    assert "Status: Final" in text(peps, PEP)


# ── what others changed meanwhile ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("ref", ["", BRANCH])
def test_other_day_that_somebody_recorded_is_shown(
    release: Release, peps: Repository, ref: str
) -> None:
    propose(release, peps)
    if not ref:
        peps.edit('state = "expected"\ndate = 2026-10-06', 'state = "actual"\ndate = 2026-10-05')
    else:
        peps.edit("date = 2026-10-06", "date = 2026-10-05", ref=BRANCH)
    probe = look(release, peps)
    assert probe.state is RemoteState.DIFFERENT
    told = "says that 3.14.8 was released on 2026-10-05, and it is 2026-10-06 here"
    assert told in probe.problem
    with pytest.raises(StepFailed, match=told):
        propose(release, peps)
    # the remedy: correct it there
    peps.edit("date = 2026-10-05", "date = 2026-10-06", ref=ref)
    if not ref:
        peps.edit('"3.14.8"\nstate = "actual"', '"3.14.8"\nstate = "expected"')
    assert look(release, peps).state is RemoteState.IDENTICAL


def test_later_release_that_others_recorded_meanwhile_is_no_obstacle(
    release: Release, peps: Repository
) -> None:
    other = recorded(text(peps, SCHEDULE_FILE, ""), [Recorded(Version.parse("3.13.6"), DUE)])
    propose(release, peps)
    peps.branches[""][SCHEDULE_FILE] = other.encode()
    assert look(release, peps).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('status = "bugfix"', 'status = "hibernating"', "status is the text 'hibernating'"),
        ('stage = "3.14.9"', 'stage = "3.14.nine"', "has the stage the text '3.14.nine'"),
        ('state = "expected"', 'state = "likely"', "state is the text 'likely'"),
        ('[metadata."3.14"]', '[metadata."3.14"', "is not TOML"),
        ("date = 2026-10-06", "date = soon", "is not TOML"),
    ],
)
def test_schedule_that_is_not_understood_is_one_line_and_its_remedy_works(
    release: Release, peps: Repository, old: str, new: str, words: str
) -> None:
    """Who records the release by hand, in whatever form, is believed by what the PEP says."""
    by_hand = a_copy_that_is_merged(release, peps)
    peps.edit(old, new)
    probe = look(release, peps)
    assert probe.state is RemoteState.DIFFERENT
    assert words in probe.problem
    assert "record the release there by hand" in probe.remedy
    assert "\n" not in probe.problem + probe.remedy
    peps.branches[""][PEP] = by_hand
    assert look(release, peps).state is RemoteState.IDENTICAL


def a_copy_that_is_merged(release: Release, peps: Repository) -> bytes:
    """The PEP as it is once the release is recorded."""
    wanted = [schedule.recorded_of(release, DUE)]
    folder = release.layout.scratch / "copy"
    return schedule.proposed_files(wanted, peps, "", MachinePrograms(), folder)[PEP]


@pytest.mark.parametrize(
    ("state", "words", "remedy"),
    [
        ("closed", "pull request 5076 was closed and not merged", "reopen it"),
        (
            "merged",
            "was merged, and the schedule does not state that 3.14.8 was released",
            "correct the",
        ),
    ],
)
def test_pull_request_that_ended_otherwise_is_shown(
    release: Release, peps: Repository, state: str, words: str, remedy: str
) -> None:
    propose(release, peps)
    peps.ends(state, "")
    probe = look(release, peps)
    assert probe.state is RemoteState.DIFFERENT
    assert words in probe.problem
    assert remedy in probe.remedy
    # the remedy: record it there
    peps.branches[""].update(peps.branches[BRANCH])
    assert look(release, peps).state is RemoteState.IDENTICAL


def test_repository_without_a_schedule_names_the_setting(release: Release) -> None:
    probe = look(release, Repository({"README.md": "no PEPs"}))
    assert probe.state is RemoteState.DIFFERENT
    assert "does not exist" in probe.problem
    assert "[announce] peps" in probe.remedy


# ── the generator ──────────────────────────────────────────────────────────────────────────


def test_generator_that_fails_is_told_with_its_last_line(
    release: Release, peps: Repository
) -> None:
    """The real one asserts that nothing is expected after the end of bugfixes."""
    peps.edit("end-of-bugfix = ", "end-of-bugfix = 2026-10-06 # ", ref="")
    with pytest.raises(StepFailed, match=r"3\.13\.6 is expected after the end of bugfixes"):
        propose(release, peps)
    assert peps.opened is None
    assert not (release.layout.scratch / "peps").exists()


def test_pep_without_a_list_for_it_is_refused(a_release: Builds, tmp_path: Path) -> None:
    """As PEP 790 was before 3.15.1, whose text had no list of bugfix releases."""
    release = a_release("3.14.8")
    peps = a_repository(tmp_path, release.version)
    lists = ".. release schedule: bugfix"
    before = text(peps, PEP, "")
    at = before.index(lists)
    cut = before[:at] + before[before.index(".. release schedule: security", at) :]
    peps.branches[""][PEP] = cut.encode()
    with pytest.raises(StepFailed, match=r"has no list between markers that 3\.14\.8 belongs to"):
        propose(release, peps)
    # the remedy: add the markers
    marks = f"{lists}\n.. release schedule: ends\n\n.. release schedule: security"
    peps.edit(".. release schedule: security", marks, path=PEP)
    propose(release, peps)
    assert look(release, peps).state is RemoteState.IDENTICAL


def test_generator_that_changes_other_lines_is_refused(release: Release, peps: Repository) -> None:
    peps.edit('return "\\n".join(made) + "\\n"', 'return "\\n".join(made) + "\\nSpam\\n"',
              path="release_management/__main__.py")  # fmt: skip
    with pytest.raises(StepFailed, match="outside of its lists"):
        propose(release, peps)


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        ("pep.symlink_to(__file__)", "is a link, and wanted is a file"),
        ("pep.hardlink_to(__file__)", "has a second name somewhere"),
        ("os.mkfifo(pep)", "is a device, a pipe or a socket"),
    ],
)
def test_what_the_generator_leaves_is_judged_before_it_is_read(
    release: Release, peps: Repository, left: str, problem: str
) -> None:
    """It is code of others, and what is read goes into a pull request that everybody sees."""
    planted = f"import os, pathlib; pep = pathlib.Path({PEP!r}); pep.unlink(); {left}\n"
    peps.branches[""]["release_management/__main__.py"] = planted.encode()
    with pytest.raises(StepFailed, match=problem):
        propose(release, peps)
    assert peps.opened is None


def test_repository_without_its_generator_is_refused(release: Release, peps: Repository) -> None:
    del peps.branches[""]["release_management/__main__.py"]
    del peps.branches[""]["release_management/__init__.py"]
    with pytest.raises(StepFailed, match="has no generator any more"):
        propose(release, peps)


def test_generator_sees_nothing_of_the_person(
    release: Release, peps: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_TEST", "canary")
    peps.edit("sys.exit(", "sys.stderr.write(str(dict(__import__('os').environ))); sys.exit(",
              path="release_management/__main__.py")  # fmt: skip
    peps.edit('!= ["update-peps"]', '== ["update-peps"]', path="release_management/__main__.py")
    with pytest.raises(StepFailed) as caught:
        propose(release, peps)
    told = " ".join(caught.value.details)
    assert "canary" not in told
    assert f"'HOME': '{release.layout.scratch}" in told


def test_rehearsed_generator_leaves_what_it_made() -> None:
    content = {"pep": 745, "start-of-development": date(2024, 5, 8),
               "feature-freeze": date(2025, 5, 7), "end-of-bugfix": date(2027, 10, 7)}  # fmt: skip
    releases = [{"stage": "3.14.0 final", "state": "actual", "date": date(2025, 10, 7)}]
    marked = "A\n.. release schedule: feature\n.. release schedule: ends\nB\n"
    once = updated(marked, "3.14", content, releases, DUE)
    assert "- 3.14.0 final: Tuesday, 2025-10-07" in once
    assert updated(once, "3.14", content, releases, DUE) == once


# ── as everybody can look it up ────────────────────────────────────────────────────────────


class Published:
    """The Schedules port, telling what a repository's main branch has."""

    def __init__(self, peps: Repository) -> None:
        self._peps = peps

    def schedule(self, *, fresh: bool = False) -> Schedule:
        assert fresh
        if not self._peps.branches:
            raise ServiceFailed(service="peps.example", action="GET /api", problem="status 500")
        return read_schedule(text(self._peps, SCHEDULE_FILE, ""))

    def branch(self, series: str) -> None:
        raise AssertionError(series)


class At:
    """A clock that stands."""

    def __init__(self, day: date) -> None:
        self._day = day

    def now(self) -> datetime:
        return datetime(self._day.year, self._day.month, self._day.day, 12, tzinfo=UTC)


def awaited(release: Release, peps: Repository, now: date = DUE) -> dict[str, str]:
    clock: Clock = At(now)
    wanted = schedule.recorded_of(release, DUE)
    return schedule.await_published(
        release,
        Published(peps),
        peps,
        wanted,
        clock,
        pull="5076",
        until=datetime(2026, 10, 8, tzinfo=UTC),
    )


def test_what_is_published_ends_the_wait(release: Release, peps: Repository) -> None:
    propose(release, peps)
    with pytest.raises(Waiting, match=r"pull request 5076 of the PEPs: peps\.python\.org does not"):
        awaited(release, peps)
    with pytest.raises(StepFailed, match="waiting ended on 2026-10-08; ask an editor of the PEPs"):
        awaited(release, peps, DUE + 2 * LATER)
    peps.ends("merged", BRANCH)
    assert awaited(release, peps) == {"stage": "3.14.8", "pep": "745"}


def test_pull_request_that_was_closed_is_not_waited_for(release: Release, peps: Repository) -> None:
    propose(release, peps)
    peps.ends("closed", "")
    told = (
        r"the pull request was closed and not merged, and peps\.python\.org does not.*open it again"
    )
    with pytest.raises(StepFailed, match=told):
        awaited(release, peps)


def test_pull_request_that_cannot_be_looked_at_is_waited_for(
    release: Release, peps: Repository
) -> None:
    class Down(Repository):
        def pull(self, branch: str) -> None:
            raise ServiceFailed(service="github", action=f"look for {branch}", problem="status 503")

    with pytest.raises(Waiting, match=r"pull request 5076 .* have it merged"):
        awaited(release, Down({path: text.decode() for path, text in peps.branches[""].items()}))


def test_release_that_follows_waits_without_a_repository_of_its_own(
    release: Release, peps: Repository
) -> None:
    """The lead of a train proposes for all, so only it has to declare [announce] peps."""

    class Undeclared(Repository):
        def pull(self, branch: str) -> None:
            raise SettingsError(where="[announce] peps", problem="is missing", remedy=branch)

    undeclared = Undeclared({path: text.decode() for path, text in peps.branches[""].items()})
    with pytest.raises(Waiting, match=r"pull request 5076 .* have it merged"):
        awaited(release, undeclared)


def test_merged_pull_request_waits_for_the_site_and_for_nobody_to_merge_it(
    release: Release, peps: Repository
) -> None:
    propose(release, peps)
    peps.ends("merged", "")
    with pytest.raises(Waiting, match=r"site: .* is merged; run doit") as waiting:
        awaited(release, peps)
    assert "have it merged" not in str(waiting.value)
    with pytest.raises(StepFailed, match="ask an editor of the PEPs to build the site again"):
        awaited(release, peps, DUE + 2 * LATER)


def test_site_that_does_not_answer_is_waited_for(release: Release, peps: Repository) -> None:
    peps.branches.clear()
    with pytest.raises(Waiting, match=r"waiting for peps\.example: GET /api: status 500"):
        awaited(release, peps)


def test_rehearsal_has_a_branch_of_its_own(release: Release, peps: Repository) -> None:
    propose(replace(release, rehearsal=True), peps)
    assert set(peps.branches) == {"", "rehearsal-3.14.8"}


def test_branch_that_cannot_be_read_stops(release: Release) -> None:
    class Down(Repository):
        def pull(self, branch: str) -> None:
            raise ServiceFailed(service="github", action=f"look for {branch}", problem="status 500")

    with pytest.raises(ServiceFailed):
        look(release, Down({}))


def test_releases_of_one_day_are_recorded_by_one_pull_request(
    a_release: Builds, tmp_path: Path
) -> None:
    release = a_release("3.14.8")
    store = Store(tmp_path / "store")
    store.save("github", {"texts": {}, "pulls": [], "branches": {}})
    versions = [Version.parse("3.13.15"), release.version]
    seeded.put(store, versions, DUE)
    texts = store.load("github", {})["texts"]
    peps = Repository({path.removeprefix("python/peps/"): text for path, text in texts.items()})
    ours, theirs = (Recorded(each, DUE) for each in reversed(versions))
    assert schedule.look_proposed(release, peps, ours, [theirs]).state is RemoteState.ABSENT
    schedule.propose(release, peps, ours, MachinePrograms(), Quiet(), [theirs])
    assert peps.titles == [f"PEP 745, 719: 3.14.8, 3.13.15 released on {DUE}"]
    found = read_schedule(text(peps, SCHEDULE_FILE))
    stages = [found.stage(each) for each in versions]
    assert [stage is not None and stage.actual for stage in stages] == [True, True]
    assert schedule.look_proposed(release, peps, ours, [theirs]).state is RemoteState.IDENTICAL
    alone = schedule.look_proposed(release, peps, ours, [Recorded(theirs.version, DUE + LATER)])
    assert alone.state is RemoteState.DIFFERENT


def test_phase_whose_pull_request_was_closed_is_not_waited_for(
    release: Release, peps: Repository
) -> None:
    """The phases of a branch have the same wait as the releases."""
    propose(release, peps)
    wanted = Entered("3.14", DUE, Phase.SECURITY)
    until = datetime(2026, 10, 8, tzinfo=UTC)

    def waits(now: date = DUE) -> None:
        phase_schedule.await_entered(
            release, Published(peps), peps, wanted, At(now), pull="5076", until=until
        )

    with pytest.raises(Waiting, match=r"pull request 5076 .* have it merged"):
        waits()
    peps.ends("closed")
    with pytest.raises(StepFailed, match=r"was closed and not merged, and peps\.python\.org does"):
        waits()
    peps.ends("merged")
    with pytest.raises(StepFailed, match="ask an editor of the PEPs to build the site again"):
        waits(DUE + 2 * LATER)
