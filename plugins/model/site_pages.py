"""Site pages: every address of python.org that shows something of a release, and what it shows.

What a page has to show depends on what else is public: the home page and the boxes name the
latest release only, and older pages of a series say that they were superseded. So it is computed
from the site's own list of releases. Source: apps/downloads and pydotorg/views.py of
python/pythondotorg at 0a7e8d1f.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen
from plugins.model.binaries import SYSTEMS
from plugins.model.contract import Purge
from plugins.model.published_file import SITE
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plugins.model.contract import Contract

__all__ = ["Listed", "Listing", "is_latest", "listing_of", "overview_pages", "pages_of"]

_PYTHON_2: Final = 2
_PYTHON_3: Final = 3
_IN_FEED: Final = 10
_SYSTEMS: Final = ("source", *SYSTEMS)
_DOWNLOADS: Final = f"{SITE}/downloads/"


@frozen
class Listed:
    """A release of Python 3 that the site knows, drafts too."""

    version: Version
    slug: str
    date: str
    pre_release: bool
    is_published: bool

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/downloads/release/{self.slug}/"


@frozen
class Listing:
    """What the site's list of releases says, as far as pages depend on it."""

    releases: tuple[Listed, ...] = ()
    has_python_2: bool = False
    """Whether a release of Python 2 is the latest of its kind: two boxes are made only then."""
    newest: tuple[str, ...] = ()
    """The slugs that the feed shows, of any kind of release."""

    @property
    def public(self) -> tuple[Listed, ...]:
        """The releases that users see."""
        return tuple(each for each in self.releases if each.is_published)


def listing_of(rows: Iterable[Mapping[str, Any]]) -> Listing:
    """The list, from the fields of its rows by the site's own names; others are passed over."""
    known: list[Listed] = []
    has_python_2 = False
    dated: list[tuple[str, str]] = []
    for row in rows:
        published = bool(row["is_published"])
        date = str(row.get("release_date") or "")
        if published:
            dated.append((date, str(row["slug"])))
        if row["version"] == _PYTHON_2 and published and row.get("is_latest"):
            has_python_2 = True
        version = _version(str(row["name"]))
        if row["version"] == _PYTHON_3 and version is not None:
            early = bool(row.get("pre_release"))
            known.append(Listed(version, str(row["slug"]), date, early, published))
    newest = sorted(dated, key=lambda pair: pair[0], reverse=True)[:_IN_FEED]
    return Listing(tuple(known), has_python_2, tuple(slug for _, slug in newest))


def is_latest(contract: Contract, listing: Listing) -> bool:
    """Whether this is the newest final release of all, which the site offers first.

    Source: pythondotorg#2161; a bugfix release of an older series is not the latest Python. The
    version says what is final, whatever box was ticked.
    """
    ours = Version.parse(contract.version)
    finals = [each.version for each in listing.public if not each.version.is_prerelease]
    return not contract.page.pre_release and all(each <= ours for each in finals)


def pages_of(contract: Contract, listing: Listing) -> tuple[Purge, ...]:
    """Every page that shows something of this release, once it is public.

    Each one of downloads has a twin below ``/getit/``, for where the former cannot be reached. The
    site's own purge goes by the first word of an address, and so does not come to the twins.
    """
    pages = (
        *_own(contract, listing),
        *overview_pages(contract, listing),
        *_older(contract, listing),
    )
    known = {page.url for page in pages}
    twins = [replace(page, url=_twin(page.url)) for page in pages if _is_of_downloads(page.url)]
    return (*pages, *(twin for twin in twins if twin.url not in known))


def overview_pages(contract: Contract, listing: Listing) -> tuple[Purge, ...]:
    """The pages that name the latest release, or the newest ones, whatever is on them else.

    Those from boxes stay old when the site's own purge fails while a release is published.
    """
    return tuple(_overviews(contract, is_latest(contract, listing), listing))


def _is_of_downloads(url: str) -> bool:
    return url.startswith(_DOWNLOADS)


def _twin(url: str) -> str:
    return f"{SITE}/getit/{url.removeprefix(_DOWNLOADS)}"


