"""Feed: what other tools install Windows from, looked at after the release.

The install manager reads ``index-windows.json``, other tools read NuGet. Both are the pipeline's
to write, and neither holds up the announcement; a version that was missing was noticed by users
(python/pymanager#124). So they are looked at until a day, and then a failure names whom to ask.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from doit_receipts.errors import StepFailed
from doit_receipts.printable import printable, share
from plugins.model.binaries import nuget_packages, nuget_version
from plugins.model.published_file import SITE, Origin
from plugins.ports.public import AROUND
from plugins.steps.afterwards import not_yet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.fetched import Fetched
    from plugins.ports.packages import Packages
    from plugins.ports.public import PublicClient

__all__ = ["FEED", "await_feed", "await_packages"]

FEED: Final = f"{SITE}/ftp/python/index-windows.json"
"""The feed; its signature is beside it (``.cat``)."""
_ROOT: Final = f"{SITE}/ftp/python/"
_MOST_BYTES: Final = 1 << 25
_NOBODY: Final = "the person who runs the Windows pipeline"


def await_feed(
    release: Release,
    contract: Contract,
    known: Mapping[str, str],
    client: PublicClient,
    clock: Clock,
    *,
    until: datetime,
    who: str = "",
) -> dict[str, str]:
    """The install manager finds every package of this release, with the bytes that users get.

    ``known`` holds the sha256 of each published file by its path (NEW24). Facts: the sha256 of
    each package that the feed lists. Raises Waiting while something is missing, and StepFailed
    for another digest, a feed that cannot be read, and what is missing at ``until``.
    """
    whom = who or _NOBODY
    came = client.read(FEED, AROUND, _MOST_BYTES)
    entries = _entries(came, str(release.version))
    listed: dict[str, str] = {}
    for url, digest in entries:
        path = url.removeprefix(_ROOT)
        if known.get(path) != digest:
            here = known.get(path)
            raise StepFailed(
                where=FEED,
                problem=f"gives another digest of {printable(path[:200])} than users download"
                if here
                else f"links to {printable(url[:200])}, which is not a file of this release",
                remedy=f"report it to {whom} at once: installing this version fails "
                "or gives other bytes; stage Publish writes the feed",
                details=(f"feed  {digest}", f"users {here or 'get nothing'}"),
            )
        listed[path] = digest
    wanted = [
        path
        for path in known
        if path.endswith(".zip")
        and "-embed-" not in path
        and (found := contract.find(path)) is not None
        and found.origin is Origin.WINDOWS
    ]
    missing = [path for path in wanted if path not in listed]
    if missing or not listed:
        what = f"lacks {_few(missing)}" if missing else f"has no entry of {release.version}"
        not_yet(f"the feed of the install manager {what}", FEED, clock, until=until, who=whom)
    signature = client.read(f"{FEED}.cat", AROUND, _MOST_BYTES)
    if signature.status != 200:
        not_yet("the feed has no signature", f"{FEED}.cat", clock, until=until, who=whom)
    # The pipeline uploads the feed and then its signature: one that is older is of another feed.
    if came.changed and signature.changed and signature.changed < came.changed:
        problem = "the signature is older than the feed, so the install manager refuses the feed"
        not_yet(problem, f"{FEED}.cat", clock, until=until, who=whom)
    return dict(sorted(listed.items()))


def await_packages(
    release: Release, packages: Packages, clock: Clock, *, until: datetime, who: str = ""
) -> dict[str, str]:
    """Every package at NuGet has this version (NEW27). Facts: the version by package.

    Raises Waiting while one lacks it, StepFailed at ``until``.
    """
    version = nuget_version(release.version)
    names = nuget_packages(release.version)
    missing = [name for name in names if version not in packages.versions(name)]
    if missing:
        have = f"{share(len(names) - len(missing), len(names), 'package', 'has', 'have')} {version}"
        not_yet(
            f"{have}; missing in {_few(missing)}",
            "https://www.nuget.org",
            clock,
            until=until,
            who=who or _NOBODY,
        )
    return dict.fromkeys(names, version)


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _entries(came: Fetched, version: str) -> list[tuple[str, str]]:
    """Address and sha256 of each entry of the version."""
    if came.status != 200:
        _refuse(f"responded with status {came.status}")
    try:
        content: Any = json.loads(came.text)
    except (ValueError, RecursionError):
        _refuse("is not JSON")
    listed = content.get("versions") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        _refuse("has no list of versions")
    found = []
    for entry in listed:
        if not isinstance(entry, dict) or entry.get("sort-version") != version:
            continue
        url, digests = entry.get("url"), entry.get("hash")
        sha256 = digests.get("sha256") if isinstance(digests, dict) else None
        if not isinstance(url, str) or not isinstance(sha256, str):
            _refuse(f"has an entry of {version} without address or sha256")
        found.append((url, sha256.lower()))
    return found


def _refuse(problem: str) -> NoReturn:
    raise StepFailed(
        where=FEED,
        problem=problem,
        remedy=f"report it to {_NOBODY}: nobody can install any version with it",
    )


def _few(paths: list[str]) -> str:
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return ", ".join(paths[:2]) + more
