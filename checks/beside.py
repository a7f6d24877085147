"""Sidecars of what experts made: SBOMs and OpenPGP signatures, demanded before users get any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checks.brought import adopted
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.model.published_file import Kind, Origin

if TYPE_CHECKING:
    from collections.abc import Collection

    from plugins.model.contract import Contract
    from plugins.model.published_file import PublishedFile
    from plugins.model.release import Release

__all__ = ["experts_brought_sidecars"]


@judges("brought.lacks", blind="brought.unseen")
def experts_brought_sidecars(
    release: Release, contract: Contract, roles: Collection[str]
) -> tuple[Finding, ...]:
    """Beside each file of an expert is what their build leaves there (X22, Z17).

    Windows: an SBOM of every installer and archive, in series that have them. Up to 3.13 a
    signature of every installer and embeddable package, of macOS too. Source: python/release-tools
    a25ec43, msi-steps.yml, stage-layout-embed.yml, stage-layout-pymanager.yml and
    stage-publish-pythonorg.yml; PEP 101; PEP 761.
    """
    found = []
    for role in roles:
        listed = adopted(release, role)
        brought = [each for each in contract.with_extras(listed).files if each.remote in listed]
        for suffix in (".spdx.json", ".asc"):
            lacking = [
                each.name
                for each in brought
                if suffix in _owed(each, release) and f"{each.remote}{suffix}" not in listed
            ]
            if lacking:
                found.append(_lacks(role, suffix, lacking))
    return tuple(found)


def _owed(file: PublishedFile, release: Release) -> tuple[str, ...]:
    of_windows = file.origin is Origin.WINDOWS and file.name.endswith((".exe", ".zip"))
    is_signed = file.kind in (Kind.INSTALLER, Kind.EMBEDDABLE)
    return (
        *((".spdx.json",) if of_windows and release.series.ships_sbom else ()),
        *((".asc",) if is_signed and release.signs_with_gpg else ()),
    )


def _lacks(role: str, suffix: str, names: list[str]) -> Finding:
    what = {".spdx.json": "SBOM", ".asc": "OpenPGP signature"}[suffix]
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return Finding(
        "brought.lacks",
        Severity.BLOCK,
        f"no {what} is beside {names[0]}{more}",
        where=role,
        remedy=f"ask who made it for {names[0]}{suffix}{more}; once they are there, run "
        f"doit forget await_{role}, then the same command again; or waive brought.lacks",
    )
