"""The blog's posts as their files declare them, and what a page or the feed shows of them."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.blog import (
    BLOG,
    Post,
    address_of,
    linked_releases,
    missing_on,
    post_of,
    posts_in_feed,
)

PATH = "content/posts/python-3147/index.md"
TITLE = "Python 3.14.7 and 3.13.15 are now available!"
LINKS = ("python-3147", "python-31315")
HERE = f"{BLOG}/2026/08/python-3147/"
PAGE = (
    f"<html><head><title>{TITLE} | Python Insider</title></head><body>"
    '<a href="https://www.python.org/downloads/release/python-3147/">x</a>'
    "<a href='https://www.python.org/downloads/release/python-31315'>y</a></body></html>"
)


def declared(front: str, path: str = PATH) -> Post | None:
    return post_of(path, f"---\n{front}\n---\n\nText.\n".encode())


def test_address_has_year_and_month_in_two_digits() -> None:
    assert address_of("python-3147", date(2026, 8, 5)) == HERE


@pytest.mark.parametrize(
    ("day", "month"),
    [
        ("'2026-08-05'", "08"), ("2026-08-05", "08"), ('"2026-08-05"  # a Wednesday', "08"),
        ("2026-08-31T23:30:00-02:00", "09"), ("2026-08-01T00:30:00+02:00", "07"),
        ("2026-08-31T23:59:59Z", "08"), ("'2026-08-31T23:59:59.000Z'", "08"),
    ],
)  # fmt: skip
def test_day_of_the_front_matter_counts_in_utc(day: str, month: str) -> None:
    post = declared(f"title: x\npublishDate: {day}")
    assert post == Post("x", f"{BLOG}/2026/{month}/python-3147/")


@pytest.mark.parametrize(
    "front",
    [
        f"title: '{TITLE}'", f'title: "{TITLE}"', f"title: {TITLE}", f"title:   {TITLE}  # new",
        "title: >-\n  Python 3.14.7 and 3.13.15\n  are now available!",
        f"title: |\n  {TITLE}\nauthor: x",
    ],
)  # fmt: skip
def test_title_is_read_in_every_form_that_editors_write(front: str) -> None:
    assert declared(f"{front}\npublishDate: 2026-08-05") == Post(TITLE, HERE)


@given(title=st.text(st.characters(exclude_categories=("C", "Zl", "Zp"))).filter(str.strip))
def test_title_that_a_yaml_writer_wrote_is_read_as_it_was(title: str) -> None:
    front = yaml.safe_dump(
        {"title": title, "publishDate": "2026-08-05"}, width=10_000, allow_unicode=True
    )
    post = declared(front.removesuffix("\n"))
    assert post is not None
    assert " ".join(post.title.split()) == " ".join(title.split())


def test_slug_stands_for_the_folder_and_a_draft_is_none_that_readers_see() -> None:
    post = declared("slug: three-of-them\ntitle: x\npublishDate: 2026-08-05\npublished: false")
    assert post == Post("x", f"{BLOG}/2026/08/three-of-them/", is_published=False)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"---", b"no head", b"---\ntitle: x\n---\n", b"---\npublishDate: 2026-08-05\n---\n",
        b"---\ntitle: x\npublishDate: soon\n---\n",
        b"---\ntitle: x\npublishDate: 2026-13-05\n---\n",
        b"---\ntitle: x\npublishDate: 0001-01-01T00:00:00+14:00\n---\n",
        b"---\ntitle: x\npublishDate: 2026-08-05\nslug: ../../x\n---\n",
        b"---\ntitle: x\npublishDate: 2026-08-05\nslug: 'a\x1b[2J'\n---\n",
        b'---\ntitle: "\\x"\npublishDate: 2026-08-05\n---\n', b"\xff\xfe", b"---\n" * 100_000,
        b"---\ntitle: >-\n" + b"  a\n" * 200_000 + b"---\n",
        b"---\ntitle: '" + b"''" * 200_000 + b"\n---\n", b"---\n" + b"\n---x" * 100_000,
    ],
)  # fmt: skip
def test_file_that_says_no_post_is_none_and_takes_no_time(content: bytes) -> None:
    begun = time.monotonic()
    assert post_of(PATH, content) is None
    assert time.monotonic() - begun < 2


@given(st.text())
def test_no_text_breaks_what_reads_it(text: str) -> None:
    post_of(PATH, f"---\n{text}\n---\n".encode("utf-8", "surrogatepass"))
    assert missing_on(text, TITLE, LINKS)
    assert posts_in_feed(text) == ()


def test_links_to_release_pages_are_found_however_they_are_written() -> None:
    text = (
        "https://www.python.org/downloads/release/python-3147/\n"
        "[x](https://www.python.org/downloads/release/python-31315), and again"
        " https://www.python.org/downloads/release/python-3147.\nhttps://www.python.org/downloads/\n"
    )
    assert linked_releases(text) == LINKS


def test_page_with_title_and_links_lacks_nothing() -> None:
    assert missing_on(PAGE, TITLE, LINKS) == ""
    marked = PAGE.replace(TITLE, "Spam &amp; &#39;eggs&#39;")
    assert missing_on(marked, "Spam & 'eggs'", LINKS) == ""
    assert missing_on(PAGE, "", LINKS) == ""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (TITLE, "Python 3.14.6 is now available!", "has another title"),
        (TITLE, f"{TITLE} (draft)", "has another title"),
        ("</title>", "", "has no title"),
        ("python-31315'", "python-31314'", "lacks the link to the page of python-31315"),
        ('href="', 'data-x="', "lacks the link to the page of python-3147"),
        ('python-3147/"', 'python-31470/"', "lacks the link to the page of python-3147"),
    ],
)
def test_page_that_lacks_something_says_what(old: str, new: str, problem: str) -> None:
    assert missing_on(PAGE.replace(old, new), TITLE, LINKS) == problem


@pytest.mark.parametrize("piece", ["<title>", "<a href='", "href=", "<item>", "</title>", "<link>"])
def test_page_that_never_ends_what_it_begins_takes_no_time(piece: str) -> None:
    begun = time.monotonic()
    page = piece * (4_000_000 // len(piece))
    assert missing_on(page, TITLE, LINKS)
    assert posts_in_feed(page) == ()
    assert time.monotonic() - begun < 5


def test_feed_gives_addresses_of_the_blog_alone() -> None:
    def item(title: str, link: str) -> str:
        return f"<item><title>{title}</title><link>{link}</link></item>"

    feed = "".join(
        (
            item("Spam &amp; eggs", f"{BLOG}/2026/08/spam/"),
            item("<![CDATA[Spam & eggs]]>", f"{BLOG}/2026/07/spam/"),
            item("Spam", f"{BLOG}/2026/06/spam/"),
            item("Spam &amp; eggs", "https://blog.python.org.example/2026/08/spam/"),
            item("Spam &amp; eggs", f"{BLOG}/2026/08/spam/?x=\x1b[2J"),
        )
    )
    assert posts_in_feed(feed) == (
        Post("Spam & eggs", f"{BLOG}/2026/08/spam/"),
        Post("Spam & eggs", f"{BLOG}/2026/07/spam/"),
        Post("Spam", f"{BLOG}/2026/06/spam/"),
    )


def test_day_without_a_zone_is_of_utc() -> None:
    assert datetime(2026, 8, 5, tzinfo=UTC).date() == date(2026, 8, 5)
    post = declared("title: x\npublishDate: 2026-08-31T23:59:59")
    assert post == Post("x", f"{BLOG}/2026/08/python-3147/")
