"""The rehearsed python.org answers as the real one was observed to, oddities included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.model.version import Version
from plugins.rehearsal import site
from tests.site_world import KEY, SiteWorld, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

RELEASE = {"name": "Python 3.13.6", "slug": "python-3136"}
URL = "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"
V1 = "/api/v1/downloads"
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


@pytest.mark.parametrize(
    "header",
    ["ApiKey rm:wrong", "ApiKey RM:" + KEY, "Token " + KEY, "Bearer x", "ApiKey", "ApiKey gone:x"],
)
def test_v1_hides_even_what_is_public_behind_a_wrong_credential(
    world: SiteWorld, header: str
) -> None:
    with world.v1("") as client:
        answer = client.get(f"{V1}/os/", headers={"Authorization": header})
    assert (answer.status_code, answer.text) == (401, "")
    assert answer.headers["content-type"].startswith("text/html")


def test_v1_takes_the_scheme_in_any_case_and_no_credential_in_the_query(world: SiteWorld) -> None:
    with world.v1("") as client:
        good = {"Authorization": f"aPIkEY rm:{KEY}"}
        assert client.get(f"{V1}/os/", headers=good).status_code == 200
        for name in ("username", "api_key"):
            answer = client.get(f"{V1}/os/", headers=good, params={name: "rm"})
            assert answer.status_code == 401


def test_only_staff_writes(world: SiteWorld) -> None:
    with world.v1("guest:guest-key") as client:
        assert client.get(f"{V1}/os/").status_code == 200
        assert client.post(f"{V1}/release/", json=RELEASE).status_code == 401
    with world.v2("guest-token") as client:
        assert client.get(f"{V2}/os/").status_code == 200
        assert client.post(f"{V2}/release/", json=RELEASE).status_code == 403
    with world.v2("") as client:
        assert client.post(f"{V2}/release/", json=RELEASE).status_code == 401
        key = {"Authorization": f"ApiKey rm:{KEY}"}
        assert client.get(f"{V2}/os/", headers=key).status_code == 200
        assert client.post(f"{V2}/release/", json=RELEASE, headers=key).status_code == 401
    for token in ("nobody", "gone-token"):
        with world.v2(token) as client:
            answer = client.get(f"{V2}/os/")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Token")
    assert world.rows("release") == {}


def test_drafts_are_for_staff_and_their_files_for_everybody(world: SiteWorld) -> None:
    with world.v2() as staff, world.v1("") as guest:
        release = made(staff)
        staff.post(f"{V2}/release_file/", json=a_file(release)).raise_for_status()
        one = release.replace("v2", "v1")
        assert guest.get(f"{V1}/release/").json()["meta"]["total_count"] == 0
        assert guest.get(one).status_code == 401
        assert guest.get(release).status_code == 404
        assert guest.get(f"{V1}/release_file/").json()["meta"]["total_count"] == 1
        assert guest.get("/downloads/release/python-3136/").status_code == 200
    with world.v1() as staff:
        assert staff.get(one).json()["name"] == RELEASE["name"]


def test_a_furnished_site_has_the_release_before_and_lets_its_manager_in(
    world: SiteWorld,
) -> None:
    secrets = site.seed(world.store, Version.parse("3.13.5"))
    assert site.seed(world.store, Version.parse("3.13.5")) == secrets
    with world.v2(secrets["site"]) as client:
        (release,) = client.get(f"{V2}/release/").json()
        assert (release["name"], release["is_latest"]) == ("Python 3.13.5", True)
        assert client.get("/box/download-sources/").status_code == 200


# ── version 1 ────────────────────────────────────────────────────────────────────────────────


def test_v1_makes_with_an_empty_answer_and_a_relative_location(world: SiteWorld) -> None:
    with world.v1() as client:
        answer = client.post(f"{V1}/release/", json=RELEASE)
        assert (answer.status_code, answer.text) == (201, "")
        assert answer.headers["location"] == f"{V1}/release/1/"
        assert client.post(f"{V1}/release/", json={}).status_code == 201
        assert client.delete(f"{V1}/release/1/").status_code == 204


def test_v1_changes_nothing_in_place(world: SiteWorld) -> None:
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        for method in ("PUT", "PATCH", "HEAD"):
            assert client.request(method, f"{V1}/release/1/").status_code == 405
        sneaky = {"X-HTTP-Method-Override": "PATCH"}
        assert client.post(f"{V1}/release/1/", headers=sneaky).status_code == 405
        assert client.request("DELETE", f"{V1}/release/").status_code == 405
        assert client.get(f"{V1}/release/1").status_code == 301


def test_v1_lists_twenty_at_a_time_and_filters_only_some_fields(world: SiteWorld) -> None:
    with world.v1() as client:
        for number in range(25):
            client.post(
                f"{V1}/release/", json={"name": f"Python 3.9.{number}", "slug": f"{number}"}
            )
        listed = client.get(f"{V1}/release/").json()
        assert len(listed["objects"]) == 20
        assert listed["meta"]["total_count"] == 25
        assert listed["meta"]["next"] == f"{V1}/release/?limit=20&offset=20"
        assert len(client.get(f"{V1}/release/?limit=0").json()["objects"]) == 25
        by_name = client.get(f"{V1}/release/", params={"name": "Python 3.9.7"}).json()
        assert [each["slug"] for each in by_name["objects"]] == ["7"]
        assert client.get(f"{V1}/release/?name=python 3.9.7").json()["objects"] == []
        assert client.get(f"{V1}/release/?release_date__gte=2020-01-01").status_code == 400
        assert client.get(f"{V1}/release/?is_latest=true").status_code == 400
        assert client.get(f"{V1}/release/?unknown=1").json()["meta"]["total_count"] == 25


def test_v1_tells_nothing_of_what_the_database_refuses(world: SiteWorld) -> None:
    """Duplicates, a second button, lengths and numbers are a 500 without a word."""
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        release = f"{V1}/release/1/"
        good = a_file(release, download_button=True)
        assert client.post(f"{V1}/release_file/", json=good).status_code == 201
        for bad in (
            a_file(release),  # its slug and address are taken
            a_file(release, "xz", download_button=True),
            a_file(release, "xz", filesize=2**31),
            a_file(release, "xz", filesize="many"),
            a_file(release, "x" * 201),
            a_file(release, "xz", os=None),
        ):
            answer = client.post(f"{V1}/release_file/", json=bad)
            assert answer.status_code == 500
            assert list(answer.json()) == ["error_message"]
        assert client.post(f"{V1}/release/", json=RELEASE).status_code == 500
        assert len(world.rows("release_file")) == 1


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        (f"{V2}/release/1/", 201),
        (f"https://elsewhere.example{V1}/release/1/", 201),
        ("1", 404),
        (f"{V1}/release/1", 404),
        (1, 400),
        (f"{V1}/release/9/", 400),
        (None, 500),
    ],
)
def test_v1_reads_addresses_of_its_own_mind(world: SiteWorld, uri: object, status: int) -> None:
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        answer = client.post(f"{V1}/release_file/", json=a_file(f"{V1}/release/1/", release=uri))
        assert answer.status_code == status


def test_v1_writes_through_to_a_release_that_stands_where_its_address_belongs(
    world: SiteWorld,
) -> None:
    """The hazard: a file's row can publish a release."""
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        nested = {"resource_uri": f"{V1}/release/1/", "is_published": True}
        client.post(f"{V1}/release_file/", json=a_file(f"{V1}/release/1/", release=nested))
    assert world.rows("release")["1"]["is_published"]


