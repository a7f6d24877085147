"""Site fields: releases and files of python.org's API, with the type of each field looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from plugins.ports.site import SiteRelease, SiteRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.services.answers import Part

__all__ = ["admin_path", "number_of", "path_of", "release", "row"]

# Source: the serializers of version 2 of the API (pythondotorg, downloads/serializers.py).
_RELEASE: Final[Mapping[str, type]] = {
    "resource_uri": str,
    "name": str,
    "slug": str,
    "version": int,
    "is_published": bool,
    "is_latest": bool,
    "pre_release": bool,
    "show_on_download_page": bool,
    "release_date": str,
    "release_notes_url": str,
}
_TEXTS: Final = (
    "resource_uri", "os", "release", "name", "slug", "description", "url", "sha256_sum",
    "gpg_signature_file", "sigstore_signature_file", "sigstore_cert_file",
    "sigstore_bundle_file", "sbom_spdx2_file",
)  # fmt: skip
_ROW: Final[Mapping[str, type]] = {
    **dict.fromkeys(_TEXTS, str),
    "filesize": int,
    "is_source": bool,
    "download_button": bool,
}


def release(part: Part) -> SiteRelease:
    """A release as the site describes it. Raises ServiceFailed for a field of another type."""
    return SiteRelease(path_of(part), part.fields(_RELEASE))


def row(part: Part, systems: Mapping[str, str]) -> SiteRow:
    """A file of a release; ``systems`` are slugs by path. Raises ServiceFailed as above."""
    # No tool writes it any more, so one day the site will not list it.
    fields = {**part.fields(_ROW), "md5_sum": part.text("md5_sum", may_miss=True)}
    system = systems.get(path_of(part, "os"), "?")
    return SiteRow(path_of(part), system, fields, path_of(part, "release"))


def path_of(part: Part, name: str = "resource_uri") -> str:
    """The path of an object in the API; its host is the one that we ask, whatever it says."""
    try:
        return urlsplit(part.line(name)).path
    except ValueError as error:
        raise part.wrong(name, "is not an address") from error


def number_of(found: SiteRelease) -> str:
    """The release's key in the site's database, the last part of its path."""
    return found.address.rstrip("/").rpartition("/")[2]


def admin_path(number: str) -> str:
    """The form of the release of this number in the site's admin, or the list of all for ""."""
    return "/admin/downloads/release/" + (f"{number}/change/" if number else "")
