"""Manager: whether the release manager of a series is known where others look who that is.

What belongs to rights is looked at by using it: forms, logins and the blog's author have checks of
their own, the team of release managers and the response team show in what GitHub lets one see, and
psf-salt in a login on the hosts. Here is the rest: the table of who signs, the page that users
verify by, PEP 101, and what nobody can look up, which is asked once of each person (NEW45, P16,
R09).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Texts
    from plugins.ports.person import Person
    from plugins.ports.site import SitePages

__all__ = [
    "identity_is_in_the_table",
    "identity_is_told_to_users",
    "manager_said_so",
    "pep_lists_the_manager",
]

TABLE: Final = "add_to_pydotorg.py"
PAGE: Final = "/downloads/metadata/sigstore/"
PEP: Final = "peps/pep-0101.rst"
_PROVIDER: Final = re.compile(r"^(?P<name>\w+) = \"(?P<issuer>https://[^\"\s]+)\"$", re.MULTILINE)
_ENTRY: Final = re.compile(
    r"^ *\"(?P<series>3\.\d+)\": \(\"(?P<address>[^\"\s]+)\", *(?P<provider>\w+)\),?$", re.MULTILINE
)
_ROW: Final = re.compile(r"<(tr|li|p)\b[^>]*>(?P<text>.*?)</\1>", re.DOTALL | re.IGNORECASE)
_IDENTITY: Final = re.compile(r"[\w.+-]+@[\w.-]*\w|https://[\w./-]*\w")
_ASKED: Final = {
    "private_list": (
        "manager.list",
        "read the private list of release managers",
        "ask another release manager to add you",
    ),
    "channel": (
        "manager.channel",
        "are on the Discord server of the core team, where releases are coordinated",
        "ask another release manager for an invitation",
    ),
}
"""What a person is asked once: the rule, the words, and what to do if it is not so.

Source: PEP 101 (python/peps ba4deeb, pep-0101.rst), the list and Discord.
"""


@judges("manager.identity", blind="manager.unread")
def identity_is_in_the_table(release: Release, tools: Texts) -> tuple[Finding, ...]:
    """The table of release-tools has this series with the identity that signs its bundles.

    Source: python/release-tools b151f47. To be asked only where something is signed by Sigstore.
    """
    series, manager = release.version.series, release.series.manager
    text = (tools.text(TABLE) or b"").decode(errors="replace")
    issuers = {each["name"]: each["issuer"] for each in _PROVIDER.finditer(text)}
    listed = {
        each["series"]: f"{each['address']} at {issuers.get(each['provider'], each['provider'])}"
        for each in _ENTRY.finditer(text)
    }
    found = listed.get(series)
    if found == str(manager):
        return ()
    problem = f"lists {printable(found)} for {series}" if found else f"does not list {series}"
    return (
        Finding(
            "manager.identity",
            Severity.WARN,
            f"{problem}, and its bundles are signed by {manager}",
            where=f"python/release-tools {TABLE}",
            remedy=f"have {series} with {manager.address} put into that table by a pull request,"
            " or correct [signing] sigstore_identity",
        ),
    )


@judges("manager.page", blind="manager.unread")
def identity_is_told_to_users(release: Release, site: SitePages) -> tuple[Finding, ...]:
    """The page by which users verify bundles has this series with the identity that signs them.

    A wrong one there makes good bundles fail (sigstore/sigstore-python#600). The page is kept in
    the site's own editor and its form is nobody's promise: a row is judged by the series and the
    identities in it, wherever they stand. To be asked only where something is signed by Sigstore.
    """
    series, manager = release.version.series, release.series.manager
    answer = site.look(PAGE)
    text = answer.text if answer.status == 200 else ""
    number = re.compile(rf"(?<![\d.]){re.escape(series)}(?!\.?\d)")
    rows = [
        dict.fromkeys(_IDENTITY.findall(row["text"]))
        for row in _ROW.finditer(text)
        if number.search(re.sub(r"https://\S+", "", row["text"]))
    ]
    listed = [row for row in rows if any("@" in each for each in row)]
    if any({manager.address, manager.issuer} <= row.keys() for row in listed):
        return ()
    found = " at ".join(printable(each[:100]) for each in list(listed[0])[:2]) if listed else ""
    problem = f"lists {found} for {series}" if found else f"does not list {series}"
    return (
        Finding(
            "manager.page",
            Severity.WARN,
            f"{problem}, and its bundles are signed by {manager}",
            where=f"python.org{PAGE}",
            remedy=f"have {series} with {manager} put into that page by an editor of python.org,"
            " or correct [signing] sigstore_identity",
        ),
    )


@judges("manager.pep", blind="manager.unread")
def pep_lists_the_manager(release: Release, peps: Texts) -> tuple[Finding, ...]:
    """PEP 101 has the address of whoever signs this series among the release managers.

    Source: python/peps 03bdeb3d9.
    """
    address = release.series.manager.address
    text = (peps.text(PEP) or b"").decode(errors="replace")
    if f"<{address}>" in text:
        return ()
    return (
        Finding(
            "manager.pep",
            Severity.NOTE,
            f"does not list {address} among the release managers",
            where=f"python/peps {PEP}",
            remedy="add yourself there by a pull request, and to .github/CODEOWNERS",
        ),
    )


@judges("manager.list", "manager.channel", blind="manager.unread")
def manager_said_so(person: Person) -> tuple[Finding, ...]:
    """The release manager has said once that they read and talk where the others do (P16, R09)."""
    return tuple(
        Finding(
            rule,
            Severity.NOTE,
            f"does not say yet that you {words}",
            where=str(person.file),
            remedy=f"if it is so, write {name} = YYYY-MM-DD, today, into that file, once for all"
            f" releases; else {otherwise}",
        )
        for name, (rule, words, otherwise) in _ASKED.items()
        if person.said(name) is None
    )
