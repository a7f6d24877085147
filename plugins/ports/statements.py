"""Signed statements: who makes them and who verifies them."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from plugins.model.series import SigstoreIdentity
    from plugins.ports.signing import Signature

__all__ = ["Stated", "StatementSigner", "StatementVerifier"]


@frozen
class Stated:
    """A bundle of a statement that was judged.

    ``payload``, ``log_index`` and ``logged_s`` are those that Sigstore confirms; where it confirms
    nothing they are empty.
    """

    signature: Signature
    payload: bytes = b""
    log_index: int = 0
    """Where the public log has it."""
    logged_s: int = 0
    """When it came there, in seconds of the epoch; 0 where the log does not say."""

    @property
    def sha256(self) -> str:
        """Of the payload."""
        return sha256(self.payload).hexdigest()


class StatementVerifier(Protocol):
    """Sigstore's roots of trust, without any secret."""

    def verify_statement(
        self,
        bundle: bytes,
        by: SigstoreIdentity,
        claims: Mapping[str, str] | None = None,
        *,
        ours: bool = True,
    ) -> Stated:
        """Check a bundle of a statement that this identity has to have made.

        With ``ours`` it has to be spelled as ``sign_statements`` spells bundles, with no field that
        is not verified; tools of others spell as they like.
        ``claims`` are what else its certificate has to say, by the names of Sigstore's policies:
        GitHubWorkflowRepository, OIDCBuildTrigger and so on. What the statement says is for the
        caller to judge. Nobody is asked.
        """
        ...


class StatementSigner(StatementVerifier, Protocol):
    """Sigstore with the identity token of somebody who has just logged in."""

    def sign_statements(
        self, payloads: Collection[bytes], by: SigstoreIdentity
    ) -> Iterator[tuple[bytes, bytes]]:
        """The bundle of each payload, as they are made: (payload, bundle), bundles in one line.

        Each is written into the public log, which never forgets, and was verified before it comes
        out. Raises Waiting and ServiceFailed as BundleSigner.sign does.
        """
        ...
