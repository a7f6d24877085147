"""ReleaseManifest: everything of one release that anybody can get, each with its digest.

One canonical JSON text, a line for each thing: files, hosted pages, what python.org says, refs.
Whoever has it and its signature knows every byte of the release, without this tool: ``sha256`` of
a thing that has bytes is theirs, of any other that of its fields as compact JSON with sorted keys.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.content import Content
from plugins.model.published_file import SizeClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["BrokenRecord", "Entry", "EntryKind", "ReleaseManifest", "Scalar", "listing_entry"]

Scalar: TypeAlias = "str | int | bool | None"

_FORMAT: Final = "pep101 release manifest 1"
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_BYTES: Final = 32 << 20
_MOST_BRACKETS: Final = 40
"""Of one line: more would be nested deeper than anything that is written here."""
_MOST_ENTRIES: Final = 20_000
"""A release has about 1,500, most of them pages of its documentation."""
_MOST_SIZE_BYTES: Final = max(each.value[1] for each in SizeClass)
_MOST_NUMBER: Final = 1 << 63
_NAME: Final = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[ -~]{1,500}")
_ODD: Final = frozenset('\\?#%"<>')
"""In a name these would make another address of it."""


class EntryKind(Enum):
    """What an entry is about, and what its name is."""

    FILE = "file"
    """A file below ``https://www.python.org/ftp/python/``."""
    DOCS_PAGE = "documentation page"
    """A file below ``https://docs.python.org/``."""
    RELEASE = "release of the site"
    """The release in the site's API, by its slug."""
    ROW = "file row of the site"
    """A file in the site's API, by its slug."""
    PAGE = "page of the site"
    """The words, links and table of a page, by its path; see ``plugins.model.article``."""
    BOX = "box of the site"
    """A box, by its path: the bytes that the site serves."""
    REDIRECT = "redirect of the site"
    """An address that leads to the release, by its path."""
    LINK = "link on the downloads host"
    """A symbolic link below the root of the downloads."""
    REF = "ref of upstream"
    """A ref of the repository: the object that it names, and the commit below."""
    LISTING = "releases of the site"
    """Which releases were public: boxes, redirects and links hold as long as no other is."""


_BEGINS: Final = {
    EntryKind.PAGE: re.compile("/(?!/)"),
    EntryKind.BOX: re.compile("/(?!/)"),
    EntryKind.REDIRECT: re.compile("/(?!/)"),
    EntryKind.REF: re.compile("refs/"),
}
_ELSE_BEGINS: Final = re.compile("[^/-]")


class BrokenRecord(StepFailed):
    """A file in the place of a release manifest that is none."""


@frozen
class Entry:
    """One public thing: ``content`` if it has bytes, else ``fields``, sorted by name."""

    kind: EntryKind
    name: str
    content: Content | None = None
    fields: tuple[tuple[str, Scalar], ...] = ()

    @classmethod
    def of(cls, kind: EntryKind, name: str, fields: Mapping[str, Scalar]) -> Entry:
        """An entry of a thing without bytes."""
        return cls(kind, name, None, tuple(sorted(fields.items())))

    @property
    def plain(self) -> dict[str, Any]:
        """The entry as its line has it."""
        named = {"kind": self.kind.value, "name": self.name}
        if self.content is not None:
            size, sha256 = self.content.size_bytes, self.content.sha256
            return {**named, "sha256": sha256, "size": size}
        fields = dict(self.fields)
        return {**named, "fields": fields, "sha256": Content.of(_compact(fields).encode()).sha256}


