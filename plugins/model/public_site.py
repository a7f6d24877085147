"""Public site: what python.org says of one release, as entries of the release manifest.

Read the same way by whoever writes the manifest and by whoever judges it, so that both compare the
same fields. Of each object of the API every field counts that it has, but for those that lead to
other objects and name the host that was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.model.published_file import SITE
from plugins.model.release_manifest import Entry, EntryKind, Scalar
from plugins.model.site_pages import overview_pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.model.contract import Contract
    from plugins.model.site_pages import Listing

__all__ = ["PASSING", "box_paths", "release_entry", "row_entry"]

_ELSEWHERE: Final = ("resource_uri", "os", "release", "release_page")
_BOXES: Final = f"{SITE}/box/"
PASSING: Final = "is_latest"
"""The flag of a release that a later one takes away, rightly."""


def release_entry(slug: str, fields: Mapping[str, object]) -> Entry:
    """The release as the API has it."""
    return Entry.of(EntryKind.RELEASE, slug, _plain(fields))


def row_entry(slug: str, system: str, fields: Mapping[str, object]) -> Entry:
    """A file as the API lists it, with the slug of its system."""
    return Entry.of(EntryKind.ROW, slug, {**_plain(fields), "system": system})


def box_paths(contract: Contract, listing: Listing) -> tuple[str, ...]:
    """The paths of the boxes that name a latest release."""
    pages = overview_pages(contract, listing)
    return tuple(page.url.removeprefix(SITE) for page in pages if page.url.startswith(_BOXES))


def _plain(fields: Mapping[str, object]) -> dict[str, Scalar]:
    """The fields with a plain value; what else there may be is in words, so that it counts."""
    return {
        name: value if value is None or isinstance(value, str | int | bool) else str(value)
        for name, value in fields.items()
        if name not in _ELSEWHERE
    }
