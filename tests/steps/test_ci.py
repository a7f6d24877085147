"""Tests of CI's steps over the GitHub service and the world's GitHub, by real HTTP."""

from __future__ import annotations

import zipfile
import zlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from checks.ci_artifacts import ci_built_the_same, ci_files_are_known
from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.errors import ServiceFailed, StepFailed, Waiting
from doit_receipts.finding import Severity, Waiver, blocking
from doit_receipts.probe import RemoteState
from plugins.model.promise import contract_of
from plugins.model.provenance import WORKFLOW
from plugins.model.secret import Secret
from plugins.rehearsal import github as world
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.github import GitHub
from plugins.steps import ci
from tests.progress import Quiet
from tests.served import served
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

COMMIT = "5" * 40
OF_ANOTHER = {"source": {"Python-3.12.14.tgz": "gz"}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    world.seed(made, "3.13", ("main", "3.12", "3.13"))
    files = {"source": {"Python-3.13.6.tgz": "gz", "Python-3.13.6.tar.xz": "xz"}}
    made.save("ci", made.load("ci", {}) | {"polls": 3, "files": files})
    return made


@pytest.fixture
def hub(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    monkeypatch.setenv("GITHUB_TOKEN_OF_TEST", "rehearsal-github-token")
    with served(world.app(store)) as address:
        yield GitHub(address, "python/release-tools", Secret("env:GITHUB_TOKEN_OF_TEST"))


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


def start(release: Release, hub: GitHub) -> dict[str, str]:
    return ci.start(release, hub, owner="rm", commit=COMMIT, progress=Quiet())


def ended(hub: GitHub, run: str) -> dict[str, str]:
    for _ in range(9):
        try:
            return ci.wait(hub, run, FixedClock())
        except Waiting:
            continue
    pytest.fail("it never ended")


def test_run_is_started_once_and_its_inputs_are_tag_and_commit(
    release: Release, hub: GitHub, store: Store
) -> None:
    assert ci.look_started(release, hub, COMMIT).state is RemoteState.ABSENT
    facts = start(release, hub)
    probe = ci.look_started(release, hub, COMMIT)
    assert (probe.state, probe.facts) == (RemoteState.IDENTICAL, facts)
    assert start(release, hub) == facts
    (run,) = store.load("ci", {})["runs"]
    assert run["inputs"] == {
        "git_remote": "rm",
        "git_commit": COMMIT,
        "cpython_release": "3.13.6",
    }


def test_run_whose_answer_was_lost_is_found_again(
    release: Release, hub: GitHub, store: Store
) -> None:
    hub.dispatch(WORKFLOW, "main", {})  # somebody else's, earlier
    store.order_fault("github.500_after_write")
    with pytest.raises(ServiceFailed):
        start(release, hub)
    found = ci.look_started(release, hub, COMMIT)
    assert found.state is RemoteState.IDENTICAL
    assert start(release, hub) == found.facts
    assert len(store.load("ci", {})["runs"]) == 2


def test_two_runs_that_may_be_ours_are_shown_to_a_person(
    release: Release, hub: GitHub, store: Store
) -> None:
    store.order_fault("github.500_after_write")
    with pytest.raises(ServiceFailed):
        start(release, hub)
    hub.dispatch(WORKFLOW, "main", {})
    probe = ci.look_started(release, hub, COMMIT)
    assert probe.state is RemoteState.UNKNOWN
    assert len(probe.details) == 2


class Beside:
    """GitHub as it is, for those who see something else happen in the middle."""

    def __init__(self, hub: GitHub) -> None:
        self.hub = hub
        self.looked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.hub, name)


class EndsBeforeItAsks(Beside):
    """Somebody ends the program between the look and the request."""

    def dispatch(self, *_: object) -> int:
        raise KeyboardInterrupt


class AnotherReleaseAtOnce(Beside):
    """Another release asks for its own run right after ours has looked."""

    def runs(self, workflow: str) -> Any:
        self.looked += 1
        found = self.hub.runs(workflow)
        if self.looked == 1:
            self.hub.dispatch(WORKFLOW, "main", {"cpython_release": "3.12.14"})
        return found


def test_run_that_another_release_asks_for_meanwhile_is_not_taken_for_ours(
    release: Release, hub: GitHub, store: Store
) -> None:
    facts = ci.start(
        release, AnotherReleaseAtOnce(hub), owner="rm", commit=COMMIT, progress=Quiet()
    )
    theirs, ours = store.load("ci", {})["runs"]
    assert theirs["inputs"]["cpython_release"] == "3.12.14"
    assert facts["run"] == str(ours["id"])


def test_run_of_another_release_is_given_back_and_ours_is_started(
    release: Release, hub: GitHub, store: Store
) -> None:
    """An attempt that was killed before it asked finds one new run: it is somebody else's."""
    store.save("ci", store.load("ci", {}) | {"of": {"3.12.14": OF_ANOTHER}})
    with pytest.raises(KeyboardInterrupt):
        ci.start(release, EndsBeforeItAsks(hub), owner="rm", commit=COMMIT, progress=Quiet())
    hub.dispatch(WORKFLOW, "main", {"cpython_release": "3.12.14"})
    taken = start(release, hub)
    ended(hub, taken["run"])
    with pytest.raises(StepFailed, match=r"built Python-3\.12\.14\.tgz, and 3\.13\.6") as told:
        ci.fetch(release, hub, taken["run"], Quiet())
    assert "doit forget start_build" in told.value.remedy
    # which it does: the receipt is gone, so it is looked for again
    assert ci.look_started(release, hub, COMMIT).state is RemoteState.ABSENT
    ours = start(release, hub)
    assert ours["run"] != taken["run"]
    ended(hub, ours["run"])
    assert "source/Python-3.13.6.tgz" in ci.fetch(release, hub, ours["run"], Quiet())
    assert not list(release.layout.ci.rglob("*3.12.14*"))


def test_other_commit_is_another_run(release: Release, hub: GitHub) -> None:
    first = start(release, hub)
    assert ci.look_started(release, hub, "6" * 40).state is RemoteState.ABSENT
    second = ci.start(release, hub, owner="rm", commit="6" * 40, progress=Quiet())
    assert first["run"] != second["run"]


def test_wait_names_the_jobs_that_still_run(release: Release, hub: GitHub) -> None:
    run = start(release, hub)["run"]
    with pytest.raises(Waiting, match="1 of 5 jobs ended, build-source, test-docs") as told:
        ci.wait(hub, run, FixedClock())
    assert told.value.who == "CI"
    facts = ended(hub, run)
    assert facts["conclusion"] == facts["job test-docs"] == "success"


def test_failed_job_is_told_by_name(release: Release, hub: GitHub, store: Store) -> None:
    store.order_fault("ci.fails", times=ALWAYS, argument="test-source")
    run = start(release, hub)["run"]
    with pytest.raises(StepFailed, match="test-source: failure"):
        ended(hub, run)


def test_wait_has_a_deadline(release: Release, hub: GitHub, store: Store) -> None:
    store.order_fault("ci.never_ends", times=ALWAYS)
    run = start(release, hub)["run"]
    with pytest.raises(StepFailed, match="has not ended by 2026-11-22 11:00 UTC"):
        ci.wait(hub, run, FixedClock(), until=NOON - timedelta(hours=1))


def test_artifacts_stand_with_their_digests(release: Release, hub: GitHub) -> None:
    run = start(release, hub)["run"]
    facts = ci.fetch(release, hub, run, Quiet())
    assert ci.fetch(release, hub, run, Quiet()) == facts
    assert set(ci.built(release.layout)) == {"Python-3.13.6.tgz", "Python-3.13.6.tar.xz"}
    for mine, text in zip(release.layout.tarballs, ("gz", "xz"), strict=True):
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text(text)
    assert ci_built_the_same(release) == ()
    release.layout.tarballs[1].write_text("other")
    (finding,) = ci_built_the_same(release)
    assert (finding.rule, finding.severity) == ("ci.differs", Severity.BLOCK)
    assert "built again: here by doit forget build_tarballs" in finding.remedy
    release.layout.tarballs[1].write_text("xz")
    assert ci_built_the_same(release) == ()
    theirs = release.layout.ci / "source" / release.layout.tarballs[0].name
    theirs.write_text("other")
    (finding,) = ci_built_the_same(release)
    assert "run doit forget fetch_build, then the same command again" in finding.remedy
    ci.fetch(release, hub, run, Quiet())
    assert ci_built_the_same(release) == ()


def test_check_blocks_until_what_ci_made_of_the_source_is_fetched(
    release: Release, hub: GitHub
) -> None:
    (finding,) = ci_built_the_same(release)
    assert (finding.rule, finding.severity) == ("ci.missing", Severity.BLOCK)
    assert "run doit forget fetch_build, then the same command again" in finding.remedy
    ci.fetch(release, hub, start(release, hub)["run"], Quiet())
    for mine, text in zip(release.layout.tarballs, ("gz", "xz"), strict=True):
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.write_text(text)
    assert ci_built_the_same(release) == ()


def test_file_of_ci_that_no_table_knows_blocks_by_name(a_release: Builds) -> None:
    """A WASI package that CI begins to build would otherwise be left out without a word."""
    release = a_release("3.15.0rc1")
    names = {
        "android": ("python-3.15.0rc1-aarch64-linux-android.tar.gz",),
        "docs": ("python-3.15.0rc1-docs-html.zip",),
        "source": ("Python-3.15.0rc1.tgz",),
        "wasi": ("python-3.15.0rc1-wasm32-wasip1.tar.xz",),
    }
    for artifact, files in names.items():
        for name in files:
            (release.layout.ci / artifact).mkdir(parents=True, exist_ok=True)
            (release.layout.ci / artifact / name).write_text(name)
    (finding,) = ci_files_are_known(release, contract_of(release))
    assert (finding.rule, finding.severity) == ("ci.unknown", Severity.BLOCK)
    assert finding.where == "wasi/python-3.15.0rc1-wasm32-wasip1.tar.xz"
    assert "plugins/model/binaries.py" in finding.remedy
    assert finding.remedy.endswith("if not, waive ci.unknown")
    waiver = Waiver("ci.unknown", "nobody asked for it yet", "rm", NOON.date())
    assert blocking([finding], [waiver]) == ()
    (release.layout.ci / "wasi" / names["wasi"][0]).unlink()
    assert ci_files_are_known(release, contract_of(release)) == ()


def test_file_that_ci_did_not_make_is_fetched_once_its_job_was_run_again(a_release: Builds) -> None:
    """Its run is over and fetched already: the same command alone would fetch nothing anew."""
    layout = a_release("3.14.9").layout
    name = "python-3.14.9-aarch64-linux-android.tar.gz"
    with pytest.raises(StepFailed, match=f"CI did not make {name}") as told:
        ci.with_built([], layout, [name])
    assert "doit forget fetch_build" in told.value.remedy
    file = layout.ci / "android" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"made")
    assert ci.with_built([], layout, [name]) == (file,)


