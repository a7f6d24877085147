"""Exported: whether the signatures and SHA256SUMS beside the source archives are of them now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from checks.checksums import checksums_are_true
from checks.looking import judges
from checks.signatures import RULE_OF
from doit_receipts.artifact import sha256_of
from plugins.model.content import Content, NamedFile
from plugins.model.found_files import FoundFiles
from plugins.model.rules import breach
from plugins.ports.signing import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from plugins.ports.signing import Signer

__all__ = ["archives_are_signed", "checksums_hold"]

# Whoever altered it may have written its receipt as well, so that nothing seems to be changed.
_AGAIN: Final = "delete it, then run doit export: it is made again"
_LIST_AGAIN: Final = "delete SHA256SUMS, then run doit export: it is made again"
_NOT_MADE_AGAIN: Final = (Verdict.EXPIRED, Verdict.REVOKED, Verdict.MISSING)


@judges("checksums.missing", "checksums.form", "checksums.differs", "checksums.unlisted")
def checksums_hold(release: Release, files: Iterable[Path]) -> tuple[Finding, ...]:
    """SHA256SUMS lists these files and no other, each with the digest that it has now."""
    here = {
        path.name: NamedFile(path.name, Content(path.stat().st_size, sha256_of(path)), path)
        for path in files
        if path.is_file()
    }
    found = checksums_are_true(FoundFiles("here", release.layout, here))
    return tuple(
        each if each.rule == "checksums.missing" else replace(each, remedy=_LIST_AGAIN)
        for each in found
    )


@judges(
    "signature.missing",
    "signature.bytes",
    "signature.identity",
    "signature.expired",
    "signature.revoked",
    "signature.unreadable",
    blind="signature.unseen",
)
def archives_are_signed(release: Release, signer: Signer | None) -> tuple[Finding, ...]:
    """Each source archive has a signature of its bytes as they are, by the key that signs.

    Without a signer, as from 3.14 on, there is none to judge.
    """
    if signer is None:
        return ()
    found = []
    for archive in release.layout.tarballs:
        beside = archive.with_name(f"{archive.name}.asc")
        made = signer.verify(archive, beside)
        if made.problem:
            finding = breach(RULE_OF[made.verdict], beside.name, made.problem)
            again = made.verdict not in _NOT_MADE_AGAIN
            found.append(replace(finding, remedy=_AGAIN) if again else finding)
    return tuple(found)
