"""Tests of the buildbots' service against the world's master over real HTTP on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
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

    from starlette.types import ASGIApp, Receive, Scope, Send

    from doit_receipts.finding import Finding
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
        yield Buildbot(address, kept_s=0)


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


def change(store: Store, name: str, **more: object) -> None:
    known = store.load("buildbots", [])
    (found,) = (each for each in known if each["name"].startswith(name))
    found |= more
    store.save("buildbots", known)


def rules(found: tuple[Finding, ...]) -> list[tuple[str, Severity]]:
    return [(each.rule, each.severity) for each in found]


def test_stable_builders_of_the_branch_are_listed_with_their_last_build(bots: Buildbot) -> None:
    """One that is unstable is not, nor one that no worker is configured for any more."""
    found = bots.stable("3.13")
    assert [(each.name, each.online, each.result) for each in found] == [
        ("AMD64 Alpine Linux 3.13", True, "success"),
        ("AMD64 Debian root 3.13", True, "success"),
        ("AMD64 Windows11 Non-Debug 3.13", True, "success"),
        ("ARM64 macOS 3.13", True, "success"),
        ("s390x Fedora Stable 3.13", True, "success"),
    ]


def test_green_builders_pass(bots: Buildbot, release: Release) -> None:
    assert checks.builders_are_green(release, bots) == ()
    assert checks.builders_are_online(release, bots) == ()
    assert checks.tiers_are_known(release, bots) == ()


def test_red_builder_of_tier_1_blocks_by_name(
    bots: Buildbot, release: Release, store: Store
) -> None:
    store.order_fault("buildbots.red")
    (finding,) = checks.builders_are_green(release, bots)
    assert (finding.rule, finding.severity) == ("builders.red", Severity.BLOCK)
    assert "AMD64 Debian root 3.13" in finding.where
    assert finding.message == "tier 1: its last build ended in failure"


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("ARM64 macOS", Severity.BLOCK),
        ("s390x Fedora", Severity.NOTE),
        ("AMD64 Alpine", Severity.NOTE),
    ],
)
def test_red_builder_holds_up_a_release_by_its_tier(
    bots: Buildbot, release: Release, store: Store, name: str, severity: Severity
) -> None:
    """PEP 11: failures on platforms of tier 3 do not block a release."""
    change(store, name, results=[2, 0])
    (finding,) = checks.builders_are_green(release, bots)
    assert finding.severity is severity
    assert name in finding.where


def test_tier_3_that_fails_is_a_note_in_the_rehearsal(
    bots: Buildbot, release: Release, store: Store
) -> None:
    store.order_fault("buildbots.red_tier_3")
    assert rules(checks.builders_are_green(release, bots)) == [("builders.red", Severity.NOTE)]


def test_exception_says_nothing_and_the_build_before_counts(
    bots: Buildbot, release: Release, store: Store
) -> None:
    store.order_fault("buildbots.exception")
    assert checks.builders_are_green(release, bots) == ()
    change(store, "AMD64 Debian", results=[4, 3, 5, 6, 2])
    (finding,) = checks.builders_are_green(release, bots)
    assert finding.message == "tier 1: its last build ended in failure"
    change(store, "AMD64 Debian", results=[4] * 40)
    (finding,) = checks.builders_are_green(release, bots)
    assert "none of its last builds says anything" in finding.message


def test_build_without_a_result_is_no_success(
    bots: Buildbot, release: Release, store: Store
) -> None:
    """One that ended and has none says nothing, and is not taken for Buildbot's 0."""
    change(store, "AMD64 Debian", results=[None, 2])
    (finding,) = checks.builders_are_green(release, bots)
    assert finding.message == "tier 1: its last build ended in failure"


@pytest.mark.parametrize("tags", [["tier-0"], ["tier-1", "tier-3"], ["tier1"]])
def test_tier_that_is_not_known_is_a_finding_and_blocks_where_it_matters(
    bots: Buildbot, release: Release, store: Store, tags: list[str]
) -> None:
    change(store, "ARM64 macOS", tags=["3.13", "stable", *tags])
    assert rules(checks.tiers_are_known(release, bots)) == [("builders.tier", Severity.WARN)]
    change(store, "ARM64 macOS", results=[2])
    (finding,) = checks.tiers_are_known(release, bots)
    assert finding.severity is Severity.BLOCK
    assert f"its tier is {' and '.join(tags)}, wanted one of tier-1" in finding.message


def test_no_builder_of_tier_1_and_2_blocks(bots: Buildbot, release: Release, store: Store) -> None:
    for name in ("AMD64 Debian", "AMD64 Windows11", "ARM64 macOS"):
        change(store, name, tags=["3.13", "stable"])
    (finding,) = checks.builders_are_green(release, bots)
    assert (finding.severity, finding.message) == (
        Severity.BLOCK,
        "no stable builder of 3.13 is of tier 1 or 2",
    )


