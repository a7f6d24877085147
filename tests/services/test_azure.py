"""Tests of Azure's service against the pipeline of the simulated environment, over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.hash_table import read_table
from plugins.model.secret import Secret
from plugins.model.windows_build import form_of, parameters_of
from plugins.rehearsal import azure as world
from plugins.rehearsal import places
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.azure import AzurePipeline
from plugins.services.bounds import Bounds
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

COMMIT = "5" * 40
QUICK = Bounds(grace_s=0.8, silence_s=1, least_rate=20_000, longest_s=3, size_bytes=1 << 20)


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
    return AzurePipeline(address, Secret("env:AZURE_TOKEN_OF_TEST"), bounds=QUICK)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.15.0rc1")


def ended(pipeline: AzurePipeline, number: int) -> None:
    for _ in range(30):
        pipeline.timeline(number)


def test_run_is_started_and_found_with_what_its_form_says(
    pipeline: AzurePipeline, release: Release
) -> None:
    given = parameters_of(form_of(release, "hugovk", COMMIT))
    number = pipeline.start(given)
    newest = pipeline.runs()[0]
    assert newest == pipeline.run(number)
    assert newest.name.startswith("Release_v3.15.0rc1_")
    assert newest.parameters["SourceCommit"] == COMMIT
    assert newest.parameters["DoPublish"] == "True"
    assert (newest.result, newest.by) == ("", "Release Manager")
    assert newest.url.endswith(f"/_build/results?buildId={number}")


def test_timeline_tells_stages_and_who_has_to_approve(
    pipeline: AzurePipeline, release: Release
) -> None:
    number = pipeline.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    pipeline.timeline(number)
    found = pipeline.timeline(number)
    stages = {each.name: each.state for each in found if each.kind == "Stage"}
    assert stages["Build"] == "completed"
    assert stages["Publish"] == "pending"
    (approval,) = [each for each in found if each.kind == "Checkpoint.Approval"]
    assert approval.state == "inProgress"
    assert pipeline.approvers(approval.id) == ("Steve Signer", "Ned Notary")


def test_what_a_run_left_can_be_read(pipeline: AzurePipeline, release: Release) -> None:
    number = pipeline.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    assert pipeline.artifact(number, "hashes") is None
    ended(pipeline, number)
    for name in ("hashes", "pymanager_hashes"):
        left = pipeline.artifact(number, name)
        assert left is not None
        assert set(left) == {"hashes.txt"}
        assert read_table(left["hashes.txt"], name)


def test_run_is_kept_for_ever(pipeline: AzurePipeline, release: Release) -> None:
    number = pipeline.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    assert not pipeline.is_retained(number)
    pipeline.retain(number)
    assert pipeline.is_retained(number)


def test_deleted_run_and_expired_artifact_are_none(
    pipeline: AzurePipeline, release: Release, store: Store
) -> None:
    number = pipeline.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    ended(pipeline, number)
    store.order_fault("azure.expired_artifact", times=ALWAYS)
    assert pipeline.artifact(number, "hashes") is None
    store.order_fault("azure.deleted_run", times=ALWAYS)
    assert pipeline.run(number) is None


def test_everybody_may_look_and_only_a_token_starts(
    address: str, store: Store, release: Release
) -> None:
    anonymous = AzurePipeline(address, None)
    assert not anonymous.may_act
    assert anonymous.runs()
    with pytest.raises(ServiceFailed, match=r"asks for a login.*\[credentials\] azure"):
        anonymous.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    assert len(store.load("azure", {})["runs"]) == 1


def test_token_that_expired_is_told_as_such(
    pipeline: AzurePipeline, monkeypatch: pytest.MonkeyPatch, release: Release
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_OF_TEST", "another")
    with pytest.raises(ServiceFailed, match="the token is wrong or has expired") as caught:
        pipeline.start(parameters_of(form_of(release, "hugovk", COMMIT)))
    assert "another" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("azure.500", "answered 500"),
        ("azure.login", "asks for a login"),
        ("azure.malformed", "not valid JSON"),
        ("azure.endless", "is larger than"),
        ("azure.hangs", "too slow|timeout"),
    ],
)
def test_answer_that_is_none_gives_one_line(
    pipeline: AzurePipeline, store: Store, fault: str, told: str
) -> None:
    store.order_fault(fault, times=ALWAYS)
    with pytest.raises(ServiceFailed, match=told) as caught:
        pipeline.runs()
    assert str(caught.value).startswith("Azure: list the newest runs: ")
    assert "\n" not in str(caught.value)
