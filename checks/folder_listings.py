"""Folder listings: the files that pages of public folders lead to, as a browser follows them."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from doit_receipts.frozen import frozen
from plugins.model.published_file import SITE
from plugins.model.rules import breach
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from doit_receipts.finding import Finding
    from plugins.ports.public import PublicClient

__all__ = ["Listed", "listed_below"]

# An X.Y.0 has three folders of each of its early releases: 3.14.0 had fifty in all.
_MOST_FOLDERS: Final = 200
_MOST_NAMES: Final = 5_000
_MOST_TOLD: Final = 5
_SHOWN: Final = 200
_HOSTS: Final = (urlsplit(SITE).hostname, "python.org")
_AT: Final = "/ftp/python/"
_AGAIN: Final = "then run the same command again"
_MOVE_AWAY: Final = (
    f"move away on the host what does not belong to the release, purge these folders, {_AGAIN}"
)
_OPEN_IT: Final = (
    "open it in a browser; if it is refused there too, correct its mode and those of the folders "
    "above it on the host, or remove it if it should not exist; purge it and the folder above it, "
    f"{_AGAIN}"
)
_OTHER_PAGE: Final = (
    "find out who put another page in the place of the host's own listing, remove it there, purge "
    f"the folder, {_AGAIN}"
)

# Every link of a page of these elements can be seen, and there are no others.
_PLAIN: Final = (
    "a", "address", "b", "body", "br", "code", "col", "colgroup", "div", "em", "footer", "h1",
    "h2", "h3", "head", "header", "hr", "html", "i", "img", "li", "link", "main", "meta", "ol",
    "p", "pre", "small", "span", "strong", "table", "tbody", "td", "tfoot", "th", "thead",
    "title", "tr", "tt", "ul",
)  # fmt: skip
_HIDING: Final = ("hidden", "style", "http-equiv")
_VALUE: Final = r"""(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"""
_TAG: Final = re.compile(
    rf"<(/?)([a-z][a-z0-9]*)((?:\s+[a-z][\w:-]*{_VALUE})*+)\s*/?>", re.IGNORECASE
)
_ATTRIBUTE: Final = re.compile(rf"\s+([a-z][\w:-]*)({_VALUE})", re.IGNORECASE)
_COMMENT: Final = re.compile(r"<!--(?!-?>).*?-->", re.DOTALL)
_DECLARED: Final = re.compile(r"<!doctype[^<>]*>", re.IGNORECASE)


@frozen
class Listed:
    """The files that listings show, by their paths, and what is wrong with the listings.

    ``trouble`` names what could not be read, and what a listing shows that is not in its folder.
    """

    names: frozenset[str] = frozenset()
    trouble: tuple[Finding, ...] = ()


class _UnreadableError(Exception):
    """A page may show or hide more than what was read of it; the text says why."""


def listed_below(client: PublicClient, folders: Iterable[str]) -> Listed:
    """All files that listings of these folders show, and of those below them.

    A link is followed as a browser does, however it is written. A folder that is not there shows
    nothing, unless a listing leads to it. Raises ServiceFailed if a listing cannot be had.
    """
    found: set[str] = set()
    trouble: list[Finding] = []
    tops = tuple(folders)
    wanted = list(tops)
    for count, folder in enumerate(wanted):
        if count >= _MOST_FOLDERS or len(found) > _MOST_NAMES:
            limits = f"more than {_MOST_FOLDERS} folders or {_MOST_NAMES:,} files are listed"
            unread = f"{limits}: {_few(wanted[count:])} not read"
            trouble.append(_unseen(folder, unread, _MOVE_AWAY))
            break
        answer = client.read(f"{SITE}{_AT}{quote(folder)}/", AROUND)
        if answer.status != 200:
            if answer.status != 404 or folder not in tops:
                refused = f"its listing answers {answer.status}"
                is_busy = answer.status == 429 or answer.status >= 500
                trouble.append(_unseen(folder, refused, "" if is_busy else _OPEN_IT))
            continue
        inside, odd = _read(answer.text, folder)
        trouble += odd
        found.update(path for path in inside if not path.endswith("/"))
        below = [path[:-1] for path in inside if path.endswith("/")]
        wanted += [path for path in dict.fromkeys(below) if path not in wanted]
    return Listed(frozenset(found), tuple(trouble))


def _read(text: str, folder: str) -> tuple[list[str], list[Finding]]:
    """The paths that a folder's page leads to in it, folders with a slash, and what is odd."""
    inside: list[str] = []
    strange: dict[str, None] = {}
    trouble: list[Finding] = []
    here = f"{_AT}{folder}/"
    try:
        for link in _links(text):
            path = _path(link, here)
            if path.startswith(here) and path != here:
                inside.append(path.removeprefix(_AT))
            elif not here.startswith(f"{path.removesuffix('/')}/"):
                strange[link] = None  # neither the folder itself nor one above it
    except _UnreadableError as error:
        trouble.append(_unseen(folder, f"its listing {error}, so it may hide files", _OTHER_PAGE))
    if strange:
        leads = f"its listing leads out of the folder, to {_few(list(strange))}"
        found = breach("file.unrecognised", f"{folder}/", leads)
        trouble.append(replace(found, remedy=_OTHER_PAGE))
    return inside, trouble


def _links(text: str) -> Iterator[str]:
    """The addresses in a page, in order. Raises _UnreadableError where a browser may see others."""
    for tag in _tags(text):
        for name, value in _ATTRIBUTE.findall(tag[3]):
            if name.lower() in _HIDING or name.lower().startswith("on"):
                message = f"has the attribute {name}"
                raise _UnreadableError(message)
            if name.lower() == "href" and tag[2].lower() == "a":
                link = value.partition("=")[2].strip()
                link = link[1:-1] if link[:1] in ("'", '"') else link
                yield html.unescape(link).strip()


def _tags(text: str) -> Iterator[re.Match[str]]:
    """The tags of a page that is as plain as a listing. Raises _UnreadableError for any other."""
    at = 0
    while (at := text.find("<", at)) >= 0:
        comment = _COMMENT.match(text, at) or _DECLARED.match(text, at)
        if comment is not None:
            at = comment.end()
            continue
        tag = _TAG.match(text, at)
        if tag is None:
            message = f"has {text[at : at + 20]}, which cannot be read"
            raise _UnreadableError(message)
        if tag[2].lower() not in _PLAIN:
            message = f"has the element {tag[2]}"
            raise _UnreadableError(message)
        yield tag
        at = tag.end()
        if tag[2].lower() == "title" and not tag[1]:
            at = max(text.find("</", at), at)  # what is in it is no tag


def _path(link: str, here: str) -> str:
    """The path that a link of the page ``here`` leads to, without %; "?" for another host's."""
    try:
        parts = urlsplit(urljoin(f"{SITE}{quote(here)}", link.replace("\\", "/")))
        is_ours = parts.scheme in ("http", "https") and parts.hostname in _HOSTS
        is_ours = is_ours and parts.port in (None, 80, 443)
    except ValueError:
        return "?"
    path = unquote(parts.path) or "/"
    # A way up that is spelled with % is still there, and servers differ about it.
    inner = path.removeprefix("/").removesuffix("/").split("/")
    is_plain = not any(part in (".", "..") for part in inner) and "" not in inner[:-1]
    return path if is_ours and is_plain else "?"


def _unseen(folder: str, problem: str, remedy: str = "") -> Finding:
    """A finding with this remedy, or with the one of its rule."""
    found = breach("situation.unseen", f"{folder}/", problem)
    return replace(found, remedy=remedy or found.remedy)


def _few(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_TOLD} more" if len(names) > _MOST_TOLD else ""
    return ", ".join(name[:_SHOWN] for name in names[:_MOST_TOLD]) + more
