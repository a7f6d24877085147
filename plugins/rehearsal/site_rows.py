"""Rows: what python.org's database holds of downloads, with the rules that the database has.

The API and the admin save through it, so what follows from a save (demoted releases, rebuilt
boxes, purges) happens whoever saves. A row that was stored stays stored when the purge after it
fails; a deletion is taken back.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from plugins.rehearsal import cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.rehearsal.store import Store

__all__ = ["DEFAULTS", "FLAGS", "SIDECARS", "TEXTS", "Broken", "Invalid", "Row", "Rows"]

Row: TypeAlias = "dict[str, Any]"

SIDECARS: Final = {
    "gpg_signature_file": ".asc",
    "sigstore_signature_file": ".sig",
    "sigstore_cert_file": ".crt",
    "sigstore_bundle_file": ".sigstore",
    "sbom_spdx2_file": ".spdx.json",
}
TEXTS: Final = ("name", "slug", "url", "md5_sum", "sha256_sum", "release_notes_url", *SIDECARS)
"""Fields of at most 200 characters."""
FLAGS: Final = (
    "is_published", "is_latest", "pre_release", "show_on_download_page", "is_source",
    "download_button",
)  # fmt: skip
DEFAULTS: Final[Mapping[str, Row]] = {
    "os": {"name": "", "slug": ""},
    "release": {
        "name": "", "slug": "", "version": 3, "is_published": False, "is_latest": False,
        "release_date": None, "pre_release": False, "release_page": None,
        "release_notes_url": "", "show_on_download_page": True,
        "content": "", "content_markup_type": "markdown",
    },
    "release_file": {
        "name": "", "slug": "", "os": None, "release": None, "description": "",
        "is_source": False, "url": "", "md5_sum": "", "sha256_sum": "", "filesize": 0,
        "download_button": False, **dict.fromkeys(SIDECARS, ""),
    },
}  # fmt: skip
_SYSTEMS: Final = ("Windows", "macOS", "Source", "Android", "iOS")
_ROOT: Final = "https://www.python.org/"
_BOXES: Final = ("supernav-python-downloads", "homepage-downloads", "download-sources")
_INT32: Final = 2**31


class Invalid(Exception):
    """A validation failed: messages by field."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__(str(fields))
        self.fields = dict(fields)


class Broken(Exception):
    """The site would answer 500: the database refused, or a purge after the save failed."""


