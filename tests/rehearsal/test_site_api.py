"""The rehearsed python.org answers as the real one was observed to, oddities included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.model.version import Version
from plugins.rehearsal import site
from tests.site_world import SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

RELEASE = {"name": "Python 3.13.6", "slug": "python-3136"}
URL = "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"
V2 = "/api/v2/downloads"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteWorld]:
    with site_world(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture
def world(running: SiteWorld) -> SiteWorld:
    running.forget()
    return running


def made(client: httpx.Client, **more: Any) -> str:
    """The address of a new release, by version 2."""
    answer = client.post(f"{V2}/release/", json={**RELEASE, **more})
    assert answer.status_code == 201, answer.text
    address: str = answer.json()["resource_uri"]
    return address.partition("/api")[1] + address.partition("/api")[2]


def a_file(to: str, name: str = "tgz", **more: Any) -> dict[str, Any]:
    version = to.split("/")[2]
    return {
        "name": name, "slug": name, "os": f"/api/{version}/downloads/os/3/", "release": to,
        "url": URL.replace("tgz", name), **more,
    }  # fmt: skip


# ── who may do what ──────────────────────────────────────────────────────────────────────────


def test_only_staff_writes(world: SiteWorld) -> None:
    with world.v2("guest-token") as client:
        assert client.get(f"{V2}/os/").status_code == 200
        assert client.post(f"{V2}/release/", json=RELEASE).status_code == 403
    with world.v2("") as client:
        assert client.post(f"{V2}/release/", json=RELEASE).status_code == 401
        key = {"Authorization": "ApiKey rm:key"}
        assert client.get(f"{V2}/os/", headers=key).status_code == 200
        assert client.post(f"{V2}/release/", json=RELEASE, headers=key).status_code == 401
    for token in ("nobody", "gone-token"):
        with world.v2(token) as client:
            answer = client.get(f"{V2}/os/")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Token")
    assert world.rows("release") == {}


def test_drafts_are_for_staff_and_their_files_for_everybody(world: SiteWorld) -> None:
    with world.v2() as staff, world.v2("") as guest:
        release = made(staff)
        staff.post(f"{V2}/release_file/", json=a_file(release)).raise_for_status()
        assert guest.get(f"{V2}/release/").json() == []
        assert guest.get(release).status_code == 404
        assert len(guest.get(f"{V2}/release_file/").json()) == 1
        assert guest.get("/downloads/release/python-3136/").status_code == 200


def test_a_furnished_site_has_the_release_before_and_lets_its_manager_in(
    world: SiteWorld,
) -> None:
    secrets = site.seed(world.store, Version.parse("3.13.5"))
    assert site.seed(world.store, Version.parse("3.13.5")) == secrets
    with world.v2(secrets["site"]) as client:
        (release,) = client.get(f"{V2}/release/").json()
        assert (release["name"], release["is_latest"]) == ("Python 3.13.5", True)
        assert client.get("/box/download-sources/").status_code == 200


def test_addresses_that_are_not_the_sites_are_refused(world: SiteWorld) -> None:
    with world.v2() as two:
        release = made(two)
        elsewhere = "https://example.org/file.tgz"
        answer = two.post(f"{V2}/release_file/", json=a_file(release, url=elsewhere))
        assert answer.status_code == 400
        assert list(answer.json()) == ["url"]
        beside = a_file(release, gpg_signature_file=f"{URL}.sig")
        answer = two.post(f"{V2}/release_file/", json=beside)
        assert answer.status_code == 400
        assert ".asc" in answer.json()["gpg_signature_file"][0]


# ── version 2 ────────────────────────────────────────────────────────────────────────────────


def test_v2_answers_with_the_object_and_a_plain_list(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client)
        listed = client.get(f"{V2}/release/?unknown=1").json()
        assert [each["resource_uri"] for each in listed] == [world.addresses["site"] + release]
        changed = client.patch(release, json={"is_published": True})
        assert (changed.status_code, changed.json()["is_published"]) == (200, True)
        assert client.put(release, json={"is_latest": True}).status_code == 400
        assert client.delete(release).status_code == 204
        assert client.get(release).status_code == 404


def test_v2_tells_what_is_wrong_by_field(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client)
        for kind, bad, fields in (
            ("release", {}, {"name", "slug"}),
            ("release", RELEASE, {"slug"}),
            ("release", {**RELEASE, "slug": "a b"}, {"slug"}),
            ("release", {**RELEASE, "slug": "x", "version": 4}, {"version"}),
            ("release_file", {}, {"name", "slug", "os", "release", "url"}),
            ("release_file", a_file(release, os="/api/v1/downloads/os/3/"), {"os"}),
            ("release_file", a_file(release, release=f"{V2}/release/9/"), {"release"}),
            ("release_file", a_file(release, url="nonsense"), {"url"}),
        ):
            answer = client.post(f"{V2}/{kind}/", json=bad)
            assert answer.status_code == 400
            assert set(answer.json()) == fields


def test_v2_takes_no_row_of_a_system_once_its_button_stands(world: SiteWorld) -> None:
    """The bug for which the row with the button is posted last."""
    with world.v2() as client:
        release = made(client)
        assert client.post(f"{V2}/release_file/", json=a_file(release)).status_code == 201
        button = a_file(release, "xz", download_button=True)
        assert client.post(f"{V2}/release_file/", json=button).status_code == 201
        third = client.post(f"{V2}/release_file/", json=a_file(release, "zip"))
        assert third.status_code == 400
        assert list(third.json()) == ["non_field_errors"]
        other = a_file(release, "exe", os=f"{V2}/os/1/")
        assert client.post(f"{V2}/release_file/", json=other).status_code == 201
        second = client.patch(f"{V2}/release_file/1/", json={"download_button": True})
        assert second.status_code == 500
        assert second.headers["content-type"].startswith("text/html")
        changed = client.patch(f"{V2}/release_file/1/", json={"filesize": 7})
        assert changed.status_code == 200


def test_v2_knows_its_filters_of_files_and_no_others(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client)
        client.post(f"{V2}/release_file/", json=a_file(release))
        assert len(client.get(f"{V2}/release_file/?release=1").json()) == 1
        assert client.get(f"{V2}/release_file/?release=9").status_code == 400
        assert client.get(f"{V2}/release_file/?os__slug=source").status_code == 400
        assert client.get(f"{V2}/release_file/?unknown=1").status_code == 400


def test_v2_deletes_by_release(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client)
        client.post(f"{V2}/release_file/", json=a_file(release))
        delete = f"{V2}/release_file/delete_by_release/"
        assert client.delete(delete).status_code == 400
        assert client.delete(f"{delete}?release=x").status_code == 400
        assert client.delete(f"{delete}?release=1").status_code == 204
        assert client.delete(f"{delete}?release=1").status_code == 204
        assert client.delete(f"{V2}/release_file/").status_code == 405


def test_the_api_does_not_write_the_text_of_a_page(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client, content="text", content_markup_type="html")
        client.patch(release, json={"content": "text"})
    assert [row["content"] for row in world.rows("release").values()] == [""]


# ── what follows from a save ─────────────────────────────────────────────────────────────────


def test_a_draft_that_is_the_latest_leaves_the_site_without_one(world: SiteWorld) -> None:
    with world.v2() as client:
        made(client, is_published=True, is_latest=True)
        client.post(f"{V2}/release/", json={"name": "d", "slug": "d", "is_latest": True})
        assert client.get("/downloads/latest/").headers["location"] == "/downloads/"
    assert [row["is_latest"] for row in world.rows("release").values()] == [False, True]


def test_a_published_save_that_cannot_purge_is_stored_and_answered_with_500(
    world: SiteWorld,
) -> None:
    world.store.order_fault("site.cdn_unreachable")
    with world.v2() as client:
        release = made(client)
        assert client.patch(release, json={"is_published": True}).status_code == 500
        assert client.get(release).json()["is_published"]


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


def test_deleting_a_release_takes_its_files_along(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client)
        client.post(f"{V2}/release_file/", json=a_file(release))
        client.delete(release)
    assert world.rows("release_file") == {}


def test_a_newer_release_of_the_series_supersedes_also_if_it_is_a_candidate(
    world: SiteWorld,
) -> None:
    with world.v2() as client:
        made(client, is_published=True, release_date="2026-01-01T00:00:00Z")
        newer = {
            "name": "Python 3.13.7rc1", "slug": "python-3137rc1", "is_published": True,
            "pre_release": True, "release_date": "2026-02-01T00:00:00Z",
        }  # fmt: skip
        client.post(f"{V2}/release/", json=newer).raise_for_status()
        page = client.get("/downloads/release/python-3136/").text
    assert "has been superseded by" in page


def test_too_many_calls_are_answered_with_429_and_when_to_come_back(world: SiteWorld) -> None:
    world.store.order_fault("site.429", argument="7")
    with world.v2() as client:
        answer = client.get(f"{V2}/os/")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert answer.text
        assert client.get(f"{V2}/os/").status_code == 200
