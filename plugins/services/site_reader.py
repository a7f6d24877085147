"""Site reader: python.org's lists as everybody may read them, with every shape looked at.

Nothing that the site says is believed to have the form that it should: a list that is none, a
field that is missing or of another type is an error with the site's name, never a crash.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

from doit_receipts.errors import ServiceFailed
from plugins.model.contract import SITE
from plugins.ports.public import AROUND
from plugins.ports.site import SiteRelease, SiteRow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plugins.ports.public import Visitor

__all__ = ["SiteReader"]

_API: Final = "/api/v2/downloads"
_MOST_BYTES: Final = 1 << 25
_RELEASE: Final[Mapping[str, type]] = {
    "resource_uri": str,
    "name": str,
    "slug": str,
    "version": int,
    "is_published": bool,
    "is_latest": bool,
    "pre_release": bool,
    "show_on_download_page": bool,
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
_SYSTEM: Final[Mapping[str, type]] = {"resource_uri": str, "slug": str}


class SiteReader:
    """The Listings port over a visitor, who sees what everybody sees."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        # Asked once: guests may ask a hundred times a day.
        self._lists: dict[str, list[dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"site as {self._visitor!r}"

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every public release."""
        found = self._list("release", _RELEASE)
        return tuple(SiteRelease(_path_of(each), each) for each in found)

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        systems = {_path_of(each): str(each["slug"]) for each in self._list("os", _SYSTEM)}
        number = release.address.rstrip("/").rpartition("/")[2]
        return tuple(
            SiteRow(_path_of(each), systems.get(urlsplit(str(each["os"])).path, "?"), each)
            for each in self._list("release_file", _ROW, release=number)
            if urlsplit(str(each["release"])).path == release.address
        )

    def _list(self, kind: str, form: Mapping[str, type], **query: str) -> list[dict[str, Any]]:
        path = f"{_API}/{kind}/" + (f"?{urlencode(query)}" if query else "")
        if path not in self._lists:
            self._lists[path] = self._asked(path, form)
        return self._lists[path]

    def _asked(self, path: str, form: Mapping[str, type]) -> list[dict[str, Any]]:
        # The API is in no cache; the first door that there is leads to it.
        door = next(each for each in self._visitor.doors(SITE) if each != AROUND)
        answer = self._visitor.read(f"{SITE}{path}", door, _MOST_BYTES)
        if answer.status != 200:
            raise _failed(path, f"answered {answer.status}")
        try:
            found = json.loads(answer.text)
        except (ValueError, RecursionError) as error:
            raise _failed(path, "answered something that is no JSON") from error
        if not isinstance(found, list):
            raise _failed(path, "answered something that is no list")
        for each in found:
            wrong = "" if isinstance(each, dict) else "an entry"
            if not wrong:
                wrong = next((name for name in form if not _is(each.get(name), form[name])), "")
            if wrong:
                raise _failed(path, f"answered a list in which {wrong} is not as it should be")
        return found


def _is(value: object, kind: type) -> bool:
    # True is an int to Python, and no number to anybody else.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _path_of(each: Mapping[str, Any]) -> str:
    """The path of an object in the API; its host is the one that we ask, whatever it says."""
    return urlsplit(str(each["resource_uri"])).path


def _failed(path: str, problem: str) -> ServiceFailed:
    return ServiceFailed(
        service="python.org",
        action=f"GET {path}",
        problem=problem,
        remedy="look at it in a browser, then run the same command again",
    )
