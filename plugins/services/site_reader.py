"""Site reader: the public API of python.org, as everybody may read it."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from doit_receipts.errors import ServiceFailed
from plugins.model.published_file import SITE
from plugins.ports.public import AROUND
from plugins.services import site_fields
from plugins.services.answers import json_of

if TYPE_CHECKING:
    from plugins.ports.public import PublicClient
    from plugins.ports.site import SiteRelease, SiteRow
    from plugins.services.answers import Part

__all__ = ["SiteReader"]

_API: Final = "/api/v2/downloads"
_MOST_BYTES: Final = 1 << 25


class SiteReader:
    """The PublicSite port over an anonymous client, who sees what everybody sees."""

    def __init__(self, client: PublicClient) -> None:
        self._client = client
        # Asked once: guests may ask a hundred times a day.
        self._lists: dict[str, tuple[Part, ...]] = {}
        self._asking = Lock()

    def __repr__(self) -> str:
        return f"site as {self._client!r}"

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every public release."""
        return tuple(map(site_fields.release, self._list("release")))

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        systems = {site_fields.path_of(part): part.line("slug") for part in self._list("os")}
        number = site_fields.number_of(release)
        return tuple(
            site_fields.row(part, systems)
            for part in self._list("release_file", release=number)
            if site_fields.path_of(part, "release") == release.address
        )

    def _list(self, kind: str, **query: str) -> tuple[Part, ...]:
        path = f"{_API}/{kind}/" + (f"?{urlencode(query)}" if query else "")
        with self._asking:
            if path not in self._lists:
                self._lists[path] = self._asked(path)
            return self._lists[path]

    def _asked(self, path: str) -> tuple[Part, ...]:
        # The API is in no cache; the first endpoint that there is leads to it.
        endpoint = next(name for name in self._client.endpoints(SITE) if name != AROUND)
        answer = self._client.read(f"{SITE}{path}", endpoint, _MOST_BYTES)
        action = f"GET {path}"
        if answer.status != 200:
            raise ServiceFailed(
                service="python.org",
                action=action,
                problem=f"answered {answer.status}",
                remedy="open it in a browser, then run the same command again",
            )
        return json_of(answer.text.encode(), "python.org", action, f"{SITE}{path}").parts()
