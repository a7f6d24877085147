"""Site: python.org's downloads through version 2 of its API, and its admin for texts.

Version 2 it is for everything, for version 1 changes nothing in place: a release could not be
published by it, and a wrong row would have to be deleted before the right one can be made. The
steps respect what version 2 does wrong: no row of a system can be added once its button is on.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed
from doit_receipts.outside import Act, leaves
from plugins.model.content import Content
from plugins.ports.fetched import Fetched
from plugins.services import site_fields
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.model.secret import Secret
    from plugins.ports.site import SiteRelease, SiteRow
    from plugins.services.answers import Part
    from plugins.services.site_admin import SiteAdmin

__all__ = ["PythonOrg"]

_API: Final = "/api/v2/downloads"
_SLUG: Final = re.compile(r"[-a-zA-Z0-9_]{1,200}", re.ASCII)
_ROW: Final = re.compile(rf"{_API}/release_file/\d+/", re.ASCII)
_MISSING: Final = 404
_MOST_ADDRESS: Final = 2_000


class PythonOrg:
    """The site at one address; ``token`` is of its API, ``admin`` is ``user:password``."""

    def __init__(
        self,
        base: str,
        token: Secret | None,
        admin: Secret | None = None,
        *,
        timeout_s: float = 60.0,
    ) -> None:
        name = urlsplit(base).netloc
        self._base = base
        self._token = token
        self._admin = admin
        self._timeout_s = timeout_s
        self._api = HttpClient(
            name, base, self._login, bounds=Bounds(silence_s=timeout_s), throttled_is_undone=True
        )
        self._systems: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"PythonOrg({self._base})"

    def _login(self) -> dict[str, str]:
        return {} if self._token is None else {"authorization": f"Token {self._token.reveal()}"}

    def may_write(self) -> None:
        """Known and allowed: asked by changing release 0, which no site has."""
        if self._token is None:
            raise ServiceFailed(
                service=self._api.service,
                action="log in",
                problem="release.toml declares no secret for it",
                remedy='write site = "env:NAME" under [credentials]',
            )
        path = f"{_API}/release/0/"
        answer = self._api.send("PATCH", path, f"PATCH {path}", again=True, also=(404,), json={})
        if answer.status_code != 404:
            self._api.fail(
                f"PATCH {path}", "the site says that it changed release 0, which no site has"
            )

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every release, drafts too."""
        return tuple(map(site_fields.release, self._list(f"{_API}/release/")))

    def add_release(self, fields: Mapping[str, Any]) -> None:
        """The release exists, made by one request."""
        self._write("POST", f"{_API}/release/", dict(fields))

    def change_release(self, release: SiteRelease, changes: Mapping[str, Any]) -> None:
        """The release has these values."""
        self._write("PATCH", release.address, dict(changes))

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        systems = {path: slug for slug, path in self._paths_of_systems().items()}
        number = site_fields.number_of(release)
        return tuple(
            site_fields.row(part, systems)
            for part in self._list(f"{_API}/release_file/", release=number)
        )

    def systems(self) -> frozenset[str]:
        """The slugs of the operating systems that a row may name."""
        return frozenset(self._paths_of_systems())

    def add_row(self, release: SiteRelease, system: str, fields: Mapping[str, Any]) -> None:
        """The row exists, made by one request."""
        paths = self._paths_of_systems()
        if system not in paths:
            raise ServiceFailed(
                service=self._api.service,
                action=f"list {fields.get('name', '')}",
                problem=f"the site has no operating system {system!a}",
                remedy="ask its administrators to add it",
                details=tuple(sorted(paths)),
            )
        # Addresses only: an object in their place would be written to the row it names.
        content = {**fields, "os": paths[system], "release": release.address}
        self._write("POST", f"{_API}/release_file/", content)

    def change_row(self, row: SiteRow, changes: Mapping[str, Any]) -> None:
        """The row has these values."""
        self._write("PATCH", row.address, dict(changes))

    def holders(self, slug: str, url: str) -> tuple[SiteRow, ...]:
        """The rows that have this slug or this address, of any release.

        The site finds a slug; for an address all of its rows have to be read.
        """
        systems = {path: slug for slug, path in self._paths_of_systems().items()}
        found = self._list(f"{_API}/release_file/", slug=slug) or self._list(
            f"{_API}/release_file/"
        )
        rows = (site_fields.row(part, systems) for part in found)
        return tuple(row for row in rows if row.slug == slug or row.fields["url"] == url)

    def delete_row(self, row: SiteRow) -> None:
        """The row is gone. Nothing else of the site is ever deleted.

        A page takes the release with it that leads to it, and a release its files.
        """
        if not _ROW.fullmatch(row.address):
            message = f"{row.address!a} is not the address of a row"
            raise ValueError(message)
        action = f"DELETE {row.address}"
        self._api.send("DELETE", row.address, action, again=True, also=(404,))

    def page(self, slug: str) -> str | None:
        """The release's page; a query that nobody asked before passes every cache."""
        if not _SLUG.fullmatch(slug):
            message = f"{slug!a} is not a slug"
            raise ValueError(message)
        seen = self.look(f"/downloads/release/{slug}/")
        return None if seen.status == _MISSING else seen.text

    def look(self, path: str) -> Fetched:
        """A page as the site makes it now; a query that nobody asked before passes every cache."""
        answer = self._api.get(
            path, f"GET {path}", may_miss=True, redirects=False, fresh=token_hex(8)
        )
        leads_to = answer.headers.get("location", "")[:_MOST_ADDRESS]
        return Fetched(
            answer.status_code,
            Content.of(answer.content),
            answer.content.decode(errors="replace"),
            urlsplit(leads_to).path if leads_to else "",
        )

    @property
    def saves_texts(self) -> bool:
        """Whether the admin may be used."""
        return self._admin is not None

    def may_save_texts(self) -> None:
        """Login, form and right are tried on the first release that the site lists."""
        releases = self.releases()
        with self._opened_admin() as admin:
            admin.may_save(site_fields.number_of(releases[0]) if releases else "")

    def save_text(self, release: SiteRelease, text: str, markup: str) -> None:
        """The page's text is this, saved by the admin's form."""
        form = f"{self._base}{site_fields.admin_path(site_fields.number_of(release))}"
        what = f"POST {form} (the admin's form, its text as {markup})"
        if not leaves(Act.sending("http", what, text.encode(), tuple(text.splitlines()))):
            return
        with self._opened_admin() as admin:
            admin.save_text(site_fields.number_of(release), text, markup)

    @contextmanager
    def _opened_admin(self) -> Iterator[SiteAdmin]:
        if self._admin is None:
            raise ServiceFailed(
                service=self._api.service,
                action="save a text",
                problem="release.toml declares no secret for its admin",
                remedy='write site_admin = "env:NAME" under [credentials]',
            )
        from plugins.services.site_admin import SiteAdmin

        admin = SiteAdmin(self._base, self._admin, timeout_s=self._timeout_s)
        try:
            yield admin
        finally:
            admin.close()

    def _list(self, path: str, **query: Any) -> tuple[Part, ...]:
        answer = self._api.get(path, f"GET {path}", **query)
        return self._api.json(answer, f"GET {path}").parts()

    def _write(self, method: str, path: str, content: dict[str, Any]) -> None:
        self._api.send(method, path, f"{method} {path}", again=method != "POST", json=content)

    def _paths_of_systems(self) -> dict[str, str]:
        if not self._systems:
            self._systems = {
                part.line("slug"): site_fields.path_of(part) for part in self._list(f"{_API}/os/")
            }
        return self._systems
