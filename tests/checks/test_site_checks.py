"""Checks of the site and its caches: passes, blocks, cannot look."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from checks import site as checks
from checks import site_access as access
from checks.caches import Answer, pages_are_current
from doit_receipts.finding import Severity
from plugins.model.content import Content
from plugins.model.contract import Purge
from plugins.model.secret import Secret
from plugins.ports.fetched import Fetched
from plugins.ports.public import AROUND
from plugins.rehearsal.store import ALWAYS
from plugins.services.cdn import Caches
from plugins.services.site import PythonOrg
from tests.site_world import SiteWorld, a_contract, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.contract import Contract


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("site_checks")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


@pytest.fixture
def contract(world: SiteWorld) -> Contract:
    return a_contract(world.folder)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address that nobody answers at."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def release(version: str, **more: Any) -> dict[str, Any]:
    slug = f"python-{version.replace('.', '')}"
    return {"name": f"Python {version}", "slug": slug, "is_published": True, **more}


def deleted(world: SiteWorld, key: int) -> None:
    """Somebody deletes a release in the site's admin."""
    tables = world.store.load("site", {})
    del tables["release"][str(key)]
    world.store.save("site", tables)


def test_a_login_that_works_is_no_finding(world: SiteWorld) -> None:
    assert access.login_works(world.site()) == ()


def test_a_login_that_may_not_write_blocks(world: SiteWorld) -> None:
    (finding,) = access.login_works(world.site(token="guest-token"))
    assert (finding.rule, finding.severity) == ("site.login", Severity.BLOCK)
    assert "403" in finding.message
    assert "[credentials]" in finding.remedy
    assert access.login_works(world.site()) == ()


def test_a_site_that_cannot_be_asked_blocks(contract: Contract, nowhere: str) -> None:
    site = PythonOrg(nowhere, None)
    with_admin = PythonOrg(nowhere, None, Secret("env:PEP101_TEST_NOTHING"))
    for found, rule in (
        (access.login_works(site), "site.login"),
        (access.name_is_free(contract, site), "site.name_taken"),
        (checks.flags_are_right(contract, site), "site.flags"),
        (checks.release_is_shown(contract, site), "site.shown"),
        (access.systems_are_known(contract, site), "site.systems"),
        (access.texts_can_be_saved(with_admin), "site.admin"),
    ):
        assert [(each.rule, each.severity) for each in found] == [(rule, Severity.BLOCK)]


def test_every_edge_that_cannot_be_reached_is_named_with_its_setting(
    contract: Contract, nowhere: str
) -> None:
    """A wrong address does not answer in a few minutes either."""
    other = nowhere.replace("127.0.0.1", "localhost")
    found = access.caches_answer(contract, Caches(nowhere, nowhere, [nowhere, other]))
    assert [(each.rule, each.where) for each in found] == [
        ("cdn.unreachable", nowhere),
        ("cdn.unreachable", other),
    ]
    assert all(each.remedy.startswith("correct [hosts] cdn_edges") for each in found)


def test_a_system_without_a_record_blocks_before_any_file_is_public(
    world: SiteWorld, contract: Contract
) -> None:
    assert access.systems_are_known(contract, world.site()) == ()
    world.store.order_fault("site.no_system", argument="macos", times=ALWAYS)
    (finding,) = access.systems_are_known(contract, world.site())
    assert (finding.rule, finding.severity) == ("site.systems", Severity.BLOCK)
    assert "no record of macos" in finding.message
    assert "ask the site's administrators to add it" in finding.remedy
    world.store.order_fault("site.no_system", times=0)
    assert access.systems_are_known(contract, world.site()) == ()


def test_a_name_is_free_or_a_draft_has_it(world: SiteWorld, contract: Contract) -> None:
    site = world.site()
    site.add_release(release("3.13.5"))
    assert access.name_is_free(contract, site) == ()
    site.add_release(release("3.13.6", is_published=False))
    (note,) = access.name_is_free(contract, site)
    assert (note.rule, note.severity) == ("site.draft_found", Severity.NOTE)
    assert note.remedy == "nothing, if it is yours; if it is not, delete it in the site's admin"
    deleted(world, 2)
    assert access.name_is_free(contract, site) == ()


def test_the_release_that_we_have_shown_is_not_in_its_own_way(
    world: SiteWorld, contract: Contract
) -> None:
    """Whoever followed the remedy would delete what users see."""
    site = world.site()
    site.add_release(release("3.13.6"))
    (finding,) = access.name_is_free(contract, site)
    assert finding.rule == "site.name_taken"
    assert access.name_is_free(contract, site, shown=True) == ()
    site.add_release({**release("3.13.6", is_published=False), "slug": "again"})
    (finding,) = access.name_is_free(contract, site, shown=True)
    assert finding.rule == "site.name_taken"


