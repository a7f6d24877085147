"""Caches are purged of everything, read back on every edge, and nothing stale goes unnoticed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from checks import site as site_checks
from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.steps import purging, site_files, site_release
from tests.site_world import DAY, QUIET, SiteWorld, a_contract, site_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plugins.model.contract import Contract

PROJECT = Path(__file__).resolve().parents[2]
FILE = "/ftp/python/3.13.6/python-3.13.6-amd64.exe"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("purging")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


@pytest.fixture
def contract(world: SiteWorld) -> Contract:
    """A release that is public while the caches still hold what was there before it."""
    made = a_contract(world.folder)
    world.root.joinpath("3.13.6").mkdir()
    cdn = world.cdn()
    for each in made.purges:  # somebody looked too early
        for edge in cdn.edges:
            cdn.look(each.url, edge)
    world.stage(made)
    site = world.site()
    site_release.make_draft(made, DAY, site, QUIET)
    site_files.put_files(made, world.host, site, QUIET)
    site_release.publish(made, site, QUIET)
    return made


def test_every_address_is_purged_and_right_on_every_edge(
    world: SiteWorld, contract: Contract
) -> None:
    cdn = world.cdn()
    assert purging.look_purged(contract, world.host, cdn).state is RemoteState.ABSENT
    purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    found = purging.look_purged(contract, world.host, cdn)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["addresses"] == str(len(contract.purges))
    purged = {each["path"] for each in world.store.happened("cdn")}
    assert FILE in purged
    assert {"/ftp/python/3.13.6/", "/box/download-sources/", "/downloads/windows/"} <= purged
    assert site_checks.caches_answer(contract, cdn) == ()


def test_bytes_that_are_right_where_we_look_were_not_purged_elsewhere(
    world: SiteWorld, contract: Contract
) -> None:
    """Two edges can be looked at; there are others, so each run purges by itself."""
    purging.purge(contract, world.host, world.cdn(), QUIET, pause_s=0)
    again = purging.look_purged(contract, world.host, world.cdn())
    assert again.state is RemoteState.ABSENT
    assert "still to be purged" in again.problem


def test_a_cache_that_keeps_one_file_is_named_with_its_address(
    world: SiteWorld, contract: Contract
) -> None:
    """CDN keeps one stale file on one edge: nothing may be announced."""
    world.store.order_fault("cdn.keeps_stale", times=-1, argument="amd64.exe")
    cdn = world.cdn()
    with pytest.raises(StepFailed, match="1 answers are still stale after 4 purges") as raised:
        purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    edge = world.addresses["cdn_b"]
    assert raised.value.details == (f"https://www.python.org{FILE} at {edge}: answers 404",)
    found = purging.look_purged(contract, world.host, cdn)
    assert found.state is RemoteState.ABSENT
    assert found.details == raised.value.details


def test_the_worlds_page_shows_release_and_caches(world: SiteWorld, contract: Contract) -> None:
    world.store.order_fault("cdn.keeps_stale", times=-1, argument="amd64.exe")
    with pytest.raises(StepFailed):
        purging.purge(contract, world.host, world.cdn(), QUIET, pause_s=0)
    page = httpx.get(world.addresses["world"]).text
    assert "Python 3.13.6</a>" in page
    assert page.count('<span class="bad">stale: 404</span>') == 1
    assert page.count('<span class="good">fresh</span>') > 20


def test_a_cache_that_was_slow_to_forget_is_purged_again(
    world: SiteWorld, contract: Contract
) -> None:
    world.store.order_fault("cdn.keeps_stale", times=2, argument="amd64.exe")
    cdn = world.cdn()
    purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    assert purging.look_purged(contract, world.host, cdn).state is RemoteState.IDENTICAL


def test_a_purge_whose_answer_is_lost_changes_nothing(world: SiteWorld, contract: Contract) -> None:
    world.store.order_fault("cdn.purge_timeout")
    cdn = world.cdn(timeout_s=1.0)
    purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    assert purging.look_purged(contract, world.host, cdn).state is RemoteState.IDENTICAL


def test_a_file_that_was_replaced_after_the_purge_is_seen(
    world: SiteWorld, contract: Contract
) -> None:
    cdn = world.cdn()
    purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    file = world.root / "3.13.6" / "python-3.13.6-amd64.exe"
    file.write_bytes(b"Y" * file.stat().st_size)
    found = purging.look_purged(contract, world.host, cdn)
    assert found.state is RemoteState.ABSENT
    assert len(found.details) == 2
    assert "with sha256" in found.details[0]


def test_files_can_be_read_back_before_the_page_is_public(world: SiteWorld) -> None:
    contract = a_contract(world.folder)
    world.stage(contract)
    cdn = world.cdn()
    purging.purge(contract, world.host, cdn, QUIET, pages=False, pause_s=0)
    found = purging.look_purged(contract, world.host, cdn, pages=False)
    assert found.state is RemoteState.IDENTICAL
    with pytest.raises(StepFailed, match="still stale") as raised:
        purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    assert all("/downloads/" in line for line in raised.value.details)


def test_what_was_read_is_not_sent_again(world: SiteWorld, contract: Contract) -> None:
    """An edge answers that nothing changed, so a second look costs no download."""
    cdn = world.cdn()
    url = f"https://www.python.org{FILE}"
    cdn.purge(url)
    first = cdn.look(url, cdn.edges[0])
    assert cdn.look(url, cdn.edges[0]) is first
    del contract


_CLIENT = """
import json, sys
from pathlib import Path
from plugins.services.cdn import Caches
from plugins.services.folder_host import FolderHost
from plugins.steps import purging
from tests.site_world import QUIET, a_contract

told = json.loads(sys.argv[1])
contract, host = a_contract(Path(told["folder"])), FolderHost(Path(told["root"]))
cdn = Caches(told["cdn"], told["docs_cdn"], [told["cdn_a"], told["cdn_b"]])
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
purging.purge(contract, host, cdn, QUIET, pause_s=0)
print(json.dumps(dict(purging.look_purged(contract, host, cdn).facts)))
"""


def purged(world: SiteWorld, kill_at: int = 0) -> tuple[int, str]:
    """Purge in a process of its own; its status and its facts."""
    told = {**world.addresses.of, "folder": str(world.folder), "root": str(world.root)}
    with subprocess.Popen(
        [sys.executable, "-c", _CLIENT, json.dumps(told)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        assert client.stdout is not None
        assert client.stdout.readline() == "ready\n"
        if kill_at:
            world.store.aim(client.pid, kill_at)
        out, _ = client.communicate("\n")
    return client.returncode, out


@pytest.mark.slow
def test_a_client_that_is_killed_between_purges_begins_again_and_ends_alike(
    world: SiteWorld, contract: Contract, count: Callable[[str, int], None]
) -> None:
    for number in (1, 2, len(contract.purges) // 2, len(contract.purges)):
        assert purged(world, number)[0] == -9
        status, facts = purged(world)
        assert status == 0
        assert json.loads(facts)["addresses"] == str(len(contract.purges))
        count("kills of the purging client survived", 1)
