"""The contract of python.org: what the application and its imitation both answer.

Every answer here was given by python/pythondotorg 0a7e8d1f, with PostgreSQL and DEBUG off;
``tests/site_contract.py`` says how to ask it again.
"""

from __future__ import annotations

import re
import secrets
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.site_contract import V2, Application, base_of_real
from tests.site_world import PASSWORD, site_world

if TYPE_CHECKING:
    from collections.abc import Iterator

FTP = "https://www.python.org/ftp/python/contract"
NOTES = "https://docs.python.org/3/whatsnew/changelog.html"
DATE = (
    "Datetime has wrong format. Use one of these formats instead: "
    "YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
)
SLUG = 'Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.'
NULL = "This field may not be null."
BLANK = "This field may not be blank."
LISTS = "GET, POST, HEAD, OPTIONS"
ONE = "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if real := base_of_real():
        yield real
        return
    with site_world(tmp_path_factory.mktemp("contract")) as world:
        yield world.addresses["site"]


@pytest.fixture
def app(base: str) -> Iterator[Application]:
    with Application(base, bool(base_of_real())) as application:
        yield application


# ── who may do what ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "status", "detail"),
    [
        ("Token", 401, "Invalid token header. No credentials provided."),
        ("Token a b", 401, "Invalid token header. Token string should not contain spaces."),
        ("Token wrong", 401, "Invalid token."),
        ("Token gone-token", 401, "User inactive or deleted."),
        ("ApiKey rm:x", 200, ""),
        ("Bearer x", 200, ""),
    ],
)
def test_a_wrong_token_hides_even_what_is_public(
    app: Application, header: str, status: int, detail: str
) -> None:
    answer = app.anybody.get(f"{V2}/os/", headers={"Authorization": header})
    assert answer.status_code == status
    if detail:
        assert answer.json() == {"detail": detail}
        assert answer.headers["www-authenticate"] == "Token"


def test_only_staff_writes_and_everybody_may_ask_what_can_be_done(app: Application) -> None:
    """The right is asked for before the method, the path or what is sent."""
    path = app.release("3.99.1")
    none = {"detail": "Authentication credentials were not provided."}
    no = {"detail": "You do not have permission to perform this action."}
    with app.client("guest-token") as guest:
        for client, status, told in ((app.anybody, 401, none), (guest, 403, no)):
            for method, where in (
                ("POST", f"{V2}/release/"),
                ("PATCH", path),
                ("DELETE", f"{V2}/release/999999999/"),
                ("PUT", f"{V2}/os/"),
            ):
                answer = client.request(method, where, json={})
                assert (answer.status_code, answer.json()) == (status, told)
            for method in ("OPTIONS", "HEAD"):
                assert client.request(method, f"{V2}/release/").status_code == 200


def test_drafts_are_for_staff_and_their_files_and_pages_for_everybody(app: Application) -> None:
    path = app.release("3.99.1")
    row = app.add(path, "tgz")
    assert app.staff.get(path).json()["name"] == "Python 3.99.1"
    hidden = app.anybody.get(path)
    assert hidden.status_code == 404
    assert hidden.json() == {"detail": "No Release matches the given query."}
    assert app.anybody.get(row).status_code == 200
    assert app.anybody.get("/downloads/release/python-3991/").status_code == 200
    slugs = [each["slug"] for each in app.anybody.get(f"{V2}/release/").json()]
    assert "python-3991" not in slugs


# ── methods, headers, addresses ──────────────────────────────────────────────────────────────


