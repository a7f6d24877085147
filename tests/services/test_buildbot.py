"""Tests of the buildbots' service against the world's master over real HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import builders as checks
from doit_receipts.finding import Severity
from plugins.rehearsal import buildbots as world
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.buildbot import Buildbot
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    world.seed(made, "3.13")
    return made


@pytest.fixture
def bots(store: Store) -> Iterator[Buildbot]:
    with served(world.app(store)) as address:
        yield Buildbot(address)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


def test_stable_builders_of_the_branch_are_told_with_their_last_build(bots: Buildbot) -> None:
    found = bots.stable("3.13")
    assert [(each.name, each.online, each.result) for each in found] == [
        ("AMD64 Debian 3.13", True, "success"),
        ("AMD64 Windows11 3.13", True, "success"),
        ("ARM64 macOS 3.13", True, "success"),
    ]


def test_green_builders_pass(bots: Buildbot, release: Release) -> None:
    assert checks.builders_are_green(release, bots) == ()
    assert checks.builders_are_online(release, bots) == ()


def test_red_builder_blocks_by_name(bots: Buildbot, release: Release, store: Store) -> None:
    store.order_fault("buildbots.red", times=ALWAYS)
    (finding,) = checks.builders_are_green(release, bots)
    assert (finding.rule, finding.severity) == ("builders.red", Severity.BLOCK)
    assert "AMD64 Debian 3.13" in finding.where
    assert finding.message == "its last build: failure"


def test_offline_builder_is_told_and_not_judged(
    bots: Buildbot, release: Release, store: Store
) -> None:
    known = store.load("buildbots", [])
    known[0] |= {"online": False, "result": 2}
    store.save("buildbots", known)
    assert checks.builders_are_green(release, bots) == ()
    (finding,) = checks.builders_are_online(release, bots)
    assert (finding.rule, finding.severity) == ("builders.offline", Severity.WARN)


def test_branch_without_builders_blocks(bots: Buildbot, a_release: Builds) -> None:
    (finding,) = checks.builders_are_green(a_release("3.12.9"), bots)
    assert "no stable builder of 3.12" in finding.message


def test_check_that_cannot_look_blocks(bots: Buildbot, release: Release, store: Store) -> None:
    store.order_fault("buildbots.500", times=ALWAYS)
    (finding,) = checks.builders_are_green(release, bots)
    assert finding.severity is Severity.BLOCK
    (finding,) = checks.builders_are_online(release, bots)
    assert finding.severity is Severity.BLOCK
