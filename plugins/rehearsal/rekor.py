"""Simulated Rekor: the transparency log (version 1), where each signature is public.

The document ``rekor`` holds its entries, oldest first. Entries are of the kind ``hashedrekord``:
a digest, a signature of it and the certificate of the key; or of the kind ``dsse``: the digests of
an envelope and of its payload, its signature and the certificate of the key.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.rehearsal import merkle, rekor_dsse
from plugins.rehearsal.fulcio import ISSUER_OID
from plugins.rehearsal.sigstore_keys import Holder, identifier, key, pem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

    Handler = Callable[[Request], Awaitable[Response]]

__all__ = ["FAULTS", "app", "entries"]

FAULTS: Final = {
    "sigstore.503": "the transparency log answers with status 503 and has done nothing",
    "sigstore.slow": "the log stores an entry, and answers after the seconds in the argument (60)",
    "sigstore.drop_after_write": "the log stores an entry and drops the connection unanswered",
}
_HOST: Final = "rekor.rehearsal"
_EARLIER: Final = 4_000_000
"""How many entries earlier trees of the log hold: an entry's index is not its place in the tree."""

_NEVER_S: Final = 60
_MOST_SOUGHT: Final = 10
_DIGEST_BYTES: Final = 32
_TAG_AND_LENGTH: Final = 2


def app(store: Store) -> Starlette:
    """The log over the entries that the store remembers."""
    log = _Log(store)
    top = "/api/v1"
    routes = (
        ("GET", top + "/log", log.state),
        ("GET", top + "/log/publicKey", log.key),
        ("GET", top + "/log/entries", log.by_index),
        ("POST", top + "/log/entries", log.add),
        ("POST", top + "/log/entries/retrieve", log.search),
        ("POST", top + "/log/entries/retrieve/", log.search),
        ("GET", top + "/log/entries/{uuid}", log.by_uuid),
        ("POST", top + "/index/retrieve", log.find),
    )
    return Starlette(
        routes=[
            Route(path, log.guarded(handler), methods=[method]) for method, path, handler in routes
        ]
    )


def entries(store: Store) -> list[dict[str, Any]]:
    """What was signed by whom: ``digest``, ``identity``, ``issuer`` and ``integratedTime``."""
    found: list[dict[str, Any]] = store.load("rekor", [])
    return found


class _Log:
    def __init__(self, store: Store) -> None:
        self._store = store
        own = key(store, Holder.LOG)
        self._id = identifier(own)
        self._tree = int.from_bytes(self._id[:8]) >> 1

    def guarded(self, handler: Handler) -> Handler:
        """The handler, when the log is up."""

        async def answer(request: Request) -> Response:
            if self._store.fault("sigstore.503") is not None:
                return Response("Service Unavailable", 503)
            return await handler(request)

        return answer

    async def add(self, request: Request) -> Response:
        try:
            entry = _fit(json.loads(await request.body()))
        except (ValueError, KeyError, TypeError) as error:
            return _problem(400, f"error processing entry: {error}")
        entry["uuid"] = f"{self._tree:016x}{merkle.leaf(_body(entry)).hex()}"
        where = f"/api/v1/log/entries/{entry['uuid']}"
        known = entries(self._store)
        if any(each["uuid"] == entry["uuid"] for each in known):
            problem = "an equivalent entry already exists in the transparency log with UUID"
            answer = _problem(409, f"{problem} {entry['uuid']}")
            answer.headers["location"] = where
            return answer
        now = datetime.now(UTC)  # noqa: TID251 - the simulated side
        known.append({**entry, "integratedTime": int(now.timestamp())})
        self._store.save("rekor", known)
        self._store.record("rekor", "logged", digest=entry["digest"], identity=entry["identity"])
        if self._store.fault("sigstore.drop_after_write") is not None:
            request.scope["hang_up"]()
        slow = self._store.fault("sigstore.slow")
        if slow is not None:
            await asyncio.sleep(min(float(slow or _NEVER_S), _NEVER_S))
        head = {"location": where, "etag": entry["uuid"]}
        return JSONResponse(self._shown(known, len(known) - 1), 201, head)

    async def by_index(self, request: Request) -> Response:
        index = request.query_params.get("logIndex", "")
        if not index.isdecimal():
            return _problem(422, "logIndex in query is required")
        return self._one(lambda place, _: place + _EARLIER == int(index))

    async def by_uuid(self, request: Request) -> Response:
        uuid = request.path_params["uuid"]
        return self._one(lambda _, entry: entry["uuid"].endswith(uuid.lower()[-64:]))

    async def search(self, request: Request) -> Response:
        """Those of the ``entryUUIDs``, ``logIndexes`` or complete ``entries`` that the log has."""
        asked = await request.json()
        if any(len(each) > _MOST_SOUGHT for each in asked.values()):
            return _problem(422, f"more than {_MOST_SOUGHT} are asked for")
        try:
            bodies = {_canonical(_fit(each)["body"]) for each in asked.get("entries") or ()}
        except (ValueError, KeyError, TypeError) as error:
            return _problem(400, f"error processing entry: {error}")
        uuids = {each.lower()[-64:] for each in asked.get("entryUUIDs") or ()}
        indexes = set(asked.get("logIndexes") or ())
        known = entries(self._store)
        return JSONResponse(
            [
                self._shown(known, place)
                for place, entry in enumerate(known)
                if _body(entry) in bodies
                or entry["uuid"][-64:] in uuids
                or place + _EARLIER in indexes
            ]
        )

    async def find(self, request: Request) -> Response:
        """The UUIDs of entries by ``hash``, as ``sha256:...``, or by ``email``."""
        asked = await request.json()
        digest, email = asked.get("hash", ""), asked.get("email", "")
        if not digest and not email:
            return _problem(400, "at least one of hash and email is required")
        return JSONResponse(
            [
                entry["uuid"]
                for entry in entries(self._store)
                if f"sha256:{entry['digest']}" == digest.lower()
                or (email and entry["identity"] == email)
            ]
        )

    async def state(self, _request: Request) -> Response:
        leaves = _leaves(entries(self._store))
        return JSONResponse(
            {"treeID": str(self._tree), "treeSize": len(leaves), "rootHash": _root(leaves),
             "signedTreeHead": self._checkpoint(leaves), "inactiveShards": []}
        )  # fmt: skip

    async def key(self, _request: Request) -> Response:
        public = key(self._store, Holder.LOG).public_key()
        text = public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return Response(text, media_type="application/x-pem-file")

    def _one(self, wanted: Callable[[int, dict[str, Any]], bool]) -> Response:
        known = entries(self._store)
        for place, entry in enumerate(known):
            if wanted(place, entry):
                return JSONResponse(self._shown(known, place))
        return _problem(404, "entry not found")

    def _shown(self, known: list[dict[str, Any]], place: int) -> dict[str, Any]:
        """The entry at this place with all that proves that the log has it, as of now."""
        entry = known[place]
        leaves = _leaves(known)
        content = {
            "body": base64.b64encode(_body(entry)).decode(),
            "integratedTime": entry["integratedTime"],
            "logID": self._id.hex(),
            "logIndex": place + _EARLIER,
        }
        proof = {
            "checkpoint": self._checkpoint(leaves),
            "hashes": [each.hex() for each in merkle.proof(leaves, place)],
            "logIndex": place,
            "rootHash": _root(leaves),
            "treeSize": len(leaves),
        }
        promise = base64.b64encode(self._signed(_canonical(content))).decode()
        proven = {"inclusionProof": proof, "signedEntryTimestamp": promise}
        return {entry["uuid"]: {**content, "verification": proven}}

    def _checkpoint(self, leaves: list[bytes]) -> str:
        """The tree as it is now, in a signed note. Source: the format of Go's sumdb/note."""
        root = base64.b64encode(merkle.root(leaves)).decode()
        note = f"{_HOST} - {self._tree}\n{len(leaves)}\n{root}\n"
        signature = base64.b64encode(self._id[:4] + self._signed(note.encode())).decode()
        return f"{note}\n\N{EM DASH} {_HOST} {signature}\n"

    def _signed(self, content: bytes) -> bytes:
        return key(self._store, Holder.LOG).sign(content, ec.ECDSA(hashes.SHA256()))


