"""Statement: what somebody says of files that are known by their digests (in-toto, version 1).

It travels in a DSSE envelope, and that in a Sigstore bundle; see plugins.model.envelope and
plugins.ports.statements.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable
from plugins.model.strict_json import BrokenJson, canonical, only_keys, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_BYTES", "PAYLOAD_TYPE", "STATEMENT_TYPE", "Statement", "Subject", "read_statement"]

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MOST_BYTES: Final = 512 * 1024
"""Far more than the statements of a release take: 40 KB for eighty files."""
_MOST_SUBJECTS: Final = 2000
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.+-]*(?:/[A-Za-z0-9][\w.+-]*){0,8}", re.ASCII)
_LONGEST_NAME: Final = 300
_URI: Final = re.compile(r"https://[a-z0-9.-]+/[A-Za-z0-9._~/-]+")
_LONGEST_URI: Final = 300


@frozen(order=True)
class Subject:
    """A file that a statement is about."""

    name: str
    """Its name, or its path below the root of the downloads."""
    sha256: str


@frozen
class Statement:
    """One predicate about one or more files."""

    subjects: tuple[Subject, ...]
    """Sorted by name; no name twice."""
    predicate_type: str
    predicate: Mapping[str, Any]
    """Of text, whole numbers, booleans, lists and tables with keys in ASCII."""

    def payload(self) -> bytes:
        """The bytes that are signed: the same statement always gives the same."""
        return canonical(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"digest": {"sha256": subject.sha256}, "name": subject.name}
                    for subject in sorted(self.subjects)
                ],
                "predicateType": self.predicate_type,
                "predicate": dict(self.predicate),
            }
        )

    def digest_of(self, name: str) -> str:
        """The sha256 that it states of the file with this name; "" if it is not about it."""
        return next((each.sha256 for each in self.subjects if each.name == name), "")


def read_statement(payload: bytes, *, ours: bool = True) -> Statement:
    """The statement that these bytes are. Raises BrokenJson, whose text says what is wrong.

    With ``ours`` only the spelling and order that ``Statement.payload`` writes is accepted. Tools
    of others spell as they like, and give more digests of a subject than its sha256; what two
    readers could read differently is refused all the same.
    """
    found = read_object(payload, MOST_BYTES, spelled=ours)
    only_keys(found, {"_type", "subject", "predicateType", "predicate"}, "the statement")
    if found["_type"] != STATEMENT_TYPE:
        message = f"is not a statement of the kind {STATEMENT_TYPE}"
        raise BrokenJson(message)
    kind, predicate = found["predicateType"], found["predicate"]
    if not isinstance(kind, str) or len(kind) > _LONGEST_URI or not _URI.fullmatch(kind):
        message = "has a predicateType that is not an https address"
        raise BrokenJson(message)
    if not isinstance(predicate, dict):
        message = "has a predicate that is not an object"
        raise BrokenJson(message)
    return Statement(_subjects(found["subject"], ours=ours), kind, predicate)


def _subjects(listed: Any, *, ours: bool) -> tuple[Subject, ...]:
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_SUBJECTS:
        message = f"is not about 1 to {_MOST_SUBJECTS:,} files"
        raise BrokenJson(message)
    subjects = tuple(_subject(entry, ours=ours) for entry in listed)
    names = [subject.name for subject in subjects]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        message = f"names {twice} twice"
        raise BrokenJson(message)
    if ours and names != sorted(names):
        message = "does not list its files by name"
        raise BrokenJson(message)
    return subjects


def _subject(entry: Any, *, ours: bool) -> Subject:
    if not isinstance(entry, dict):
        message = "has a subject that is not an object"
        raise BrokenJson(message)
    only_keys(entry, {"name", "digest"}, "a subject")
    name, digests = entry["name"], entry["digest"]
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        message = f"has a subject with a bad name: {printable(str(name))[:80]}"
        raise BrokenJson(message)
    if not isinstance(digests, dict):
        message = f"gives no digest of {name}"
        raise BrokenJson(message)
    if ours:
        only_keys(digests, {"sha256"}, f"the digests of {name}")
    digest = digests.get("sha256")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        message = f"gives no sha256 of {name} in 64 small hexadecimal digits"
        raise BrokenJson(message)
    return Subject(name, digest)