def _own(contract: Contract, listing: Listing) -> Iterator[Purge]:
    """Its page, and the pages of operating systems."""
    page = contract.page
    yield Purge(page.url, tells=(page.name, *(file.url for file in contract.listed)))
    first = (f"Latest Python 3 Release - {page.name}",) if is_latest(contract, listing) else ()
    theirs = {file.row.os for file in contract.listed if file.row is not None}
    for system in _SYSTEMS:
        urls = tuple(f.url for f in contract.listed if f.row is not None and f.row.os == system)
        texts = (page.name, *first, *urls) if system in theirs else ()
        yield Purge(f"{_DOWNLOADS}{system}/", tells=texts)
    yield Purge(f"{_DOWNLOADS}operating-systems/")


def _overviews(contract: Contract, latest: bool, listing: Listing) -> Iterator[Purge]:  # noqa: FBT001 - asked once
    page = contract.page
    buttons = [f for f in contract.listed if f.row is not None and f.row.download_button]
    urls = tuple(file.url for file in buttons) if latest else ()
    source = tuple(f.url for f in buttons if latest and f.row is not None and f.row.is_source)
    name = (page.name,) if latest else ()
    boxed, source = (name, source) if listing.has_python_2 else ((), ())
    shown = page.show_on_download_page and not page.pre_release
    listed = (page.name,) if shown else ()
    first = (f"Download {page.name}", *urls, *source) if latest else ()
    for path in ("downloads", "getit"):
        yield Purge(f"{SITE}/{path}/", tells=(*listed, *first))
    yield Purge(f"{SITE}/box/supernav-python-downloads/", tells=(*name, *urls))
    yield Purge(f"{SITE}/box/homepage-downloads/", tells=boxed)
    yield Purge(f"{SITE}/box/download-sources/", tells=source)
    yield Purge(f"{SITE}/", tells=boxed)
    number = re.sub(r"[a-z].*", "", contract.version)
    yield Purge(f"{SITE}/doc/", tells=(f"Python {number} Documentation",) if latest else ())
    docs = () if page.pre_release else (f"/release/{contract.version}/",)
    yield Purge(f"{SITE}/doc/versions/", tells=docs)
    feed = (page.name,) if page.slug in listing.newest else ()
    yield Purge(f"{_DOWNLOADS}feed.rss", tells=feed)
    yield from _latest_addresses(contract, latest, listing)


def _latest_addresses(contract: Contract, latest: bool, listing: Listing) -> Iterator[Purge]:  # noqa: FBT001 - asked once
    """The addresses that lead to the latest release, of all and of a series.

    Each answers with and without its slash, and a cache keeps the two apart.
    """
    ours = Version.parse(contract.version)
    path = f"/downloads/release/{contract.page.slug}/"
    series = [each.version for each in listing.public if each.version.series == ours.series]
    newest = path if all(each <= ours for each in series) else ""
    wanted = {
        "latest": path if latest else "",
        "latest/python3": path if latest else "",
        f"latest/python{ours.series}": newest,
    }
    if contract.page.pre_release:
        wanted["latest/prerelease"] = path if _is_newest_early(contract, listing) else ""
    for address, target in wanted.items():
        for slash in ("/", ""):
            yield Purge(f"{_DOWNLOADS}{address}{slash}", leads_to=target)


def _is_newest_early(contract: Contract, listing: Listing) -> bool:
    """Whether no other pre-release has a later day or time than this one."""
    early = [each for each in listing.public if each.pre_release]
    ours = [each.date for each in early if each.slug == contract.page.slug]
    others = [each.date for each in early if each.slug != contract.page.slug]
    return bool(ours) and all(each < max(ours) for each in others)


def _older(contract: Contract, listing: Listing) -> Iterator[Purge]:
    """The pages of the same series: those before this one say that it superseded them."""
    ours = Version.parse(contract.version)
    series = [each for each in listing.public if each.version.series == ours.series]
    newest = all(each.version <= ours for each in series)
    texts = (f'/downloads/release/{contract.page.slug}/"', contract.page.name) if newest else ()
    for each in sorted(series, key=lambda each: each.version):
        if each.slug != contract.page.slug:
            yield Purge(f"{SITE}{each.path}", tells=texts)


def _version(name: str) -> Version | None:
    """The version that a release's name says; None for other things and the distant past."""
    prefix, _, number = name.partition(" ")
    try:
        return Version.parse(number.strip()) if prefix == "Python" else None
    except BadVersion:
        return None
