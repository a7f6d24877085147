"""Text rules: what is wrong with a public text of a release, found by parsing and never by feel.

Each function gives problems, each in words that complete "announcement.md: ...". Source:
python/pythondotorg#2193, a page with another release's name, and announcements that were corrected
the day after they went out.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from plugins.model.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from doit_receipts.artifact import Artifact
    from plugins.model.contract import Contract

__all__ = [
    "TextFacts",
    "foreign_addresses",
    "foreign_digests",
    "foreign_series",
    "foreign_versions",
    "gaps",
    "leftovers",
    "names_version",
    "sections",
]

_VERSION: Final = re.compile(
    r"(?:(?<![\w.])|(?<=[Pp]ython))v?"
    r"(?P<version>[234]\.\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d{1,2})?)(?!\w|\.\d)"
)
# People write 3.15.0 beta 3, 3.15 beta 3, 3.15rc1, 3.15.0-rc1 and 3.15.0 RC1 of one release.
_LONG: Final = re.compile(
    r"(?<![\w.])(?P<v>v?)(?P<series>[234]\.\d{1,2})(?P<micro>\.\d{1,3})?"
    r"(?:[\s~_-]*(?P<word>alpha|beta|(?:release[\s-]+)?candidate|rc)[\s._-]*"
    r"|[~_-]?(?P<letter>a|b))(?P<serial>\d{1,2})\b",
    re.IGNORECASE,
)
_LETTERS: Final = {"alpha": "a", "beta": "b"}
# An earlier version may be what this one is compared with, and nothing else.
_COMPARES: Final = re.compile(
    r"(?:since|than|over|after|from|following|compared\s+(?:to|with))\s+"
    r"(?:(?:the|Python|CPython|version|release)\s+)*$",
    re.IGNORECASE,
)
# Projects whose versions look like ours, right before the number.
_OTHERS: Final = re.compile(
    r"(?:OpenSSL|SQLite|libffi|mpdecimal|zlib(?:-ng)?|expat|pip|setuptools|Tcl(?:/Tk)?|Tk|Unicode"
    r"|ncurses|GCC|Clang|LLVM|Xcode|macOS|iOS|Android|Sphinx|HACL\*?)(?:\s+(?:version|to))?\s+v?$",
    re.IGNORECASE,
)
# Digits and dots of other alphabets look like ours; what has no width looks like nothing.
_LOOKALIKES: Final = {
    **{0xFF10 + digit: str(digit) for digit in range(10)},
    **dict.fromkeys((0x2024, 0xFF0E), "."),
    **dict.fromkeys((0xAD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF), ""),
}
# Browsers also follow addresses without a scheme; a link that begins with / leads to python.org.
_ADDRESS: Final = re.compile(
    r"(?:\b(?P<scheme>(?i:https?))://|(?<![\w:/])//(?=[\w.-]*python\.org\b)"
    r"|(?<![\w./@:-])(?=(?:www|docs|peps)\.python\.org\b)|(?<=\]\()(?=/\w))"
    r"(?P<host>[^\s/<>()\[\]\"'`|]*)(?P<path>/[^\s<>()\[\]\"'`|]*)?"
)
_ESCAPED: Final = re.compile(r"%(2[DEde]|[3-7][0-9A-Fa-f])")
_HEX: Final = re.compile(r"(?<![\w-])[0-9a-fA-F]{32,128}(?![\w-])")
_DIGEST_LENGTHS: Final = (32, 40, 56, 64, 96, 128)
_SHA256_LENGTH: Final = 64
_COMMIT_LENGTH: Final = 40
_BYTES: Final = re.compile(r"(?<![\w.,])(\d[\d,_ ]*\d|\d)\s*bytes\b", re.IGNORECASE)
_CODE: Final = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING: Final = re.compile(r"^(#{1,6})\s+(.*\S)\s*$", re.MULTILINE)

_LEFT_OPEN: Final = re.compile(
    r"\b(?:TODO|TBD|FIXME|XXX|lorem ipsum)\b|<placeholder", re.IGNORECASE
)
_TEMPLATE: Final = re.compile(
    r"\{\{|\}\}|\{%|%\}|\{#|\{ ?(?:version|series|date|name|url|0) ?\}|%\(\w+\)s"
    r"|(?<![\w%])%s\b|\$\{?[A-Z_]{4,}\}?|\b[X3]\.[XY]\.[YZN]\b|\bYYYY-MM-DD\b|@@\w+@@"
    r"|\[(?:VERSION|SERIES|DATE|URL|LINK|NAME)\]|<(?i:version|series|date|url|link|name)>"
)
_OTHER_MARKUP: Final = re.compile(
    r"<span id=\"text-|^\.\. [\w-]+::|^\.\. _|(?<![\w`]):[a-z]+:`[^`]+`|`[^`<\n]+ <https?://[^>]+>`_"
    r"|<!--|\[/?(?:quote|url|b|i)\b[^\]]*\](?!\()|\A---\n|^(?:<{7}|>{7})(?: |$)",
    re.MULTILINE,
)
_BROKEN: Final = re.compile(
    r"\ufffd|\u00e2\u20ac|\u00c3[\u00a4-\u00bc]|[\x00-\x08\x0b\x0c\x0e-\x1f]"
)
_GAPS: Final = (
    (
        re.compile(r"\[[^\]]*\]\(\s*(?:#|https?:/*|(?i:url|link|address))?\s*\)"),
        "a link without an address",
    ),
    (re.compile(r"(?<!\!)\[\s*\]\([^)]+\)"), "a link without words"),
    (re.compile(r"^[ \t]*[-*+][ \t]*$", re.MULTILINE), "an empty item of a list"),
    (re.compile(r"\s\(\s*\)"), "empty parentheses"),
    # A line that was wrapped goes on; a paragraph, item or heading that ends here does not.
    (
        re.compile(
            r"\b(?:PEP|(?<!ever )since)[ \t\r]*"
            r"(?:(?=[.,;:)])|(?=\n\s*?(?:\n|\Z|[-*+][ \t]|1[.)][ \t]|#+[ \t]|[>|]))|\Z)"
        ),
        "a word that nothing follows",
    ),
)
_SITE_HOSTS: Final = ("www.python.org", "python.org")
_NOWHERE: Final = re.compile(r"(?:^|\.)(?:example|invalid|test|localhost)(?:\.|:|$)|^127\.")


@frozen
class TextFacts:
    """What is true of the release that a text is about."""

    version: Version
    page_url: str
    file_urls: frozenset[str]
    """The addresses of all files that the release publishes."""
    files: Mapping[str, Artifact]
    """The files whose bytes are known, by name."""
    commits: frozenset[str] = frozenset()
    """Object ids that the text may name: of the commit and the tag."""
    versions: frozenset[Version] = frozenset()
    """Other versions that belong into the text, as release.toml says."""

    @classmethod
    def of(
        cls,
        contract: Contract,
        files: Sequence[Artifact] = (),
        commits: Sequence[str] = (),
        versions: Sequence[str] = (),
    ) -> TextFacts:
        """The facts of the release that the contract is of."""
        return cls(
            Version.parse(contract.version),
            contract.page.url,
            frozenset(file.url for file in contract.files),
            {file.path.name: file for file in files},
            frozenset(filter(None, commits)),
            frozenset(map(Version.parse, versions)),
        )


def names_version(text: str, version: Version) -> bool:
    """Whether the text names the version as a whole word: 3.14.1 is not in 3.14.10."""
    return any(found == version for found, _ in _versions(text))


def foreign_versions(text: str, facts: TextFacts) -> tuple[str, ...]:
    """Versions of Python that the text names and that do not belong into it.

    This version belongs there, those that may follow it, and those of release.toml; an earlier
    one where this one is compared with it ("since 3.14.4").
    """
    found: dict[Version, str] = {}
    for version, before in _versions(text):
        if version == facts.version or version in facts.versions or _follows(version, facts):
            continue
        if version < facts.version and _COMPARES.search(before):
            continue
        found.setdefault(version, f"names Python {version}, and is about {facts.version}")
    return tuple(found.values())


def foreign_addresses(text: str, facts: TextFacts) -> tuple[str, ...]:
    """Addresses of pages, files and documents of another release, or of no real host."""
    found = []
    slugs = {_slug(version) for version in (facts.version, *facts.versions)}
    versions = [[str(version)] for version in (facts.version, *facts.versions)]
    for scheme, host, path in _addresses(text):
        url = f"{scheme}://{host}{path}"
        parts = path.strip("/").split("/")
        area = [part.lower() for part in parts[:2]]
        if _NOWHERE.search(host):
            found.append(f"has a link with an invalid address: {url}")
        elif host.endswith("python.org") and scheme == "http":
            found.append(f"has an address without https: {url}")
        elif host in _SITE_HOSTS and area == ["downloads", "release"]:
            if len(parts) > 2 and parts[2] not in slugs:
                found.append(
                    f"links to the page of another release: {url}, wanted {facts.page_url}"
                )
        elif host in _SITE_HOSTS and area == ["ftp", "python"] and len(parts) > 2:
            if not _published(url, facts):
                found.append(f"links to a file that is not of this release: {url}")
        elif host == "docs.python.org" and parts[0] == "release" and parts[1:2] not in versions:
            found.append(f"links to the documentation of another release: {url}")
        elif (host.endswith("python.org") or parts[:2] == ["python", "cpython"]) and (
            other := _foreign_in(path, facts)
        ):
            found.append(f"links to what is of Python {other}: {url}")
    return tuple(dict.fromkeys(found))


def foreign_series(text: str, facts: TextFacts) -> tuple[str, ...]:
    """Addresses of another series' documentation or releases; they may be meant: a warning."""
    series = {version.series for version in (facts.version, *facts.versions)}
    found = []
    for scheme, host, path in _addresses(text):
        named = re.findall(r"(?<![\w.])3\.\d{1,2}(?=/|\.html|$)", path)
        other = [name for name in named if name not in series]
        if host == "docs.python.org" and other:
            url = f"{scheme}://{host}{path}"
            found.append(f"links to the documentation of Python {other[0]}: {url}")
        newest = re.match(r"/downloads/latest/python(3\.\d{1,2})(?:/|$)", path)
        if host in _SITE_HOSTS and newest and newest[1] not in series:
            url = f"{scheme}://{host}{path}"
            found.append(f"links to the newest release of Python {newest[1]}: {url}")
    return tuple(dict.fromkeys(found))


