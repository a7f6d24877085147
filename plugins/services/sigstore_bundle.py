"""Sigstore bundle: what one contains, read from bytes of which nothing is known."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, Final

from doit_receipts.printable import printable
from plugins.model.published_file import SizeClass
from plugins.model.series import SigstoreIdentity

__all__ = [
    "MOST_BYTES",
    "NoBundle",
    "bundle_of",
    "claimed_digest",
    "hashed",
    "line_of",
    "maker_of",
    "unproven",
    "with_proof",
]

MOST_BYTES: Final = SizeClass.NOTE.value[1]
"""A bundle takes about 5 KB."""
_SHA256_BYTES: Final = 32
_LINE_CHARACTERS: Final = 200
_FIRST_KIND: Final = "application/vnd.dev.sigstore.bundle+json;version=0.1"
"""The kind that may lack the proof of its entry; clients of later kinds refuse such."""
_BROKEN: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


class NoBundle(Exception):
    """The bytes are not a bundle of a file's signature; the text says why."""


def claimed_digest(text: bytes) -> str:
    """The sha256 that the bundle says it is of, in hex. Raises NoBundle."""
    if len(text) > MOST_BYTES:
        message = f"it has more than {MOST_BYTES:,} bytes"
        raise NoBundle(message)
    try:
        digest = json.loads(text)["messageSignature"]["messageDigest"]["digest"]
        raw = base64.b64decode(digest, validate=True)
    except _BROKEN:
        message = "it has no signature of a file"
        raise NoBundle(message) from None
    if len(raw) != _SHA256_BYTES:
        message = "its digest is not a sha256"
        raise NoBundle(message)
    return raw.hex()


def bundle_of(text: bytes) -> Any:
    """The client's Bundle. Raises NoBundle."""
    from sigstore.models import Bundle

    try:
        return Bundle.from_json(text)
    except Exception as error:
        # Whatever error untrusted bytes cause in the client, they are not a bundle.
        raise NoBundle(line_of(error)) from error


def hashed(sha256: str) -> Any:
    """The client's word for a digest in hex."""
    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    return Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))


def maker_of(certificate: Any) -> SigstoreIdentity:
    """Who the certificate is for, whoever made it; empty where it does not say."""
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, SubjectAlternativeName

    issuer = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
    try:
        names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
        name = certificate.extensions.get_extension_for_oid(issuer).value.value
        address = next((str(found.value) for found in names), "")
        return SigstoreIdentity(printable(address), printable(name.decode("utf-8", "replace")))
    except (ExtensionNotFound, ValueError, AttributeError):
        return SigstoreIdentity("", "")


def unproven(text: bytes) -> str:
    """Where the log has the entry of a bundle that lacks its proof; "" if it lacks none."""
    try:
        content = json.loads(text)
        (entry,) = content["verificationMaterial"]["tlogEntries"]
        proof = entry.get("inclusionProof") or {}
        index = str(entry["logIndex"])
        if content["mediaType"] != _FIRST_KIND or proof.get("checkpoint"):
            return ""
    except _BROKEN:
        return ""
    return index if re.fullmatch(r"[0-9]{1,18}", index) else ""


def with_proof(text: bytes, answer: bytes) -> bytes:
    """The bundle with the proof that the log's API answers; the bundle itself if it has none."""
    try:
        content = json.loads(text)
        (entry,) = json.loads(answer).values()
        proof = entry["verification"]["inclusionProof"]
        content["verificationMaterial"]["tlogEntries"][0]["inclusionProof"] = {
            "logIndex": str(proof["logIndex"]),
            "rootHash": _spelled(proof["rootHash"]),
            "treeSize": str(proof["treeSize"]),
            "hashes": [_spelled(digest) for digest in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        }
    except _BROKEN:
        return text
    return json.dumps(content).encode()


def _spelled(digest: str) -> str:
    return base64.b64encode(bytes.fromhex(digest)).decode()


def line_of(error: BaseException) -> str:
    """The first line of what an error says, or its kind; the client hides the cause behind it."""
    said = str(error).strip() or str(error.__cause__ or "").strip() or type(error).__name__
    return printable(said.splitlines()[0])[:_LINE_CHARACTERS]
