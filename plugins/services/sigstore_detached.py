"""Sigstore detached: a signature and its certificate in two files, as they were before bundles.

Nothing in them proves when they were made, or that the public log has them.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from plugins.ports.signing import Signature, Verdict
from plugins.services.sigstore_bundle import MOST_BYTES, line_of, maker_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plugins.model.series import SigstoreIdentity

__all__ = ["judged_detached"]

_PEM: Final = b"-----BEGIN CERTIFICATE-----"


def judged_detached(
    signature: Path, certificate: Path, sha256: str, by: SigstoreIdentity, issuers: Iterable[Any]
) -> Signature:
    """Whether the certificate's key made the signature, one of ``issuers`` made the certificate,
    and it is for this identity. Any bytes whatever may be in the two files.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificate

    try:
        raw = base64.b64decode(b"".join(_bytes(signature).split()), validate=True)
        text = _bytes(certificate)
        # Some clients wrote the certificate as base64 of its text.
        text = text if _PEM in text else base64.b64decode(b"".join(text.split()), validate=True)
        found = load_pem_x509_certificate(text)
        maker, key = maker_of(found), found.public_key()
    except Exception as error:  # noqa: BLE001 - untrusted bytes are good only if this returns
        problem = f"is no signature with its certificate: {line_of(error)}"
        return Signature("", problem, Verdict.UNREADABLE)
    if not any(_is_by(found, each) for each in issuers):
        problem = "its certificate is not by Sigstore's authority"
        return Signature("", problem, Verdict.UNKNOWN_KEY)
    try:
        key.verify(raw, bytes.fromhex(sha256), ECDSA(Prehashed(SHA256())))  # type: ignore[union-attr,call-arg,arg-type]
    except Exception:  # noqa: BLE001 - as above
        problem = "is not a signature of the file by its certificate"
        return Signature("", problem, Verdict.OTHER_BYTES)
    if maker != by or not by.address or not by.issuer:
        return Signature(str(maker), f"was made by {maker}, wanted {by}", Verdict.OTHER_KEY)
    return Signature(str(by), "")


def _bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(MOST_BYTES)


def _is_by(certificate: Any, issuer: Any) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # noqa: BLE001 - of another name, another kind of key, or another key
        return False
    return True