def foreign_digests(text: str, facts: TextFacts) -> tuple[str, ...]:
    """Digests and sizes of no file of this release, or of another file than the line names."""
    known = {file.sha256: name for name, file in facts.files.items()}
    found = []
    for line in text.splitlines():
        named = [
            name for name in facts.files if re.search(rf"(?<!\w){re.escape(name)}(?![\w.])", line)
        ]
        links = [(each.start(), each.end()) for each in _ADDRESS.finditer(line)]
        for token in _HEX.finditer(line):
            digest = token[0].lower()
            if len(digest) > _COMMIT_LENGTH and len(digest) not in _DIGEST_LENGTHS:
                found.append(f"has a digest that is cut or too long: {_cut(digest)}")
            if len(digest) not in _DIGEST_LENGTHS or digest in facts.commits:
                continue
            # Commits, pictures and gists have such names; only sha256 is what files are told by.
            in_link = any(start <= token.start() < end for start, end in links)
            if in_link and len(digest) != _SHA256_LENGTH:
                continue
            if digest not in known:
                found.append(f"has a digest of no file of this release: {_cut(digest)}")
            elif len(named) == 1 and known[digest] != named[0]:
                found.append(f"gives {named[0]} the digest of {known[digest]}")
        for number in _BYTES.findall(line):
            size = int(re.sub(r"\D", "", number))
            if len(named) == 1 and size != facts.files[named[0]].size_bytes:
                wanted = facts.files[named[0]].size_bytes
                found.append(f"says {named[0]} has {counted(size, 'byte')}, it has {wanted}")
    return tuple(dict.fromkeys(found))


