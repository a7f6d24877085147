"""Site access: whether python.org and the caches in front of it will take this release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.errors import ServiceFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted, printable

if TYPE_CHECKING:
    from plugins.model.contract import Contract
    from plugins.ports.caches import Cdn
    from plugins.ports.site import SiteReader

__all__ = [
    "caches_answer",
    "login_works",
    "name_is_free",
    "systems_are_known",
    "texts_can_be_saved",
]


@judges(blind="site.login")
def login_works(site: SiteReader) -> tuple[Finding, ...]:
    """The site accepts our key and our changes (P11); what it answers instead is the finding."""
    site.may_write()
    return ()


@judges(blind="site.admin")
def texts_can_be_saved(site: SiteReader) -> tuple[Finding, ...]:
    """The admin accepts our login and has a form that we may save, unless it is saved by hand.

    Asked at the start of the day: it is used when the files are public already.
    """
    if site.saves_texts:
        site.may_save_texts()
    return ()


@judges("site.draft_found", blind="site.name_taken")
def name_is_free(
    contract: Contract, site: SiteReader, *, shown: bool = False
) -> tuple[Finding, ...]:
    """No public release has this name or address, and at most one draft does.

    The site allows two releases of one name, and users then find either. Once this release is
    ``shown``, the one that is public is it.
    """
    page = contract.page
    found = [
        other
        for other in site.releases()
        if other.name.casefold() == page.name.casefold() or other.slug == page.slug
    ]
    public = [other for other in found if other.is_published]
    if len(found) > 1 or (public and not shown):
        which = ", ".join(f"{printable(other.name)} at {other.address}" for other in found)
        problem = (
            f"{counted(len(found), 'release has', 'releases have')} this name or address: {which}"
        )
        remedy = "delete those that are wrong in the site's admin, then run the same command again"
        return (Finding("site.name_taken", Severity.BLOCK, problem, "site", remedy),)
    if found and not public:
        problem = f"a draft of {page.name} exists and will be used"
        remedy = "nothing, if it is yours; if it is not, delete it in the site's admin"
        return (Finding("site.draft_found", Severity.NOTE, problem, found[0].address, remedy),)
    return ()


@judges(blind="site.systems")
def systems_are_known(contract: Contract, site: SiteReader) -> tuple[Finding, ...]:
    """The site has a record of each operating system that a file will be listed under.

    A row names one, and rows are made when the files are public already.
    """
    known = site.systems()
    wanted = dict.fromkeys(file.row.os for file in contract.listed if file.row is not None)
    missing = [system for system in wanted if system not in known]
    if not missing:
        return ()
    problem = f"has no record of {', '.join(missing)}, wanted one for each system that has files"
    remedy = "ask the site's administrators to add it, then run the same command again"
    return (Finding("site.systems", Severity.BLOCK, problem, "site", remedy),)


@judges("cdn.one_edge", blind="cdn.unreachable")
def caches_answer(contract: Contract, cdn: Cdn) -> tuple[Finding, ...]:
    """Every edge that is to be read back answers, before anything depends on it."""
    root = contract.page.url.partition("/downloads/")[0] + "/ftp/python/"
    found = []
    for edge in cdn.edges:
        try:
            status = cdn.look(root, edge).status
            problem = "" if status == 200 else f"{root} answers {status}"
        except ServiceFailed as error:
            problem = error.problem
        if problem:
            remedy = "correct [hosts] cdn_edges, or run the same command again in a few minutes"
            found.append(Finding("cdn.unreachable", Severity.BLOCK, problem, edge, remedy))
    if len(cdn.edges) == 1:
        problem = "only one cache can be looked at; what the others serve is not known"
        remedy = "name more of them in [hosts] cdn_edges"
        found.append(Finding("cdn.one_edge", Severity.NOTE, problem, cdn.edges[0], remedy))
    return tuple(found)
