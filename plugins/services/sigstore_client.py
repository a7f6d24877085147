"""Sigstore by its own Python client: bundles made with an identity token, and judged by anybody.

Nothing but a person who logs in gets an identity token, and it is good for minutes; with it the
client gets a certificate of ten minutes for a key that it then throws away. What stays is the
bundle, and its entry in a public log (PEP 761).
"""

from __future__ import annotations

import base64
import binascii
import json
import queue
import threading
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from plugins.model.errors import ServiceFailed, SettingsError, Waiting
from plugins.model.series import SigstoreIdentity
from plugins.ports import Signature, Verdict
from plugins.services.asking import Asker
from plugins.services.patience import quiet_stamina

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from plugins.model.secret import Secret

__all__ = ["SigstoreClient"]

_MOST_BYTES: Final = 65_536
"""A bundle takes about 8 KB."""
_PATIENCE_S: Final = 180.0
"""How long one more bundle may take: the log answers once the entry is in it for good."""
_AT_ONCE: Final = 8
_ATTEMPTS: Final = 3
_PUBLIC_LOG: Final = "https://rekor.sigstore.dev"
_LOGIN: Final = "python -m sigstore get-identity-token"


class SigstoreClient:
    """The public Sigstore, or what a client trust configuration of a rehearsal names.

    ``token`` is where the identity token of the one who signs is; verifying needs none.
    """

    def __init__(
        self, trust: Path | None, token: Secret | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        self._trust_file = trust
        self._token = token
        self._patience_s = patience_s
        self._opening = threading.Lock()

    def __repr__(self) -> str:
        return f"sigstore({self._trust_file or 'public'})"

    # ── verifying ───────────────────────────────────────────────────────────────────────────

    def ready(self) -> None:
        """See BundleVerifier."""
        _ = self._verifier

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        """See BundleVerifier."""
        try:
            with bundle.open("rb") as stream:
                text = stream.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return Signature("", f"{bundle.name} is not there", Verdict.MISSING)
        except OSError as error:
            told = f"{bundle.name} cannot be read: {str(error.strerror).lower()}"
            return Signature("", told, Verdict.UNREADABLE)
        return self._judged(text, sha256, by)

    def _judged(self, text: bytes, sha256: str, by: SigstoreIdentity) -> Signature:
        from sigstore.hashes import Hashed
        from sigstore.models import Bundle
        from sigstore.verify.policy import Identity as Policy
        from sigstore_models.common.v1 import HashAlgorithm

        verifier = self._verifier
        told = _claimed(text)
        if isinstance(told, str):
            return Signature("", told, Verdict.UNREADABLE)
        proven = self._with_proof(text)
        try:
            found = Bundle.from_json(proven)
            maker = _maker(found.signing_certificate)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's bytes trip is no bundle
            return Signature("", f"is no bundle: {_line(error)}", Verdict.UNREADABLE)
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))
        try:
            verifier.verify_artifact(hashed, found, Policy(identity=by.address, issuer=by.issuer))
        except Exception as error:  # noqa: BLE001 - as above: nothing but a return is good
            if told != hashed.digest:
                problem = f"is of a file with sha256 {told.hex()}, wanted {sha256}"
                return Signature(str(maker), problem, Verdict.OTHER_BYTES)
            if maker != by:
                problem = f"was made by {maker}, wanted {by}"
                return Signature(str(maker), problem, Verdict.OTHER_KEY)
            problem = f"Sigstore does not stand for it: {_line(error)}"
            return Signature(str(maker), problem, Verdict.UNKNOWN_KEY)
        return Signature(str(by), "")

    def _with_proof(self, text: bytes) -> bytes:
        """The bundle with the proof of its log entry, which clients of 2024 and before left out.

        So is that of Python-3.12.5.tgz. The proof is the log's, and verified as any other.
        """
        try:
            content = json.loads(text)
            (entry,) = content["verificationMaterial"]["tlogEntries"]
            if entry.get("inclusionProof", {}).get("checkpoint"):
                return text
            index = int(entry["logIndex"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return text
        answer = self._log.ask("GET", "/api/v1/log/entries", again=True, params={"logIndex": index})
        if not answer.is_success:
            return text
        try:
            (told,) = answer.json().values()
            entry["inclusionProof"] = _proof(told["verification"]["inclusionProof"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return text
        return json.dumps(content).encode()

    @cached_property
    def _log(self) -> Asker:
        """The log of the time before Rekor 2, which alone bundles without a proof are from."""
        address = _PUBLIC_LOG
        if self._trust_file is not None:
            told = json.loads(self._trust_file.read_text())
            address = told["trustedRoot"]["tlogs"][0]["baseUrl"]
        return Asker("Sigstore's log", address)

    @cached_property
    def _trust(self) -> Any:
        """Whom to trust, and where to sign; the public one is fetched anew by TUF."""
        from sigstore.models import ClientTrustConfig

        if self._trust_file is None:
            return self._asked("say whom to trust", ClientTrustConfig.production)
        try:
            return ClientTrustConfig.from_json(self._trust_file.read_text())
        except (OSError, ValueError) as error:
            raise SettingsError(
                where="[signing] sigstore_trust",
                problem=f"{self._trust_file} is no client trust configuration: {_line(error)}",
                remedy="start the rehearsal again, which writes it",
            ) from error

    @property
    def _verifier(self) -> Any:
        # Checks go side by side, and one of them opens it.
        with self._opening:
            return self._opened_verifier

    @cached_property
    def _opened_verifier(self) -> Any:
        from sigstore.verify import Verifier

        return Verifier(trusted_root=self._trust.trusted_root)

    # ── signing ─────────────────────────────────────────────────────────────────────────────

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        """See BundleSigner."""
        signer = self._signer(by)
        wanted = sorted(set(digests))
        answers = _side_by_side(lambda digest: self._signed(signer, digest), wanted)
        for _ in wanted:
            try:
                digest, made = answers.get(timeout=self._patience_s)
            except queue.Empty:
                raise self._no_answer() from None
            if isinstance(made, Exception):
                raise self._sign_error(made) from None
            found = self._judged(made, digest, by)
            if found.problem:
                problem = f"what it made is not good: {found.problem}"
                raise self._unsigned(problem)
            yield digest, made

    def _signer(self, by: SigstoreIdentity) -> Any:
        """The client's signer, with a certificate for the token."""
        from sigstore.oidc import IdentityError, IdentityToken
        from sigstore.sign import Signer, SigningContext

        if self._token is None:
            raise SettingsError(
                where="[credentials] sigstore",
                problem="is missing",
                remedy='write sigstore = "file:~/sigstore-token" (mode 0600) or "env:NAME"',
            )
        try:
            token = IdentityToken(self._token.reveal())
        except SettingsError as error:
            problem = f"{error.where} {error.problem}"
            raise self._login_again(problem, by) from None
        except IdentityError:
            # Not chained: what the client says may hold a part of the token.
            problem = "the identity token is expired, or none for Sigstore"
            raise self._login_again(problem, by) from None
        found = SigstoreIdentity(token.identity, token.federated_issuer)
        if found != by:
            problem = f"the identity token is of {found}, wanted {by}"
            raise self._login_again(problem, by)
        context = SigningContext.from_trust_config(self._trust)
        try:
            return self._bounded(lambda: Signer(token, context))
        except ServiceFailed:
            raise
        except Exception as error:  # noqa: BLE001 - the client's errors have no base of their own
            raise self._sign_error(error) from None

    def _signed(self, signer: Any, digest: str) -> bytes:
        """A new bundle. Asked again where the log did not answer: either entry is good."""
        from sigstore.hashes import Hashed
        from sigstore.oidc import ExpiredIdentity
        from sigstore.sign import ExpiredCertificate  # type: ignore[attr-defined]
        from sigstore_models.common.v1 import HashAlgorithm

        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(digest))
        ended = (ExpiredIdentity, ExpiredCertificate)
        for attempt in quiet_stamina().retry_context(
            on=lambda error: not isinstance(error, ended),
            attempts=_ATTEMPTS,
            timeout=None,
            wait_initial=0.5,
            wait_max=5.0,
        ):
            with attempt:
                text: str = signer.sign_artifact(hashed).to_json()
                return text.encode()
        message = "stamina tried and told nothing"
        raise AssertionError(message)

    def _bounded(self, act: Callable[[], Any]) -> Any:
        """What it returns or raises, unless it takes too long."""
        try:
            _, found = _side_by_side(lambda _: act(), [""]).get(timeout=self._patience_s)
        except queue.Empty:
            raise self._no_answer() from None
        if isinstance(found, Exception):
            raise found
        return found

    # ── errors ──────────────────────────────────────────────────────────────────────────────

    def _asked(self, action: str, act: Callable[[], Any]) -> Any:
        try:
            return self._bounded(act)
        except ServiceFailed:
            raise
        except Exception as error:
            raise ServiceFailed(
                service=repr(self), action=action, problem=_line(error),
                remedy="see whether this machine reaches it, then run the same command again",
            ) from error  # fmt: skip

    def _sign_error(self, error: Exception) -> ServiceFailed | Waiting:
        from sigstore.oidc import ExpiredIdentity
        from sigstore.sign import ExpiredCertificate  # type: ignore[attr-defined]

        if isinstance(error, ExpiredIdentity | ExpiredCertificate):
            return self._login_again("the identity token has expired meanwhile", None)
        return self._unsigned(_line(error))

    def _login_again(self, problem: str, by: SigstoreIdentity | None) -> Waiting:
        place = self._token.place if self._token is not None else ""
        kind, _, name = place.partition(":")
        how = (
            f"(umask 077; {_LOGIN} > {name})" if kind == "file" else f'export {name}="$({_LOGIN})"'
        )
        told = f", logging in as {by}" if by is not None else ""
        return Waiting(
            who="the release manager",
            problem=problem,
            remedy=f"run {how}{told}; then run the same command again at once",
        )

    def _no_answer(self) -> ServiceFailed:
        return self._unsigned(f"no answer for {self._patience_s:.0f} s")

    def _unsigned(self, problem: str) -> ServiceFailed:
        return ServiceFailed(
            service=repr(self),
            action="sign",
            problem=problem,
            remedy="run the same command again; what was signed is kept",
        )


def _side_by_side(
    act: Callable[[str], Any], names: Collection[str]
) -> queue.SimpleQueue[tuple[str, Any]]:
    """What is done for each name comes out as it is done: its result, or what it raised.

    Done by daemons: the client knows no time-out, and a server that never answers must not keep
    this process from its end.
    """
    todo: queue.SimpleQueue[str] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    for each in names:
        todo.put(each)

    def work() -> None:
        with suppress(queue.Empty):
            while True:
                name = todo.get_nowait()
                try:
                    done.put((name, act(name)))
                except Exception as error:  # noqa: BLE001 - whoever waits for it raises it
                    done.put((name, error))

    for _ in range(min(_AT_ONCE, len(names))):
        threading.Thread(target=work, daemon=True).start()
    return done


def _claimed(text: bytes) -> bytes | str:
    """The sha256 that the bundle says it is of, or what is wrong with the bundle."""
    if len(text) > _MOST_BYTES:
        return f"is no bundle: it has more than {_MOST_BYTES} bytes"
    try:
        digest = json.loads(text)["messageSignature"]["messageDigest"]["digest"]
        return base64.b64decode(digest, validate=True)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return "is no bundle of a file's signature"


def _proof(told: Any) -> dict[str, Any]:
    """An inclusion proof as a bundle spells it, from what the log's API tells."""

    def spelled(digest: str) -> str:
        return base64.b64encode(bytes.fromhex(digest)).decode()

    return {
        "logIndex": str(told["logIndex"]),
        "rootHash": spelled(told["rootHash"]),
        "treeSize": str(told["treeSize"]),
        "hashes": [spelled(each) for each in told["hashes"]],
        "checkpoint": {"envelope": told["checkpoint"]},
    }


def _maker(certificate: Any) -> SigstoreIdentity:
    """Who the certificate is for; empty where it does not tell."""
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, SubjectAlternativeName

    address = issuer = ""
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        address = next((str(each.value) for each in names), "")
        told = certificate.extensions.get_extension_for_oid(
            ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
        )
        issuer = told.value.value.decode("utf-8", "replace")
    except ExtensionNotFound:
        pass
    return SigstoreIdentity(address, issuer)


def _line(error: BaseException) -> str:
    """The first line of what an error says, or its kind; the client hides the cause behind it."""
    said = str(error).strip() or str(error.__cause__ or "").strip() or type(error).__name__
    return said.splitlines()[0][:200]
