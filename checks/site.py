"""Site: judgements of the release's page and rows at python.org, and of the text before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from checks.public_text import TEXT_RULES, facts_are_right, notes_are_given, read_text
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted, printable
from plugins.model.published_file import SITE, Origin
from plugins.model.site_pages import listing_of, overview_pages
from plugins.model.text_rules import TextFacts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from plugins.model.contract import Contract
    from plugins.ports.host import HostReader
    from plugins.ports.public import PublicSite
    from plugins.ports.site import SiteReader, SiteRelease

__all__ = [
    "flags_are_right",
    "release_is_shown",
    "rows_are_as_served",
    "text_is_ready",
]

_NO_INSTALLERS: Final = re.compile(
    r"\bno (?:\w+ ){0,3}installers?\b|\binstallers? (?:is|are) (?:not|no longer)\b"
    r"|\bsource[- ]only\b",
    re.IGNORECASE,
)
_BUTTON: Final = "download_button"
_RESTORE: Final = "find out who changed it, and have the file that was released put back"
_CORRECT: Final = "correct it in the site's admin, then run the same command again"


@judges("site.latest", blind="site.flags")
def flags_are_right(contract: Contract, site: PublicSite) -> tuple[Finding, ...]:
    """The release is public with the flags of its type, and one release of all is the latest.

    Source: pythondotorg#2161, a wrong latest; a draft with the flag takes it from the others.
    """
    releases = site.releases()
    found = [listed for listed in releases if listed.slug == contract.page.slug]
    if len(found) != 1:
        problem = (
            f"{counted(len(found), 'release has', 'releases have')} the address "
            f"{contract.page.slug}, wanted one"
        )
        return (_block("site.flags", problem, "site"),)
    ours = found[0]
    others = [each for each in releases if each.slug != ours.slug and _alike(each, ours)]
    if others:
        problem = f"{printable(ours.name)} exists once more, at {others[0].address}"
        return (_block("site.flags", problem, "site"),)
    wanted: Mapping[str, object] = {
        "is_published": True,
        "pre_release": contract.page.pre_release,
        "show_on_download_page": contract.page.show_on_download_page,
    }
    fields = found[0].fields
    wrong = [
        _block(
            "site.flags",
            f"{name} is {_word(fields.get(name))}, wanted {_word(value)}",
            found[0].name,
        )
        for name, value in wanted.items()
        if fields.get(name) != value
    ]
    return (*wrong, *_one_latest(releases))


def _alike(one: SiteRelease, other: SiteRelease) -> bool:
    """Whether people read the same name."""
    return one.name.casefold().split() == other.name.casefold().split()


def _one_latest(releases: Sequence[SiteRelease]) -> tuple[Finding, ...]:
    """Of the public releases of Python 3 the newest final one is the latest, and no other.

    Who publishes an older series on the same day takes the flag away by a tick too many. The name
    says what is final: the box of a candidate may have been left unticked.
    """
    latest = [
        listed
        for listed in releases
        if listed.fields.get("is_latest") and listed.fields["version"] == 3
    ]
    finals = [
        listed
        for listed in releases
        if listed.is_published and listed.fields["version"] == 3 and _version_of(listed)
    ]
    good = len(latest) == 1 and latest[0].is_published
    if not finals:
        return ()
    newest = max(finals, key=_version_of)
    if good and _version_of(latest[0]) >= _version_of(newest):
        return ()
    which = ", ".join(printable(listed.name) for listed in latest) or "none"
    remedy = f"set is_latest of {printable(newest.name)} in the site's admin, and of no other"
    problem = (
        f"marked as the latest release of Python 3: {which}; wanted the newest final release that"
        f" is public, {printable(newest.name)}"
    )
    return (Finding("site.latest", Severity.BLOCK, problem, "site", remedy),)


def _version_of(listed: SiteRelease) -> tuple[int, ...]:
    """The numbers that the name of a final release has; empty for any other name."""
    number = re.fullmatch(r"Python (\d+(?:\.\d+)*)\s*", listed.name)
    return tuple(map(int, number[1].split("."))) if number else ()


@judges(blind="site.shown")
def release_is_shown(contract: Contract, site: SiteReader) -> tuple[Finding, ...]:
    """The pages that the site makes itself name this release, if it is the latest or the newest.

    Asked of the site and not of a cache: boxes, home page, feed and the addresses of the latest
    release stay old when its own purge fails while the release is published.
    """
    listing = listing_of(listed.fields for listed in site.releases())
    found = []
    for page in overview_pages(contract, listing):
        if not (page.tells or page.leads_to):
            continue
        seen = site.look(page.url.removeprefix(SITE))
        if problem := page.problem(seen.status, seen.text, seen.leads_to):
            remedy = (
                f"open {contract.page.name} in the site's admin and save it as it is, so that the"
                " site makes its boxes again; then run the same command again"
            )
            found.append(Finding("site.shown", Severity.BLOCK, problem, page.url, remedy))
    return tuple(found)


@judges("site.replaced", blind="site.rows")
def rows_are_as_served(
    contract: Contract, host: HostReader, site: SiteReader, known: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Each listed file has a row with size and digest of what the host has, and no other has one.

    Computed here once more, apart from the step that wrote them (cpython#80422). What the host
    has is to be what ``known`` says, by path, where that is given.
    """
    releases = [listed for listed in site.releases() if listed.slug == contract.page.slug]
    if len(releases) != 1:
        problem = (
            f"{counted(len(releases), 'release has', 'releases have')} the address "
            f"{contract.page.slug}, wanted one"
        )
        return (_block("site.rows", problem, "site"),)
    rows = {str(row.fields["url"]): row for row in site.rows(releases[0])}
    entries = {entry.path: entry for folder in contract.folders for entry in host.listing(folder)}
    listed = {file.url: file for file in contract.listed}
    present = [entries[file.remote] for file in listed.values() if file.remote in entries]
    digests = host.digests(present)
    found = []
    for url, file in listed.items():
        if known is not None and digests.get(file.remote) != known.get(file.remote):
            # of its row nothing is said: who corrected that would tell users the other digest
            there = digests.get(file.remote, "no file")
            problem = f"sha256 on the host is {there}, wanted {known.get(file.remote, 'none')}"
            found.append(Finding("site.replaced", Severity.BLOCK, problem, file.name, _RESTORE))
        elif file.remote not in digests:
            problem = "is not on the host"
            found.append(Finding("site.rows", Severity.BLOCK, problem, file.remote, _RESTORE))
        elif url not in rows:
            found.append(_block("site.rows", "has no row on the site", file.name))
        else:
            fields = rows[url].fields
            button = file.row is not None and file.row.download_button
            wanted = {
                "filesize": entries[file.remote].size_bytes,
                "sha256_sum": digests[file.remote],
                _BUTTON: button,
            }
            found += [
                _block(
                    "site.rows",
                    f"its row's {name} is {_word(fields[name])}, wanted {_word(value)}",
                    file.name,
                )
                for name, value in wanted.items()
                if fields[name] != value
            ]
    surplus = sorted(rows.keys() - listed.keys())
    found += [
        _block("site.rows", "has a row, but is not a file of this release", url) for url in surplus
    ]
    return tuple(found)