def test_offline_builder_is_named_and_not_judged(
    bots: Buildbot, release: Release, store: Store
) -> None:
    change(store, "AMD64 Debian", online=False, results=[2])
    assert checks.builders_are_green(release, bots) == ()
    (finding,) = checks.builders_are_online(release, bots)
    assert (finding.rule, finding.severity) == ("builders.offline", Severity.WARN)


def test_branch_without_builders_blocks(bots: Buildbot, a_release: Builds) -> None:
    (finding,) = checks.builders_are_green(a_release("3.12.9"), bots)
    assert "no stable builder of 3.12 is of tier 1 or 2" in finding.message


def test_check_that_cannot_look_blocks(bots: Buildbot, release: Release, store: Store) -> None:
    store.order_fault("buildbots.500", times=ALWAYS)
    (finding,) = checks.builders_are_green(release, bots)
    assert finding.severity is Severity.BLOCK
    (finding,) = checks.builders_are_online(release, bots)
    assert finding.severity is Severity.BLOCK


# ── as many as there are, and no more requests than the buildbots allow ────────────────────


class Counted:
    """Counts what is asked of an application, answered or denied."""

    def __init__(self, app: ASGIApp, paths: list[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._paths.append(scope["path"])
        await self._app(scope, receive, send)


def use_up(address: str) -> None:
    """So much was asked that the next request is denied."""
    with httpx.Client() as client:
        while client.get(f"{address}/api/v2/workers").status_code == 200:
            pass


@pytest.fixture
def asked() -> list[str]:
    """Every path that was asked for, the oldest first."""
    return []


@pytest.fixture(params=[10.0])
def limited(store: Store, asked: list[str], request: pytest.FixtureRequest) -> Iterator[str]:
    """The buildbots of a day in 2026; the parameter is over how many seconds they count."""
    stable = [
        {"name": f"builder {number}", "tags": ["3.13", "stable", f"tier-{number % 3 + 1}"],
         "results": [4] * (number % 7) + [0], "online": number % 10 > 0}
        for number in range(80)
    ]  # fmt: skip
    store.save("buildbots", stable)
    app = world.app(store, window_s=request.param)
    app.add_middleware(Counted, paths=asked)
    with served(app) as address:
        yield address


def judged(release: Release, bots: Buildbot) -> list[tuple[str, Severity]]:
    return [
        *rules(checks.tiers_are_known(release, bots)),
        *rules(checks.builders_are_green(release, bots)),
        *rules(checks.builders_are_online(release, bots)),
    ]


def test_eighty_builders_are_judged_by_few_requests(
    limited: str, release: Release, asked: list[str]
) -> None:
    """The three checks of a gate share one look, whose requests are far from the limit."""
    found = judged(release, Buildbot(limited))
    assert {rule for rule, _ in found} == {"builders.offline"}
    assert len(found) == 8
    assert len(asked) == 2 + 4


def test_builder_that_seldom_builds_is_asked_about_alone(
    limited: str, release: Release, store: Store, asked: list[str]
) -> None:
    """The newest builds of all may have none of it: what it said last counts, and not nothing."""
    busy = {"tags": ["3.13", "stable", "tier-1"], "results": [0] * 45, "online": True}
    known = [{**busy, "name": f"busy {number}"} for number in range(19)]
    seldom = {**busy, "name": "seldom", "results": [4] * 12 + [2], "idle": 40}
    store.save("buildbots", [*known, seldom])
    bots = Buildbot(limited)
    (finding,) = checks.builders_are_green(release, bots)
    assert "seldom" in finding.where
    assert finding.message == "tier 1: its last build ended in failure"
    assert asked[2:] == ["/api/v2/builds", "/api/v2/builders/20/builds"]


@pytest.mark.parametrize("limited", [3.0], indirect=True)
def test_denied_look_is_done_again_when_the_limit_is_over(
    limited: str, release: Release, asked: list[str]
) -> None:
    """As HAProxy does, nothing says how long: to ask again at once would only prolong it."""
    use_up(limited)
    del asked[:]
    found = judged(release, Buildbot(limited, throttled_s=3.1))
    assert {rule for rule, _ in found} == {"builders.offline"}
    assert len(asked) == 1 + 2 + 4


def test_denied_look_is_given_up_at_the_first_final_error(
    limited: str, release: Release, asked: list[str]
) -> None:
    """One look for the whole gate: the next check does not begin to ask again."""
    use_up(limited)
    del asked[:]
    found = judged(release, Buildbot(limited, throttled_s=0.01))
    assert [severity for _, severity in found] == [Severity.BLOCK] * 3
    assert len(asked) == 4
