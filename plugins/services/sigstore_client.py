"""Sigstore by its own Python client: what bundles say, judged by anybody without a secret.

Whoever signs logs in, gets a certificate of ten minutes for a key, and throws the key away. What
stays is the bundle, and its entry in a public log (PEP 761).
"""

from __future__ import annotations

import json
import threading
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ReleaseError, ServiceFailed, SettingsError
from doit_receipts.outside import Act, Unanswered, leaves
from doit_receipts.printable import counted
from plugins.model.envelope import as_kept
from plugins.ports.signing import Signature, Verdict
from plugins.services import sigstore_bundle
from plugins.services.http_client import HttpClient
from plugins.services.retry import quiet_stamina
from plugins.services.sigstore_bundle import NoBundle, line_of
from plugins.services.sigstore_detached import judged_detached
from plugins.services.sigstore_signing import TIMEOUT_S, SigstoreSigning, bounded
from plugins.services.sigstore_statements import judged_statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from plugins.model.secret import Secret
    from plugins.model.series import SigstoreIdentity
    from plugins.ports.statements import Stated

__all__ = ["SigstoreClient"]

_PUBLIC_LOG: Final = "https://rekor.sigstore.dev"


class SigstoreClient:
    """The public Sigstore, or what a client trust configuration of a rehearsal names.

    ``token`` is where the identity token of the one who signs is; verifying needs none.
    """

    def __init__(
        self, trust: Path | None, token: Secret | None = None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._trust_file = trust
        self._token = token
        self._timeout_s = timeout_s
        self._opening = threading.Lock()
        self._opened: tuple[Any, Any] | ReleaseError | None = None

    def __repr__(self) -> str:
        return f"sigstore({self._trust_file or 'public'})"

    def ready(self) -> None:
        """See BundleVerifier."""
        self._open()

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        """See BundleVerifier."""
        try:
            with bundle.open("rb") as stream:
                text = stream.read(sigstore_bundle.MOST_BYTES + 1)
        except FileNotFoundError:
            return Signature("", f"{bundle.name} does not exist", Verdict.MISSING)
        except OSError as error:
            problem = f"{bundle.name} cannot be read: {str(error.strerror).lower()}"
            return Signature("", problem, Verdict.UNREADABLE)
        return self._judged(text, sha256, by)

    def verify_detached(
        self, signature: Path, certificate: Path, sha256: str, by: SigstoreIdentity
    ) -> Signature:
        """See DetachedVerifier."""
        issuers = self._open()[0].trusted_root.get_fulcio_certs()
        return judged_detached(signature, certificate, sha256, by, issuers)

    def _judged(self, text: bytes, sha256: str, by: SigstoreIdentity) -> Signature:
        """Which file it is for and who made it are reported only if Sigstore confirms both."""
        from sigstore.verify.policy import Identity

        _, verifier = self._open()
        try:
            claimed = sigstore_bundle.claimed_digest(text)
            found = sigstore_bundle.bundle_of(self._proven(text))
            maker = sigstore_bundle.maker_of(found.signing_certificate)
        except NoBundle as error:
            return Signature("", f"is not a bundle: {error}", Verdict.UNREADABLE)
        policy = Identity(identity=maker.address, issuer=maker.issuer)
        try:
            verifier.verify_artifact(sigstore_bundle.hashed(claimed), found, policy)
        except Exception as error:  # noqa: BLE001 - untrusted bytes are good only if this returns
            problem = f"Sigstore does not confirm it: {line_of(error)}"
            return Signature("", problem, Verdict.UNKNOWN_KEY)
        if claimed != sha256:
            problem = f"is for a file with sha256 {claimed}, wanted {sha256}"
            return Signature(str(maker), problem, Verdict.OTHER_BYTES)
        if maker != by or not by.address or not by.issuer:
            return Signature(str(maker), f"was made by {maker}, wanted {by}", Verdict.OTHER_KEY)
        return Signature(str(by), "")

    def _proven(self, text: bytes) -> bytes:
        """The bundle, with the log's proof of its entry where its kind may lack one.

        That of Python-3.12.5.tgz does. The proof is verified as any other.
        """
        index = sigstore_bundle.unproven(text)
        if not index:
            return text
        log = HttpClient("Sigstore's log", self._log_address)
        answer = log.get("/api/v1/log/entries", "find an entry", may_miss=True, logIndex=index)
        return sigstore_bundle.with_proof(text, answer.content) if answer.is_success else text

    @property
    def _log_address(self) -> str:
        """Of the log before Rekor 2, which alone bundles without a proof are from."""
        if self._trust_file is None:
            return _PUBLIC_LOG
        address: str = json.loads(self._trust_file.read_text())["trustedRoot"]["tlogs"][0][
            "baseUrl"
        ]
        return address

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        """See BundleSigner."""
        signing = self._signing(f"sign {counted(len(digests), 'file')} as {by}", sorted(digests))
        trust, _ = self._open()
        bad = ""
        for digest, made in signing.sign(digests, by, trust):
            found = self._judged(made, digest, by)
            if found.problem:
                bad = bad or f"the new bundle does not verify: {found.problem}"
            else:
                yield digest, made
        if bad:
            raise signing.failed(bad)

    def verify_statement(
        self,
        bundle: bytes,
        by: SigstoreIdentity,
        claims: Mapping[str, str] | None = None,
        *,
        ours: bool = True,
    ) -> Stated:
        """See StatementVerifier."""
        _, verifier = self._open()
        return judged_statement(verifier, bundle, by, claims or {}, ours=ours)

    def sign_statements(
        self, payloads: Collection[bytes], by: SigstoreIdentity
    ) -> Iterator[tuple[bytes, bytes]]:
        """See StatementSigner."""
        digests = {sha256(payload).hexdigest(): payload for payload in payloads}
        signing = self._signing(
            f"sign {counted(len(digests), 'statement')} as {by}", sorted(digests)
        )
        trust, _ = self._open()
        bad = ""
        for digest, made in signing.sign_statements(payloads, by, trust):
            bundle = as_kept(made)
            found = self.verify_statement(bundle, by)
            if found.signature.problem or found.payload != digests[digest]:
                problem = found.signature.problem or "is of another payload"
                bad = bad or f"the new bundle does not verify: {problem}"
            else:
                yield digests[digest], bundle
        if bad:
            raise signing.failed(bad)

    def _signing(self, what: str, digests: Sequence[str]) -> SigstoreSigning:
        """Raises Unanswered where nothing is to be signed: in a plan."""
        if not leaves(Act("sigstore", f"{what} into Sigstore's public log", tuple(digests))):
            raise Unanswered
        return SigstoreSigning(
            repr(self), self._token, self._timeout_s, rehearsed=self._trust_file is not None
        )

    def _open(self) -> tuple[Any, Any]:
        """Whom to trust and where to sign, and what verifies; asked for once, even in vain."""
        # Checks go side by side, and one of them opens it.
        with self._opening:
            if self._opened is None:
                try:
                    self._opened = self._read()
                except ReleaseError as error:
                    self._opened = error
            if isinstance(self._opened, ReleaseError):
                raise self._opened
            return self._opened

    def _read(self) -> tuple[Any, Any]:
        from sigstore.models import ClientTrustConfig
        from sigstore.verify import Verifier

        try:
            if self._trust_file is not None:
                trust = ClientTrustConfig.from_json(self._trust_file.read_text())
            else:
                # The public one is fetched anew, by TUF.
                trust = quiet_stamina().retry(
                    on=lambda error: not isinstance(error, TimeoutError), attempts=3, timeout=None
                )(bounded)(ClientTrustConfig.production, self._timeout_s)
            return trust, Verifier(trusted_root=trust.trusted_root)
        except Exception as error:
            # The client's errors have no base of their own.
            if self._trust_file is not None:
                raise SettingsError(
                    where="[signing] sigstore_trust",
                    problem=f"{self._trust_file} is not a client trust configuration: "
                    f"{line_of(error)}",
                    remedy="start the rehearsal again, which writes it",
                ) from error
            raise ServiceFailed(
                service=repr(self), action="fetch whom to trust", problem=line_of(error),
                remedy="check that this machine can reach it, then run the same command again",
            ) from error  # fmt: skip
