"""Caches that really keep what they fetched: purged, looked at one by one, downloaded through."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.content import Content
from plugins.services.cdn import Caches
from tests.site_world import SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("caches")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


def put(world: SiteWorld, content: bytes) -> str:
    file = world.root / "3.13.6" / "Python-3.13.6.tgz"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def test_an_edge_serves_old_bytes_until_they_are_purged(world: SiteWorld) -> None:
    cdn = world.cdn()
    old = put(world, b"old")
    assert [cdn.look(URL, edge).content.sha256 for edge in cdn.edges] == [old, old]
    new = put(world, b"new bytes")
    assert [cdn.look(URL, edge).content.sha256 for edge in cdn.edges] == [old, old]
    assert not cdn.was_purged(URL)
    cdn.purge(URL)
    assert cdn.was_purged(URL)
    assert [cdn.look(URL, edge).content.sha256 for edge in cdn.edges] == [new, new]


def test_who_asks_too_early_makes_not_found_last(world: SiteWorld) -> None:
    cdn = world.cdn()
    edge = cdn.edges[0]
    assert cdn.look(URL, edge).status == 404
    put(world, b"new")
    assert cdn.look(URL, edge).status == 404
    cdn.purge(URL)
    assert cdn.look(URL, edge).status == 200


def test_one_edge_can_keep_what_the_other_forgot(world: SiteWorld) -> None:
    cdn = world.cdn()
    old = put(world, b"old")
    for edge in cdn.edges:
        cdn.look(URL, edge)
    new = put(world, b"new bytes")
    world.store.order_fault("cdn.keeps_stale", argument=".tgz")
    cdn.purge(URL)
    assert [cdn.look(URL, edge).content.sha256 for edge in cdn.edges] == [new, old]
    cdn.purge(URL)
    assert [cdn.look(URL, edge).content.sha256 for edge in cdn.edges] == [new, new]


def test_a_purge_whose_answer_is_lost_is_asked_again(world: SiteWorld) -> None:
    world.store.order_fault("cdn.purge_timeout")
    world.cdn(timeout_s=0.8).purge(URL)
    purged = world.events("cdn")
    assert set(purged) == {"purged"}
    # A busy machine may answer the second one late as well.
    assert len(purged) >= 2


def test_a_purge_that_is_refused_for_good_is_an_error(world: SiteWorld) -> None:
    world.store.order_fault("cdn.purge_refused", times=-1)
    cdn = world.cdn()
    with pytest.raises(
        ServiceFailed, match=r"PURGE /ftp/python/3\.13\.6/Python-3\.13\.6\.tgz: answ"
    ):
        cdn.purge(URL)
    assert not cdn.was_purged(URL)


def test_a_download_that_breaks_off_is_begun_again(world: SiteWorld, tmp_path: Path) -> None:
    digest = put(world, bytes(range(256)) * 9000)
    world.store.order_fault("cdn.cuts_body")
    seen = world.cdn().download(URL, tmp_path / "file")
    assert seen.content == Content(256 * 9000, digest)
    assert hashlib.sha256((tmp_path / "file").read_bytes()).hexdigest() == digest


def test_a_download_of_nothing_leaves_nothing(world: SiteWorld, tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match="answered 404"):
        world.cdn().download(URL, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_not_everybody_may_read_is_forbidden(world: SiteWorld) -> None:
    """pythondotorg#2499: the .tgz of 3.12.5 answered 403 while the .xz worked."""
    put(world, b"secret")
    (world.root / "3.13.6" / "Python-3.13.6.tgz").chmod(0o640)
    cdn = world.cdn()
    assert cdn.look(URL, cdn.edges[0]).status == 403


def test_a_listing_names_what_is_there_and_nothing_hidden(world: SiteWorld) -> None:
    put(world, b"x")
    (world.root / "3.13.6" / ".staging").mkdir()
    cdn = world.cdn()
    text = cdn.look("https://www.python.org/ftp/python/3.13.6/", cdn.edges[0]).text
    assert "Python-3.13.6.tgz" in text
    assert ".staging" not in text


def test_an_edge_that_stumbles_is_asked_again(world: SiteWorld) -> None:
    put(world, b"x")
    cdn = world.cdn()
    world.store.order_fault("cdn.serves_503", times=2)
    assert cdn.look(URL, cdn.edges[0]).status == 200


def test_documentation_is_reached_through_caches_of_its_own(world: SiteWorld) -> None:
    docs = world.folder / "docs" / "release" / "3.13.6"
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "index.html").write_text("<html>docs</html>")
    cdn = world.cdn()
    url = "https://docs.python.org/release/3.13.6/"
    assert "docs" in cdn.look(url, cdn.edges[0]).text
    cdn.purge(url)
    assert cdn.was_purged(url)


def test_an_address_of_somebody_else_is_never_asked(world: SiteWorld) -> None:
    for url in ("https://example.org/x", "https://www.python.org.example.org/x"):
        with pytest.raises(ValueError, match=r"not an address of python\.org"):
            world.cdn().purge(url)


def test_the_edges_of_a_name_are_its_addresses(world: SiteWorld) -> None:
    put(world, b"x")
    base = world.addresses["cdn"].replace("127.0.0.1", "localhost")
    cdn = Caches(base, world.addresses["docs_cdn"])
    assert "127.0.0.1" in cdn.edges
    assert cdn.look(URL, "127.0.0.1").status == 200


def test_caches_are_described_alike_on_every_machine(world: SiteWorld) -> None:
    assert repr(Caches("https://a.example", "https://b.example")) == (
        "Caches(https://a.example, https://b.example)"
    )
    assert repr(world.site()) == f"PythonOrg({world.addresses['site']})"