def test_every_answer_says_what_is_allowed_and_by_which_key_it_is_purged(app: Application) -> None:
    path = app.release("3.99.1")
    for method, where, status, allowed in (
        ("GET", f"{V2}/os/", 200, LISTS),
        ("HEAD", f"{V2}/release/", 200, LISTS),
        ("OPTIONS", f"{V2}/release_file/", 200, LISTS),
        ("HEAD", path, 200, ONE),
        ("OPTIONS", path, 200, ONE),
        ("GET", f"{V2}/release/999999999/", 404, ONE),
        ("PUT", f"{V2}/os/", 405, LISTS),
        ("DELETE", f"{V2}/release_file/", 405, LISTS),
        ("POST", path, 405, ONE),
        ("GET", f"{V2}/release_file/delete_by_release/", 405, "DELETE, OPTIONS"),
    ):
        answer = app.staff.request(method, where)
        assert (answer.status_code, answer.headers["allow"]) == (status, allowed), (method, where)
        assert answer.headers["surrogate-key"] == "pydotorg-app api"
        if status == 405:
            assert answer.json() == {"detail": f'Method "{method}" not allowed.'}
    about = app.staff.options(f"{V2}/release/").json()
    assert about["name"] == "Release List"
    assert about["parses"] == [
        "application/json", "application/x-www-form-urlencoded", "multipart/form-data",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("/downloads", 301, "/downloads/"),
        ("/getit", 301, "/getit/"),
        ("/doc/versions", 301, "/doc/versions/"),
        ("/box/homepage-downloads", 301, "/box/homepage-downloads/"),
        ("/downloads/release/python-3991", 301, "/downloads/release/python-3991/"),
        (f"{V2}/os", 301, f"{V2}/os/"),
        (f"{V2}/os?slug=source", 301, f"{V2}/os/?slug=source"),
        ("/downloads/latest", 302, "/downloads/"),
        ("/downloads/latest/python3.99", 302, "/downloads/"),
    ],
)
def test_an_address_without_its_slash_redirects(
    app: Application, path: str, status: int, target: str
) -> None:
    """Only what the site matches without one, the latest releases, answers at once."""
    answer = app.anybody.get(path)
    assert answer.status_code == status
    if status == 301:
        assert answer.headers["location"] == target
        assert answer.headers["vary"] == "Cookie"
        assert app.staff.patch(path, json={}).status_code == status


def test_pages_say_by_which_key_they_are_purged(app: Application) -> None:
    for path, key in (
        ("/", "pydotorg-app"),
        ("/downloads/", "pydotorg-app downloads"),
        ("/getit/", "pydotorg-app getit"),
        ("/doc/", "pydotorg-app doc"),
        ("/doc/versions/", "pydotorg-app doc"),
        ("/downloads/operating-systems/", "pydotorg-app downloads"),
        ("/downloads/source/", "pydotorg-app downloads"),
    ):
        answer = app.anybody.get(path)
        assert (answer.status_code, answer.headers["surrogate-key"]) == (200, key), path
        assert answer.headers["vary"] == "Cookie"
    feed = app.anybody.get("/downloads/feed.rss")
    assert feed.headers["content-type"].startswith("application/rss+xml")
    gone = app.anybody.get("/downloads/nothing-of-this-name/")
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "max-age=300")


# ── what is taken, and what is refused in which words ────────────────────────────────────────


def test_values_that_mean_the_same_are_taken_and_names_are_trimmed(app: Application) -> None:
    sent = {
        "name": "  Python 3.99.2 ", "slug": " python-3992 ", "version": "3",
        "pre_release": "true", "is_latest": 0, "show_on_download_page": "no",
        "release_date": "2026-12-01T13:30:00+01:00", "release_page": "",
        "release_notes_url": f" {NOTES} ", "content": "is no field of the API",
    }  # fmt: skip
    answer = app.post("release", sent)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == made.pop("resource_uri")
    assert made == {
        "name": "Python 3.99.2", "slug": "python-3992", "version": 3, "is_published": False,
        "is_latest": False, "release_date": "2026-12-01T12:30:00Z", "pre_release": True,
        "release_page": None, "release_notes_url": NOTES, "show_on_download_page": False,
    }  # fmt: skip
    path = app.release("3.99.3", name=7)
    assert app.staff.get(path).json()["name"] == "7"
    row = app.add(path, "xz", filesize="12", download_button="yes", is_source=1)
    found = app.staff.get(row).json()
    assert (found["filesize"], found["download_button"], found["is_source"]) == (12, True, True)


