"""Envelope: a signed statement as it is kept in a file, in DSSE inside a Sigstore bundle.

Read here without judging its signature, and strictly: what is not verified must not be there.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any, Final

from doit_receipts.frozen import frozen
from plugins.model.bundle_fields import check_fields, raw_bytes, trim
from plugins.model.statement import MOST_BYTES as MOST_PAYLOAD_BYTES
from plugins.model.statement import PAYLOAD_TYPE
from plugins.model.strict_json import BrokenJson, canonical, only_keys, read_object

__all__ = ["MOST_BYTES", "Envelope", "as_kept", "read_envelope"]

MOST_BYTES: Final = MOST_PAYLOAD_BYTES * 4 // 3 + 64 * 1024
"""A bundle is its payload in base64, and about 6 KB beside it."""
_MOST_SIGNATURE: Final = 4096
_CONTENTS: Final = {"messageSignature", "dsseEnvelope"}


@frozen
class Envelope:
    """What the envelope holds; nothing of it is to be believed before it was verified."""

    payload: bytes
    signature: bytes
    log_index: int
    """Where the public log has it."""
    logged_s: int
    """When it came there, in seconds of the epoch; 0 where the log does not say."""

    @property
    def sha256(self) -> str:
        """The sha256 of the payload, which Sigstore's log knows the entry by."""
        return sha256(self.payload).hexdigest()


def as_kept(bundle: bytes) -> bytes:
    """The bundle as we write it into a file: one line of canonical JSON, only known fields.

    Raises BrokenJson for one that cannot be written so.
    """
    read_envelope(bundle, ours=False)
    found = read_object(bundle, MOST_BYTES, spelled=False)
    trim(found)
    kept = canonical(found)
    read_envelope(kept)
    return kept


def read_envelope(bundle: bytes, *, ours: bool = True) -> Envelope:
    """The envelope inside a Sigstore bundle. Raises BrokenJson, whose text says what is wrong.

    A bundle of a file's signature has none. A second signature, an id of a key, another type of
    payload and base64 with anything beside its alphabet are refused; with ``ours`` also each
    other spelling than that of ``as_kept``, and each field that no client verifies.
    """
    found = read_object(bundle, MOST_BYTES, spelled=ours)
    if ours:
        check_fields(found)
    envelope = found.get("dsseEnvelope")
    if not isinstance(envelope, dict) or len(_CONTENTS & found.keys()) > 1:
        message = "holds no statement in a DSSE envelope"
        raise BrokenJson(message)
    only_keys(envelope, {"payload", "payloadType", "signatures"}, "the envelope")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        message = f"has a payload of another type than {PAYLOAD_TYPE}"
        raise BrokenJson(message)
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        message = "does not have exactly one signature"
        raise BrokenJson(message)
    (signature,) = signatures
    if not isinstance(signature, dict) or signature.get("keyid", "") not in ("", None):
        message = "has a signature that names its key, as those of Sigstore do not"
        raise BrokenJson(message)
    only_keys({**signature, "keyid": ""}, {"sig", "keyid"}, "the signature")
    raw = raw_bytes(signature["sig"], "signature")
    if not 0 < len(raw) <= _MOST_SIGNATURE:
        message = (
            "has an empty signature" if not raw else "has a signature of more than 4,096 bytes"
        )
        raise BrokenJson(message)
    index, logged_s = _logged(found)
    return Envelope(raw_bytes(envelope["payload"], "payload"), raw, index, logged_s)


def _logged(found: dict[str, Any]) -> tuple[int, int]:
    """The index and the time of the log's one entry."""
    try:
        (entry,) = found["verificationMaterial"]["tlogEntries"]
        numbers = str(entry["logIndex"]), str(entry.get("integratedTime", "0"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = "does not have exactly one entry of a log"
        raise BrokenJson(message) from error
    if not all(re.fullmatch(r"[0-9]{1,18}", number) for number in numbers):
        message = "has an entry of a log with a bad index or time"
        raise BrokenJson(message)
    return int(numbers[0]), int(numbers[1])
