"""Blog: how the Python Insider blog names authors' records and posts, and what a page of it shows.

Source: python/python-insider-blog at fbd6066 of 2026-08-22.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import UTC, date, datetime
from html import unescape
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BLOG",
    "FEED",
    "Post",
    "address_of",
    "author_file",
    "linked_releases",
    "missing_on",
    "post_of",
    "posts_in_feed",
]

BLOG: Final = "https://blog.python.org"
"""The name under which readers reach the blog."""
FEED: Final = f"{BLOG}/rss.xml"
"""The newest fifty posts, each with title and address."""

_FRONT: Final = re.compile(r"\A---\r?\n(.*?)\n---\s*(?:\n|\Z)", re.DOTALL)
# A name, what follows it on its line, and the lines below it that are further in.
_ENTRY: Final = re.compile(r"^([A-Za-z]\w*):(?:[ \t]+(.*))?((?:\n[ \t]+.*)*)", re.MULTILINE)
_SINGLE: Final = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_FOLDED: Final = (">", ">-", ">+", "|", "|-", "|+")
_FOLDER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
_ADDRESS: Final = re.compile(rf"{re.escape(BLOG)}/[A-Za-z0-9._~/-]{{1,300}}")
_RELEASE: Final = re.compile(
    r"https?://(?:www\.)?python\.org/downloads/release/(python-[0-9a-z]{2,20})\b"
)
_HREF: Final = re.compile(r"""\bhref=["']?([^"'<>\s]{1,500})""")

# Letters that no decomposition turns into plain ones; the blog's own rule knows these two.
_POLISH_L: Final = str.maketrans({"\u0141": "l", "\u0142": "l"})


def author_file(name: str) -> str:
    """The path of an author's record in the blog's repository, by the name that posts are under.

    Source: slugify in src/lib/utils.ts of python/python-insider-blog, by which a post links to its
    author; a post of somebody without a record builds, and its link leads nowhere.
    """
    plain = unicodedata.normalize("NFD", name).translate(_POLISH_L)
    bare = re.sub("[\u0300-\u036f]", "", plain).lower()
    return f"content/authors/{re.sub('[^a-z0-9]+', '-', bare).strip('-')}.json"


@frozen
class Post:
    """A post as its file declares it: the address at which readers find it, and its title."""

    title: str
    address: str
    is_published: bool = True


def address_of(folder: str, day: date) -> str:
    """Where readers find the post of a folder below ``content/posts``.

    Source: src/pages/[year]/[month]/[slug].astro, and the links of src/pages/rss.xml.ts. The blog
    is files, each page a folder's: without the slash at the end a redirect leads there.
    """
    return f"{BLOG}/{day.year:04}/{day.month:02}/{folder}/"


def post_of(path: str, content: bytes) -> Post | None:
    """The post that a file declares; None if it has no title, day or slug that we can read.

    The day counts in UTC, as for the blog; a ``slug`` stands for the folder's name, as in Astro.
    """
    found = _FRONT.match(content.decode(errors="replace"))
    fields = _fields(found[1]) if found else {}
    day = _day(fields.get("publishDate", ""))
    title = fields.get("title", "")
    if not title or day is None:
        return None
    folder = fields.get("slug") or path.split("/")[-2]
    if not _FOLDER.fullmatch(folder):
        return None
    return Post(title, address_of(folder, day), fields.get("published", "true") != "false")


def linked_releases(text: str) -> tuple[str, ...]:
    """The release pages of python.org to which a text links, each once, by the end of its address.

    What stands around them, such as the mark at the end of a sentence, is no part of it.
    """
    return tuple(dict.fromkeys(_RELEASE.findall(text)))


def missing_on(page: str, title: str, links: Sequence[str]) -> str:
    """What of a post a page lacks, in words; "" if it has the title and links to each release.

    Without a title any will do.
    """
    shown = _title_of(page)
    if title and shown.removesuffix(" | Python Insider") != _words(title):
        return "has another title" if shown else "has no title"
    linked = linked_releases("\n".join(unescape(each) for each in _HREF.findall(page)))
    lacking = [each for each in links if each not in linked]
    return f"lacks the link to the page of {lacking[0]}" if lacking else ""


def posts_in_feed(feed: str) -> tuple[Post, ...]:
    """The posts that the feed of the blog has at addresses of it, newest first."""
    return tuple(
        Post(_words(_between(each, "title")), address)
        for each in feed.split("<item>")[1:]
        if _ADDRESS.fullmatch(address := _between(each, "link"))
    )


def _title_of(page: str) -> str:
    return _words(_between(page, "title"))


def _between(text: str, tag: str) -> str:
    """What the first element of this name holds, without markup; found without going back."""
    begin = text.find(f"<{tag}>")
    end = text.find(f"</{tag}>", begin)
    if begin < 0 or end < 0:
        return ""
    inner = text[begin + len(tag) + 2 : end].strip()
    return unescape(inner.removeprefix("<![CDATA[").removesuffix("]]>"))


def _words(text: str) -> str:
    return " ".join(text.split())


def _fields(front: str) -> dict[str, str]:
    """The texts at the top level of the front matter, of YAML's forms that editors write there."""
    found: dict[str, str] = {}
    for each in _ENTRY.finditer(front):
        name, value, more = each[1], (each[2] or "").strip(), each[3]
        found[name] = _words(more) if value in _FOLDED else _scalar(value)
    return found


def _scalar(value: str) -> str:
    single, double = _SINGLE.match(value), _DOUBLE.match(value)
    if single is not None:
        return single[1].replace("''", "'")
    if double is not None:
        try:
            return str(json.loads(double[0]))
        except ValueError:
            return ""
    return value.partition(" #")[0].strip()


def _day(text: str) -> date | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    except (ValueError, OverflowError):
        return None
