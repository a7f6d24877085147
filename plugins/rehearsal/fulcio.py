"""Simulated Fulcio: the authority that certifies a key for ten minutes.

The part of its API (version 2) that signing clients use, over plain HTTP.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.rehearsal import identity
from plugins.rehearsal.sigstore_keys import Holder, chain, identifier, key, key_usage, pem
from plugins.rehearsal.workflow_identity import WorkflowRun

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["ISSUER_OID", "app", "issue"]

ISSUER_OID: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
"""Where a certificate says who knows its identity, as a DER UTF8String."""

_OLD_ISSUER_OID: Final = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_TIMESTAMPS_OID: Final = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_LASTS: Final = timedelta(minutes=10)
_AHEAD: Final = timedelta(hours=1)
_UTF8_STRING: Final = 0x0C
_OCTET_STRING: Final = 0x04
_SHORT: Final = 0x80
_INVALID_ARGUMENT: Final = 3
"""What gRPC calls a request that is not right; the gateway answers it with status 400."""


def app(store: Store) -> Starlette:
    """The certificate authority."""

    async def certify(request: Request) -> Response:
        word, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            account = identity.account_of(store, token if word == "Bearer" else "")
        except ValueError as error:
            # It never says why to whom it does not know.
            store.record("fulcio", "refused", reason=str(error))
            return _refusal("There was an error processing the identity token")
        try:
            asked = x509.load_pem_x509_csr(_pem(await request.body()))
            public = asked.public_key()
        except (ValueError, KeyError, TypeError):
            return _refusal("The certificate signing request could not be parsed")
        if not isinstance(public, ec.EllipticCurvePublicKey):
            return _refusal("The public key supplied in the request is insecure")
        if not asked.is_signature_valid:
            return _refusal("The signature supplied in the request could not be verified")
        issued = issue(store, public, account)
        store.record("fulcio", "certified", identity=account.email, issuer=account.connector)
        certificates = [pem(each) for each in (issued, *chain(store))]
        return JSONResponse(
            {"signedCertificateEmbeddedSct": {"chain": {"certificates": certificates}}}
        )

    async def trusted(_request: Request) -> Response:
        return JSONResponse({"chains": [{"certificates": [pem(each) for each in chain(store)]}]})

    return Starlette(
        routes=[
            Route("/api/v2/signingCert", certify, methods=["POST"]),
            Route("/api/v2/trustBundle", trusted),
        ]
    )


def issue(
    store: Store, public: ec.EllipticCurvePublicKey, account: identity.Account | WorkflowRun
) -> x509.Certificate:
    """A certificate of the account for this key, from now on; the certificate log promised it.

    One of a workflow's run has the workflow's address as its name, and says more about the run.
    """
    authority, _ = chain(store)
    own = key(store, Holder.AUTHORITY)
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - the simulated side
    if store.fault("sigstore.certificate_ahead") is not None:
        now += _AHEAD
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(own.public_key())
    old_issuer = x509.UnrecognizedExtension(_OLD_ISSUER_OID, account.connector.encode())
    issuer = x509.UnrecognizedExtension(ISSUER_OID, _der(_UTF8_STRING, account.connector.encode()))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    run = account if isinstance(account, WorkflowRun) else None
    named = x509.UniformResourceIdentifier(run.uri) if run else x509.RFC822Name(account.email)
    name = x509.SubjectAlternativeName([named])
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _LASTS)
        .add_extension(key_usage(authority=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(above, critical=False)
        # Critical, for there is no other name. Source: RFC 5280, section 4.2.1.6.
        .add_extension(name, critical=True)
        .add_extension(old_issuer, critical=False)
        .add_extension(issuer, critical=False)
    )
    for extension in run.extensions() if run else ():
        builder = builder.add_extension(extension, critical=False)
    before = builder.sign(own, hashes.SHA256())
    promise = _der(_OCTET_STRING, _promise(store, before.tbs_certificate_bytes, now))
    timestamps = x509.UnrecognizedExtension(_TIMESTAMPS_OID, promise)
    return builder.add_extension(timestamps, critical=False).sign(own, hashes.SHA256())


def _promise(store: Store, certificate: bytes, now: datetime) -> bytes:
    """A list of one timestamp of the certificate log. Source: RFC 6962, sections 3.2 and 3.3."""
    log = key(store, Holder.CERTIFICATE_LOG)
    time = struct.pack("!Q", int(now.timestamp()) * 1000)
    version, kind, no_extensions = b"\0", b"\0", b"\0\0"
    entry = (
        b"\0\1"  # of a certificate that lacks this list
        + identifier(key(store, Holder.AUTHORITY))
        + len(certificate).to_bytes(3)
        + certificate
    )
    signed = version + kind + time + entry + no_extensions
    signature = log.sign(signed, ec.ECDSA(hashes.SHA256()))
    sha256_ecdsa = b"\4\3"
    timestamp = version + identifier(log) + time + no_extensions + sha256_ecdsa + _sized(signature)
    return _sized(_sized(timestamp))


def _sized(content: bytes) -> bytes:
    return len(content).to_bytes(2) + content


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < _SHORT:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _SHORT | len(length))) + length + content


def _pem(body: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(body)["certificateSigningRequest"], validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _refusal(message: str) -> Response:
    return JSONResponse({"code": _INVALID_ARGUMENT, "message": message, "details": []}, 400)
