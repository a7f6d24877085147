"""Tests of the Windows build's steps over Azure's service and the simulated pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from checks.windows_jobs import every_job_ran
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.probe import RemoteState
from plugins.model.hash_table import BrokenTable
from plugins.model.manifest import Manifest
from plugins.model.promise import contract_of
from plugins.model.secret import Secret
from plugins.model.windows_build import form_of
from plugins.rehearsal import azure as world
from plugins.rehearsal import places
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.azure import AzurePipeline
from plugins.services.templates import PackagedTemplates
from plugins.steps import windows_build as steps
from tests.progress import Quiet
from tests.served import served
from tests.source_world import NOON, FixedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from tests.conftest import Builds

COMMIT = "5" * 40
OTHER = "6" * 40


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    (tmp_path / "ftp").mkdir()
    places.put(made, downloads=tmp_path / "ftp")
    world.seed(made)
    return made


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    with served(world.app(store)) as found:
        yield found


@pytest.fixture
def pipeline(address: str, monkeypatch: pytest.MonkeyPatch) -> AzurePipeline:
    monkeypatch.setenv("AZURE_TOKEN_OF_TEST", world.LOGIN)
    return AzurePipeline(address, Secret("env:AZURE_TOKEN_OF_TEST"))


@pytest.fixture
def anonymous(address: str) -> AzurePipeline:
    return AzurePipeline(address, None)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.15.0rc1")


def look(release: Release, pipeline: AzurePipeline, build: int = 0) -> Probe:
    return steps.look_started(release, pipeline, commit=COMMIT, build=build)


def start(release: Release, pipeline: AzurePipeline) -> dict[str, str]:
    return steps.start(release, pipeline, Quiet(), owner="hugovk", commit=COMMIT)


def followed(pipeline: AzurePipeline, run: str, looks: int = 40) -> dict[str, str]:
    for _ in range(looks):
        try:
            return steps.follow(pipeline, run, FixedClock())
        except Waiting:
            continue
    message = "the run does not end"
    raise AssertionError(message)


def started(store: Store) -> int:
    return len(store.load("azure", {})["runs"]) - 1


def test_page_tells_each_field_of_the_form(release: Release, pipeline: AzurePipeline) -> None:
    steps.write_form(release, PackagedTemplates(), pipeline.page, owner="somebody", commit=COMMIT)
    text = release.layout.windows_form.read_text()
    assert "_build?definitionId=21" in text
    for line in (
        "     Git remote                       (Other)",
        "     If Other, specify Git remote     somebody",
        f"     Git commit                       {COMMIT}",
        "     [x] Publish release",
        "     [x] Build with tail-calling support",
        "     [ ] Include GPG signatures",
    ):
        assert line in text.splitlines()


def test_run_is_started_once_and_adopted(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    assert look(release, pipeline).state is RemoteState.ABSENT
    run = start(release, pipeline)["run"]
    probe = look(release, pipeline)
    assert (probe.state, probe.facts["run"]) == (RemoteState.IDENTICAL, run)
    assert started(store) == 1


def test_without_a_token_the_release_manager_is_asked_and_their_run_is_found(
    release: Release, anonymous: AzurePipeline, store: Store
) -> None:
    with pytest.raises(Waiting, match="is not started yet") as caught:
        start(release, anonymous)
    assert "windows-build.txt" in str(caught.value)
    assert anonymous.page in str(caught.value)
    world.queue_by_hand(store, form_of(release, "hugovk", COMMIT))
    assert look(release, anonymous).state is RemoteState.IDENTICAL


def test_run_whose_parameters_the_list_does_not_tell_is_asked_for_them(
    release: Release, anonymous: AzurePipeline, store: Store
) -> None:
    store.order_fault("azure.forgets_parameters", times=ALWAYS)
    world.queue_by_hand(store, form_of(release, "hugovk", COMMIT))
    assert look(release, anonymous).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    "changes",
    [
        {"SourceCommit": OTHER},
        {"SourceCommit": "empty"},
        {"DoPublish": "false"},
        {"SigningCertificate": "TestSign"},
        {"SourceTag": "v3.15.0rc10"},
    ],
)
def test_run_of_something_else_is_left_alone(
    changes: dict[str, str], release: Release, anonymous: AzurePipeline, store: Store
) -> None:
    world.queue_by_hand(store, form_of(release, "hugovk", COMMIT), **changes)
    assert look(release, anonymous).state is RemoteState.ABSENT


@pytest.mark.parametrize(
    ("version", "box", "value", "told"),
    [
        ("3.15.0rc1", "Post315OutputDir", "false", "Separate free-threaded outputs is not ticked"),
        ("3.14.9", "DoJIT", "false", "Build the JIT compiler is not ticked"),
        ("3.13.17", "DoMSIX", "false", "Produce Store packages is not ticked"),
        ("3.16.0a1", "DoMSI", "true", "Produce EXE/MSI installer is ticked"),
    ],
)
def test_run_that_was_started_with_other_boxes_stops_before_it_publishes(
    version: str, box: str, value: str, told: str, a_release: Builds, anonymous: AzurePipeline,
    store: Store,
) -> None:  # fmt: skip
    """The form's defaults are of no series in particular, so a box is easily forgotten."""
    release = a_release(version)
    run = world.queue_by_hand(store, form_of(release, "hugovk", COMMIT), **{box: value})
    probe = look(release, anonymous)
    assert probe.state is RemoteState.DIFFERENT
    assert probe.details == (told,)
    assert f"[windows] build = {run}" in probe.remedy
    # Both remedies work: the run counts as it is once it is declared, and so does another one.
    assert look(release, anonymous, build=run).state is RemoteState.IDENTICAL
    again = world.queue_by_hand(store, form_of(release, "hugovk", COMMIT))
    assert look(release, anonymous).state is RemoteState.UNKNOWN
    known = store.load("azure", {})
    canceled = [{**each, "failed": "Build"} for each in known["runs"] if each["id"] == run]
    others = [each for each in known["runs"] if each["id"] != run]
    store.save("azure", {**known, "runs": [*others, *canceled]})
    assert look(release, anonymous).facts["run"] == str(again)


