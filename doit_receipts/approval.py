"""Approval: a person's green light for one task, bound to the exact bytes that it is about.

A statement is canonical JSON with a detached OpenPGP signature beside it. It holds no clock:
the signature has its own.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["Approval", "ApprovalKeys", "BrokenApproval", "Judgement", "Signed", "Validity"]

_FORMAT: Final = 1
_SHA256: Final = r"[0-9a-f]{64}"


class BrokenApproval(StepFailed):
    """A file where an approval should be, which is not a valid one."""


class Validity(Enum):
    """What an approval is worth; only GOOD opens the gate."""

    GOOD = "good"
    ABSENT = "absent"
    OTHER_BYTES = "other bytes"
    """Given for something that has changed since, or for another task or version."""
    UNKNOWN_KEY = "unknown key"
    EXPIRED_KEY = "expired key"
    BAD_SIGNATURE = "bad signature"


@frozen
class Approval:
    """What a person says: ``subject`` is the sha256 of what was looked at."""

    task: str
    version: str
    subject: str
    by: str
    note: str = ""

    def to_bytes(self) -> bytes:
        """The statement's bytes: the same words give the same bytes on any machine."""
        content = {
            "format": _FORMAT,
            "task": self.task,
            "version": self.version,
            "subject": self.subject,
            "by": self.by,
            "note": self.note,
        }
        return json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, raw: bytes, where: str) -> Approval:
        """Read a statement back. Raises BrokenApproval if it is not byte for byte canonical."""
        found = cls._read(raw)
        if found is None or found.to_bytes() != raw:
            raise BrokenApproval(
                where=where,
                problem="not an approval that this version of the tool wrote",
                remedy="delete it and have it given again",
            )
        return found

    @classmethod
    def _read(cls, raw: bytes) -> Approval | None:
        try:
            content = json.loads(raw)
            known = content.pop("format") == _FORMAT
            whole = all(isinstance(each, str) for each in content.values())
            found = cls(**content)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        return found if known and whole and re.fullmatch(_SHA256, found.subject) else None


@frozen
class Judgement:
    """What an approval turned out to be, in one line; ``fingerprint`` is the key that gave it."""

    validity: Validity
    reason: str
    fingerprint: str = ""
    approval: Approval | None = None

    @property
    def is_good(self) -> bool:
        """Whether the gate may open."""
        return self.validity is Validity.GOOD


@frozen
class Signed:
    """What a signature turned out to be: by whose key, and what is wrong with it, if anything."""

    validity: Validity
    fingerprint: str = ""
    problem: str = ""


class ApprovalKeys(Protocol):
    """Whoever can sign and verify for the people of a roster, which names full fingerprints."""

    def sign(self, statement: bytes, keys: Sequence[str]) -> tuple[str, bytes]:
        """The first of these keys whose secret half is here, and its signature of the statement.

        The signature is detached, and was verified. Raises ReleaseError if none can sign.
        """
        ...

    def verify(self, statement: bytes, signature: bytes, keys: Collection[str]) -> Signed:
        """Judge a detached signature that exactly one of these keys has to have made."""
        ...
