"""Caches are purged of everything, read back on every edge, and nothing stale goes unnoticed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from checks import site as site_checks
from checks import site_access
from doit_receipts.errors import StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.site_pages import pages_of
from plugins.model.version import Version
from plugins.rehearsal import cache, site
from plugins.steps import purging, site_files, site_release
from tests.site_world import DAY, PASSWORD, QUIET, a_contract

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.probe import Probe
    from plugins.model.contract import Contract, Purge
    from plugins.services.cdn import Caches
    from tests.site_world import SiteWorld

PROJECT = Path(__file__).resolve().parents[2]
FILE = "/ftp/python/3.13.6/python-3.13.6-amd64.exe"


@pytest.fixture
def contract(world: SiteWorld) -> Contract:
    """A release that is public while the caches still hold what was there before it."""
    made = a_contract(world.folder)
    world.root.joinpath("3.13.6").mkdir()
    cdn = world.cdn()
    site.seed(world.store, Version.parse("3.13.5"))
    ours = world.site()
    early = (*made.file_purges, *pages_of(made, site_release.public_listing(ours)))
    for each in early:  # somebody looked too early
        for edge in cdn.edges:
            cdn.look(each.url, edge)
    world.stage(made)
    site_release.make_draft(made, DAY, ours, QUIET)
    site_files.put_files(made, world.host, ours, QUIET)
    site_release.publish(made, ours, QUIET)
    return made


def purge(world: SiteWorld, contract: Contract, cdn: Caches) -> None:
    """Everything, pages too."""
    purging.purge(contract, world.host, cdn, QUIET, site=world.site(), pause_s=0)


def look(world: SiteWorld, contract: Contract, cdn: Caches) -> Probe:
    return purging.look_purged(contract, world.host, cdn, site=world.site())


def wanted(world: SiteWorld, contract: Contract) -> tuple[Purge, ...]:
    """Every address, as the site is now."""
    listing = site_release.public_listing(world.site())
    return (*contract.file_purges, *pages_of(contract, listing))


def test_every_address_is_purged_and_right_on_every_edge(
    world: SiteWorld, contract: Contract
) -> None:
    cdn = world.cdn()
    assert look(world, contract, cdn).state is RemoteState.ABSENT
    purge(world, contract, cdn)
    found = look(world, contract, cdn)
    assert found.state is RemoteState.IDENTICAL
    assert found.facts["addresses"] == str(len(wanted(world, contract)))
    purged = {each["path"] for each in world.store.happened("cdn")}
    assert FILE in purged
    assert {"/ftp/python/3.13.6/", "/box/download-sources/", "/downloads/windows/"} <= purged
    assert site_access.caches_answer(contract, cdn) == ()


def test_bytes_that_are_right_where_we_look_were_not_purged_elsewhere(
    world: SiteWorld, contract: Contract
) -> None:
    """Two edges can be looked at; there are others, so each run purges by itself."""
    purge(world, contract, world.cdn())
    again = look(world, contract, world.cdn())
    assert again.state is RemoteState.ABSENT
    assert "still to be purged" in again.problem


def test_a_cache_that_keeps_one_file_is_named_with_its_address(
    world: SiteWorld, contract: Contract
) -> None:
    """CDN keeps one stale file on one edge: nothing may be announced."""
    world.store.order_fault("cdn.keeps_stale", times=-1, argument="amd64.exe")
    cdn = world.cdn()
    with pytest.raises(StepFailed, match="1 response is still stale after 4 purges") as raised:
        purge(world, contract, cdn)
    edge = world.addresses["cdn_b"]
    assert raised.value.details == (f"https://www.python.org{FILE} at {edge}: answers 404",)
    found = look(world, contract, cdn)
    assert found.state is RemoteState.ABSENT
    assert found.details == raised.value.details
    assert "run the same command again when they have purged it" in raised.value.remedy
    world.store.save("faults", {})
    purge(world, contract, cdn)
    assert look(world, contract, cdn).state is RemoteState.IDENTICAL


def test_edges_that_are_down_are_not_asked_for_every_address(
    world: SiteWorld, contract: Contract
) -> None:
    """Each address was asked for four times in each round, which took three minutes."""
    cdn, addresses = world.cdn(), wanted(world, contract)
    world.store.order_fault("cdn.serves_503", times=-1)
    lines = purging.stale(addresses, {}, cdn)
    assert len(lines) == len(addresses) * len(cdn.edges)
    assert "503" in lines[0]
    assert lines[-1].endswith("was not asked, after 3 in a row got no answer there")
    asked = Counter(each["event"] for each in world.store.happened("faults"))
    assert asked["cdn.serves_503"] < 2 * len(addresses)


def test_the_worlds_page_shows_release_and_caches(world: SiteWorld, contract: Contract) -> None:
    world.store.order_fault("cdn.keeps_stale", times=-1, argument="amd64.exe")
    with pytest.raises(StepFailed):
        purge(world, contract, world.cdn())
    page = httpx.get(world.addresses["world"]).text
    assert "Python 3.13.6</a>" in page
    assert page.count('<span class="bad">stale: 404</span>') == 1
    assert page.count('<span class="good">fresh</span>') > 20


def test_a_cache_that_was_slow_to_forget_is_purged_again(
    world: SiteWorld, contract: Contract
) -> None:
    world.store.order_fault("cdn.keeps_stale", times=2, argument="amd64.exe")
    cdn = world.cdn()
    purge(world, contract, cdn)
    assert look(world, contract, cdn).state is RemoteState.IDENTICAL


def test_a_purge_whose_answer_is_lost_changes_nothing(world: SiteWorld, contract: Contract) -> None:
    world.store.order_fault("cdn.purge_timeout")
    cdn = world.cdn(timeout_s=1.0)
    purge(world, contract, cdn)
    assert look(world, contract, cdn).state is RemoteState.IDENTICAL


def test_a_file_that_was_replaced_after_the_purge_is_seen(
    world: SiteWorld, contract: Contract
) -> None:
    cdn = world.cdn()
    purge(world, contract, cdn)
    file = world.root / "3.13.6" / "python-3.13.6-amd64.exe"
    file.write_bytes(b"Y" * file.stat().st_size)
    found = look(world, contract, cdn)
    assert found.state is RemoteState.ABSENT
    assert len(found.details) == 2
    assert "with sha256" in found.details[0]


def test_files_can_be_read_back_before_the_page_is_public(world: SiteWorld) -> None:
    contract = a_contract(world.folder)
    world.stage(contract)
    cdn = world.cdn()
    purging.purge(contract, world.host, cdn, QUIET, pause_s=0)
    found = purging.look_purged(contract, world.host, cdn)
    assert found.state is RemoteState.IDENTICAL


def test_every_page_that_changes_is_purged_and_read_back_on_every_edge(
    world: SiteWorld, contract: Contract
) -> None:
    """The ones that the site itself does not purge, and the older pages of the series."""
    cdn = world.cdn()
    purge(world, contract, cdn)
    paths = {each["path"] for each in world.store.happened("cdn") if each["event"] == "purged"}
    assert {
        "/", "/doc/", "/doc/versions/", "/getit/", "/downloads/operating-systems/",
        "/downloads/feed.rss", "/downloads/release/python-3135/", "/downloads/latest/python3.13",
        "/downloads/latest/", "/downloads/latest", "/getit/feed.rss", "/getit/latest/python3/",
        "/getit/release/python-3136/", "/getit/release/python-3135/", "/getit/windows/",
    } <= paths  # fmt: skip
    for edge in cdn.edges:
        older = cdn.look("https://www.python.org/downloads/release/python-3135/", edge).text
        assert "has been superseded by" in older
        assert "Python 3.13.6" in cdn.look("https://www.python.org/", edge).text
        latest = cdn.look("https://www.python.org/downloads/latest/python3/", edge)
        assert latest.leads_to == "/downloads/release/python-3136/"


KEPT = {
    "/doc/versions/": "does not show /release/3.13.6/",
    "/getit/": "does not show Python 3.13.6 and",
    "/downloads/release/python-3135/": "does not show /downloads/release/python-3136/",
    "/downloads/feed.rss": "does not show Python 3.13.6",
    "/downloads/latest/python3.13/": "leads to /downloads/release/python-3135/",
    "/getit/latest/python3.13": "leads to /downloads/release/python-3135/",
    "/getit/release/python-3135/": "does not show /downloads/release/python-3136/",
}


def test_pages_that_one_edge_keeps_are_named(world: SiteWorld, contract: Contract) -> None:
    world.forget_caches()
    html = {"content-type": "text/html"}
    old = {**html, "location": "/downloads/release/python-3135/"}
    for path in KEPT:
        kept = cache.Kept(302, old, b"old") if "latest" in path else cache.Kept(200, html, b"old")
        cache.keep(world.store, "b", cache.WWW, path, kept)
    world.store.order_fault("cdn.keeps_stale", times=-1)
    with pytest.raises(StepFailed, match="7 responses are still stale") as raised:
        purge(world, contract, world.cdn())
    edge = world.addresses["cdn_b"]
    lines = sorted(raised.value.details)
    said = [f"https://www.python.org{path} at {edge}: {KEPT[path]}" for path in sorted(KEPT)]
    assert len(lines) == len(said)
    assert all(line.startswith(start) for line, start in zip(lines, said, strict=True)), lines


def test_boxes_that_the_sites_failed_purge_left_old_are_made_anew(world: SiteWorld) -> None:
    """The site saves the release, answers 500 and does not come to its boxes."""
    contract = a_contract(world.folder)
    site.seed(world.store, Version.parse("3.13.5"))
    world.stage(contract)
    ours = world.site()
    site_release.make_draft(contract, DAY, ours, QUIET)
    site_files.put_files(contract, world.host, ours, QUIET)
    world.store.order_fault("site.cdn_unreachable", times=4)
    site_release.publish(contract, ours, QUIET)
    assert site_release.look_public(contract, ours).state is RemoteState.IDENTICAL
    assert "Python 3.13.5" in ours.look("/").text
    findings = site_checks.release_is_shown(contract, ours)
    assert {each.where for each in findings} == {
        f"https://www.python.org{path}"
        for path in ("/", "/box/homepage-downloads/", "/box/supernav-python-downloads/",
                     "/box/download-sources/")
    }  # fmt: skip
    assert {each.rule for each in findings} == {"site.shown"}
    purge(world, contract, world.cdn())
    assert site_checks.release_is_shown(contract, ours) == ()
    assert "Python 3.13.6" in ours.look("/").text


def test_what_visitors_see_is_the_new_release_though_the_sites_own_purge_failed(
    world: SiteWorld,
) -> None:
    """Home page, list of downloads and page of the release, before our purge and after it."""
    contract = a_contract(world.folder)
    site.seed(world.store, Version.parse("3.13.5"))
    world.stage(contract)
    ours, cdn = world.site(), world.cdn()
    pages = "/", "/downloads/", "/downloads/release/python-3136/"
    for page in pages:  # visitors were there in the morning
        for edge in cdn.edges:
            cdn.look(f"https://www.python.org{page}", edge)
    site_release.make_draft(contract, DAY, ours, QUIET)
    site_files.put_files(contract, world.host, ours, QUIET)
    world.store.order_fault("site.cdn_unreachable", times=4)
    site_release.publish(contract, ours, QUIET)
    assert [shown(cdn, page) for page in pages] == [{"3.13.5"}, {"3.13.5"}, {"404"}]
    purge(world, contract, cdn)
    assert [shown(cdn, page) for page in pages] == [{"3.13.6"}] * 3


def shown(cdn: Caches, page: str) -> set[str]:
    """What visitors of each edge read first on a page, a version or a status that is no 200."""
    fetched = (cdn.look(f"https://www.python.org{page}", edge) for edge in cdn.edges)
    versions = re.compile(r"3\.13\.\d")
    return {
        versions.findall(each.text)[0] if each.status == 200 else str(each.status)
        for each in fetched
    }


def test_flag_of_the_latest_that_another_release_took_is_given_back(
    world: SiteWorld, contract: Contract
) -> None:
    """A release of an older series came out right after ours, with a tick too many."""
    ours = world.site()
    (older,) = [each for each in ours.releases() if each.name == "Python 3.13.5"]
    ours.change_release(older, {"is_latest": True})
    assert "Python 3.13.5" in ours.look("/").text
    purge(world, contract, world.cdn())
    assert site_checks.release_is_shown(contract, ours) == ()
    assert site_checks.flags_are_right(contract, ours) == ()


def test_a_site_that_can_not_make_its_boxes_anew_is_told_with_its_pages(world: SiteWorld) -> None:
    contract = a_contract(world.folder)
    site.seed(world.store, Version.parse("3.13.5"))
    world.stage(contract)
    ours = world.site()
    site_release.make_draft(contract, DAY, ours, QUIET)
    site_files.put_files(contract, world.host, ours, QUIET)
    world.store.order_fault("site.cdn_unreachable", times=-1)
    site_release.publish(contract, ours, QUIET)
    with pytest.raises(StepFailed, match="is public, but 4 pages do not show it") as raised:
        purge(world, contract, world.cdn())
    assert "answered 500" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.details[0].startswith("https://www.python.org/box/")
    world.store.save("faults", {})  # as the remedy says: when its purge works
    purge(world, contract, world.cdn())


def test_the_remedy_of_old_boxes_a_save_in_the_admin_works(world: SiteWorld) -> None:
    contract = a_contract(world.folder)
    site.seed(world.store, Version.parse("3.13.5"))
    world.stage(contract)
    ours = world.site(admin=f"rm:{PASSWORD}")
    site_release.make_draft(contract, DAY, ours, QUIET)
    site_files.put_files(contract, world.host, ours, QUIET)
    world.store.order_fault("site.cdn_unreachable", times=4)
    site_release.publish(contract, ours, QUIET)
    (remedy,) = {each.remedy for each in site_checks.release_is_shown(contract, ours)}
    assert "save it as it is" in remedy
    ours.save_text(site_release.the_release(contract, ours), "text", "markdown")
    assert site_checks.release_is_shown(contract, ours) == ()


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
from plugins.model.secret import Secret
from plugins.services.folder_host import FolderHost
from plugins.services.site import PythonOrg
from plugins.steps import purging
from tests.site_world import QUIET, a_contract

told = json.loads(sys.argv[1])
contract, host = a_contract(Path(told["folder"])), FolderHost(Path(told["root"]))
cdn = Caches(told["cdn"], told["docs_cdn"], [told["cdn_a"], told["cdn_b"]])
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
secret = Secret(f"file:{told['token']}")
site = PythonOrg(told["site"], secret)
purging.purge(contract, host, cdn, QUIET, site=site, pause_s=0)
print(json.dumps(dict(purging.look_purged(contract, host, cdn, site=site).facts)))
"""


def purged(world: SiteWorld, kill_at: int = 0) -> tuple[int, str]:
    """Purge in a process of its own; its status and its facts."""
    world.site()  # writes its secrets
    told = {**world.addresses.of, "folder": str(world.folder), "root": str(world.root),
            "token": str(world.secrets / "token")}  # fmt: skip
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
    count_of = len(wanted(world, contract))
    for number in (1, 2, count_of // 2, count_of):
        assert purged(world, number)[0] == -9
        status, facts = purged(world)
        assert status == 0
        assert json.loads(facts)["addresses"] == str(len(wanted(world, contract)))
        count("kills of the purging client survived", 1)