def test_two_runs_are_never_guessed_between_and_the_declared_one_counts(
    release: Release, anonymous: AzurePipeline, store: Store
) -> None:
    form = form_of(release, "hugovk", COMMIT)
    first, second = (world.queue_by_hand(store, form) for _ in range(2))
    probe = look(release, anonymous)
    assert probe.state is RemoteState.UNKNOWN
    assert f"[windows] build = {second}" in probe.remedy
    assert len(probe.details) == 2
    declared = look(release, anonymous, build=first)
    assert (declared.state, declared.facts["run"]) == (RemoteState.IDENTICAL, str(first))
    assert look(release, anonymous, build=41).state is RemoteState.DIFFERENT
    assert look(release, anonymous, build=999).state is RemoteState.UNKNOWN


def test_failed_run_is_not_replaced_by_itself(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    store.order_fault("azure.fails", argument="Test")
    run = start(release, pipeline)["run"]
    with pytest.raises(StepFailed, match="Test job: failed") as caught:
        followed(pipeline, run)
    assert caught.value.details == ("Test job: Test: the process exited with code 1.",)
    probe = look(release, pipeline)
    assert probe.state is RemoteState.UNKNOWN
    assert "run its failed jobs again" in probe.remedy
    # The remedy works: another run, started by hand, is the one that counts.
    again = world.queue_by_hand(store, form_of(release, "hugovk", COMMIT))
    assert look(release, pipeline).facts["run"] == str(again)


def test_stages_are_told_while_the_run_goes_on(release: Release, pipeline: AzurePipeline) -> None:
    run = start(release, pipeline)["run"]
    told = []
    facts: dict[str, str] = {}
    for _ in range(40):
        try:
            facts = steps.follow(pipeline, run, FixedClock())
            break
        except Waiting as error:
            told.append(str(error))
    assert any("1 of 6 stages ended" in line for line in told)
    assert any("Layout" in line and "is not approved yet" in line for line in told)
    assert facts["stage Publish"] == "succeeded"
    assert facts["result"] == "succeeded"


def test_pending_approval_names_who_may_give_it(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    store.order_fault("azure.pending_approval", times=ALWAYS)
    run = start(release, pipeline)["run"]
    for _ in range(5):
        with pytest.raises(Waiting):
            steps.follow(pipeline, run, FixedClock())
    with pytest.raises(Waiting) as caught:
        steps.follow(pipeline, run, FixedClock())
    assert caught.value.who == "Steve Signer or Ned Notary"
    assert "the use of the certificate in stage Sign is not approved yet" in str(caught.value)
    with pytest.raises(StepFailed, match="has not ended by 2026-11-22 11:00 UTC"):
        steps.follow(pipeline, run, FixedClock(), until=NOON - timedelta(hours=1))


def test_deleted_run_is_told_and_never_guessed(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    run = start(release, pipeline)["run"]
    store.order_fault("azure.deleted_run", times=ALWAYS)
    with pytest.raises(StepFailed, match=f"Windows run {run}: was deleted on Azure"):
        steps.follow(pipeline, run, FixedClock())
    assert steps.look_retained(pipeline, run).state is RemoteState.DIFFERENT


def test_digests_are_kept_as_the_pipeline_tells_them(
    release: Release, pipeline: AzurePipeline
) -> None:
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    facts = steps.fetch_digests(release, pipeline, contract_of(release), run, commit=COMMIT)
    kept = Manifest.from_bytes(steps.digests_file(release.layout).read_bytes(), "kept")
    assert kept.by_name.keys() == set(facts)
    wanted = {file.remote for file in contract_of(release).files if file.origin.value == "windows"}
    assert wanted <= set(facts)
    assert not any("index-windows" in path for path in facts)


def test_3_16_has_one_table_alone(a_release: Builds, pipeline: AzurePipeline) -> None:
    release = a_release("3.16.0a1")
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    facts = steps.fetch_digests(release, pipeline, contract_of(release), run, commit=COMMIT)
    wanted = {file.remote for file in contract_of(release).files if file.origin.value == "windows"}
    assert wanted <= set(facts)
    assert not any(path.endswith(".exe") for path in facts)


def test_expired_table_is_a_fact_that_the_gate_judges(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    store.order_fault("azure.expired_artifact", times=ALWAYS)
    facts = steps.fetch_digests(release, pipeline, contract_of(release), run, commit=COMMIT)
    assert facts == {
        "table hashes": "does not exist any more",
        "table pymanager_hashes": "does not exist any more",
    }


def test_table_that_is_none_is_told_in_one_line(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    known = store.load("azure", {})
    known["runs"][-1]["tables"]["hashes"] = "<html>\x1b[2J"
    store.save("azure", known)
    with pytest.raises(BrokenTable, match=f"hashes of Windows run {run}: begins with line 1"):
        steps.fetch_digests(release, pipeline, contract_of(release), run, commit=COMMIT)


def test_run_is_kept_with_a_token_and_asked_for_without(
    release: Release, pipeline: AzurePipeline, anonymous: AzurePipeline
) -> None:
    run = start(release, pipeline)["run"]
    assert steps.look_retained(anonymous, run).state is RemoteState.ABSENT
    with pytest.raises(Waiting, match='choose "Retain"'):
        steps.retain(anonymous, run)
    steps.retain(pipeline, run)
    assert steps.look_retained(anonymous, run).state is RemoteState.IDENTICAL


def test_every_job_of_the_series_has_to_have_run(
    release: Release, pipeline: AzurePipeline, a_release: Builds
) -> None:
    """Profile, packages and tests, and up to 3.13 the packages of the Store."""
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    assert every_job_ran(release, pipeline, run) == ()
    older = a_release("3.13.6")
    other = start(older, pipeline)["run"]
    followed(pipeline, other)
    assert every_job_ran(older, pipeline, other) == ()
    found = every_job_ran(older, pipeline, run)
    assert [finding.rule for finding in found] == ["windows.job"]
    assert found[0].message == (
        "Pack MSIX bundles did not run or succeed for amd64, amd64_store, arm64, arm64_store"
    )


def test_what_a_run_left_out_is_reported_by_job(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    store.order_fault("azure.skips_tests")
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    found = every_job_ran(release, pipeline, run)
    assert {finding.severity.name for finding in found} == {"WARN"}
    assert found[0].message == "Pack Nuget bundles did not run or succeed for amd64, win32, arm64"
    skipped = [finding.message for finding in found if finding.rule == "windows.tests"]
    assert "Test MSI win32_User skipped Collect version number" in skipped
    assert len(skipped) == 10
    # What their remedies tell to look at, and another run as they tell.
    seen = pipeline.run(int(run))
    assert seen
    assert {seen.parameters["DoNuget"], seen.parameters["SkipTests"]} == {"False", "True"}
    assert "SkipTests" in found[-1].remedy
    again = start(release, pipeline)["run"]
    followed(pipeline, again)
    assert every_job_ran(release, pipeline, again) == ()


def test_jobs_that_cannot_be_read_block(
    release: Release, pipeline: AzurePipeline, store: Store
) -> None:
    run = start(release, pipeline)["run"]
    followed(pipeline, run)
    store.order_fault("azure.malformed", times=ALWAYS)
    (finding,) = every_job_ran(release, pipeline, run)
    assert finding.rule == "windows.unseen"
    store.order_fault("azure.malformed", times=0)  # its remedy: run again once it answers
    assert every_job_ran(release, pipeline, run) == ()
