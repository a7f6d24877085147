"""Simulated Sigstore: how its clients trust it, and as whom people logged in.

``fulcio`` certifies, ``rekor`` logs. What a client needs is in the environment's folder:
``sigstore_trust.json``, which names both, and ``secrets/sigstore``, a token for a day.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import serialization

from doit_receipts.durable import write_whole
from plugins.rehearsal import rekor
from plugins.rehearsal.identity import GITHUB, GOOGLE, Account, token
from plugins.rehearsal.sigstore_keys import Holder, chain, identifier, key, public

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.rehearsal.store import Store

__all__ = [
    "FAULTS",
    "RELEASE_MANAGER",
    "section",
    "seed",
    "sign_in",
    "token_file",
    "trust_file",
    "write_token",
]

FAULTS: Final = {
    **rekor.FAULTS,
    "sigstore.foreign_identity": (
        "the release manager logged in at Google, not at GitHub, or as the person in the argument"
    ),
    "sigstore.certificate_ahead": "a certificate is good from an hour after it was asked for",
    "sigstore.expired_token": "the release manager logged in too long ago",
}

RELEASE_MANAGER: Final = Account("rm@example.org", GITHUB)
"""Who is to sign."""

_LASTS: Final = timedelta(days=1)
_AGO: Final = timedelta(hours=1)
_OPERATOR: Final = "sigstore.rehearsal"
_MEDIA: Final = "application/vnd.dev.sigstore"


def trust_file(store: Store) -> Path:
    """What the client is to trust and to ask, as a ClientTrustConfig in JSON."""
    return store.folder.parent / "sigstore_trust.json"


def token_file(store: Store) -> Path:
    """The token of whoever signed in; only its owner may read it."""
    return store.folder.parent / "secrets" / "sigstore"


def seed(store: Store, addresses: Mapping[str, str]) -> None:
    """The trust file names the keys of this environment, which stay, and the present addresses."""
    trust = json.dumps(_trust(store, addresses["fulcio"], addresses["rekor"]), indent=1)
    write_whole(trust_file(store), trust.encode())


def sign_in(store: Store) -> None:
    """The token file holds a token of the release manager for a day, unless a fault is pending."""
    other = store.fault("sigstore.foreign_identity")
    ago = store.fault("sigstore.expired_token") is not None
    if other is None:
        account = RELEASE_MANAGER
    else:
        account = Account(other) if other else Account(RELEASE_MANAGER.email, GOOGLE)
    now = datetime.now(UTC)  # noqa: TID251 - the simulated side
    write_token(store, account, now - _AGO if ago else now + _LASTS)


def write_token(store: Store, account: Account, until: datetime) -> None:
    """The token file holds a token of this account that is good until then."""
    write_whole(token_file(store), f"{token(store, account, until)}\n".encode(), mode=0o600)


def section(store: Store) -> str:
    """Every entry of the transparency log, newest first."""
    known = rekor.entries(store)
    if not known:
        return "<section><h2>Transparency log</h2><p>Nothing was signed.</p></section>"
    rows = "".join(
        f"<tr><td><code>{escape(each['digest'])}</code></td>"
        f"<td>{escape(each['identity'])}<br>{escape(each['issuer'])}</td>"
        f"<td>{datetime.fromtimestamp(each['integratedTime'], UTC):%Y-%m-%d %H:%M:%S}</td></tr>"
        for each in reversed(known)
    )
    head = "<tr><th>sha256</th><th>signed by</th><th>at</th></tr>"
    table = f'<div class="long"><table>{head}{rows}</table></div>'
    return f"<section><h2>Transparency log ({len(known)})</h2>{table}</section>"


def _trust(store: Store, fulcio: str, rekor: str) -> dict[str, Any]:
    authorities = chain(store)
    since = {"start": f"{authorities[-1].not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"}
    raw = [each.public_bytes(serialization.Encoding.DER) for each in authorities]
    authority = {
        "subject": {"organization": _OPERATOR, "commonName": "sigstore"},
        "uri": fulcio,
        "certChain": {"certificates": [{"rawBytes": _text(each)} for each in raw]},
        "validFor": since,
    }
    trusted = {
        "mediaType": f"{_MEDIA}.trustedroot+json;version=0.1",
        "tlogs": [_log(store, Holder.LOG, rekor, since)],
        "certificateAuthorities": [authority],
        "ctlogs": [_log(store, Holder.CERTIFICATE_LOG, f"{fulcio}/ct", since)],
        "timestampAuthorities": [],
    }
    signing = {
        "mediaType": f"{_MEDIA}.signingconfig.v0.2+json",
        "caUrls": [_service(fulcio, since)],
        # Nobody answers there: who has no token is not sent to the real provider.
        "oidcUrls": [_service(f"{fulcio}/auth", since)],
        "rekorTlogUrls": [_service(rekor, since)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [],
    }
    return {
        "mediaType": f"{_MEDIA}.clienttrustconfig.v0.1+json",
        "trustedRoot": trusted,
        "signingConfig": signing,
    }


def _log(store: Store, holder: Holder, address: str, since: dict[str, str]) -> dict[str, Any]:
    own = key(store, holder)
    return {
        "baseUrl": address,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _text(public(own)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": since,
        },
        "logId": {"keyId": _text(identifier(own))},
    }


def _service(address: str, since: dict[str, str]) -> dict[str, Any]:
    return {"url": address, "majorApiVersion": 1, "validFor": since, "operator": _OPERATOR}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
