"""Simulated identity provider: who logged in, as a token that Fulcio accepts."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from doit_receipts.frozen import frozen
from plugins.rehearsal import workflow_identity
from plugins.rehearsal.sigstore_keys import Holder, identifier, key
from plugins.rehearsal.workflow_identity import WorkflowRun

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["GITHUB", "GOOGLE", "ISSUER", "Account", "account_of", "token", "token_of_run"]

ISSUER: Final = "https://oauth2.sigstore.dev/auth"
"""The one provider that the real Fulcio sends people to, and whose tokens name where they went."""

GITHUB: Final = "https://github.com/login/oauth"
GOOGLE: Final = "https://accounts.google.com"

_AUDIENCE: Final = "sigstore"
_SIDE_BYTES: Final = 32


@frozen
class Account:
    """A person's account: their address, and where they proved that it is theirs."""

    email: str
    connector: str = GITHUB


def token(
    store: Store, account: Account, until: datetime, *, audience: str = _AUDIENCE, iss: str = ISSUER
) -> str:
    """A token that says until then that this account signed in a day before that."""
    return _signed(store, {
        "iss": iss,
        "aud": audience,
        "sub": f"rehearsal:{account.email}",
        "email": account.email,
        "email_verified": True,
        "federated_claims": {"connector_id": account.connector, "user_id": "1000"},
        "iat": int((until - timedelta(days=1)).timestamp()),
        "exp": int(until.timestamp()),
    })  # fmt: skip


def token_of_run(store: Store, run: WorkflowRun) -> str:
    """A token that a job of this run gets from GitHub, good for five minutes."""
    now = int(datetime.now(UTC).timestamp())  # noqa: TID251 - the simulated side
    times = {"iat": now, "nbf": now, "exp": now + 300}
    audience = {"iss": workflow_identity.ISSUER, "aud": _AUDIENCE}
    return _signed(store, {**run.claims(), **audience, **times})


def _signed(store: Store, claims: dict[str, Any]) -> str:
    provider = key(store, Holder.PROVIDER)
    head = {"alg": "ES256", "kid": identifier(provider).hex()[:16], "typ": "JWT"}
    signed = f"{_encoded(head)}.{_encoded(claims)}"
    r, s = decode_dss_signature(provider.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    sides = b"".join(side.to_bytes(_SIDE_BYTES) for side in (r, s))
    return f"{signed}.{_text(sides)}"


def account_of(store: Store, token: str) -> Account | WorkflowRun:
    """The account, or the run, that the token names. Raises ValueError if it is not valid."""
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    try:
        claims = json.loads(_bytes(body))
        if json.loads(_bytes(head)).get("alg") != "ES256":
            message = "the algorithm is not ES256"
            raise ValueError(message)
        _verify(store, signed, _bytes(signature))
    except (binascii.Error, AttributeError, UnicodeError, InvalidSignature) as error:
        message = "the token is not one of this provider"
        raise ValueError(message) from error
    problem = _problem(claims)
    if problem:
        raise ValueError(problem)
    if claims["iss"] == workflow_identity.ISSUER:
        try:
            return WorkflowRun.of(claims)
        except (KeyError, AttributeError) as error:
            message = f"the token of the run lacks {error}"
            raise ValueError(message) from error
    # The real one names where a person went, not the provider that sent them there.
    connector = claims.get("federated_claims", {}).get("connector_id") or claims["iss"]
    return Account(claims["email"], connector)


def _problem(claims: dict[str, Any]) -> str:
    now = datetime.now(UTC).timestamp()  # noqa: TID251 - the simulated side
    if claims.get("iss") not in (ISSUER, workflow_identity.ISSUER):
        return f"the issuer is {claims.get('iss')}"
    if claims.get("aud") != _AUDIENCE:
        return f"the audience is {claims.get('aud')}"
    if claims.get("exp", 0) <= now:
        return "the token has expired"
    if claims["iss"] == workflow_identity.ISSUER:
        return ""
    if not claims.get("email") or claims.get("email_verified") is not True:
        return "there is no address that was verified"
    return ""


def _verify(store: Store, signed: str, signature: bytes) -> None:
    sides = (signature[:_SIDE_BYTES], signature[_SIDE_BYTES:])
    r, s = (int.from_bytes(side) for side in sides)
    public = key(store, Holder.PROVIDER).public_key()
    public.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))


def _encoded(part: dict[str, Any]) -> str:
    return _text(json.dumps(part, separators=(",", ":")).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