def leftovers(text: str) -> tuple[str, ...]:
    """Traces of a template, of an unfinished draft or of another kind of text."""
    found = [f"has a place left open: {each[0]}" for each in _LEFT_OPEN.finditer(text)]
    bare = _without_code(text)
    found += [f"has a leftover of a template: {each[0]}" for each in _TEMPLATE.finditer(bare)]
    for each in _OTHER_MARKUP.finditer(text):
        shown = " ".join(each[0].split())
        found.append(f"has markup of another kind of text: {shown[:40]}")
    found += [f"has broken characters in line {_line(text, hit)}" for hit in _BROKEN.finditer(text)]
    return tuple(dict.fromkeys(found))


def gaps(text: str) -> tuple[str, ...]:
    """Places where something is missing: empty links, list items and sections."""
    bare = _without_code(text)
    found = [
        f"has {what} in line {_line(bare, hit)}"
        for form, what in _GAPS
        for hit in form.finditer(bare)
    ]
    found += [
        f'has nothing below the heading "{title}"'
        for title, level, body, following in sections(text)
        if not body.strip() and not following > level
    ]
    return tuple(found)


def sections(text: str) -> Iterator[tuple[str, int, str, int]]:
    """Each heading with its level, what is below it, and the level of the next one (0: none)."""
    bare = _without_code(text, lines=False)
    heads = list(_HEADING.finditer(bare))
    for head, after in zip_longest(heads, heads[1:]):
        end = after.start() if after else len(text)
        yield head[2], len(head[1]), text[head.end() : end], len(after[1]) if after else 0


