"""GnuPG: approvals signed and verified by gpg, without another package.

Nothing here reads what gpg says to people: its status lines (doc/DETAILS in GnuPG) are for
programs and do not change with the language.
"""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING, Final

from doit_receipts.approval import Signed, Validity
from doit_receipts.errors import ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

__all__ = ["GnuPG"]

_PERSON_S: Final = 300.0
"""How long a person has to find the card and type the passphrase."""
_PROGRAM_S: Final = 60.0
_OPTIONS: Final = (
    "gpg", "--batch", "--no-options", "--no-auto-key-retrieve", "--disable-dirmngr",
    "--trust-model", "always",
)  # fmt: skip
# Fields of VALIDSIG; the last is the fingerprint of the primary key, whichever subkey signed.
_DIGEST, _CLASS, _MAKER = 7, 8, 9
_WEAK_DIGESTS: Final = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}
_OF_BYTES: Final = "00"
_REFUSED: Final = {
    "NO_PUBKEY": (Validity.UNKNOWN_KEY, "by a key that is not in the keyring"),
    "BADSIG": (Validity.BAD_SIGNATURE, "of other bytes"),
    "EXPKEYSIG": (Validity.EXPIRED_KEY, "by a key that has expired"),
    "EXPSIG": (Validity.EXPIRED_KEY, "has expired"),
    "REVKEYSIG": (Validity.UNKNOWN_KEY, "by a key that was revoked"),
}


class GnuPG:
    """The ApprovalKeys of one GnuPG home; None is the home that gpg itself takes."""

    def __init__(self, home: Path | None = None) -> None:
        self._home = () if home is None else ("--homedir", str(home))

    def sign(self, statement: bytes, keys: Sequence[str]) -> tuple[str, bytes]:
        """The first of these keys whose secret half is here, and its signature of the statement.

        Raises ServiceFailed if none can sign.
        """
        said = "the roster names no key"
        for key in keys:
            words = ("--armor", "--local-user", key, "--detach-sign")
            ended = self._run("sign", *words, stdin=statement, limit_s=_PERSON_S)
            if ended.returncode == 0 and self.verify(statement, ended.stdout, [key]).problem == "":
                return key, ended.stdout
            said = ended.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ServiceFailed(
            service="gpg",
            action="sign",
            problem=said.removeprefix("gpg: "),
            remedy=f"gpg --list-secret-keys has to show one of {', '.join(keys)}",
        )

    def verify(self, statement: bytes, signature: bytes, keys: Collection[str]) -> Signed:
        """Judge a detached signature that exactly one of these keys has to have made."""
        with tempfile.NamedTemporaryFile(suffix=".asc") as file:
            file.write(signature)
            file.flush()
            ended = self._run(
                "verify", "--status-fd", "1", "--verify", file.name, "-", stdin=statement,
                limit_s=_PROGRAM_S,
            )  # fmt: skip
        lines = [
            line.removeprefix("[GNUPG:] ").split()
            for line in ended.stdout.decode(errors="replace").splitlines()
            if line.startswith("[GNUPG:] ")
        ]
        for word, *_ in lines:
            if word in _REFUSED:
                validity, problem = _REFUSED[word]
                return Signed(validity, problem=problem)
        made = [rest for word, *rest in lines if word == "VALIDSIG" and len(rest) > _MAKER]
        if ended.returncode != 0 or len(made) != 1:
            return Signed(Validity.BAD_SIGNATURE, problem="not one signature that gpg can read")
        weak = _WEAK_DIGESTS.get(made[0][_DIGEST], "")
        if weak or made[0][_CLASS] != _OF_BYTES:
            problem = f"by the weak digest {weak}" if weak else "of text, and not of bytes"
            return Signed(Validity.BAD_SIGNATURE, problem=problem)
        if made[0][_MAKER] not in {each.replace(" ", "").upper() for each in keys}:
            return Signed(
                Validity.UNKNOWN_KEY, made[0][_MAKER], "by a key that is not on the roster"
            )
        return Signed(Validity.GOOD, made[0][_MAKER])

    def _run(
        self, action: str, *words: str, stdin: bytes, limit_s: float
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 - a fixed program and a list of words
                [*_OPTIONS, *self._home, *words],
                input=stdin,
                capture_output=True,
                check=False,
                timeout=limit_s,
            )
        except FileNotFoundError as error:
            raise ServiceFailed(
                service="gpg", action=action, problem="not installed", remedy="install GnuPG"
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ServiceFailed(
                service="gpg",
                action=action,
                problem=f"did not finish within {limit_s:.0f} s",
                remedy="see that the agent and the card answer, then run the same command again",
            ) from error
