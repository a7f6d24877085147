"""The website's downloads: releases, drafts among them, and the rows of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.ports.fetched import Fetched

__all__ = ["Site", "SitePages", "SiteReader", "SiteRelease", "SiteRow"]


@frozen
class SiteRelease:
    """A release as the site has it. ``address`` is its path in the API; ``fields`` by the site's
    own names: name, slug, is_published, is_latest, pre_release, release_date, ...
    """

    address: str
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Such as ``Python 3.13.5``; not unique on the site."""
        return str(self.fields["name"])

    @property
    def slug(self) -> str:
        """The last part of its page's address; unique on the site."""
        return str(self.fields["slug"])

    @property
    def is_published(self) -> bool:
        """Whether users see it in lists."""
        return bool(self.fields["is_published"])


@frozen
class SiteRow:
    """A file as the site lists it. ``system`` is a slug such as ``source``; ``fields`` by the
    site's own names: name, slug, url, sha256_sum, filesize, download_button, ...
    """

    address: str
    system: str
    fields: Mapping[str, Any]
    release: str = ""
    """The path of the release that it belongs to, in the API."""

    @property
    def slug(self) -> str:
        """Unique over all files of all releases."""
        return str(self.fields["slug"])


class SitePages(Protocol):
    """The pages of the website, to look at."""

    def look(self, path: str) -> Fetched:
        """A page of the site, as fresh as the site has it, past every cache."""
        ...


class SiteReader(SitePages, Protocol):
    """The website's downloads, to look at: releases, drafts among them, and the rows of files."""

    def may_write(self) -> None:
        """We are known to the site and may write. Raises ServiceFailed; nothing is changed."""
        ...

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every release, drafts too."""
        ...

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        ...

    def systems(self) -> frozenset[str]:
        """The slugs of the operating systems that a row may name."""
        ...

    def page(self, slug: str) -> str | None:
        """The release's page in HTML, as fresh as the site has it, drafts too; None if there is
        none.
        """
        ...

    @property
    def saves_texts(self) -> bool:
        """Whether we may save the text of a page, which the API cannot."""
        ...

    def holders(self, slug: str, url: str) -> tuple[SiteRow, ...]:
        """The rows of any release that have this slug or this address, which both are unique."""
        ...

    def may_save_texts(self) -> None:
        """We may save the text of a release's page. Raises ServiceFailed; nothing is changed."""
        ...


class Site(SiteReader, Protocol):
    """The same downloads, to change."""

    def add_release(self, fields: Mapping[str, Any]) -> None:
        """The release exists. Sent once: a failure may have come after it was stored."""
        ...

    def change_release(self, release: SiteRelease, changes: Mapping[str, Any]) -> None:
        """The release has these values; done again, nothing changes."""
        ...

    def add_row(self, release: SiteRelease, system: str, fields: Mapping[str, Any]) -> None:
        """The row exists. Sent once: a failure may have come after it was stored."""
        ...

    def change_row(self, row: SiteRow, changes: Mapping[str, Any]) -> None:
        """The row has these values; done again, nothing changes."""
        ...

    def delete_row(self, row: SiteRow) -> None:
        """The row is gone; it was there before or not."""
        ...

    def save_text(self, release: SiteRelease, text: str, markup: str) -> None:
        """The page's text is this, in ``html`` or ``markdown``; done again, nothing changes."""
        ...
