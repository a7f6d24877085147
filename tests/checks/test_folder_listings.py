"""Listings of public folders: what a browser would follow is found, and what it may is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from checks.folder_listings import Listed, listed_below
from plugins.model.content import Content
from plugins.ports.fetched import Fetched

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ROOT = "https://www.python.org/ftp/python/"
PLAIN = '<html><head><title>Index</title></head><body><pre><a href="../">../</a>\n'


@dataclass(frozen=True)
class Pages:
    """A client that gets these pages, by what comes behind the root; an int is a status."""

    pages: Mapping[str, str | int]

    def endpoints(self, _url: str) -> tuple[str, ...]:
        return ()

    def fetch(self, url: str, endpoint: str, _most: int, _file: Path | None = None) -> Fetched:
        return self.read(url, endpoint)

    def read(self, url: str, _endpoint: str, _most_bytes: int = 0) -> Fetched:
        page = self.pages.get(url.removeprefix(ROOT), 404)
        content = Content(0, "0" * 64)
        return Fetched(page, content) if isinstance(page, int) else Fetched(200, content, page)

    def unsent(self) -> tuple[str, ...]:
        return ()

    def forget(self) -> None: ...

    def remember(self) -> None: ...


def look(pages: Mapping[str, str | int]) -> Listed:
    return listed_below(Pages(pages), ["3.13.6"])


def told(listed: Listed) -> list[tuple[str, str]]:
    return [(each.rule, each.where) for each in listed.trouble]


def test_a_plain_listing_shows_its_files_and_those_of_folders_below() -> None:
    found = look(
        {
            "3.13.6/": PLAIN + '<a href="a.tgz">a</a> 1\n<a href="amd64/">amd64/</a></pre>',
            "3.13.6/amd64/": PLAIN + '<a href="b.msi">b</a></pre>',
        }
    )
    assert found == Listed(frozenset({"3.13.6/a.tgz", "3.13.6/amd64/b.msi"}))


@pytest.mark.parametrize(
    "link",
    [
        'href="./evil.exe"',
        "href=evil.exe",
        "href = 'evil.exe'",
        'title="a > b" href="evil.exe"',
        'href="/ftp/python/3.13.6/evil.exe"',
        'href="//www.python.org/ftp/python/3.13.6/evil.exe"',
        'href="https://www.python.org/ftp/python/3.13.6/evil.exe"',
        'href="http://python.org:80/ftp/python/3.13.6/evil.exe"',
        'href="evil.exe?download=1"',
        'href="evil.exe#top"',
        'href="evil&#46;exe"',
        'href="&#x2f;ftp/python/3.13.6/evil&period;exe"',
        'href="evil%2Eexe"',
        'href="x/../evil.exe"',
        'href=".\\evil.exe"',
        'href=" evil.exe\t"',
        f'class="{"x" * 600}" href="evil.exe"',
    ],
)
def test_a_file_is_found_however_its_link_is_written(link: str) -> None:
    found = look({"3.13.6/": f"{PLAIN}<a {link}>nothing</a>"})
    assert found == Listed(frozenset({"3.13.6/evil.exe"}))


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/ftp/python/3.13.6/evil.exe",
        "https://www.python.org:8443/ftp/python/3.13.6/evil.exe",
        "//elsewhere.example/evil.exe",
        "../3.13.5/evil.exe",
        "/evil.exe",
        "%2e%2e/3.13.5/evil.exe",
        "https://www.python.org/ftp/python/3.13.6//evil.exe",
        "data:text/plain,evil",
        "https://[/evil.exe",
    ],
)
def test_a_link_that_leads_out_of_the_folder_is_told_by_name(link: str) -> None:
    found = look({"3.13.6/": f'{PLAIN}<a href="{link}">Python-3.13.6.tgz</a>'})
    assert told(found) == [("file.unrecognised", "3.13.6/")]
    assert link in found.trouble[0].message


@pytest.mark.parametrize("link", ["", "#top", "?C=M;O=A", "./", "../", "/ftp/python/", "/"])
def test_a_link_to_the_folder_itself_or_above_is_nothing(link: str) -> None:
    found = look({"3.13.6/": f'{PLAIN}<a href="{link}">up</a>'})
    assert found == Listed()


@pytest.mark.parametrize(
    "part",
    [
        "<script>write()</script>",
        '<base href="/x/">',
        "<iframe src=x></iframe>",
        '<area href="evil.exe">',
        '<meta http-equiv="refresh" content="0;url=x">',
        '<a onclick="go()">x</a>',
        '<a href="x" hidden>x</a>',
        '<template><a href="x">x</a></template>',
        '<a href="x',
        '<a title="x"href="evil.exe">x</a>',
        "<!-- ",
        "<!--> <a href='evil.exe'>x</a> -->",
        "<![CDATA[ ",
        "<?x",
    ],
)
def test_a_page_that_may_show_more_than_was_read_is_told(part: str) -> None:
    assert told(look({"3.13.6/": PLAIN + part})) == [("situation.unseen", "3.13.6/")]


def test_a_link_in_a_comment_or_a_title_shows_no_file() -> None:
    text = '<html><title><a href="x">x</a></title><!-- <a href="y">y</a> --><a href="z">z</a>'
    assert look({"3.13.6/": text}).names == {"3.13.6/z"}


def test_a_folder_that_a_listing_shows_and_nobody_can_read_is_told() -> None:
    found = look({"3.13.6/": f'{PLAIN}<a href="a/">a</a><a href="b/">b</a>', "3.13.6/b/": 403})
    assert told(found) == [("situation.unseen", "3.13.6/a/"), ("situation.unseen", "3.13.6/b/")]
    assert "answers 404" in found.trouble[0].message


def test_a_release_that_is_not_there_is_no_trouble_and_one_that_is_refused_is() -> None:
    assert look({}).trouble == ()
    assert told(look({"3.13.6/": 503})) == [("situation.unseen", "3.13.6/")]


def test_a_feature_release_with_all_its_early_ones_is_read() -> None:
    """3.14.0 had fifteen early releases in its folder's history, each with folders of its own."""
    names = [f"f{count}" for count in range(60)]
    pages = {f"3.13.6/{name}/": f'{PLAIN}<a href="a.msi">a</a>' for name in names}
    folders = "".join(f'<a href="{name}/">f</a>' for name in names)
    found = look({"3.13.6/": PLAIN + folders, **pages})
    assert found == Listed(frozenset(f"3.13.6/{name}/a.msi" for name in names))


