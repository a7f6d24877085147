"""Simulated Rekor's entries of the kind ``dsse``: what the log keeps of a signed envelope.

Not the envelope: its digest, that of its payload, and each signature with the certificate of its
key. Source: sigstore/rekor, pkg/types/dsse/v0.0.1/entry.go.
"""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from plugins.rehearsal.sigstore_keys import pem

__all__ = ["fit"]


def fit(spec: dict[str, Any]) -> tuple[dict[str, Any], str, x509.Certificate]:
    """The entry for a proposed envelope, the sha256 of its payload, and who signed it.

    Raises ValueError, KeyError or TypeError for what proves nothing.
    """
    proposed = spec["proposedContent"]
    computed = ("envelopeHash", "payloadHash", "signatures")
    if any(spec.get(name) for name in computed):
        message = "either proposedContent or envelopeHash, payloadHash, and signatures must be "
        raise ValueError(message + "present but not both")
    text = proposed["envelope"].encode()
    envelope = json.loads(text)
    payload = _decoded(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    certificates = [
        x509.load_pem_x509_certificate(_decoded(each)) for each in proposed["verifiers"]
    ]
    found = [
        (each["sig"], _signer(each["sig"], signed, certificates)) for each in envelope["signatures"]
    ]
    if not found:
        message = "could not verify envelope: no signatures found"
        raise ValueError(message)
    signatures = [
        {"signature": signature, "verifier": base64.b64encode(pem(each).encode()).decode()}
        for signature, each in sorted(found, key=lambda pair: pair[0])
    ]
    digest = sha256(payload).hexdigest()
    body = {
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": sha256(text).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": digest},
            "signatures": signatures,
        },
    }
    return body, digest, found[0][1]


def _signer(
    signature: str, signed: bytes, certificates: list[x509.Certificate]
) -> x509.Certificate:
    """Whose signature it is. Raises ValueError if it is nobody's of them."""
    for certificate in certificates:
        public = certificate.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            message = "the key is not on an elliptic curve"
            raise TypeError(message)
        try:
            public.verify(_decoded(signature), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return certificate
    message = "could not verify envelope: accepted signatures do not match threshold"
    raise ValueError(message)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