def test_a_name_that_is_taken_blocks_and_all_who_have_it_are_shown(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    site.add_release(release("3.13.6", is_published=False))
    site.add_release({**release("3.13.6", is_published=False), "slug": "again"})
    (finding,) = access.name_is_free(contract, site)
    assert (finding.rule, finding.severity) == ("site.name_taken", Severity.BLOCK)
    assert "release/1/" in finding.message
    assert "release/2/" in finding.message
    assert finding.remedy.startswith("delete those that are wrong in the site's admin")
    deleted(world, 2)
    assert [each.rule for each in access.name_is_free(contract, site)] == ["site.draft_found"]


@pytest.mark.parametrize(
    ("fields", "rules"),
    [
        ({"is_latest": True}, []),
        ({}, ["site.latest"]),
        ({"is_latest": True, "pre_release": True}, ["site.flags"]),
        ({"is_latest": True, "is_published": False}, ["site.flags"]),
        ({"is_latest": True, "show_on_download_page": False}, ["site.flags"]),
    ],
)
def test_flags_that_are_not_those_of_the_type_block(
    world: SiteWorld, contract: Contract, fields: dict[str, Any], rules: list[str]
) -> None:
    """pythondotorg#2161, and a draft that took the flag of the latest."""
    site = world.site()
    site.add_release(release("3.13.6", **fields))
    assert [each.rule for each in checks.flags_are_right(contract, site)] == rules


def test_latest_of_an_older_series_names_the_one_that_it_should_be(
    world: SiteWorld, contract: Contract
) -> None:
    """3.13.6 and 3.14.0 came out on one day, and whoever was last ticked the flag.

    A candidate is not it, though somebody left its box unticked.
    """
    site = world.site()
    site.add_release(release("3.14.0"))
    site.add_release(release("3.14.1rc1"))
    site.add_release(release("3.9.25"))
    site.add_release(release("3.15.0a1", pre_release=True))
    site.add_release(release("3.13.6", is_latest=True))
    (finding,) = checks.flags_are_right(contract, site)
    assert finding.rule == "site.latest"
    assert "Python 3.13.6; wanted the newest final" in finding.message
    assert finding.remedy.startswith("set is_latest of Python 3.14.0 in the site's admin")
    for each in site.releases():
        if each.name == "Python 3.14.0":
            site.change_release(each, {"is_latest": True})
    assert checks.flags_are_right(contract, site) == ()


def test_a_release_that_the_sites_pages_show_is_no_finding(
    world: SiteWorld, contract: Contract
) -> None:
    site = world.site()
    site.add_release(release("3.14.0", is_latest=True))
    site.add_release(release("3.13.6"))
    assert checks.release_is_shown(contract, site) == ()


def test_an_address_of_the_latest_release_that_leads_to_another_blocks(
    world: SiteWorld, contract: Contract
) -> None:
    """A release of an older version has a later date; then users get the older one."""
    site = world.site()
    site.add_release(release("3.14.0", is_latest=True))
    site.add_release(release("3.13.6", release_date="2026-12-01T12:00:00Z"))
    site.add_release(release("3.13.5", release_date="2026-12-01T18:00:00Z"))
    findings = checks.release_is_shown(contract, site)
    assert {each.rule for each in findings} == {"site.shown"}
    assert [each.where.rpartition("org")[2] for each in findings] == [
        "/downloads/latest/python3.13/", "/downloads/latest/python3.13",
    ]  # fmt: skip
    assert findings[0].message == (
        "leads to /downloads/release/python-3135/, wanted /downloads/release/python-3136/"
    )


def test_page_that_did_not_answer_is_looked_at_again() -> None:
    page = Purge("https://www.python.org/downloads/release/python-3136/", tells=("Python 3.13.6",))
    silent = Answer(AROUND, None, "no answer within 30 s")
    (finding,) = pages_are_current([(page, (silent,))])
    assert (finding.rule, finding.where) == ("page.unseen", page.url)
    assert finding.remedy.endswith("once it shows there, run the same command again")
    text = "<h1>Python 3.13.6</h1>"
    shows = Answer(AROUND, Fetched(200, Content.of(text.encode()), text))
    assert pages_are_current([(page, (shows,))]) == ()


def test_one_cache_alone_is_told(world: SiteWorld, contract: Contract) -> None:
    cdn = Caches(world.addresses["cdn"], world.addresses["docs_cdn"], [world.addresses["cdn_a"]])
    (note,) = access.caches_answer(contract, cdn)
    assert (note.rule, note.severity) == ("cdn.one_edge", Severity.NOTE)
    assert note.remedy == "name more of them in [hosts] cdn_edges"
    assert access.caches_answer(contract, world.cdn()) == ()
