"""Tests of whether another run of the Windows pipeline gets in the way of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.pipeline import nobody_else_publishes
from doit_receipts.finding import Severity
from plugins.model.windows_build import form_of
from plugins.rehearsal import azure, places
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.azure import AzurePipeline
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    places.put(store, downloads=tmp_path)
    azure.seed(store)
    return store


@pytest.fixture
def pipeline(store: Store) -> Iterator[AzurePipeline]:
    with served(azure.app(store)) as address:
        yield AzurePipeline(address, None)


def _queued(store: Store, release: Release, publishes: str) -> None:
    azure.queue_by_hand(store, form_of(release, "rm", "2" * 40), DoPublish=publishes)


def test_pipeline_whose_runs_have_ended_passes(pipeline: AzurePipeline, a_release: Builds) -> None:
    assert nobody_else_publishes(a_release("3.13.6"), pipeline) == ()


def test_run_of_another_release_that_publishes_too_is_warned_of(
    store: Store, pipeline: AzurePipeline, a_release: Builds
) -> None:
    _queued(store, a_release("3.14.8"), "true")
    (finding,) = nobody_else_publishes(a_release("3.13.6"), pipeline)
    assert (finding.rule, finding.severity) == ("windows.busy", Severity.WARN)
    assert "is under way and publishes as well" in finding.message
    assert finding.remedy.startswith("wait until it has ended")
    known = store.load("azure", {})
    known["runs"][-1]["stage"] = len(azure.STAGES)
    store.save("azure", known)
    assert nobody_else_publishes(a_release("3.13.6"), pipeline) == ()


def test_trial_and_our_own_run_are_left_alone(
    store: Store, pipeline: AzurePipeline, a_release: Builds
) -> None:
    _queued(store, a_release("3.14.8"), "false")
    _queued(store, a_release("3.13.6"), "true")
    assert nobody_else_publishes(a_release("3.13.6"), pipeline) == ()


def test_pipeline_that_cannot_be_looked_at_blocks(
    store: Store, pipeline: AzurePipeline, a_release: Builds
) -> None:
    store.order_fault("azure.malformed", times=ALWAYS)
    (finding,) = nobody_else_publishes(a_release("3.13.6"), pipeline)
    assert (finding.rule, finding.severity) == ("windows.busy", Severity.BLOCK)
