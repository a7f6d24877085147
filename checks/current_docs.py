"""Current documentation: what the link to the newest documentation archives leads to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from doit_receipts.errors import ReleaseError
from plugins.model.published_file import SITE, Kind
from plugins.model.rules import breach
from plugins.ports.public import AROUND

if TYPE_CHECKING:
    from checks.looking_around import Look
    from checks.verify_context import VerifyContext
    from doit_receipts.finding import Finding

__all__ = ["current_leads_here"]

_CURRENT = f"{SITE}/ftp/python/doc/current/"


def current_leads_here(context: VerifyContext, look: Look) -> tuple[Finding, ...]:
    """What users get below doc/current is the documentation of this release, the newest final.

    Names and bytes: a folder in the place of the link could hold anything. Source: U10, U11.
    """
    client = context.clients.public
    files = [each for each in look.contract.files if each.kind is Kind.DOCS]
    try:
        listed = client.read(_CURRENT, AROUND).text
    except ReleaseError as error:
        return (breach("docs.current", _CURRENT, error.problem),)
    versions = set(re.findall(r"\bpython-(3\.[0-9.]+[0-9](?:(?:a|b|rc)[0-9]+)?)-docs", listed))
    if versions != {look.contract.version}:
        shown = ", ".join(sorted(versions)) or "no release"
        problem = f"shows the documentation of {shown}, wanted {look.contract.version}"
        return (breach("docs.current", _CURRENT, problem),)
    here = look.found_files(files).files
    wanted = {
        f"{_CURRENT}{file.name}": here[file.remote].content
        for file in files
        if file.remote in here  # one that is not is reported with the files
    }
    found = []
    for url, answer in look.behind_the_caches(wanted).items():
        if answer.fetched is None:
            found.append(breach("docs.current", url, answer.problem))
        elif (answer.fetched.status, answer.fetched.content) != (200, wanted[url]):
            problem = f"is not the file in doc/{look.contract.version}"
            found.append(breach("docs.current", url, problem))
    return tuple(found)
