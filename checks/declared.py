"""Declarations of release.toml that leave something out: allowed, and never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.model.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from plugins.model.release import Release
    from plugins.model.settings import SourceTest

__all__ = ["nothing_is_left_out"]


def nothing_is_left_out(
    release: Release, test: SourceTest, formats: Collection[str]
) -> tuple[Finding, ...]:
    """A release is tested and documented, or it is told that it is not (B11, B12, B03)."""
    found = []
    if test.value == "none":
        found.append(
            Finding(
                "tests.none",
                Severity.WARN,
                "the source archives are not built and not tested",
                "[tests] source",
                'write source = "full"',
            )
        )
    if release.ships_docs and not formats:
        found.append(
            Finding(
                "docs.none",
                Severity.WARN,
                f"Python {release.version} goes out without documentation archives",
                "[docs] formats",
                "leave formats out to have them all",
            )
        )
    return tuple(found)