class Rows:
    """The tables ``os``, ``release`` and ``release_file`` of one world."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all: dict[str, Any] = store.load("site", {})
        if not self._all:
            systems = {str(n): {"name": s, "slug": s.lower()} for n, s in enumerate(_SYSTEMS, 1)}
            self._all = {"os": systems, "release": {}, "release_file": {}, "boxes": {}, "next": {}}

    def table(self, kind: str) -> dict[str, Row]:
        """All rows of a kind, by primary key."""
        found: dict[str, Row] = self._all[kind]
        return found

    def get(self, kind: str, pk: object) -> Row | None:
        """The row, or None."""
        return self.table(kind).get(str(pk))

    def files_of(self, release: str, system: str = "") -> dict[str, Row]:
        """The files of a release, by key; of one system if its slug is given."""
        return {
            pk: row
            for pk, row in self.table("release_file").items()
            if str(row["release"]) == release
            and (not system or self.table("os")[str(row["os"])]["slug"] == system)
        }

    @property
    def boxes(self) -> Mapping[str, str]:
        """What stands in the boxes, as of the last time that they were rebuilt."""
        found: dict[str, str] = self._all["boxes"]
        return found

    def check_urls(self, row: Row, before: Row | None = None) -> None:
        """The addresses of a file are the site's own. Raises Invalid."""
        wrong: dict[str, list[str]] = {}
        for field in ("url", *SIDECARS):
            value = row[field] or ""
            if value and not value.startswith(_ROOT) and (not before or value != before[field]):
                wrong.setdefault(field, []).append(
                    "Release file URLs must begin with 'https://www.python.org/'."
                )
        for field, suffix in SIDECARS.items():
            if row["url"] and row[field] and row[field] != row["url"] + suffix:
                wrong.setdefault(field, []).append(
                    f"Sidecar URL must match the artifact URL plus '{suffix}'."
                )
        if wrong:
            raise Invalid(wrong)

    def save(self, kind: str, row: Row, pk: str = "") -> str:
        """Store the row, new if it has no key; returns its key.

        Raises Broken if the database refuses it (nothing is stored), or if what the site does
        after a save fails (it is stored).
        """
        row = {**DEFAULTS[kind], **row}
        if kind == "release":
            row["release_date"] = row["release_date"] or _now()
            row["slug"] = row["slug"] or _slug(row["name"])
        self._refuse(kind, row, pk)
        fresh = not pk
        if fresh:
            pk = str(self._all["next"].get(kind, len(self.table(kind)) + 1))
            self._all["next"][kind] = int(pk) + 1
        self.table(kind)[pk] = row
        if kind == "release" and row["is_latest"]:
            # Also when this one is a draft: the site then has no latest release.
            for other, each in self.table(kind).items():
                if other != pk and each["version"] == row["version"]:
                    each["is_latest"] = False
        self._keep(f"{'created' if fresh else 'changed'} {kind}", row)
        self._purge(kind, row)
        if self._store.fault("site.500_after_write") is not None:
            raise Broken
        return pk

    def delete(self, kind: str, *pks: str) -> None:
        """Rows and what belongs to them are gone. Raises Broken, and then nothing is."""
        before = {name: dict(self.table(name)) for name in DEFAULTS}
        gone = [row for pk in pks if (row := self.table(kind).pop(pk, None)) is not None]
        if kind in ("os", "release"):
            files = self.table("release_file")
            for pk in [pk for pk, row in files.items() if str(row[kind]) in pks]:
                del files[pk]
        try:
            for row in gone if kind == "release_file" else []:
                self._purge(kind, row)
        except Broken:
            self._all.update(before)
            raise
        for row in gone:
            self._keep(f"deleted {kind}", row)

    def _refuse(self, kind: str, row: Row, pk: str) -> None:
        """What PostgreSQL says no to."""
        others = [each for other, each in self.table(kind).items() if other != pk]
        unique = ("slug", "url") if kind == "release_file" else ("slug",)
        if any(each[field] == row[field] for field in unique for each in others):
            raise Broken
        if any(len(str(row[field])) > 200 for field in TEXTS if field in row):
            raise Broken
        numbers = [row[field] for field in ("version", "filesize") if field in row]
        if any(not isinstance(each, int) or abs(each) >= _INT32 for each in numbers):
            raise Broken
        if kind != "release_file":
            return
        if row["os"] is None or row["release"] is None:
            raise Broken
        pair = (row["os"], row["release"], True)
        if row["download_button"] and any(
            (each["os"], each["release"], each["download_button"]) == pair for each in others
        ):
            raise Broken

    def _keep(self, event: str, row: Row) -> None:
        self._store.save("site", self._all)
        self._store.record("site", event, name=row["name"], slug=row["slug"])

    def _purge(self, kind: str, row: Row) -> None:
        """What the site does after a save: nothing for drafts. Raises Broken if the CDN is away."""
        release = row if kind == "release" else self.get("release", row.get("release"))
        if kind == "os" or release is None or not release["is_published"]:
            return
        self._rebuild_boxes()
        if self._store.fault("site.cdn_unreachable") is not None:
            raise Broken
        if kind == "release":
            cache.forget_below(self._store, "/downloads/")
            cache.forget(self._store, "/ftp/python/")
            number = re.match(r"Python\s([\d.]+)", release["name"])
            if number:
                cache.forget(self._store, f"/ftp/python/{number[1]}/")
        for box in _BOXES:
            cache.forget(self._store, f"/box/{box}/")

    def _rebuild_boxes(self) -> None:
        latest = next(
            (
                (pk, row)
                for pk, row in self.table("release").items()
                if row["is_latest"] and row["is_published"] and row["version"] == 3
            ),
            None,
        )
        if latest is None:
            return
        pk, release = latest
        buttons = {
            self.table("os")[str(row["os"])]["slug"]: row["url"]
            for row in self.files_of(pk).values()
            if row["download_button"]
        }
        links = "\n".join(f"{system} {url}" for system, url in sorted(buttons.items()))
        if links:
            self._all["boxes"]["supernav-python-downloads"] = links
        if "source" in buttons:
            self._all["boxes"]["download-sources"] = buttons["source"]
        self._all["boxes"]["homepage-downloads"] = str(release["name"])
        self._store.save("site", self._all)

    def latest(self, series: str = "") -> Row | None:
        """The release that the site calls the latest, or the newest one of a series."""
        if not series:
            found = [row for row in self.published() if row["is_latest"]]
        else:
            found = [row for row in self.published() if row["name"].startswith(f"Python {series}.")]
        return max(found, key=lambda row: str(row["release_date"]), default=None)

    def published(self) -> Iterator[Row]:
        """Every release of Python 3 that is public."""
        for row in self.table("release").values():
            if row["is_published"] and row["version"] == 3:
                yield row


def _slug(name: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", name).strip().lower())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 - a world of its own
