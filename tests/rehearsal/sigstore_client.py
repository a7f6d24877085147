"""A client of the rehearsed Sigstore for tests: the real library, over real HTTP."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import CertificateSigningRequestBuilder, Name
from sigstore.hashes import Hashed
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from sigstore_models.common.v1 import HashAlgorithm

from plugins.rehearsal import sigstore
from plugins.rehearsal.identity import GITHUB
from plugins.rehearsal.serving import running_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.rehearsal.serving import Addresses

__all__ = ["RM", "Client", "a_client", "a_request", "digest_of"]

RM = "rm@example.org"


def digest_of(content: bytes) -> Hashed:
    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=sha256(content).digest())


def a_request(key: ec.EllipticCurvePrivateKey | None = None) -> str:
    """A certificate signing request, as Fulcio's API takes it."""
    made = key or ec.generate_private_key(ec.SECP256R1())
    request = CertificateSigningRequestBuilder().subject_name(Name([])).sign(made, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


@dataclass
class Client:
    """Whoever has the files of a world that answers."""

    world: Addresses
    http: httpx.Client

    @cached_property
    def trust(self) -> ClientTrustConfig:
        return ClientTrustConfig.from_json(sigstore.trust_file(self.world.store).read_text())

    @property
    def token(self) -> str:
        return sigstore.token_file(self.world.store).read_text().strip()

    def sign(self, *contents: bytes, token: str = "") -> list[Bundle]:
        """A bundle for each content, all by one key; only their digests leave us."""
        who = IdentityToken(token or self.token)
        with SigningContext.from_trust_config(self.trust).signer(who) as signer:
            return [signer.sign_artifact(digest_of(each)) for each in contents]

    def verify(
        self, content: bytes, bundle: Bundle, identity: str = RM, issuer: str = GITHUB
    ) -> None:
        """Raises VerificationError if the bundle is not theirs for this content."""
        policy = Identity(identity=identity, issuer=issuer)
        read = Bundle.from_json(bundle.to_json())
        Verifier(trusted_root=self.trust.trusted_root).verify_artifact(
            digest_of(content), read, policy
        )

    def certify(self, token: str, request: str = "") -> httpx.Response:
        """What Fulcio answers."""
        head = {"Authorization": f"Bearer {token}"} if token else {}
        body = {"certificateSigningRequest": request or a_request()}
        return self.http.post(f"{self.world['fulcio']}/api/v2/signingCert", json=body, headers=head)

    def get(self, path: str) -> httpx.Response:
        """What Rekor answers to a question."""
        return self.http.get(f"{self.world['rekor']}/api/v1/{path}")

    def post(self, path: str, body: Any, timeout_s: float = 30) -> httpx.Response:
        """What Rekor answers to a demand."""
        address = f"{self.world['rekor']}/api/v1/{path}"
        return self.http.post(address, json=body, timeout=timeout_s)

    def proposal(self, content: bytes) -> dict[str, Any]:
        """An entry for the log that it does not have yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        answer = self.certify(self.token, a_request(key)).json()
        own = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0]
        signature = key.sign(content, ec.ECDSA(hashes.SHA256()))
        return {
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": sha256(content).hexdigest()}},
                "signature": {
                    "content": base64.b64encode(signature).decode(),
                    "publicKey": {"content": base64.b64encode(own.encode()).decode()},
                },
            },
        }

    def logged(self, content: bytes) -> list[str]:
        """The entries of this content, by what the log calls them."""
        found: list[str] = self.post(
            "index/retrieve", {"hash": f"sha256:{sha256(content).hexdigest()}"}
        ).json()
        return found


@contextmanager
def a_client(folder: Path) -> Iterator[Client]:
    """A client of the world in this folder, which answers until the block ends."""
    with running_world(folder) as world, httpx.Client() as http:
        yield Client(world, http)
