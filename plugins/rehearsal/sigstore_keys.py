"""Keys of the rehearsed Sigstore, made once and kept in the store, and its authority."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doit_receipts.durable import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.store import Store

__all__ = ["Holder", "chain", "identifier", "key", "key_usage", "pem", "public"]

_DAYS: Final = 3650
_CURVE: Final = ec.SECP256R1()


class Holder(StrEnum):
    """Who has a key of its own."""

    ROOT = "root"
    AUTHORITY = "authority"
    CERTIFICATE_LOG = "certificate_log"
    LOG = "log"
    PROVIDER = "provider"


def key(store: Store, holder: Holder) -> ec.EllipticCurvePrivateKey:
    """The holder's key, on the curve P-256, made if there is none yet."""
    file = _folder(store) / f"{holder}.key"
    if not file.exists():
        made = ec.generate_private_key(_CURVE).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_whole(file, made, mode=0o600)
    found = serialization.load_pem_private_key(file.read_bytes(), None)
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        message = f"{file} holds no key of an elliptic curve"
        raise TypeError(message)
    return found


def public(holder: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> bytes:
    """The public key, as a DER SubjectPublicKeyInfo."""
    own = holder.public_key() if isinstance(holder, ec.EllipticCurvePrivateKey) else holder
    return own.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def identifier(holder: ec.EllipticCurvePrivateKey) -> bytes:
    """The 32 bytes by which a log is known. Source: RFC 6962, section 3.2."""
    return sha256(public(holder)).digest()


def chain(store: Store) -> tuple[x509.Certificate, x509.Certificate]:
    """The certificates of the authority that issues and of the root above it."""
    file = _folder(store) / "chain.pem"
    if not file.exists():
        root = _certificate(store, Holder.ROOT, Holder.ROOT)
        authority = _certificate(store, Holder.AUTHORITY, Holder.ROOT)
        write_whole(file, (pem(authority) + pem(root)).encode())
    authority, root = x509.load_pem_x509_certificates(file.read_bytes())
    return authority, root


def pem(certificate: x509.Certificate) -> str:
    """The certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_usage(*, authority: bool) -> x509.KeyUsage:
    """An authority signs certificates, and everybody else signs something else."""
    return x509.KeyUsage(
        digital_signature=not authority, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=authority,
        crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _certificate(store: Store, holder: Holder, issuer: Holder) -> x509.Certificate:
    of_root = holder is Holder.ROOT
    own = key(store, holder).public_key()
    # Nobody signs before the day on which the environment was made, whatever the clock's zone is.
    start = datetime.now(UTC) - timedelta(days=1)  # noqa: TID251 - the simulated side
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(holder))
        .issuer_name(_name(issuer))
        .public_key(own)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=_DAYS))
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=int(of_root)), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    )
    if not of_root:
        above = key(store, issuer).public_key()
        parent = x509.AuthorityKeyIdentifier.from_issuer_public_key(above)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(parent, critical=False).add_extension(usage, critical=False)
    return builder.sign(key(store, issuer), hashes.SHA256())


def _name(holder: Holder) -> x509.Name:
    common = "sigstore" if holder is Holder.ROOT else "sigstore-intermediate"
    parts = {NameOID.ORGANIZATION_NAME: "sigstore.rehearsal", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])


def _folder(store: Store) -> Path:
    return store.folder / "sigstore"