REFUSED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"name": None}, {"name": NULL}),
    ({"name": "  "}, {"name": BLANK}),
    ({"name": ["x"]}, {"name": "Not a valid string."}),
    ({"name": True}, {"name": "Not a valid string."}),
    ({"name": "x" * 201}, {"name": "Ensure this field has no more than 200 characters."}),
    ({"slug": ""}, {"slug": BLANK}),
    ({"slug": "a b"}, {"slug": SLUG}),
    ({"slug": "python-3991"}, {"slug": "Release with this slug already exists."}),
    ({"version": None}, {"version": NULL}),
    ({"version": 4}, {"version": '"4" is not a valid choice.'}),
    ({"version": ""}, {"version": '"" is not a valid choice.'}),
    ({"version": True}, {"version": '"True" is not a valid choice.'}),
    ({"is_published": "maybe"}, {"is_published": "Must be a valid boolean."}),
    ({"is_published": 2}, {"is_published": "Must be a valid boolean."}),
    ({"is_published": None}, {"is_published": NULL}),
    ({"release_date": "soon"}, {"release_date": DATE}),
    ({"release_date": 5}, {"release_date": DATE}),
    ({"release_date": None}, {"release_date": NULL}),
    ({"release_page": 7}, {"release_page": "Incorrect type. Expected URL string, received int."}),
    ({"release_page": "nope"}, {"release_page": "Invalid hyperlink - No URL match."}),
    ({"release_page": "/downloads/"}, {"release_page": "Invalid hyperlink - Incorrect URL match."}),
    (
        {"release_page": "/api/v2/pages/page/999999/"},
        {"release_page": "Invalid hyperlink - Object does not exist."},
    ),
    ({"release_notes_url": "notes"}, {"release_notes_url": "Enter a valid URL."}),
    ({"release_notes_url": 5}, {"release_notes_url": "Enter a valid URL."}),
    ({"release_notes_url": None}, {"release_notes_url": NULL}),
    ({"name": "", "slug": "a b"}, {"name": BLANK, "slug": SLUG}),
]


@pytest.mark.parametrize(("fields", "told"), REFUSED)
def test_a_release_is_refused_field_by_field(
    app: Application, fields: dict[str, Any], told: dict[str, str]
) -> None:
    """In the framework's own words, also where a row is changed."""
    app.release("3.99.1")
    answer = app.post("release", {"name": "Python 3.99.2", "slug": "python-3992", **fields})
    assert answer.status_code == 400
    assert answer.json() == {name: [words] for name, words in told.items()}
    path = app.release("3.99.4")
    changed = app.staff.patch(path, json=fields)
    assert (changed.status_code, changed.json()) == (400, answer.json())


def test_a_release_without_its_needed_fields_is_refused(app: Application) -> None:
    needed = "This field is required."
    assert app.post("release", {}).json() == {"name": [needed], "slug": [needed]}
    path = app.release("3.99.1")
    assert app.staff.put(path, json={"is_latest": True}).json() == {
        "name": [needed], "slug": [needed],
    }  # fmt: skip
    assert app.post("release_file", {}).json() == {
        name: [needed] for name in ("name", "slug", "os", "release", "url")
    }


ROWS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"os": 3}, {"os": "Incorrect type. Expected URL string, received int."}),
    ({"os": ""}, {"os": NULL}),
    ({"os": f"{V2}/os/3"}, {"os": "Invalid hyperlink - No URL match."}),
    ({"os": "/api/v1/downloads/os/3/"}, {"os": "Invalid hyperlink - Incorrect URL match."}),
    ({"release": f"{V2}/os/3/"}, {"release": "Invalid hyperlink - Incorrect URL match."}),
    (
        {"release": f"{V2}/release/999999/"},
        {"release": "Invalid hyperlink - Object does not exist."},
    ),
    ({"url": "x"}, {"url": "Enter a valid URL."}),
    ({"url": "https://www.python.org/a b"}, {"url": "Enter a valid URL."}),
    ({"url": ""}, {"url": BLANK}),
    (
        {"url": "http://example.org/x"},
        {"url": "Release file URLs must begin with 'https://www.python.org/'."},
    ),
    (
        {"gpg_signature_file": f"{FTP}/other.asc"},
        {"gpg_signature_file": "Sidecar URL must match the artifact URL plus '.asc'."},
    ),
    ({"filesize": 1.5}, {"filesize": "A valid integer is required."}),
    ({"filesize": True}, {"filesize": "A valid integer is required."}),
    (
        {"filesize": 2**31},
        {"filesize": "Ensure this value is less than or equal to 2147483647."},
    ),
    ({"download_button": 2}, {"download_button": "Must be a valid boolean."}),
    ({"description": None}, {"description": NULL}),
]


