"""Sigstore bundles: who makes them and who verifies them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from plugins.model.series import SigstoreIdentity
    from plugins.ports.signing import Signature

__all__ = ["BundleSigner", "BundleVerifier", "DetachedVerifier"]


class BundleVerifier(Protocol):
    """Sigstore's roots of trust, without any secret."""

    def ready(self) -> None:
        """Whom to trust is known. Raises ServiceFailed if that could not be fetched."""
        ...

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        """Check a bundle that this identity has to have made for the file with this digest.

        Its log entry, its certificate and their times are judged with it. Nobody is asked, but the
        log for a bundle of the years when the proof of its entry was left out. The fingerprint of
        the answer is the identity that made it.
        """
        ...


class DetachedVerifier(Protocol):
    """The same for what was published before there were bundles."""

    def verify_detached(
        self, signature: Path, certificate: Path, sha256: str, by: SigstoreIdentity
    ) -> Signature:
        """Check a signature and its certificate, each in a file of its own, for this digest.

        Neither proves its time or its entry in the log.
        """
        ...


class BundleSigner(BundleVerifier, Protocol):
    """Sigstore with the identity token of somebody who has just logged in."""

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        """The bundle of each file, by the sha256 of its bytes, as they are made.

        Each is written into the public log, which never forgets, and was verified before it comes
        out. A file may be signed twice: either bundle is good. Raises Waiting if the token is not
        there, expired or another's, and ServiceFailed, once all others are made.
        """
        ...
