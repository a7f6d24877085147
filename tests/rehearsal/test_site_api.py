"""What the simulated python.org does besides answering: purges, boxes, faults, what it keeps.

What it answers is compared with the application itself in test_site_contract.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.model.version import Version
from plugins.rehearsal import site
from tests.site_contract import V2
from tests.site_world import PASSWORD, TOKEN, SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

RELEASE = {"name": "Python 3.13.6", "slug": "python-3136"}
URL = "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"
BOXES = ("supernav-python-downloads", "homepage-downloads", "download-sources")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


def made(client: httpx.Client, **more: Any) -> str:
    """The address of a new release."""
    answer = client.post(f"{V2}/release/", json={**RELEASE, **more})
    assert answer.status_code == 201, answer.text
    address: str = answer.json()["resource_uri"]
    return address.partition("/api")[1] + address.partition("/api")[2]


def a_file(to: str, name: str = "tgz", **more: Any) -> dict[str, Any]:
    return {
        "name": name, "slug": name, "os": f"{V2}/os/3/", "release": to,
        "url": URL.replace("tgz", name), **more,
    }  # fmt: skip


def of_boxes(client: httpx.Client) -> str:
    """The text of all boxes, those that are there."""
    found = (client.get(f"/box/{name}/") for name in BOXES)
    return " ".join(each.text for each in found if each.status_code == 200)


def test_a_furnished_site_has_the_release_before_and_lets_its_manager_in(
    world: SiteWorld,
) -> None:
    secrets = site.seed(world.store, Version.parse("3.13.5"))
    assert site.seed(world.store, Version.parse("3.13.5")) == secrets
    with world.v2(secrets["site"]) as client:
        two, three = client.get(f"{V2}/release/").json()
        assert (two["name"], two["version"], two["is_latest"]) == ("Python 2.7.18", 2, True)
        assert (three["name"], three["is_latest"]) == ("Python 3.13.5", True)
        assert all(client.get(f"/box/{name}/").status_code == 200 for name in BOXES)


def test_version_1_of_the_api_is_not_simulated(world: SiteWorld) -> None:
    """No client of ours speaks it: one that would begin to is told at once."""
    with world.v2() as client:
        assert client.get("/api/v1/downloads/os/").status_code == 404
        assert client.post("/api/v1/downloads/release/", json=RELEASE).status_code == 404


def test_the_text_of_a_page_is_not_written_by_the_api(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client, content="text", content_markup_type="html")
        client.patch(release, json={"content": "text"})
    assert [row["content"] for row in world.rows("release").values()] == [""]


# ── what follows from a save ─────────────────────────────────────────────────────────────────


def ready(world: SiteWorld, client: httpx.Client) -> str:
    """A draft of 3.13.6 after 3.13.5, with the file that its button leads to."""
    site.seed(world.store, Version.parse("3.13.5"))
    release = made(client, release_date="2026-12-01T12:00:00Z")
    client.post(
        f"{V2}/release_file/", json=a_file(release, download_button=True)
    ).raise_for_status()
    return release


def test_a_release_whose_purge_fails_is_stored_and_its_boxes_stay_old(world: SiteWorld) -> None:
    """The site purges first, answers 500, and never comes to its boxes; saved again it does."""
    with world.v2(site.seed(world.store)["site"]) as client:
        release = ready(world, client)
        world.store.order_fault("site.cdn_unreachable")
        answer = client.patch(release, json={"is_published": True, "is_latest": True})
        assert answer.status_code == 500
        assert client.get(release).json()["is_published"]
        assert client.get("/downloads/latest/").headers["location"].endswith("/python-3136/")
        assert "3.13.6" not in of_boxes(client)
        assert "Python 3.13.5" in client.get("/").text
        assert client.patch(release, json={"is_published": True}).status_code == 200
        assert of_boxes(client).count("Python 3.13.6") == 2
        assert URL in client.get("/box/download-sources/").text
        assert "Python 3.13.6" in client.get("/").text


def test_a_file_whose_purge_fails_has_its_boxes_made_before(world: SiteWorld) -> None:
    with world.v2(site.seed(world.store)["site"]) as client:
        release = ready(world, client)
        client.patch(release, json={"is_published": True, "is_latest": True}).raise_for_status()
        world.store.order_fault("site.cdn_unreachable")
        file = a_file(release, "exe", os=f"{V2}/os/1/", download_button=True)
        assert client.post(f"{V2}/release_file/", json=file).status_code == 500
        assert file["url"] in client.get("/box/supernav-python-downloads/").text


def test_home_and_sources_want_a_release_of_python_2_as_well(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client, is_published=True, is_latest=True)
        client.post(f"{V2}/release_file/", json=a_file(release, download_button=True))
        assert [client.get(f"/box/{name}/").status_code for name in BOXES] == [200, 404, 404]


def test_the_admin_takes_a_save_back_whose_purge_fails(world: SiteWorld) -> None:
    """Unlike the API: its saves are one transaction."""
    with world.v2() as client:
        made(client, is_published=True)
    release = world.site().releases()[0]
    world.store.order_fault("site.cdn_unreachable")
    with pytest.raises(Exception, match="answered 500"):
        world.site(admin=f"rm:{PASSWORD}").save_text(release, "text", "markdown")
    assert world.rows("release")["1"]["content"] == ""


def test_a_deletion_that_cannot_purge_is_taken_back(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client, is_published=True)
        client.post(f"{V2}/release_file/", json=a_file(release))
        world.store.order_fault("site.cdn_unreachable")
        assert client.delete(f"{V2}/release_file/1/").status_code == 500
        assert list(world.rows("release_file")) == ["1"]


def test_publishing_purges_what_the_site_knows_of_and_nothing_else(world: SiteWorld) -> None:
    """Files, and listings of documentation, stay in the caches: that is ours to do."""
    (world.root / "3.13.6").mkdir()
    (world.root / "3.13.6" / "Python-3.13.6.tgz").write_bytes(b"old")
    file, listing = "/ftp/python/3.13.6/Python-3.13.6.tgz", "/ftp/python/3.13.6/"
    with world.v2() as client:
        release = made(client)
        for path in (file, listing, "/downloads/", "/downloads/source/"):
            client.get(world.addresses["cdn_a"] + path)
        (world.root / "3.13.6" / "Python-3.13.6.tgz").write_bytes(b"new")
        client.patch(release, json={"is_published": True})
        kept = [
            client.get(world.addresses["cdn_a"] + path).headers["x-cache"]
            for path in (file, listing, "/downloads/", "/downloads/source/")
        ]
        assert client.get(world.addresses["cdn_a"] + file).content == b"old"
    assert kept == ["HIT", "MISS", "MISS", "MISS"]


def test_a_page_of_another_section_is_not_purged_by_the_site(world: SiteWorld) -> None:
    """``/getit/`` shows the same and has another key; home page and documentation too."""
    paths = ("/getit/", "/doc/", "/", "/downloads/feed.rss")
    with world.v2() as client:
        release = made(client)
        for path in paths:
            client.get(world.addresses["cdn_a"] + path)
        client.patch(release, json={"is_published": True})
        kept = [client.get(world.addresses["cdn_a"] + path).headers["x-cache"] for path in paths]
    assert kept == ["HIT", "HIT", "HIT", "MISS"]


def test_too_many_calls_are_answered_with_429_and_when_to_come_back(world: SiteWorld) -> None:
    for seconds, unit in (("7", "seconds"), ("1", "second")):
        world.store.order_fault("site.429", argument=seconds)
        with world.v2() as client:
            answer = client.get(f"{V2}/os/")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, seconds)
            told = f"Request was throttled. Expected available in {seconds} {unit}."
            assert answer.json() == {"detail": told}
            assert client.get(f"{V2}/os/").status_code == 200


def test_who_may_not_write_is_not_counted(world: SiteWorld) -> None:
    """The framework asks for the right before it counts."""
    world.store.order_fault("site.429", argument="7")
    with world.v2("") as client:
        assert client.post(f"{V2}/os/", json={}).status_code == 401
    with world.v2(TOKEN) as client:
        assert client.get(f"{V2}/os/").status_code == 429
