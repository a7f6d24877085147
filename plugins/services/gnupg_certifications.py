"""Certifications of an OpenPGP key: who vouched for it, as gpg's own check of signatures says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["certifiers_of"]

# Fields of a record, and classes of signatures. Source: doc/DETAILS of GnuPG; RFC 9580, 5.2.1.
_VALIDITY, _KEY_ID, _EXPIRES, _CLASS, _FINGERPRINT = 1, 4, 6, 10, 12
_CERTIFICATIONS: Final = ("10", "11", "12", "13")
_REVOCATION: Final = "30"


def certifiers_of(listing: str, fingerprint: str, moment: datetime) -> tuple[str, ...]:
    """The other keys that certify this one now, in the listing of it with checked signatures.

    Each by its fingerprint, or by its id where an old certification does not tell more. A
    certification whose maker's key is not in the keyring cannot be checked, and does not count.
    """
    made: dict[str, str] = {}
    taken_back: set[str] = set()
    for record in _good(listing):
        kind = record[_CLASS][:2]
        if kind == _REVOCATION:
            taken_back.add(record[_KEY_ID])
        expires = record[_EXPIRES]
        is_over = expires.isdecimal() and int(expires) <= moment.timestamp()
        if kind in _CERTIFICATIONS and not is_over:
            made[record[_KEY_ID]] = record[_FINGERPRINT] or record[_KEY_ID]
    return tuple(
        maker
        for key_id, maker in made.items()
        if key_id not in taken_back and not fingerprint.endswith(key_id)
    )


def _good(listing: str) -> Iterable[list[str]]:
    for line in listing.splitlines():
        record = [*line.split(":"), *[""] * (_FINGERPRINT + 1)]
        if record[0] in ("sig", "rev") and record[_VALIDITY] == "!":
            yield record