@frozen
class ReleaseManifest:
    """All entries of a release, sorted by kind and name, each pair once."""

    release: str
    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, release: str, entries: Iterable[Entry]) -> ReleaseManifest:
        """The manifest of these entries, in any order."""
        return cls(release, tuple(sorted(entries, key=_place)))

    def by_name(self, kind: EntryKind) -> dict[str, Entry]:
        """The entries of one kind, by their names."""
        return {each.name: each for each in self.entries if each.kind is kind}

    def contents(self, kind: EntryKind) -> dict[str, Content]:
        """The bytes of each entry of one kind, by name."""
        return {
            each.name: each.content
            for each in self.entries
            if each.kind is kind and each.content is not None
        }

    def to_bytes(self) -> bytes:
        """The one text of this manifest."""
        head = f'{{"format": "{_FORMAT}",\n"release": {_compact(self.release)},\n"entries": [\n'
        lines = ",\n".join(_compact(each.plain) for each in self.entries)
        return f"{head}{lines}\n]}}\n".encode()

    def readable_bytes(self, where: str) -> bytes:
        """The one text of this manifest, which its readers read as this very manifest.

        Raises BrokenRecord, with the first thing that they would refuse or read otherwise.
        """
        for entry in self.entries:
            try:
                same = _entry(json.loads(_compact(entry.plain))) == entry
            except (ValueError, KeyError, TypeError):
                same = False
            if not same:
                raise BrokenRecord(
                    where=where,
                    problem=f"cannot list the {entry.kind.value} {entry.name!a:.120}: "
                    "no reader would read it as it is",
                    remedy="find out where it comes from, and have it renamed or removed",
                )
        raw = self.to_bytes()
        if self.from_bytes(raw, where) != self:
            raise BrokenRecord(
                where=where,
                problem="would be read as another manifest than was written",
                remedy="report it as a bug",
            )
        return raw

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> ReleaseManifest:
        """Read it back. Raises BrokenRecord for anything that ``to_bytes`` would not write."""
        try:
            found = cls._read(raw)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            found = None
        if found is None or found.to_bytes() != raw:
            raise BrokenRecord(
                where=where,
                problem=f"is not a {_FORMAT}: one line of compact JSON for each thing, sorted by "
                "kind and name, and none twice",
                remedy="find out who replaced it; do not trust what it lists",
            )
        return found

    @classmethod
    def _read(cls, raw: bytes) -> ReleaseManifest | None:
        lines = raw.split(b"\n") if len(raw) <= _MOST_BYTES else ()
        if not lines or any(each.count(b"{") + each.count(b"[") > _MOST_BRACKETS for each in lines):
            return None
        plain = json.loads(raw)
        if len(plain["entries"]) > _MOST_ENTRIES:
            return None
        entries = tuple(map(_entry, plain["entries"]))
        places = {_place(each) for each in entries}
        made = cls.of(str(plain["release"]), entries)
        return made if len(places) == len(entries) else None


def listing_entry(slugs: Iterable[str]) -> Entry:
    """Which releases of the site are public, in one digest of their slugs."""
    known = sorted(slugs)
    digest = Content.of("".join(f"{each}\n" for each in known).encode()).sha256
    return Entry.of(EntryKind.LISTING, "public", {"count": len(known), "slugs_sha256": digest})


def _place(entry: Entry) -> tuple[str, str]:
    return entry.kind.value, entry.name


def _entry(plain: dict[str, Any]) -> Entry:
    kind, name = EntryKind(plain["kind"]), str(plain["name"])
    begins = _BEGINS.get(kind, _ELSE_BEGINS)
    if not begins.match(name) or not _NAME.fullmatch(name) or _ODD.intersection(name):
        raise ValueError(name)
    if "fields" in plain:
        return Entry.of(kind, name, {str(key): _scalar(it) for key, it in plain["fields"].items()})
    sha256, size = str(plain["sha256"]), plain["size"]
    if not _SHA256.fullmatch(sha256) or type(size) is not int:
        raise ValueError(name)
    if not 0 <= size <= _MOST_SIZE_BYTES:
        raise ValueError(name)
    return Entry(kind, name, Content(size, sha256))


def _scalar(value: Any) -> Scalar:
    if value is not None and type(value) not in (str, int, bool):
        raise ValueError(value)
    if isinstance(value, int) and not -_MOST_NUMBER <= value < _MOST_NUMBER:
        raise ValueError(value)
    found: Scalar = value
    return found


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
