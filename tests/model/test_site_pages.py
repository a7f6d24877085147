"""What each page of python.org has to show of a release, from what else is public."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.model.contract import Contract, Purge
from plugins.model.site_pages import Listing, is_latest, listing_of, overview_pages, pages_of
from tests.site_world import a_contract

SITE = "https://www.python.org"
PAGE = "/downloads/release/python-3136/"


def contract(version: str = "3.13.6") -> Contract:
    return a_contract(Path("/work"), version)


def row(number: str, **more: Any) -> dict[str, Any]:
    """A release as the site lists it, public unless ``more`` says otherwise."""
    major = int(number[0])
    return {
        "name": f"Python {number}", "slug": f"python-{number.replace('.', '')}",
        "version": major, "is_published": True, "is_latest": major == 2,
        "pre_release": number[-2:-1].isalpha(), "release_date": "2026-01-01T12:00:00Z", **more,
    }  # fmt: skip


def listing(*versions: str, **more: Any) -> Listing:
    """3.13.6 of a later day, beside these."""
    ours = row("3.13.6", release_date="2026-12-01T12:00:00Z", **more)
    return listing_of([ours, *(row(each) for each in versions)])


def pages(found: Listing, version: str = "3.13.6") -> dict[str, Purge]:
    return {each.url.removeprefix(SITE): each for each in pages_of(contract(version), found)}


def test_the_latest_release_is_named_wherever_the_site_names_one() -> None:
    found = pages(listing("2.7.18", "3.12.11", "3.13.5"))
    url = f"{SITE}/ftp/python/3.13.6/Python-3.13.6.tar.xz"
    for path in ("/", "/downloads/", "/getit/", "/box/homepage-downloads/",
                 "/box/supernav-python-downloads/", "/downloads/feed.rss", PAGE,
                 "/downloads/source/", "/downloads/windows/"):  # fmt: skip
        assert "Python 3.13.6" in found[path].tells, path
    for path in ("/downloads/", "/box/supernav-python-downloads/", "/box/download-sources/"):
        assert url in found[path].tells
    assert found["/doc/"].tells == ("Python 3.13.6 Documentation",)
    assert found["/doc/versions/"].tells == ("/release/3.13.6/",)
    for path in ("latest", "latest/python3", "latest/python3.13"):
        for slash in ("", "/"):
            assert found[f"/downloads/{path}{slash}"].leads_to == PAGE
    assert found["/downloads/release/python-3135/"].tells == (f'{PAGE}"', "Python 3.13.6")
    assert "/downloads/release/python-31211/" not in found
    assert found["/downloads/operating-systems/"].tells == ()


def test_a_release_of_an_older_series_is_named_only_where_it_is_the_newest() -> None:
    found = pages(listing("2.7.18", "3.14.0", "3.13.5"))
    assert not is_latest(contract(), listing("3.14.0"))
    for path in ("/", "/box/homepage-downloads/", "/box/supernav-python-downloads/", "/doc/"):
        assert found[path].tells == ()
    assert found["/downloads/"].tells == ("Python 3.13.6",)
    assert found["/downloads/latest/"].leads_to == ""
    assert found["/downloads/latest/python3.13/"].leads_to == PAGE
    assert found["/downloads/release/python-3135/"].tells


def test_without_a_release_of_python_2_two_boxes_are_not_made() -> None:
    found = pages(listing("3.13.5"))
    assert found["/"].tells == found["/box/homepage-downloads/"].tells == ()
    assert found["/box/download-sources/"].tells == ()
    assert found["/box/supernav-python-downloads/"].tells


@pytest.mark.parametrize(
    ("other", "leads"),
    [
        ("2026-11-30T12:00:00Z", True),
        ("2026-12-01T12:00:00Z", False),
        ("2026-12-02T12:00:00Z", False),
    ],
)
def test_a_pre_release_is_the_newest_of_all_by_its_date(other: str, leads: bool) -> None:  # noqa: FBT001
    ours = row("3.14.0rc1", release_date="2026-12-01T12:00:00Z")
    found = pages(listing_of([ours, row("3.15.0a1", release_date=other)]), "3.14.0rc1")
    path = "/downloads/release/python-3140rc1/"
    assert found["/downloads/latest/prerelease/"].leads_to == (path if leads else "")
    assert found["/downloads/latest/python3.14/"].leads_to == path
    assert found["/doc/versions/"].tells == found["/downloads/"].tells == ()
    assert "/downloads/latest/prerelease/" not in pages(listing())


def test_an_older_release_after_a_newer_one_of_its_series_supersedes_nothing() -> None:
    found = pages(listing("3.13.7"))
    assert found["/downloads/release/python-3137/"].tells == ()
    assert found["/downloads/latest/python3.13/"].leads_to == ""


def test_drafts_and_other_things_of_the_site_count_for_nothing() -> None:
    more = [
        row("3.14.0", is_published=False),
        row("3.99.0", name="Python install manager 3.99", version=100),
        row("3.0.1", name="Python three"),
    ]
    found = listing_of([row("3.13.6"), *more])
    assert is_latest(contract(), found)
    assert [str(each.version) for each in found.releases] == ["3.13.6", "3.14.0"]


def test_candidate_whose_box_was_left_unticked_is_no_final_release() -> None:
    found = listing_of([row("3.13.6"), row("3.14.0rc1", pre_release=False)])
    assert is_latest(contract(), found)
    found = listing_of([row("3.13.6"), row("3.14.0", pre_release=True)])
    assert not is_latest(contract(), found)


def test_the_feed_holds_the_ten_newest_of_any_kind() -> None:
    newer = [row(f"3.12.{n}", release_date=f"2026-12-{n:02}T12:00:00Z") for n in range(2, 12)]
    ours = row("3.13.6", release_date="2026-12-01T12:00:00Z")
    assert pages(listing_of([ours, *newer[:9]]))["/downloads/feed.rss"].tells
    assert not pages(listing_of([ours, *newer]))["/downloads/feed.rss"].tells


def test_each_page_of_downloads_has_a_twin_that_the_sites_own_purge_does_not_reach() -> None:
    """python.org serves its downloads below /getit/ too, by a key of their own for the caches."""
    found = pages(listing("2.7.18", "3.13.5"))
    of_downloads = [path for path in found if path.startswith("/downloads/")]
    for path in of_downloads:
        twin = found[path.replace("/downloads/", "/getit/", 1)]
        assert (twin.tells, twin.leads_to) == (found[path].tells, found[path].leads_to), path
    assert found["/getit/release/python-3135/"].tells
    assert found["/getit/latest/python3.13"].leads_to == PAGE


def test_no_address_stands_twice() -> None:
    for version in ("3.13.6", "3.14.0rc1", "3.15.0a1"):
        found = pages_of(contract(version), listing("2.7.18", "3.13.5", version))
        assert len({each.url for each in found}) == len(found)
        assert set(overview_pages(contract(version), listing("2.7.18", "3.13.5", version))) <= set(
            found
        )


@pytest.mark.parametrize(
    ("page", "answer", "problem"),
    [
        (Purge("x", tells=("a", "b")), (200, "a &amp; b", ""), ""),
        (Purge("x", tells=("a", "b", "c")), (200, "c", ""), "does not show a and 1 more"),
        (Purge("x", tells=("<a>",)), (200, "&lt;a&gt;", ""), ""),
        (Purge("x", tells=("a",)), (404, "a", ""), "answers 404"),
        (Purge("x"), (404, "", ""), ""),
        (Purge("x"), (503, "", ""), "answers 503"),
        (Purge("x", leads_to="/y/"), (302, "", "/y/"), ""),
        (Purge("x", leads_to="/y/"), (302, "", f"{SITE}/y/"), ""),
        (Purge("x", leads_to="/y/"), (302, "", "/z/"), "leads to /z/, wanted /y/"),
        (Purge("x", leads_to="/y/"), (200, "", ""), "leads to nothing, wanted /y/"),
    ],
)
def test_an_answer_is_judged_by_what_it_shows(
    page: Purge, answer: tuple[int, str, str], problem: str
) -> None:
    assert page.problem(*answer) == problem