@pytest.mark.parametrize(("fields", "told"), ROWS)
def test_a_row_is_refused_field_by_field(
    app: Application, fields: dict[str, Any], told: dict[str, str]
) -> None:
    path = app.release("3.99.1")
    answer = app.post("release_file", {**app.file(path, "tgz"), **fields})
    assert answer.status_code == 400
    assert answer.json() == {name: [words] for name, words in told.items()}


def test_slug_and_address_of_a_row_are_unique_over_all_releases(app: Application) -> None:
    first = app.file(app.release("3.99.1"), "tgz")
    assert app.post("release_file", first).status_code == 201
    second = {**first, "release": app.release("3.99.2")}
    assert app.post("release_file", second).json() == {
        "slug": ["Release File with this slug already exists."],
        "url": ["Release File with this URL already exists."],
    }


def test_forms_are_taken_and_plain_text_is_not(app: Application) -> None:
    """A form has no word for an unticked box: what it does not send is switched off."""
    form = {"name": "Python 3.99.1", "slug": "python-3991"}
    answer = app.staff.post(f"{V2}/release/", data=form)
    assert answer.status_code == 201
    assert answer.json()["show_on_download_page"] is False
    assert app.staff.delete(answer.json()["resource_uri"]).status_code == 204
    plain = app.staff.post(f"{V2}/release/", content=b"x", headers={"Content-Type": "text/plain"})
    assert plain.status_code == 415
    assert plain.json() == {"detail": 'Unsupported media type "text/plain" in request.'}
    kind = {"Content-Type": "application/json"}
    broken = app.staff.post(f"{V2}/release/", content=b"{", headers=kind)
    assert broken.status_code == 400
    assert broken.json()["detail"].startswith("JSON parse error - ")
    listed = app.staff.post(f"{V2}/release/", json=[1])
    told = "Invalid data. Expected a dictionary, but got list."
    assert (listed.status_code, listed.json()) == (400, {"non_field_errors": [told]})
    path = app.release("3.99.2")
    assert app.staff.patch(path).status_code == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("release/?version=abc",
         {"version": ["Select a valid choice. abc is not one of the available choices."]}),
        ("release/?release_date=x", {"release_date": ["Enter a valid date/time."]}),
        ("release_file/?os__slug=source",
         {"error": ["'slug' is not an allowed filter on the 'os' field."]}),
        ("release_file/?unknown=1",
         {"error": ["'exact' is not an allowed filter on the 'unknown' field."]}),
        ("release_file/?release=999999", {"release": [
            "Select a valid choice. That choice is not one of the available choices."]}),
    ],
)  # fmt: skip
def test_a_filter_that_means_nothing_is_refused(
    app: Application, query: str, told: dict[str, list[str]]
) -> None:
    answer = app.staff.get(f"{V2}/{query}")
    assert (answer.status_code, answer.json()) == (400, told)


def test_filters_find_rows(app: Application) -> None:
    path = app.release("3.99.1")
    app.release("3.99.2", is_published=True)
    row = app.file(path, "tgz")
    app.post("release_file", row).raise_for_status()

    def names(query: str) -> list[str]:
        found = app.staff.get(f"{V2}/{query}").json()
        return [each["name"] for each in found if "99" in each["name"] or each["name"] == "tgz"]

    both = ["Python 3.99.1", "Python 3.99.2"]
    assert names("release/?unknown=1") == both
    assert names("release/?is_published=nonsense") == both
    assert names("release/?name=") == both
    assert names("release/?is_published=true") == both[1:]
    assert names("release/?slug=python-3991") == both[:1]
    assert names(f"release_file/?release={path.split('/')[-2]}") == ["tgz"]
    assert names(f"release_file/?slug={row['slug']}") == ["tgz"]


