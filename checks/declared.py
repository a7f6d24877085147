"""Declarations of release.toml that leave something out: allowed, and never silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted

if TYPE_CHECKING:
    from collections.abc import Collection

    from plugins.model.contract import Contract
    from plugins.model.local_settings import SourceTest
    from plugins.model.published_file import Origin
    from plugins.model.release import Release

__all__ = ["nobody_is_forgotten", "nothing_is_left_out"]


@judges("tests.none", "docs.none")
def nothing_is_left_out(
    release: Release, test: SourceTest, formats: Collection[str]
) -> tuple[Finding, ...]:
    """A release is tested and documented, or a finding says that it is not (B11, B12, B03)."""
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
                f"Python {release.version} would be released without documentation archives",
                "[docs] formats",
                "leave formats out to have them all",
            )
        )
    return tuple(found)


@judges("experts.windows", "experts.macos")
def nobody_is_forgotten(
    release: Release, contract: Contract, roles: Collection[str], later: Collection[Origin]
) -> tuple[Finding, ...]:
    """Whoever makes a part of the release is named in release.toml, or their part comes later.

    The PEP's exception "(Platform) binaries will be provided shortly" is a waiver of the rule
    ``experts.windows`` or ``experts.macos``; page and announcement say so (R06, R07).
    """
    found = []
    for role in ("windows", "macos"):
        files = [file for file in contract.files if file.origin.value == role]
        if files and role not in roles:
            found.append(
                Finding(
                    f"experts.{role}",
                    Severity.BLOCK,
                    (
                        f"{counted(len(files), 'file is', 'files are')} promised, but "
                        "no one is named who makes them"
                    ),
                    f"[experts.{role}]",
                    f"name the expert, or waive experts.{role}: the files then come later",
                )
            )
    found += [
        Finding(
            f"experts.{each.value}",
            Severity.BLOCK,
            f"the {each.value} binaries of Python {release.version} come later",
            f"[experts.{each.value}]",
            f"a waiver of experts.{each.value} that is not over lets it pass; or name the expert",
        )
        for each in later
    ]
    return tuple(found)