def test_artifact_of_other_bytes_is_refused_and_not_kept(
    release: Release, hub: GitHub, store: Store
) -> None:
    run = start(release, hub)["run"]
    store.order_fault("github.artifact_other_bytes")
    with pytest.raises(StepFailed, match="does not match the digest that GitHub reports"):
        ci.fetch(release, hub, run, Quiet())
    assert ci.built(release.layout) == {}


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_names_that_lead_elsewhere_are_refused(
    release: Release, hub: GitHub, store: Store, name: str
) -> None:
    store.save("ci", store.load("ci", {}) | {"files": {"source": {name: "x"}}})
    run = start(release, hub)["run"]
    with pytest.raises(StepFailed, match="could end outside of its folder"):
        ci.fetch(release, hub, run, Quiet())


@pytest.mark.parametrize(
    "name", ["../../../../precious", "../../src", "/tmp/precious", "a/b", "..", "", "source.zip"]
)
def test_artifacts_that_lead_elsewhere_touch_nothing(
    release: Release, hub: GitHub, store: Store, name: str
) -> None:
    precious = release.layout.work / "precious"
    for each in (precious, release.layout.src):
        each.mkdir(parents=True)
        (each / "kept").touch()
    store.save("ci", store.load("ci", {}) | {"files": {name: {"kept": "x"}}})
    run = start(release, hub)["run"]
    with pytest.raises(StepFailed, match="which is no plain name"):
        ci.fetch(release, hub, run, Quiet())
    assert (precious / "kept").read_bytes() == b""
    assert (release.layout.src / "kept").read_bytes() == b""