def test_what_is_beyond_the_bounds_is_told_by_name() -> None:
    folders = "".join(f'<a href="f{count}/">f</a>' for count in range(220))
    pages = {f"3.13.6/f{count}/": PLAIN for count in range(220)}
    found = look({"3.13.6/": PLAIN + folders, **pages})
    assert told(found) == [("situation.unseen", "3.13.6/f199/")]
    assert "3.13.6/f199, 3.13.6/f200" in found.trouble[0].message
    assert "16 more not read" in found.trouble[0].message
    many = "".join(f'<a href="{count}">f</a>' for count in range(5_001))
    found = look({"3.13.6/": f'{PLAIN}{many}<a href="inner/">f</a>'})
    assert told(found) == [("situation.unseen", "3.13.6/inner/")]


@pytest.mark.parametrize(
    ("pages", "remedy"),
    [
        ({"3.13.6/": 503}, "check whether python.org can be reached"),
        ({"3.13.6/": 429}, "check whether python.org can be reached"),
        ({"3.13.6/": 403}, "correct its mode and those of the folders above it on the host"),
        ({"3.13.6/": f'{PLAIN}<a href="a/">a</a>'}, "or remove it if it should not exist"),
        ({"3.13.6/": "<script>"}, "who put another page in the place of the host's own listing"),
        ({"3.13.6/": '<a href="//evil.example/">a</a>'}, "who put another page in the place"),
        (
            {"3.13.6/": "".join(f'<a href="f{count}/">f</a>' for count in range(250)),
             **{f"3.13.6/f{count}/": PLAIN for count in range(250)}},
            "move away on the host what does not belong to the release",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_listing_has_a_remedy_that_helps(
    pages: Mapping[str, str | int], remedy: str
) -> None:
    (finding,) = look(pages).trouble
    assert remedy in finding.remedy
    assert finding.remedy.endswith("then run the same command again")


def test_a_hostile_page_of_eight_megabytes_is_read_in_no_time() -> None:
    for text in ("<a " * (1 << 21), '<a x="' * (1 << 20), "<" * (1 << 23), "<!--" * (1 << 20)):
        assert told(look({"3.13.6/": text})) == [("situation.unseen", "3.13.6/")]
