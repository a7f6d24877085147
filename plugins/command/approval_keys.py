"""The approval keys of a Python release: the keyring that release.toml names, over gpg."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Signed, Validity
from plugins.ports.signing import Verdict
from plugins.services.gnupg_signer import GnupgKeyring, GnupgSigner

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["KeyringOfApprovals"]

_VALIDITIES: Final = {
    Verdict.GOOD: Validity.GOOD,
    Verdict.EXPIRED: Validity.EXPIRED_KEY,
    Verdict.REVOKED: Validity.UNKNOWN_KEY,
    Verdict.OTHER_KEY: Validity.UNKNOWN_KEY,
    Verdict.UNKNOWN_KEY: Validity.UNKNOWN_KEY,
    Verdict.OTHER_BYTES: Validity.BAD_SIGNATURE,
    Verdict.UNREADABLE: Validity.BAD_SIGNATURE,
    Verdict.MISSING: Validity.BAD_SIGNATURE,
}


class KeyringOfApprovals:
    """ApprovalKeys over one GnuPG home."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._keyring = GnupgKeyring(home)

    def sign(self, statement: bytes, keys: Sequence[str]) -> tuple[str, bytes]:
        """The first of these keys whose secret key is here, and its signature of the statement.

        Raises ServiceFailed if it cannot sign.
        """
        held = self._keyring.keys()
        here = {key.fingerprint for key in held if key.secret}
        signer = GnupgSigner(self._home, next((key for key in keys if key in here), keys[0]))
        with tempfile.TemporaryDirectory() as room:
            file, signature = Path(room) / "statement", Path(room) / "signature"
            file.write_bytes(statement)
            signer.sign(file, signature)
            return signer.fingerprint, signature.read_bytes()

    def verify(self, statement: bytes, signature: bytes, keys: Collection[str]) -> Signed:
        """Judge a detached signature that exactly one of these keys has to have made."""
        # Copies of our own, which nobody else can write: the bytes that are judged are those given.
        with tempfile.TemporaryDirectory() as room:
            file, beside = Path(room) / "statement", Path(room) / "signature"
            file.write_bytes(statement)
            beside.write_bytes(signature)
            found = self._keyring.verify_by(file, beside, keys)
        return Signed(_VALIDITIES[found.verdict], found.fingerprint, found.problem)
