"""Signatures: a detached OpenPGP signature beside each source archive (B04, B05)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.ports.signing import Signer

__all__ = ["sign_archives", "signature_of", "signatures"]


def sign_archives(release: Release, signer: Signer) -> dict[str, str]:
    """Each source archive has a ``.asc`` beside it that verifies; none if the series has none.

    A signature that verifies is kept, so a second run gives the same files. Source: PEP 101
    ("gpg -bas"), PEP 761 for the series; 3.8.20, 3.9.20 and 3.10.16 went out unsigned because
    nobody looked at what gpg answered.
    """
    if not release.signs_with_gpg:
        return {}
    for archive in release.layout.tarballs:
        if not archive.is_file():
            raise StepFailed(
                where=archive.name,
                problem="does not exist, so it cannot be signed",
                remedy="run doit build_tarballs",
            )
        if signer.verify(archive, signature_of(archive)).problem:
            signer.sign(archive, signature_of(archive))
    return {"key": signer.fingerprint}


def signatures(release: Release) -> tuple[Path, ...]:
    """The signatures that this release has beside its source archives."""
    if not release.signs_with_gpg:
        return ()
    return tuple(signature_of(archive) for archive in release.layout.tarballs)


def signature_of(archive: Path) -> Path:
    """``<archive>.asc``, the name that gpg looks for."""
    return archive.with_name(f"{archive.name}.asc")
