"""News entries: what ``Misc/NEWS.d/<version>.rst`` says of a release, above all of its security.

Source of the form: blurb, which writes these files; each entry is a few lines of metadata, a blank
line and a text in reStructuredText, and a line of two dots separates two entries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "NEWS_FOLDER",
    "NewsEntry",
    "SecurityContent",
    "cves_in",
    "entries_of",
    "issues_in",
    "news_files_of",
    "release_before",
]

NEWS_FOLDER: Final = "Misc/NEWS.d"
"""Where each release has its file."""
_METADATA: Final = r"\.\. ([a-z][a-z -]*?):\s*(.*)"
_ISSUE: Final = (
    r"(?i)\b(?:gh|bpo)-(?:issue-)?(\d+)|:(?:gh|issue):`(\d+)`|(?<![\w&#/])#(\d{5,6})\b"
    r"|github\.com/python/cpython/(?:issues|pull)/(\d+)|\bpython/cpython#(\d+)"
    r"|bugs\.python\.org/issue(\d+)"
)
_CVE: Final = r"(?i)\bCVE[-:\s]{1,2}(\d{4}-\d{4,})|:cve:`(\d{4}-\d{4,})`"
_DASHES: Final = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013"), "-")
"""What editors and forums make of a hyphen."""
_ROLE: Final = r":(?P<role>[a-z:+]+):`[!~]?(?P<text>[^`<]+?)(?:\s*<[^`>]*>)?`"
_LINK: Final = r"`(?P<text>[^`<]+?)\s*<(?P<url>https?://[^`>]+)>`__?"
_CALLED: Final = ("func", "meth", "c:func")


@frozen
class NewsEntry:
    """One entry: its section, the number of its issue ("" if none) and its text."""

    section: str
    issue: str
    text: str

    @property
    def markdown(self) -> str:
        """The text in one paragraph of Markdown."""
        words = " ".join(self.text.split())
        words = words.replace("``", "`")
        words = re.sub(_LINK, r"[\g<text>](\g<url>)", words)
        return re.sub(_ROLE, _plain_role, words)


@frozen
class SecurityContent:
    """What the NEWS of a release says of its security; ids are texts of digits, such as 143930."""

    entries: tuple[NewsEntry, ...]
    others: tuple[NewsEntry, ...]
    """The entries of all other sections."""

    @classmethod
    def of(cls, texts: Iterable[str]) -> SecurityContent:
        """The content of these files together."""
        found = [entry for text in texts for entry in entries_of(text)]
        security = tuple(entry for entry in found if entry.section.casefold() == "security")
        return cls(security, tuple(entry for entry in found if entry not in security))

    @property
    def issues(self) -> frozenset[str]:
        """Every issue that an entry of section Security is of, or names."""
        named = (number for entry in self.entries for number in issues_in(entry.text))
        return frozenset(filter(None, (*(entry.issue for entry in self.entries), *named)))

    def section_of(self, issue: str) -> str:
        """The section with an entry of this issue; "" if there is none."""
        entries = (*self.entries, *self.others)
        return next((entry.section for entry in entries if entry.issue == issue), "")

    @property
    def cves(self) -> frozenset[str]:
        """Every CVE id that an entry of section Security names, such as 2026-2297."""
        return frozenset(name for entry in self.entries for name in cves_in(entry.text))


def entries_of(text: str) -> tuple[NewsEntry, ...]:
    """The entries of one file, in its order. What has no section belongs to none: ""."""
    found = []
    for part in re.split(r"^\.\.[ \t]*$", text, flags=re.MULTILINE):
        fields: dict[str, str] = {}
        lines = part.strip().splitlines()
        while lines:
            match = re.fullmatch(_METADATA, lines[0].strip())
            if match is None:
                break
            fields[match[1]] = match[2].strip()
            lines.pop(0)
        body = "\n".join(lines).strip()
        if body:
            issue = fields.get("gh-issue") or fields.get("bpo") or ""
            found.append(NewsEntry(fields.get("section", ""), issue if issue != "0" else "", body))
    return tuple(found)


def issues_in(text: str) -> tuple[str, ...]:
    """The numbers of the issues that a text names, in its order: gh-1, :gh:`1`, an address."""
    plain = text.translate(_DASHES)
    return tuple(next(filter(None, found.groups())) for found in re.finditer(_ISSUE, plain))


def cves_in(text: str) -> tuple[str, ...]:
    """The CVE ids that a text names, in its order, such as 2026-2297."""
    plain = text.translate(_DASHES)
    return tuple(next(filter(None, found.groups())) for found in re.finditer(_CVE, plain))


def news_files_of(version: Version, paths: Iterable[str], *, whole: bool) -> tuple[str, ...]:
    """Those of the paths that are files of this version; ``whole`` adds its own prereleases.

    What users of 3.14.4 get with 3.14.5 was announced in part with 3.14.5rc1.
    """
    return tuple(
        path
        for other, path in _released(paths)
        if other == version or (whole and other.folder == version.folder and other < version)
    )


def release_before(version: Version, paths: Iterable[str]) -> str:
    """The release of this series whose NEWS came right before this one's; "" if there is none."""
    before = [other for other, _ in _released(paths) if other < version]
    return str(before[-1]) if before and before[-1].series == version.series else ""


def _released(paths: Iterable[str]) -> list[tuple[Version, str]]:
    """The files of releases among the paths, in the order of the releases."""
    found = []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder != NEWS_FOLDER or not name.endswith(".rst"):
            continue
        try:
            found.append((Version.parse(name.removesuffix(".rst")), path))
        except BadVersion:
            continue
    return sorted(found)


def _plain_role(found: re.Match[str]) -> str:
    role, text = found["role"], found["text"].strip()
    if role == "cve":
        return f"[CVE-{text}](https://www.cve.org/CVERecord?id=CVE-{text})"
    if role in ("gh", "issue"):
        return f"gh-{text}"
    if role == "pep":
        return f"PEP {text}"
    if role in ("ref", "term", "doc", "abbr", "dfn"):
        return text
    if found[0].startswith(f":{role}:`~"):
        text = text.rpartition(".")[2]
    return f"`{text}()`" if role in _CALLED and not text.endswith(")") else f"`{text}`"