def test_lists_are_in_the_order_of_names(app: Application) -> None:
    systems = [each["name"] for each in app.staff.get(f"{V2}/os/").json()]
    # How capitals sort is the database's to choose.
    assert systems in (sorted(systems), sorted(systems, key=str.casefold))
    app.release("3.99.2")
    app.release("3.99.1")
    found = [each["name"] for each in app.staff.get(f"{V2}/release/").json()]
    assert found.index("Python 3.99.1") < found.index("Python 3.99.2")


def test_what_is_not_there_is_said_by_its_kind(app: Application) -> None:
    for path, told in (
        ("release/999999/", "No Release matches the given query."),
        ("release_file/999999/", "No ReleaseFile matches the given query."),
        ("os/999999/", "No OS matches the given query."),
        ("release/abc/", "Not found."),
    ):
        answer = app.staff.get(f"{V2}/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": told})


def test_no_row_of_a_system_is_taken_once_its_button_is_on(app: Application) -> None:
    """The bug for which the row with the button is posted last."""
    path = app.release("3.99.1")
    first = app.add(path, "tgz")
    app.add(path, "xz", download_button=True)
    third = app.post("release_file", app.file(path, "zip"))
    assert third.status_code == 400
    assert third.json() == {"non_field_errors": ["The fields os, release must make a unique set."]}
    other = app.add(path, "exe", "windows")
    moved = app.staff.patch(other, json={"os": app.system("source")})
    assert moved.status_code == 400
    second = app.staff.patch(first, json={"download_button": True})
    assert second.status_code == 500
    assert second.headers["content-type"].startswith("text/html")
    assert app.staff.patch(first, json={"filesize": 7}).status_code == 200


def test_files_are_deleted_by_release(app: Application) -> None:
    path = app.release("3.99.1")
    row = app.add(path, "tgz")
    delete = f"{V2}/release_file/delete_by_release/"
    for query in ("", "?release=x", "?release="):
        answer = app.staff.delete(f"{delete}{query}")
        assert (answer.status_code, answer.content) == (400, b"")
    number = path.split("/")[-2]
    assert app.staff.delete(f"{delete}?release={number}").status_code == 204
    assert app.staff.delete(f"{delete}?release={number}").status_code == 204
    assert app.staff.get(row).status_code == 404


def test_deleting_a_release_takes_its_files_along(app: Application) -> None:
    path = app.release("3.99.1")
    row = app.add(path, "tgz")
    assert app.staff.delete(path).status_code == 204
    assert app.staff.get(row).status_code == 404


# ── what users see ───────────────────────────────────────────────────────────────────────────


def text(app: Application, path: str) -> str:
    answer = app.anybody.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


def test_a_release_that_becomes_the_latest_is_named_wherever_the_site_names_one(
    app: Application,
) -> None:
    two = app.release("2.99.1", version=2, is_latest=True, is_published=True)
    app.add(two, "two", download_button=True)
    # A name of its own: the application's boxes outlive the releases that they name.
    number = f"3.99.{secrets.randbelow(10**9)}"
    path = app.release(number, release_date="2099-01-01T12:00:00Z")
    row = app.file(path, "xz", download_button=True)
    app.post("release_file", row).raise_for_status()
    names = ("/", "/downloads/", "/getit/", "/downloads/source/", "/downloads/feed.rss",
             "/box/homepage-downloads/", "/box/supernav-python-downloads/")  # fmt: skip
    assert not any(f"Python {number}" in app.anybody.get(name).text for name in names)
    changed = app.staff.patch(path, json={"is_published": True, "is_latest": True})
    assert changed.status_code == 200
    for name in names:
        assert f"Python {number}" in text(app, name), name
    for name in ("/box/supernav-python-downloads/", "/box/download-sources/", "/downloads/"):
        assert row["url"] in text(app, name), name
    assert f"Browse Python {number} Documentation" in text(app, "/doc/")
    assert f"https://docs.python.org/release/{number}/" in text(app, "/doc/versions/")
    page = f"/downloads/release/python-{number.replace('.', '')}/"
    for latest in ("", "/python3", "/python3.99"):
        for slash in ("", "/"):
            answer = app.anybody.get(f"/downloads/latest{latest}{slash}")
            assert (answer.status_code, answer.headers["location"]) == (302, page)


