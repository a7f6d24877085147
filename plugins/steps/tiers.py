"""Tiers: platforms that nobody tests, listed when a series is frozen and when its candidates begin.

A platform falls out of every tier if nobody keeps a builder of it; with the first beta that has to
be announced, and with the first candidate PEP 11 lists it as unsupported.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from plugins.model.release import ReleaseType

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.builders import Builders

__all__ = ["TIERS", "is_told", "write"]

TIERS: Final = "tiers.md"
_TIERS: Final = ("tier-1", "tier-2", "tier-3")
_MOMENTS: Final = {
    ReleaseType.NEW_BRANCH: "announce with this release that they lose their tier unless somebody "
    "takes them over",
    ReleaseType.FIRST_CANDIDATE: "have PEP 11 list them as unsupported, by a pull request",
}


def is_told(release: Release) -> bool:
    """Whether platforms without support are to be named with this release (PEP 11)."""
    return release.type in _MOMENTS and not release.version.micro


def write(release: Release, builders: Builders) -> dict[str, str]:
    """``made/tiers.md`` lists the builders with a tier that no worker builds for (NEW17).

    For how long there is none the buildbots do not say, and what it means for a platform people
    decide: the list is for the release manager, with what to do about it.
    """
    found = [
        builder
        for builder in builders.stable(release.branch if release.branch != "main" else "3.x")
        if not builder.online and not set(_TIERS).isdisjoint(builder.tags)
    ]
    lines = [f"# Platforms that nobody tests for {release.version.series} now", ""]
    for builder in found:
        tier = next(tag for tag in _TIERS if tag in builder.tags)
        lines.append(f"- {builder.name}, {tier}: {builder.url}")
    if found:
        lines += ["", f"If it stays like that, {_MOMENTS[release.type]}."]
    else:
        lines.append("Every stable builder of tier 1 to 3 has a worker: there is nothing to say.")
    text = "\n".join(lines) + "\n"
    write_whole(release.layout.made / TIERS, text.encode())
    return {"builders": str(len(found)), "digest": hashlib.sha256(text.encode()).hexdigest()}