def test_a_file_of_ci_that_changes_after_it_was_fetched_is_not_handed_on(
    release: Release, hub: GitHub
) -> None:
    facts = ci.fetch(release, hub, start(release, hub)["run"], Quiet())
    built = ci.built(release.layout)["Python-3.13.6.tgz"]
    digest = ci.as_fetched(release.layout, [_artifact(built)], facts)
    assert digest == ci.as_fetched(release.layout, [_artifact(built)], facts)
    built.write_text("swapped")
    with pytest.raises(StepFailed, match="is not as it was fetched from CI"):
        ci.as_fetched(release.layout, [_artifact(built)], facts)
    with pytest.raises(StepFailed, match="is not as it was fetched from CI"):
        ci.as_fetched(release.layout, [_artifact(built)], {})


def _artifact(path: Path) -> Artifact:
    return Artifact(path, path.stat().st_size, sha256_of(path))


def test_an_artifact_that_unpacks_to_a_thousand_times_its_size_is_refused(
    release: Release, hub: GitHub, store: Store
) -> None:
    bomb = {"source": {f"Python-{each}.tgz": "0" * (1 << 20) for each in range(5)}}
    store.save("ci", store.load("ci", {}) | {"files": bomb})
    run = start(release, hub)["run"]
    with pytest.raises(StepFailed, match="it would unpack to 5 MiB"):
        ci.fetch(release, hub, run, Quiet())
    assert ci.built(release.layout) == {}


def test_what_an_earlier_run_left_is_not_taken_for_this_ones(release: Release, hub: GitHub) -> None:
    old = release.layout.ci / "android" / "python-3.13.6-aarch64-linux-android.tar.gz"
    old.parent.mkdir(parents=True)
    old.touch()
    ci.fetch(release, hub, start(release, hub)["run"], Quiet())
    assert old.name not in ci.built(release.layout)


def test_artifact_that_cannot_be_unpacked_is_told_in_one_line(
    release: Release, hub: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each method of compression has errors of its own."""
    run = start(release, hub)["run"]
    read, error = zipfile.ZipExtFile.read, zlib.error("invalid distance too far back")

    def broken(self: zipfile.ZipExtFile, size: int | None = -1) -> bytes:
        read(self, size)
        raise error

    monkeypatch.setattr(zipfile.ZipExtFile, "read", broken)
    with pytest.raises(StepFailed, match="is not a valid zip archive: invalid distance"):
        ci.fetch(release, hub, run, Quiet())
    assert ci.built(release.layout) == {}
