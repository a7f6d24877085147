"""Fields of a Sigstore bundle of a statement: which there are, and the one spelling of each.

A client reads more spellings of base64 and of numbers than one, and skips signature lines of a
checkpoint that it does not need. What it skips it does not verify, so that is refused here.
"""

from __future__ import annotations

import base64
import binascii
import re
from enum import Enum
from typing import Any, Final

from plugins.model.strict_json import BrokenJson, only_keys

__all__ = ["KIND", "check_fields", "raw_bytes", "trim"]

KIND: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"


class _Is(Enum):
    BYTES = "canonical base64"
    NUMBER = "a number in decimal digits"
    NOTE = "a checkpoint with the log's own signature alone"
    TEXT = "a text"


_FIELDS: Final[dict[str, Any]] = {
    "mediaType": _Is.TEXT,
    "verificationMaterial": {
        "certificate": {"rawBytes": _Is.BYTES},
        "timestampVerificationData": {"rfc3161Timestamps": {"signedTimestamp": _Is.BYTES}},
        "tlogEntries": {
            "canonicalizedBody": _Is.BYTES,
            "inclusionPromise": {"signedEntryTimestamp": _Is.BYTES},
            "inclusionProof": {
                "checkpoint": {"envelope": _Is.NOTE},
                "hashes": _Is.BYTES,
                "logIndex": _Is.NUMBER,
                "rootHash": _Is.BYTES,
                "treeSize": _Is.NUMBER,
            },
            "integratedTime": _Is.NUMBER,
            "kindVersion": {"kind": _Is.TEXT, "version": _Is.TEXT},
            "logId": {"keyId": _Is.BYTES},
            "logIndex": _Is.NUMBER,
        },
    },
    "dsseEnvelope": {
        "payload": _Is.BYTES,
        "payloadType": _Is.TEXT,
        "signatures": {"sig": _Is.BYTES},
    },
}
"""Every field that a bundle of this kind may have, all of which a client verifies.

Source: sigstore/protobuf-specs, sigstore_bundle.proto and sigstore_rekor.proto.
"""
_LISTS: Final = frozenset({"hashes", "rfc3161Timestamps", "signatures", "tlogEntries"})
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NOTE: Final = re.compile(
    r"(?P<name>[!-~]+)(?P<rest> [ -~]+)?\n[0-9]+\n[A-Za-z0-9+/=]+\n(?:[ -~]+\n)*"
    "\n\N{EM DASH} (?P=name) (?P<signature>[A-Za-z0-9+/=]+)\n"
)
"""Source: the format of Go's sumdb/note; the log's origin begins with the name of its key."""


def check_fields(bundle: dict[str, Any]) -> None:
    """The bundle is of the present kind, with known fields alone, each in its one spelling.

    Raises BrokenJson.
    """
    if bundle.get("mediaType") != KIND:
        message = f"is not of the kind {KIND}"
        raise BrokenJson(message)
    _check(bundle, _FIELDS, "the bundle")


def trim(bundle: dict[str, Any]) -> None:
    """Nothing is left in it that no client verifies: ids of keys, signatures of witnesses.

    Raises BrokenJson for a bundle of another form.
    """
    try:
        bundle["dsseEnvelope"]["signatures"][0].pop("keyid", None)
        (entry,) = bundle["verificationMaterial"]["tlogEntries"]
        checkpoint = entry["inclusionProof"]["checkpoint"]
        note, gap, lines = checkpoint["envelope"].partition("\n\n")
        name = note.split()[0] if note.split() else ""
        own = [line for line in lines.splitlines() if line.startswith(f"\N{EM DASH} {name} ")]
        checkpoint["envelope"] = f"{note}{gap}{own[0]}\n"
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        message = "has no proof of its entry in the log"
        raise BrokenJson(message) from error


def raw_bytes(text: Any, what: str) -> bytes:
    """The bytes that the base64 spells, which has one spelling. Raises BrokenJson."""
    try:
        raw = base64.b64decode(text, validate=True)
        same = base64.b64encode(raw).decode() == text
    except (TypeError, ValueError, binascii.Error):
        same, raw = False, b""
    if not same:
        message = f"has a {what} that is not canonical base64"
        raise BrokenJson(message)
    return raw


def _check(found: Any, wanted: Any, what: str) -> None:
    if isinstance(found, list) is not (what in _LISTS):
        message = f"has {what} in another form"
        raise BrokenJson(message)
    for part in found if isinstance(found, list) else [found]:
        if isinstance(wanted, _Is):
            _spelled(part, wanted, what)
        elif isinstance(part, dict):
            only_keys(part, part.keys() & wanted.keys(), what)
            for key, value in part.items():
                _check(value, wanted[key], key)
        else:
            message = f"has {what} in another form"
            raise BrokenJson(message)


def _spelled(text: Any, wanted: _Is, what: str) -> None:
    good = isinstance(text, str) and len(text) > 0
    if good and wanted is _Is.BYTES:
        raw_bytes(text, what)
    elif good and wanted is _Is.NUMBER:
        good = _NUMBER.fullmatch(text) is not None
    elif good and wanted is _Is.NOTE:
        note = _NOTE.fullmatch(text)
        good = note is not None
        if note is not None:
            raw_bytes(note["signature"], what)
    if not good:
        message = f"has a {what} that is not {wanted.value}"
        raise BrokenJson(message)
