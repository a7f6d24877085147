"""Rows: what python.org's database holds of downloads, with the rules that the database has.

The API and the admin save through it, so what follows from a save (demoted releases, purges,
rebuilt boxes) happens whoever saves. A release that was stored stays stored when the purge after
it fails, and its boxes are not rebuilt then: the site purges first. A deletion is taken back.
Source: apps/downloads/models.py of python/pythondotorg at 0a7e8d1f, and what that application
did when it was asked over HTTP.
"""

from __future__ import annotations

import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from plugins.model.binaries import SYSTEMS
from plugins.rehearsal import cache
from plugins.rehearsal.site_boxes import BOXES, boxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
# As the site spells those that begin with a small letter.
_SPELLED: Final = {"macos": "macOS", "ios": "iOS"}
_SOURCE: Final = 3
"""The number of the source among python.org's operating systems."""
_ROOT: Final = "https://www.python.org/"
_INT32: Final = 2**31


class Invalid(Exception):
    """A validation failed: messages by field."""

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        super().__init__(str(fields))
        self.fields = dict(fields)


class Broken(Exception):
    """The site would answer 500: the database refused, or a purge after the save failed."""


class Rows:
    """The tables ``os``, ``release`` and ``release_file`` of one environment."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all: dict[str, Any] = store.load("site", {})
        if not self._all:
            slugs = [*SYSTEMS]
            slugs.insert(_SOURCE - 1, "source")
            systems = {
                str(number): {"name": _SPELLED.get(slug, slug.title()), "slug": slug}
                for number, slug in enumerate(slugs, 1)
            }
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
        """The text of each box, as of the last time that the boxes were rebuilt."""
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

    def save(self, kind: str, row: Row, pk: str = "", *, atomic: bool = False) -> str:
        """Store the row, new if it has no key; returns its key.

        Raises Broken if the database refuses it (nothing is stored), or if what the site does
        after a save fails: then it is stored all the same, unless the save is ``atomic``, as the
        admin's are.
        """
        row = {**DEFAULTS[kind], **row}
        if kind == "release":
            row["release_date"] = row["release_date"] or _now()
            row["slug"] = row["slug"] or _slug(row["name"])
        self._refuse(kind, row, pk)
        before = deepcopy(self._all)
        fresh = not pk
        if fresh:
            pk = str(self._all["next"].get(kind, len(self.table(kind)) + 1))
            self._all["next"][kind] = int(pk) + 1
        self.table(kind)[pk] = row
        if kind == "release" and row["is_latest"]:
            self._demote_others(pk, row)
        event = f"{'created' if fresh else 'changed'} {kind}"
        if atomic:
            try:
                self._follow(kind, row)
            except Broken:
                self._store.save("site", before)
                raise
            self._keep(event, row)
        else:
            self._keep(event, row)
            self._follow(kind, row)
        if self._store.fault("site.500_after_write") is not None:
            raise Broken
        return pk

    def _demote_others(self, pk: str, row: Row) -> None:
        """Also when this one is a draft: the site then has no latest release."""
        for other, each in self.table("release").items():
            if other != pk and each["version"] == row["version"]:
                each["is_latest"] = False

    def delete(self, kind: str, *pks: str) -> None:
        """Rows and what belongs to them are gone. Raises Broken, and then nothing is."""
        before = {name: dict(self.table(name)) for name in DEFAULTS}
        files = self.table("release_file")
        field = "" if kind == "release_file" else kind
        owned = [pk for pk, row in files.items() if field and str(row[field]) in pks]
        gone = [self.table(kind)[pk] for pk in pks if pk in self.table(kind)]
        lost = [files.pop(pk) for pk in owned]
        for pk in pks:
            self.table(kind).pop(pk, None)
        releases = before["release"]
        try:
            for row in lost if field else gone:
                self._follow_file(releases.get(str(row["release"])))
        except Broken:
            self._all.update(before)
            self._store.save("site", self._all)
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

    def _follow(self, kind: str, row: Row) -> None:
        """What the site does after a save: nothing for drafts. Raises Broken if a purge fails."""
        if kind == "release_file":
            self._follow_file(self.get("release", row["release"]))
        if kind != "release" or not row["is_published"]:
            return
        self._reach_cdn()
        cache.forget_below(self._store, "/downloads")
        cache.forget(self._store, "/ftp/python/")
        number = re.match(r"Python\s([\d.]+)", row["name"])
        if number:
            cache.forget(self._store, f"/ftp/python/{number[1]}/")
        for box in BOXES:
            cache.forget(self._store, f"/box/{box}/")
        # Only now: a purge that fails leaves the boxes as they were.
        self._rebuild_boxes()

    def _follow_file(self, release: Row | None) -> None:
        """After a file was saved or deleted the boxes are rebuilt first, and then purged."""
        if release is None or not release["is_published"]:
            return
        self._rebuild_boxes()
        self._reach_cdn()
        for box in BOXES:
            cache.forget(self._store, f"/box/{box}/")

    def _reach_cdn(self) -> None:
        if self._store.fault("site.cdn_unreachable") is not None:
            raise Broken

    def _rebuild_boxes(self) -> None:
        self._all["boxes"].update(boxes(self))
        self._store.save("site", self._all)

    def button(self, release: str, system: str) -> Row | None:
        """The file of a release that a system's download button leads to."""
        files = self.files_of(release, system).values()
        return next((row for row in files if row["download_button"]), None)

    def latest(self, major: int = 3) -> tuple[str, Row] | None:
        """The release with the flag of the latest, and its key; the first by name of several."""
        found = [
            (pk, row)
            for pk, row in self.in_order("release")
            if row["is_published"] and row["is_latest"] and row["version"] == major
        ]
        return found[0] if found else None

    def newest(self, series: str = "", *, pre_release: bool = False) -> Row | None:
        """The public release of Python 3 with the newest date, of a series or of all pre-releases.

        Where dates tie the database is free to choose; the one that was made first was seen.
        """
        found = [
            row
            for row in self.published()
            if row["name"].startswith(f"Python {series}." if series else "")
            and (row["pre_release"] or not pre_release)
        ]
        return max(found, key=lambda row: str(row["release_date"]), default=None)

    def published(self) -> Iterator[Row]:
        """Every release of Python 3 that is public."""
        for row in self.table("release").values():
            if row["is_published"] and row["version"] == 3:
                yield row

    def in_order(self, kind: str) -> Iterable[tuple[str, Row]]:
        """All rows of a kind as the API lists them: by name, files by release and system first."""
        if kind != "release_file":
            return sorted(self.table(kind).items(), key=lambda pair: str(pair[1]["name"]))

        def place(pair: tuple[str, Row]) -> tuple[bool, str, str, str]:
            row = pair[1]
            release = self.table("release")[str(row["release"])]
            system = self.table("os")[str(row["os"])]
            return (not release["is_published"], release["name"], system["name"], row["name"])

        return sorted(self.table(kind).items(), key=place)


def _slug(name: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", name).strip().lower())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: TID251 - the simulated side
