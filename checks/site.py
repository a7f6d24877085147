"""Site: judgements of the website and of the caches in front of it, before and after publishing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.looking import blocks_if_blind
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.contract import Contract
    from plugins.ports.caches import Cdn
    from plugins.ports.host import Host
    from plugins.ports.public import Listings
    from plugins.ports.site import Site, SiteRelease

__all__ = [
    "caches_answer",
    "flags_are_right",
    "login_works",
    "name_is_free",
    "rows_are_as_served",
    "text_is_ready",
]

_LEFT_OVER: Final = re.compile(
    r"\{\{|\}\}|\{%|\bTODO\b|\bFIXME\b|\bXXX\b|<placeholder", re.IGNORECASE
)
_BUTTON: Final = "download_button"


@blocks_if_blind("site.login")
def login_works(site: Site) -> tuple[Finding, ...]:
    """The site knows us and lets us write (P11); what it says otherwise is the finding."""
    site.may_write()
    return ()


@blocks_if_blind("site.name_taken")
def name_is_free(contract: Contract, site: Site) -> tuple[Finding, ...]:
    """No public release has this name or address, and at most one draft does.

    The site allows two releases of one name, and users then find either.
    """
    page = contract.page
    found = [
        each
        for each in site.releases()
        if each.name.casefold() == page.name.casefold() or each.slug == page.slug
    ]
    public = [each for each in found if each.is_published]
    if len(found) > 1 or public:
        told = ", ".join(f"{each.name!r} at {each.address}" for each in found)
        problem = f"{len(found)} releases are {page.name}: {told}"
        remedy = "delete those that are wrong in the site's admin"
        return (Finding("site.name_taken", Severity.BLOCK, problem, "site", remedy),)
    if found:
        problem = f"a draft of {page.name} is there, and will be used"
        return (Finding("site.draft_found", Severity.NOTE, problem, found[0].address),)
    return ()


@blocks_if_blind("site.flags")
def flags_are_right(contract: Contract, site: Listings) -> tuple[Finding, ...]:
    """The release is public with the flags of its type, and one release of all is the latest.

    Source: pythondotorg#2161, a wrong latest; a draft with the flag takes it from the others.
    """
    releases = site.releases()
    found = [each for each in releases if each.slug == contract.page.slug]
    if len(found) != 1:
        return (_block("site.flags", f"{len(found)} releases have this address", "site"),)
    wanted: Mapping[str, object] = {
        "is_published": True,
        "pre_release": contract.page.pre_release,
        "show_on_download_page": contract.page.show_on_download_page,
    }
    fields = found[0].fields
    wrong = [
        _block("site.flags", f"{name} is {fields.get(name)}, wanted {value}", found[0].name)
        for name, value in wanted.items()
        if fields.get(name) != value
    ]
    return (*wrong, *_one_latest(releases))


def _one_latest(releases: Sequence[SiteRelease]) -> tuple[Finding, ...]:
    """Of the public releases of Python 3 one is the latest, and it is a final one."""
    latest = [
        each for each in releases if each.fields.get("is_latest") and each.fields["version"] == 3
    ]
    finals = [
        each
        for each in releases
        if each.is_published and not each.fields["pre_release"] and each.fields["version"] == 3
    ]
    good = len(latest) == 1 and latest[0].is_published and not latest[0].fields["pre_release"]
    if good or not finals:
        return ()
    told = ", ".join(each.name for each in latest) or "none"
    remedy = "set the flag of the right one in the site's admin"
    problem = f"the latest release is {told}"
    return (Finding("site.latest", Severity.BLOCK, problem, "site", remedy),)


@blocks_if_blind("site.rows")
def rows_are_as_served(
    contract: Contract, host: Host, site: Site, known: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Each listed file has a row with size and digest of what the host has, and no other has one.

    Computed here once more, apart from the step that wrote them (cpython#80422). What the host
    has is to be what ``known`` tells, by path, where that is given.
    """
    releases = [each for each in site.releases() if each.slug == contract.page.slug]
    if len(releases) != 1:
        return (_block("site.rows", f"{len(releases)} releases have this address", "site"),)
    rows = {str(row.fields["url"]): row for row in site.rows(releases[0])}
    entries = {each.path: each for folder in contract.folders for each in host.listing(folder)}
    listed = {file.url: file for file in contract.listed}
    present = [entries[file.remote] for file in listed.values() if file.remote in entries]
    digests = host.digests(present)
    found = []
    for url, file in listed.items():
        if file.remote not in digests:
            found.append(_block("site.rows", "is not on the host", file.remote))
        elif url not in rows:
            found.append(_block("site.rows", "has no row on the site", file.name))
        else:
            fields = rows[url].fields
            told = (fields["filesize"], fields["sha256_sum"], bool(fields[_BUTTON]))
            button = file.row is not None and file.row.download_button
            wanted = (entries[file.remote].size_bytes, digests[file.remote], button)
            if told != wanted:
                problem = f"its row tells {told}, the host has {wanted}"
                found.append(_block("site.rows", problem, file.name))
        if known is not None and digests.get(file.remote) != known.get(file.remote):
            problem = f"the host has {digests.get(file.remote)}, wanted {known.get(file.remote)}"
            found.append(_block("site.replaced", problem, file.name))
    surplus = sorted(rows.keys() - listed.keys())
    found += [
        _block("site.rows", "has a row and belongs to no file of this", url) for url in surplus
    ]
    return tuple(found)


@blocks_if_blind("cdn.unreachable")
def caches_answer(contract: Contract, cdn: Cdn) -> tuple[Finding, ...]:
    """Every edge that is to be read back answers, before anything depends on it."""
    root = contract.page.url.partition("/downloads/")[0] + "/ftp/python/"
    found = []
    for edge in cdn.edges:
        status = cdn.look(root, edge).status
        if status != 200:
            found.append(_block("cdn.unreachable", f"{root} answers {status}", edge))
    if len(cdn.edges) == 1:
        problem = "only one cache can be looked at; what others serve is not known"
        remedy = "name more of them in [hosts] cdn_edges"
        found.append(Finding("cdn.one_edge", Severity.NOTE, problem, cdn.edges[0], remedy))
    return tuple(found)


@blocks_if_blind("site.text")
def text_is_ready(contract: Contract, text: Path, notes: Sequence[str] = ()) -> tuple[Finding, ...]:
    """The edited text names the version, tells what users have to read, and has no gap left."""
    try:
        told = text.read_text(encoding="utf-8")
    except FileNotFoundError:
        return (_block("site.text", "is not there", text.name),)
    except UnicodeDecodeError:
        return (_block("site.text", "is not UTF-8", text.name),)
    found = []
    if contract.version not in told:
        found.append(_block("site.text", f"does not name {contract.version}", text.name))
    if left := _LEFT_OVER.search(told):
        found.append(_block("site.text", f"still holds {left[0]}", text.name))
    words = " ".join(told.split())
    found += [
        _block("site.text", f"does not tell: {note}", text.name)
        for note in notes
        if " ".join(note.split()) not in words
    ]
    return tuple(found)


def _block(rule: str, problem: str, where: str) -> Finding:
    return Finding(rule, Severity.BLOCK, problem, where, "correct it, then run the same again")
