"""Builders: whether the stable buildbots of the branch are green and can build (Q06-Q08)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import blocks_if_blind
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.builders import Builders

__all__ = ["builders_are_green", "builders_are_online"]

_GOOD: Final = ("success", "warnings")


@blocks_if_blind("builders.red")
def builders_are_green(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """The last build of every stable builder of the branch was good (Q06, Q08).

    One that is offline is told by ``builders.offline`` and not judged here (Q07). A branch
    without any stable builder blocks: nothing was looked at then.
    """
    found = builders.stable(_branch(release))
    if not found:
        return (
            Finding(
                "builders.red",
                Severity.BLOCK,
                f"there is no stable builder of {_branch(release)}",
                remedy="ask the buildbots' administrators",
            ),
        )
    return tuple(
        Finding(
            "builders.red",
            Severity.BLOCK,
            f"its last build: {each.result or 'none yet'}",
            where=f"{each.name} ({each.url})",
            remedy="have it mended, or waive builders.red with the reason",
        )
        for each in found
        if each.online and each.result not in _GOOD
    )


@blocks_if_blind("builders.offline")
def builders_are_online(release: Release, builders: Builders) -> tuple[Finding, ...]:
    """Stable builders that nobody builds for are told of, so that somebody starts them (Q07)."""
    return tuple(
        Finding(
            "builders.offline",
            Severity.WARN,
            f"has no worker; its last build: {each.result or 'none'}",
            where=f"{each.name} ({each.url})",
            remedy="tell its owner; the release need not wait",
        )
        for each in builders.stable(_branch(release))
        if not each.online
    )


def _branch(release: Release) -> str:
    # the buildbots call main 3.x since before it was main
    return "3.x" if release.branch == "main" else release.branch
