"""OpenPGP keys, and the signatures that they make and verify."""

from __future__ import annotations

import shlex
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime
    from pathlib import Path

__all__ = ["Key", "Keyring", "Signature", "Signer", "Verdict", "Verifier"]


@frozen
class Key:
    """An OpenPGP key of the keyring, by its primary key's full fingerprint."""

    fingerprint: str
    user_id: str
    secret: bool
    """Whether a secret key that can sign is at hand, here or on a card."""
    expires: datetime | None
    """When the last part of it that can sign expires; None for never."""
    revoked: bool
    ends: tuple[str, ...] = ("",)
    """What has to be extended for it to last longer: "" for the primary key, and the fingerprints
    of subkeys."""
    home: str = ""
    """The folder of the keyring, for commands; "" for the one that gpg takes by itself."""

    @property
    def extending(self) -> str:
        """The command after which it can sign for another year.

        Source: gpg(1), --quick-set-expire; without a subkey's fingerprint it changes the primary
        key alone, and ``*`` leaves out subkeys that have expired.
        """
        gpg = f"gpg --homedir {shlex.quote(self.home)}" if self.home else "gpg"
        words = (f"{gpg} --quick-set-expire {self.fingerprint} 1y {end}" for end in self.ends)
        return " && ".join(command.rstrip() for command in words)


class Verdict(Enum):
    """What a signature turned out to be."""

    GOOD = "good"
    EXPIRED = "expired"
    """Right in itself, but it or its key has expired since."""
    REVOKED = "revoked"
    OTHER_KEY = "other key"
    """Right in itself, but by a key that was not asked for."""
    UNKNOWN_KEY = "unknown key"
    """By nobody that can be known; of a bundle, what made it is not trusted."""
    OTHER_BYTES = "other bytes"
    UNREADABLE = "unreadable"
    MISSING = "missing"


@frozen
class Signature:
    """A signature that was checked: ``problem`` is "" if and only if it is good.

    ``fingerprint`` is that of the primary key of the maker, "" if it is unknown.
    """

    fingerprint: str
    problem: str
    verdict: Verdict = Verdict.GOOD
    made_s: int = field(default=0, compare=False)
    """When it says that it was made, in seconds of the epoch; 0 where nobody knows."""


class Verifier(Protocol):
    """OpenPGP public keys."""

    def verify_by(self, file: Path, signature: Path, fingerprints: Collection[str]) -> Signature:
        """Check a detached signature that one of these keys, and no other, has to have made.

        Fingerprints are those of primary keys; their subkeys may have signed. A file that is
        missing is a problem, not an error.
        """
        ...


class Keyring(Verifier, Protocol):
    """OpenPGP public keys that can be listed and handed on."""

    def keys(self) -> tuple[Key, ...]:
        """Every key of the keyring."""
        ...

    def exported(self, fingerprint: str) -> bytes:
        """The public key, armoured, for a file; b"" if the keyring does not have it."""
        ...


class Signer(Protocol):
    """OpenPGP over one keyring and one key; the secret key never leaves the agent."""

    @property
    def fingerprint(self) -> str:
        """The full fingerprint of the key that signs."""
        ...

    def keys(self) -> tuple[Key, ...]:
        """Every key of the keyring."""
        ...

    def certifiers(self, moment: datetime) -> tuple[str, ...]:
        """Other keys of the keyring whose good certification of ours holds at the moment."""
        ...

    def sign(self, file: Path, signature: Path) -> None:
        """Write a detached, armoured signature of the file. Raises ServiceFailed.

        The signature exists under its name only after it was verified. Raises StepFailed, and
        signs nothing, where a gate of this run judged the file with other bytes.
        """
        ...

    def verify(self, file: Path, signature: Path) -> Signature:
        """Check a detached signature that this key has to have made; see Verifier."""
        ...
