"""Docs site: docs.python.org after a release, whose pages others build from upstream's branches.

A timer builds them: English pages every few minutes, all languages once a day, security branches
included since September 2026. Source: python/docsbuild-scripts (build_docs.py, README) at 3c18032
and psf-salt (salt/docs/init.sls). The archives that its download page offers may be nine days
old and are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion, ServiceFailed
from plugins.model.published_file import DOCS
from plugins.model.release import ReleaseType
from plugins.model.tree_rules import changelog_title
from plugins.model.version import Version
from plugins.ports.public import AROUND
from plugins.steps.afterwards import not_yet

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.public import PublicClient

__all__ = ["await_banner", "await_docs"]

_MOST_BYTES: Final = 1 << 25
"""The changelog of a series is the largest page, with some megabytes."""
_TITLE: Final = re.compile(r"<title>\s*([0-9][0-9a-z.]{2,20})\+? Documentation\s*</title>")
_BANNER: Final = re.compile(r"""\bid=["']?outdated-warning\b""")
_WHO: Final = "the administrators of docs.python.org"


def await_docs(
    release: Release,
    client: PublicClient,
    clock: Clock,
    *,
    until: datetime,
    ends_life: bool = False,
) -> dict[str, str]:
    """The documentation of the branch shows this release, in title and changelog (NEW39).

    With X.Y.0 ``/3/`` leads to its series (NEW40), and with the first beta ``/dev/`` to the next
    one; with the last release of a series each page says that it is no longer supported (NEW41,
    ``ends_life``), and that build is started by hand.
    A later release of the series will do as well. Facts: the version that each address shows.
    Raises Waiting while something is missing, StepFailed at ``until``.
    """
    version = release.version
    home = f"{DOCS}/{version.series}/"
    homes = [home, *([f"{DOCS}/3/"] if release.type is ReleaseType.FEATURE_FINAL else [])]
    shown, lacking = {}, []
    wanted = f"build_docs.py {'--force ' if ends_life else ''}--branches {version.series}"
    for url in homes:
        page = _page(client, url)
        found = _version(page)
        shown[url] = str(found or "")
        if found is None or found < version or found.series != version.series:
            lacking.append(f"{url} shows {found or 'no version'}")
        if ends_life and _BANNER.search(page) is None:
            lacking.append(f"{url} does not say that {version.series} is no longer supported")
    if release.type is ReleaseType.NEW_BRANCH:
        dev, following = f"{DOCS}/dev/", f"{version.major}.{version.minor + 1}"
        found = _version(_page(client, dev))
        shown[dev] = str(found or "")
        if found is None or found.series != following:
            lacking.append(f"{dev} shows {found or 'no version'}, wanted {following}")
            wanted += f" {following}"
    changelog = f"{home}whatsnew/changelog.html"
    if not lacking and changelog_title(version) not in _page(client, changelog):
        lacking.append(f"{changelog} does not name {changelog_title(version)}")
    if lacking:
        not_yet(
            lacking[0],
            home,
            clock,
            until=until,
            who=_WHO,
            remedy=f"run {wanted}",
            by_hand=ends_life,
        )
    return shown


def await_banner(
    release: Release, client: PublicClient, clock: Clock, *, until: datetime
) -> dict[str, str]:
    """Each page of the series' documentation says that it is no longer supported (NEW41).

    No timer builds an ended series, so somebody has to start that last build by hand. Raises
    Waiting until it is there, StepFailed at ``until``.
    """
    series = release.version.series
    home = f"{DOCS}/{series}/"
    if _BANNER.search(_page(client, home)) is None:
        problem = f"{home} does not say that {series} is no longer supported"
        wanted = f"run build_docs.py --force --branches {series}"
        not_yet(problem, home, clock, until=until, who=_WHO, remedy=wanted, by_hand=True)
    return {"banner": home}


def _page(client: PublicClient, url: str) -> str:
    """The page's text; "" if there is none or nobody answers."""
    try:
        came = client.read(url, AROUND, _MOST_BYTES)
    except ServiceFailed:
        return ""
    return came.text if came.status == 200 else ""


def _version(page: str) -> Version | None:
    found = _TITLE.search(page)
    try:
        return Version.parse(found[1]) if found else None
    except BadVersion:
        return None
