"""Tests of the platforms that nobody tests, over the simulated buildbots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.rehearsal import buildbots
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.buildbot import Buildbot
from plugins.steps import tiers
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store")
    buildbots.seed(store, "3.14")
    return store


@pytest.fixture
def bots(store: Store) -> Iterator[Buildbot]:
    with served(buildbots.app(store)) as address:
        yield Buildbot(address, kept_s=0)


@pytest.mark.parametrize(
    ("version", "told"),
    [("3.15.0b1", True), ("3.14.0rc1", True), ("3.14.0rc2", False), ("3.14.5rc1", False),
     ("3.13.6", False), ("3.15.0b2", False)],
)  # fmt: skip
def test_platforms_are_named_with_the_first_beta_and_candidate(
    a_release: Builds, version: str, *, told: bool
) -> None:
    assert tiers.is_told(a_release(version)) is told


def test_builder_without_a_worker_is_listed_with_what_to_do(
    store: Store, bots: Buildbot, a_release: Builds
) -> None:
    store.order_fault("buildbots.offline", times=ALWAYS)
    release = a_release("3.14.0rc1")
    facts = tiers.write(release, bots)
    text = (release.layout.made / tiers.TIERS).read_text()
    assert int(facts["builders"]) == text.count("\n- ")
    assert facts["builders"] != "0"
    assert ", tier-" in text
    assert "have PEP 11 list them as unsupported" in text


def test_nothing_to_say_is_said(bots: Buildbot, a_release: Builds) -> None:
    release = a_release("3.14.0rc1")
    assert tiers.write(release, bots)["builders"] == "0"
    assert "there is nothing to say" in (release.layout.made / tiers.TIERS).read_text()


def test_buildbots_that_do_not_answer_are_one_line(
    store: Store, bots: Buildbot, a_release: Builds
) -> None:
    store.order_fault("buildbots.500", times=ALWAYS)
    with pytest.raises(ServiceFailed):
        tiers.write(a_release("3.14.0rc1"), bots)