@judges(*TEXT_RULES, blind="site.text")
def text_is_ready(
    contract: Contract,
    text: Path,
    notes: Sequence[str] = (),
    *,
    files: Sequence[Artifact] = (),
    commit: str = "",
    versions: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """The edited text is about this release alone, says what users have to read, has no gap left.

    ``files`` are those whose digests it may give, ``commit`` the one that it may name,
    ``versions`` those of other releases that belong in it. Where no installer is published, now
    or later, the page has to say so (pymanager#336).
    """
    remedy = f"edit {text.parent.parent.name}/drafts/{text.name}, then run the same command again"
    words, problems = read_text(text, "site.text", remedy)
    if problems:
        return problems
    facts = TextFacts.of(contract, files, (commit,), versions)
    found = [
        *facts_are_right(words, text.name, facts, "site.text", remedy),
        *notes_are_given(words, text.name, notes, "site.text", remedy),
    ]
    installers = contract.by_origin(Origin.WINDOWS, Origin.MACOS)
    if not installers and not notes and not _NO_INSTALLERS.search(" ".join(words.split())):
        problem = "does not say that there are no installers"
        found.append(Finding("site.text", Severity.BLOCK, problem, text.name, remedy))
    return tuple(found)


def _word(value: object) -> str:
    """A value of the site in words."""
    match value:
        case bool():
            return "on" if value else "off"
        case None | "":
            return "empty"
        case _:
            return printable(str(value))


def _block(rule: str, problem: str, where: str) -> Finding:
    return Finding(rule, Severity.BLOCK, problem, where, _CORRECT)