def _fit(asked: dict[str, Any]) -> dict[str, Any]:
    """What the log keeps of a proposed entry. Raises ValueError for one that proves nothing."""
    kind, version = asked["kind"], asked["apiVersion"]
    if (kind, version) == ("dsse", "0.0.1"):
        body, digest, certificate = rekor_dsse.fit(asked["spec"])
        identity, issuer = _identity(certificate)
        return {"body": body, "digest": digest, "identity": identity, "issuer": issuer}
    if (kind, version) != ("hashedrekord", "0.0.1"):
        message = f"{kind} {version} is not a kind of entry that is kept here"
        raise ValueError(message)
    signature = asked["spec"]["signature"]
    digest = asked["spec"]["data"]["hash"]
    value = bytes.fromhex(digest["value"])
    if digest["algorithm"] != "sha256" or len(value) != _DIGEST_BYTES:
        message = "the hash is not of the kind sha256"
        raise ValueError(message)
    certificate = x509.load_pem_x509_certificate(_decoded(signature["publicKey"]["content"]))
    public = certificate.public_key()
    content = _decoded(signature["content"])
    if not isinstance(public, ec.EllipticCurvePublicKey):
        message = "the key is not on an elliptic curve"
        raise TypeError(message)
    try:
        public.verify(content, value, ec.ECDSA(Prehashed(hashes.SHA256())))
    except InvalidSignature as error:
        message = "invalid signature when validating ASN.1 encoded signature"
        raise ValueError(message) from error
    whose = base64.b64encode(pem(certificate).encode()).decode()
    body = {
        "apiVersion": version,
        "kind": kind,
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": value.hex()}},
            "signature": {
                "content": base64.b64encode(content).decode(), "publicKey": {"content": whose},
            },
        },
    }  # fmt: skip
    identity, issuer = _identity(certificate)
    return {"body": body, "digest": value.hex(), "identity": identity, "issuer": issuer}


def _identity(certificate: x509.Certificate) -> tuple[str, str]:
    """The address and who knows it; "" and "" for a certificate that says neither."""
    names, issuer = [], ""
    for each in certificate.extensions:
        if isinstance(each.value, x509.SubjectAlternativeName):
            names = [str(name.value) for name in each.value]
        elif isinstance(each.value, x509.UnrecognizedExtension) and each.oid == ISSUER_OID:
            issuer = each.value.value[_TAG_AND_LENGTH:].decode(errors="replace")
    return ", ".join(names), issuer


def _body(entry: dict[str, Any]) -> bytes:
    return _canonical(entry["body"])


def _canonical(part: dict[str, Any]) -> bytes:
    """As RFC 8785 writes what holds but text in ASCII, whole numbers and tables."""
    return json.dumps(part, sort_keys=True, separators=(",", ":")).encode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _leaves(known: Iterable[dict[str, Any]]) -> list[bytes]:
    return [merkle.leaf(_body(entry)) for entry in known]


def _root(leaves: list[bytes]) -> str:
    return merkle.root(leaves).hex()


def _problem(status: int, message: str) -> Response:
    return JSONResponse({"code": status, "message": message}, status)