def _versions(text: str) -> Iterator[tuple[Version, str]]:
    """Each version of Python that the text names outside addresses, and what comes before it."""
    bare = _ADDRESS.sub(" ", text.translate(_LOOKALIKES))
    bare = _LONG.sub(_short, bare)
    for found in _VERSION.finditer(bare):
        before = bare[max(0, found.start() - 60) : found.start()]
        if _OTHERS.search(before):
            continue
        try:
            yield Version.parse(found["version"]), before
        except BadVersion:
            continue  # such as 3.14.05: no version of ours


def _short(found: re.Match[str]) -> str:
    """A prerelease as its tag has it: 3.15.0b3."""
    level = (found["letter"] or _LETTERS.get(found["word"].lower(), "rc")).lower()
    return f"{found['v']}{found['series']}{found['micro'] or '.0'}{level}{found['serial']}"


def _follows(version: Version, facts: TextFacts) -> bool:
    """Whether it comes after this one on the way to the same final, or right after that."""
    ours = facts.version
    same = version.folder == ours.folder and version > ours
    return same or version in ours.successors()


def _addresses(text: str) -> Iterator[tuple[str, str, str]]:
    """Scheme, host and path of each address, as a browser would take it."""
    for found in _ADDRESS.finditer(text):
        host = (found["host"] or "www.python.org").lower().rstrip(".,;:!?*_").rpartition("@")[2]
        path = _ESCAPED.sub(_unescaped, (found["path"] or "").rstrip(".,;:!?*_"))
        yield (found["scheme"] or "https").lower(), re.sub(r":(?:80|443)$", "", host), path


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _foreign_in(path: str, facts: TextFacts) -> str:
    """A version in an address that is not ours; "" if ours is there too, as where both compare."""
    ours = {facts.version, *facts.versions}
    named = [version for version, _ in _versions(re.sub(r"/|\.\.\.", " ", path))]
    return "" if ours & set(named) else next((str(version) for version in named), "")


def _published(url: str, facts: TextFacts) -> bool:
    # a folder of published files is as good as the file
    place = url.rstrip("/").replace("://python.org/", "://www.python.org/")
    return any(file == place or file.startswith(f"{place}/") for file in facts.file_urls)


def _slug(version: Version) -> str:
    return f"python-{str(version).replace('.', '')}"


def _without_code(text: str, *, lines: bool = True) -> str:
    """The text with code blanked out, of the same length; ``lines``: also code within lines."""
    form = _CODE if lines else re.compile(r"```.*?```", re.DOTALL)
    return form.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), text)


def _holds(line: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?![\w.])", line) is not None


def _cut(digest: str) -> str:
    return f"{digest[:16]}..."


def _line(text: str, hit: re.Match[str]) -> int:
    return text.count("\n", 0, hit.start()) + 1