def test_a_pre_release_is_not_on_the_list_and_has_an_address_of_its_own(app: Application) -> None:
    app.release(
        "3.99.0rc1", is_published=True, pre_release=True, release_date="2099-01-01T12:00:00Z"
    )
    assert "3.99.0rc1" not in text(app, "/downloads/")
    assert "3.99.0rc1" not in text(app, "/doc/versions/")
    assert "Python 3.99.0rc1" in text(app, "/downloads/feed.rss")
    for latest in ("prerelease", "python3.99"):
        answer = app.anybody.get(f"/downloads/latest/{latest}/")
        assert answer.headers["location"] == "/downloads/release/python-3990rc1/"


def test_any_page_of_a_series_that_is_not_its_newest_says_so(app: Application) -> None:
    """By date alone, pre-releases count, and so does an older version of a newer day."""
    app.release("3.99.2", is_published=True, release_date="2098-01-01T12:00:00Z")
    app.release("3.99.1", is_published=True, release_date="2098-02-01T12:00:00Z")
    app.release("3.99.3", release_date="2097-01-01T12:00:00Z")
    for slug in ("python-3992", "python-3993"):
        page = re.sub(r"<[^>]*>", "", text(app, f"/downloads/release/{slug}/"))
        assert "has been superseded by Python 3.99.1." in page
    assert "superseded" not in text(app, "/downloads/release/python-3991/")


def test_a_draft_that_is_the_latest_leaves_the_site_without_one(app: Application) -> None:
    app.release("3.99.1", is_published=True, is_latest=True)
    app.release("3.99.2", is_latest=True)
    assert app.anybody.get("/downloads/latest/").headers["location"] == "/downloads/"


def test_a_page_lists_sources_first_and_windows_last(app: Application) -> None:
    path = app.release("3.99.1")
    for name, system in (("Windows installer (64-bit)", "windows"), ("macOS installer", "macos"),
                         ("Gzipped source tarball", "source")):  # fmt: skip
        slug = re.sub(r"\W+", "-", name)
        app.add(
            path, name, system, slug=slug, url=f"{FTP}/{slug}", sha256_sum="0123456789abcdef" * 4
        )
    page = text(app, "/downloads/release/python-3991/").partition("<table")[2]
    places = [page.index(f">{name}</a>") for name in (
        "Gzipped source tarball", "macOS installer", "Windows installer (64-bit)")]  # fmt: skip
    assert places == sorted(places)
    assert "0123456789abcdef" * 2 not in page  # a browser may break it


# ── the admin ────────────────────────────────────────────────────────────────────────────────


def test_a_login_without_the_token_of_its_form_is_forbidden(app: Application) -> None:
    answer = app.anybody.post("/admin/login/", data={"username": "rm", "password": PASSWORD})
    assert answer.status_code == 403
    assert "CSRF verification failed" in answer.text
    assert answer.headers["cache-control"] == "private"


def test_a_wrong_password_is_told_and_the_form_comes_again(app: Application) -> None:
    page = app.anybody.get("/admin/login/")
    form = {"csrfmiddlewaretoken": page.cookies["csrftoken"], "username": "rm", "password": "no"}
    answer = app.anybody.post("/admin/login/", data=form)
    assert answer.status_code == 200
    assert "Please enter the correct username and password for a staff account." in answer.text


def test_the_admin_asks_for_a_login_and_shows_the_form_of_a_release(app: Application) -> None:
    number = app.release("3.99.1", release_notes_url=NOTES).split("/")[-2]
    path = f"/admin/downloads/release/{number}/change/"
    stranger = app.anybody.get(path)
    assert stranger.headers["location"] == f"/admin/login/?next={path}"
    with closing(app.logged_in()) as browser:
        assert browser.get("/admin/downloads/release/").status_code == 200
        form = browser.get(path).text
        for name in ("content", "content_markup_type", "release_date_0", "_save", "is_latest",
                     "files-TOTAL_FORMS", "initial-release_date_1"):  # fmt: skip
            assert f'name="{name}"' in form
        gone = browser.get("/admin/downloads/release/999999/change/")
        assert (gone.status_code, gone.headers["location"]) == (302, "/admin/")
