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
    if not any(_holds_up(each) for each in found):
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
            Severity.BLOCK if _holds_up(each) else Severity.NOTE,
            f"{_tier(each)}: its last build ended in {each.result}"
            if each.result
            else f"{_tier(each)}: none of its last builds says anything about the code",
            where=f"{each.name} ({each.url})",
            remedy="have it repaired, or waive builders.red with the reason"
            if _holds_up(each)
            else "inform its owner; it does not hold up the release",
        )
        for each in found
        if each.online and each.result not in _GOOD and (each.result or _holds_up(each))
    )


@judges(blind="builders.offline")
def builders_are_online(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """Stable builders that no worker builds for are named, so that somebody starts them (Q07)."""
    return tuple(
        Finding(
            "builders.offline",
            Severity.WARN if _holds_up(each) else Severity.NOTE,
            f"{_tier(each)}: no worker is connected; its last build: {each.result or 'none'}",
            where=f"{each.name} ({each.url})",
            remedy="inform its owner; the release need not wait",
        )
        for each in builders.stable(_branch(release))
        if not each.online
    )


@judges(blind="builders.tier")
def tiers_are_known(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """Every stable builder is of tier 1, 2 or 3 or of none, so that it can be judged.

    A red one whose tier is another, or which has several, blocks: nobody knows if it may be red.
    """
    return tuple(
        Finding(
            "builders.tier",
            Severity.WARN if each.result in _GOOD else Severity.BLOCK,
            f"its tier is {' and '.join(_tags(each))}, wanted one of {', '.join(_TIERS)}",
            where=f"{each.name} ({each.url})",
            remedy="ask the buildbots' administrators whether it holds up a release",
        )
        for each in builders.stable(_branch(release))
        if _tags(each) and (len(_tags(each)) > 1 or _tags(each)[0] not in _TIERS)
    )


def _tags(builder: Builder) -> tuple[str, ...]:
    return tuple(each for each in builder.tags if each.startswith("tier"))


def _holds_up(builder: Builder) -> bool:
    return any(each in _BLOCKING for each in _tags(builder))


def _tier(builder: Builder) -> str:
    return " and ".join(_tags(builder)).replace("tier-", "tier ") or "no tier"


def _branch(release: Release) -> str:
    # the buildbots call main 3.x since before it was main
    return "3.x" if release.branch == "main" else release.branch