def test_both_versions_refuse_addresses_that_are_not_the_sites(world: SiteWorld) -> None:
    with world.v1() as one, world.v2() as two:
        release = made(two)
        elsewhere = "https://example.org/file.tgz"
        answer = one.post(
            f"{V1}/release_file/", json=a_file(release.replace("v2", "v1"), url=elsewhere)
        )
        assert answer.status_code == 400
        assert list(answer.json()["downloads/release_file"]) == ["url"]
        beside = a_file(release, gpg_signature_file=f"{URL}.sig")
        answer = two.post(f"{V2}/release_file/", json=beside)
        assert answer.status_code == 400
        assert ".asc" in answer.json()["gpg_signature_file"][0]


def test_v1_reads_json_only(world: SiteWorld) -> None:
    with world.v1() as client:
        assert client.post(f"{V1}/release/", data=RELEASE).status_code == 415
        kind = {"Content-Type": "application/json"}
        assert client.post(f"{V1}/release/", content=b"{", headers=kind).status_code == 400


def test_v1_deletes_all_files_of_exactly_one_release(world: SiteWorld) -> None:
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        client.post(f"{V1}/release_file/", json=a_file(f"{V1}/release/1/"))
        for query in ("", "?release=1&os=3", "?os=3", "?release=abc", "?release="):
            assert client.delete(f"{V1}/release_file/{query}").status_code == 400
        assert client.delete(f"{V1}/release_file/?release=9").status_code == 204
        assert client.delete(f"{V1}/release_file/?release=1").status_code == 204
    assert world.rows("release_file") == {}


def test_v1_filters_files_through_their_release_and_system(world: SiteWorld) -> None:
    with world.v1() as client:
        client.post(f"{V1}/release/", json=RELEASE)
        client.post(f"{V1}/release_file/", json=a_file(f"{V1}/release/1/"))
        for query, number in (
            ("release__slug=python-3136", 1), ("os__slug=source", 1), ("os__slug=windows", 0),
            ("release=1", 1), ("description__contains=x", 0),
        ):  # fmt: skip
            found = client.get(f"{V1}/release_file/?{query}").json()
            assert found["meta"]["total_count"] == number


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
            ("release_file", a_file(release, os=f"{V1}/os/3/"), {"os"}),
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


def test_neither_version_writes_the_text_of_a_page(world: SiteWorld) -> None:
    with world.v2() as client:
        release = made(client, content="text", content_markup_type="html")
        client.patch(release, json={"content": "text"})
    with world.v1() as client:
        client.post(f"{V1}/release/", json={"name": "x", "slug": "x", "content": "text"})
    assert [row["content"] for row in world.rows("release").values()] == ["", ""]


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


@pytest.mark.parametrize("api", ["v1", "v2"])
def test_too_many_calls_are_answered_with_429_and_when_to_come_back(
    world: SiteWorld, api: str
) -> None:
    world.store.order_fault("site.429", argument="7")
    with world.v2() as client:
        token = {} if api == "v2" else {"Authorization": f"ApiKey rm:{KEY}"}
        answer = client.get(f"/api/{api}/downloads/os/", headers=token)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
        assert bool(answer.text) is (api == "v2")
        assert client.get(f"/api/{api}/downloads/os/", headers=token).status_code == 200
