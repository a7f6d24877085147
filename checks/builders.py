"""Builders: whether the buildbots that hold up a release are green and can build (Q06-Q08).

Those are the stable ones of tier 1 and 2, as PEP 11 has it: "Failures on these platforms do not
block a release" is said of tier 3, and nothing is promised for a platform without a tier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.builders import Builder, Builders

__all__ = ["builders_are_green", "builders_are_online", "tiers_are_known"]

_GOOD: Final = ("success", "warnings")
_TIERS: Final = ("tier-1", "tier-2", "tier-3")
_BLOCKING: Final = _TIERS[:2]


@judges(blind="builders.red")
def builders_are_green(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """The last build of every stable builder of tier 1 and 2 was good (Q06, Q08).

    A red one of tier 3 or without a tier is noted. One that is offline is reported by
    ``builders.offline`` and not judged here (Q07). A branch without any builder of tier 1 or 2
    blocks: nothing was looked at then.
    """
    found = builders.stable(_branch(release))
    if not any(_holds_up(builder) for builder in found):
        return (
            Finding(
                "builders.red",
                Severity.BLOCK,
                f"no stable builder of {_branch(release)} is of tier 1 or 2",
                remedy="ask the buildbots' administrators",
            ),
        )
    return tuple(
        Finding(
            "builders.red",
            Severity.BLOCK if _holds_up(builder) else Severity.NOTE,
            f"{_tier(builder)}: its last build ended in {builder.result}"
            if builder.result
            else f"{_tier(builder)}: none of its last builds says anything about the code",
            where=f"{builder.name} ({builder.url})",
            remedy="have it repaired, or waive builders.red with the reason"
            if _holds_up(builder)
            else "inform its owner; it does not hold up the release",
        )
        for builder in found
        if builder.online and builder.result not in _GOOD and (builder.result or _holds_up(builder))
    )


@judges(blind="builders.offline")
def builders_are_online(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """Stable builders that no worker builds for are named, so that somebody starts them (Q07)."""
    return tuple(
        Finding(
            "builders.offline",
            Severity.WARN if _holds_up(builder) else Severity.NOTE,
            f"{_tier(builder)}: no worker is connected; its last build: {builder.result or 'none'}",
            where=f"{builder.name} ({builder.url})",
            remedy="inform its owner; the release need not wait",
        )
        for builder in builders.stable(_branch(release))
        if not builder.online
    )


@judges(blind="builders.tier")
def tiers_are_known(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """Every stable builder is of tier 1, 2 or 3 or of none, so that it can be judged.

    A red one whose tier is another, or which has several, blocks: nobody knows if it may be red.
    """
    return tuple(
        Finding(
            "builders.tier",
            Severity.WARN if builder.result in _GOOD else Severity.BLOCK,
            f"its tier is {' and '.join(_tags(builder))}, wanted one of {', '.join(_TIERS)}",
            where=f"{builder.name} ({builder.url})",
            remedy="ask the buildbots' administrators whether it holds up a release",
        )
        for builder in builders.stable(_branch(release))
        if _tags(builder) and (len(_tags(builder)) > 1 or _tags(builder)[0] not in _TIERS)
    )


def _tags(builder: Builder) -> tuple[str, ...]:
    return tuple(tag for tag in builder.tags if tag.startswith("tier"))


def _holds_up(builder: Builder) -> bool:
    return any(tag in _BLOCKING for tag in _tags(builder))


def _tier(builder: Builder) -> str:
    return " and ".join(_tags(builder)).replace("tier-", "tier ") or "no tier"


def _branch(release: Release) -> str:
    # the buildbots call main 3.x since before it was main
    return "3.x" if release.branch == "main" else release.branch
