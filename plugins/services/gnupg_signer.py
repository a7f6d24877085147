"""OpenPGP by gpg: signatures made by the key in its agent, and judged by gpg's status lines.

Nothing here reads what gpg says to people: its status lines (doc/DETAILS in GnuPG) are for
programs and do not change with the language.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import replacing
from doit_receipts.errors import ServiceFailed
from doit_receipts.judged import refuse_unjudged
from doit_receipts.outside import is_held
from doit_receipts.plain_file import open_plain, read_plain
from plugins.model.forms import WrongForm
from plugins.model.forms import fingerprint as full_fingerprint
from plugins.ports.signing import Key, Signature, Verdict
from plugins.services.environment import attended_environment, neutral_environment
from plugins.services.gnupg_certifications import certifiers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

__all__ = ["GnupgKeyring", "GnupgSigner", "keyring_of"]

_SIGNING_TIMEOUT_S: Final = 300.0
_TIMEOUT_S: Final = 120.0
_OPTIONS: Final = (
    "--no-options",  # a person's gpg.conf changes no signature of ours, and no judgement
    "--trust-model", "always",  # trust is by full fingerprint, not by the web of trust
    "--no-auto-check-trustdb", "--no-auto-key-retrieve", "--no-auto-key-locate",
    "--disable-dirmngr",  # no key ever comes from the network
    "--no-permission-warning", "--no-greeting",
)  # fmt: skip
# Source: gpg-error.h; the low half of the number in a FAILURE line.
_SYSTEM_ERROR: Final = 0x8000
_FAILURES: Final = {
    11: ("the passphrase is wrong", "run the same command again"),
    17: ("the secret key is not on this machine", "gpg --list-secret-keys shows those that are"),
    62: ("nobody entered the passphrase in time", "run the same command again"),
    85: ("no pinentry program can ask for the passphrase", ""),
    99: ("the dialogue for the passphrase was cancelled", "run the same command again"),
    108: ("the card was removed", "insert it again, then run the same command again"),
    112: ("no card is inserted", "insert it, then run the same command again"),
    180: ("the dialogue for the passphrase was cancelled", "run the same command again"),
}
_UNLOCK: Final = (
    "unlock the key first, in the same terminal: export GPG_TTY=$(tty); "
    "gpg --local-user {} --detach-sign --output /dev/null /dev/null"
)
# Source: RFC 9580 section 9.5: MD5, SHA-1, RIPEMD-160.
_WEAK_HASHES: Final = {"1": "MD5", "2": "SHA-1", "3": "RIPEMD-160"}


class GnupgKeyring:
    """The public keys in one GnuPG home folder, and what they say of signatures."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._opened: Any = None

    def __repr__(self) -> str:
        return f"gnupg({self.home})"

    def keys(self) -> tuple[Key, ...]:
        """Every key of the keyring."""
        gpg = self._gpg()
        with _bounded(gpg, _TIMEOUT_S, "list keys"):
            secret = {key["fingerprint"]: key for key in gpg.list_keys(secret=True)}
            public = gpg.list_keys()
        return tuple(_key(key, secret.get(key["fingerprint"]), self.home) for key in public)

    def certifiers(self, fingerprint: str, moment: datetime) -> tuple[str, ...]:
        """The other keys here whose good certification of this key holds at the moment."""
        gpg = _opened(self.home)
        gpg.options = [*gpg.options, "--with-sig-check"]
        with _bounded(gpg, _TIMEOUT_S, "check certifications"):
            listed = gpg.list_keys(keys=[fingerprint])
        listing = listed.data.decode(errors="replace")
        return certifiers_of(listing, fingerprint, moment)

    def verify_by(self, file: Path, signature: Path, fingerprints: Collection[str]) -> Signature:
        """Check a detached signature that one of these keys has to have made; see the port."""
        for path in (file, signature):
            if not path.is_file():
                return Signature("", f"{path.name} does not exist", Verdict.MISSING)
        gpg = self._gpg()
        with _bounded(gpg, _TIMEOUT_S, "verify"), open_plain(signature) as stream:
            output = gpg.verify_file(stream, data_filename=str(file.absolute()))
        return _judged(output.lines, fingerprints)

    def signed(
        self, content: bytes, fingerprint: str, timeout_s: float
    ) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        """An armoured signature by the key, and gpg's status lines; b"" if there is none."""
        gpg = self._gpg()
        # --local-user, since gpg takes another key if the --default-key cannot sign.
        words = ["--local-user", fingerprint]
        with _bounded(gpg, timeout_s, "sign"):
            output = gpg.sign_file(BytesIO(content), detach=True, extra_args=words)
        return (output.data if output.returncode == 0 else b""), tuple(output.lines)

    def exported(self, fingerprint: str) -> bytes:
        """The public key, armoured; see the port."""
        gpg = self._gpg()
        with _bounded(gpg, _TIMEOUT_S, "export"):
            # late: gpg answers with nothing but a status for a key that it does not have
            output = gpg.export_keys(fingerprint, armor=True, minimal=True)
        return str(output).encode()

    def add(self, files: Iterable[Path]) -> None:
        """The public keys in these files are in the keyring. Raises ServiceFailed for others."""
        gpg = self._gpg()
        for file in files:
            try:
                content = read_plain(file)
            except OSError as error:
                raise ServiceFailed(
                    service="gpg",
                    action=f"import {file.name}",
                    problem=f"cannot be read: {str(error.strerror).lower()}",
                    remedy=f"name another file than {file}",
                ) from error
            with _bounded(gpg, _TIMEOUT_S, "import"):
                output = gpg.import_keys(content)
            if not output.fingerprints:
                raise ServiceFailed(
                    service="gpg",
                    action=f"import {file.name}",
                    problem="the file holds no OpenPGP key",
                    remedy="export the key into it: gpg --armor --export FINGERPRINT",
                )

    def _gpg(self) -> Any:
        if self._opened is None:
            self._opened = _opened(self.home)
        return self._opened


class GnupgSigner:
    """The Signer port over one GnuPG home folder and one key of it.

    ``timeout_s`` is the time a person has to find the card and type the passphrase.
    """

    def __init__(
        self, home: Path, fingerprint: str, *, timeout_s: float = _SIGNING_TIMEOUT_S
    ) -> None:
        """Take the key's full fingerprint; raises ServiceFailed for a shorter name of it."""
        if not fingerprint:
            raise ServiceFailed(
                service="gpg",
                action="sign",
                problem="release.toml names no key of the release manager",
                remedy='write gpg_key = "FULL FINGERPRINT" below [signing], as'
                " gpg --list-secret-keys prints it",
            )
        try:
            self._fingerprint = full_fingerprint(fingerprint)
        except WrongForm as error:
            raise ServiceFailed(
                service="gpg",
                action="sign",
                problem=f"{fingerprint!a} is not a full fingerprint",
                remedy=str(error),
            ) from error
        self._keyring = GnupgKeyring(home)
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"signer({self._fingerprint})"

    @property
    def fingerprint(self) -> str:
        """The full fingerprint of the key that signs."""
        return self._fingerprint

    def keys(self) -> tuple[Key, ...]:
        """Every key of the keyring."""
        return self._keyring.keys()

    def certifiers(self, moment: datetime) -> tuple[str, ...]:
        """Whose certification of the key holds; see the port."""
        return self._keyring.certifiers(self._fingerprint, moment)

    def sign(self, file: Path, signature: Path) -> None:
        """A verified, armoured signature exists under its name; see the port.

        A plan signs nothing.
        """
        if is_held():
            return
        self._refuse_bad_key()
        # Read once: what is compared is what gpg gets, whoever swaps the file meanwhile.
        content = read_plain(file)
        refuse_unjudged(file, content)
        made, lines = self._keyring.signed(content, self._fingerprint, self._timeout_s)
        if not made:
            raise self._failure(lines)
        with replacing(signature) as stream:
            stream.write(made)
            stream.flush()
            found = self.verify(file, Path(stream.name))
            if found.problem:
                raise ServiceFailed(
                    service="gpg",
                    action=f"sign {file.name}",
                    problem=f"the new signature does not verify: {found.problem}",
                    remedy="run the same command again; no signature was written",
                )

    def verify(self, file: Path, signature: Path) -> Signature:
        """Check a detached signature that this key has to have made; see the port."""
        return self._keyring.verify_by(file, signature, (self._fingerprint,))

    def verify_by(self, file: Path, signature: Path, fingerprints: Collection[str]) -> Signature:
        """Check a detached signature by other keys of the same keyring; see the port."""
        return self._keyring.verify_by(file, signature, fingerprints)

    def _refuse_bad_key(self) -> None:
        name = self._fingerprint
        key = next((key for key in self.keys() if key.fingerprint == name), None)
        now = datetime.now(UTC)  # noqa: TID251 - gpg judges by this machine's clock as well
        if key is None:
            problem, remedy = (
                f"key {name} is not in the keyring",
                f"gpg --import it into {self._keyring}",
            )
        elif key.revoked:
            problem, remedy = f"key {name} is revoked", "name another key in [signing] gpg_key"
        elif key.expires is not None and key.expires <= now:
            problem = f"key {name} expired on {key.expires:%Y-%m-%d}"
            remedy = f"extend it: {key.extending}"
        elif not key.secret:
            problem = f"the secret part of key {name} is not on this machine"
            remedy = "insert its card, or import the secret key"
        else:
            return
        raise ServiceFailed(service="gpg", action="sign", problem=problem, remedy=remedy)

    def _failure(self, lines: tuple[tuple[str, str], ...]) -> ServiceFailed:
        failure = next((value for word, value in reversed(lines) if word == "FAILURE"), "")
        number = int(failure.rpartition(" ")[2] or 0)
        code = number & 0xFFFF
        # A pinentry that has no terminal to draw on ends with an error of the system.
        problem, remedy = _FAILURES.get(85 if code & _SYSTEM_ERROR else code, ("", ""))
        return ServiceFailed(
            service="gpg",
            action="sign",
            problem=problem or f"no signature was made (gpg error {code})",
            remedy=remedy or _UNLOCK.format(self._fingerprint),
            details=tuple(f"{word} {value}".rstrip() for word, value in lines),
        )


@contextmanager
def keyring_of(files: Iterable[Path]) -> Iterator[GnupgKeyring]:
    """A keyring of the public keys in these files and no others, gone when the block ends."""
    # mkdtemp: the name is short, as sockets need it, and the mode is 0700, as gpg wants it.
    home = Path(tempfile.mkdtemp(prefix="pep101-"))
    try:
        keyring = GnupgKeyring(home)
        keyring.add(files)
        yield keyring
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _StatusLines:
    """What gpg reported on its status lines, in place of python-gnupg's own readings."""

    def __init__(self, _gpg: object) -> None:
        self.lines: list[tuple[str, str]] = []
        self.returncode: int | None = None
        self.data = b""
        self.stderr = ""

    def handle_status(self, key: str, value: str) -> None:
        self.lines.append((key, value))


def _opened(home: Path) -> Any:
    from threading import Timer

    import gnupg

    if not home.is_dir():
        raise ServiceFailed(
            service="gpg",
            action="start",
            problem=f"the folder {home} does not exist",
            remedy="set [signing] gnupg_home to the folder of your keyring",
        )

    class BoundedGpg(gnupg.GPG):  # type: ignore[misc]  # it has no types
        """python-gnupg waits for ever; a pinentry on a screen that nobody sees would as well."""

        timeout_s = _TIMEOUT_S
        was_stopped = False

        def _collect_output(self, process: Any, *rest: Any, **named: Any) -> Any:
            timer = Timer(self.timeout_s, self._stop, (process,))
            timer.daemon = True
            timer.start()
            try:
                return super()._collect_output(process, *rest, **named)
            finally:
                timer.cancel()

        def _stop(self, process: Any) -> None:
            self.was_stopped = True
            process.kill()

    try:
        gpg = BoundedGpg(
            gnupghome=str(home),
            options=list(_OPTIONS),
            env={**neutral_environment(), **attended_environment()},
        )
    except OSError as error:
        raise ServiceFailed(
            service="gpg", action="start", problem="not found on PATH",
            remedy="install GnuPG, then run the same command again",
        ) from error  # fmt: skip
    except ValueError as error:
        raise ServiceFailed(
            service="gpg", action="start", problem=str(error).splitlines()[0],
            remedy="install GnuPG again, so that `gpg --version` works; then run the same command "
            "again",
        ) from error  # fmt: skip
    # Its own readings stop at the first signature and mix "expired" with "good".
    gpg.result_map = {**gpg.result_map, "verify": _StatusLines, "sign": _StatusLines}
    return gpg


@contextmanager
def _bounded(gpg: Any, timeout_s: float, action: str) -> Iterator[None]:
    """Whatever gpg does in the block ends in time. Raises ServiceFailed if it was stopped."""
    gpg.timeout_s, gpg.was_stopped = timeout_s, False
    yield
    if gpg.was_stopped:
        raise ServiceFailed(
            service="gpg",
            action=action,
            problem=f"did not end within {timeout_s:g} s and was stopped",
            remedy="if it asks for a passphrase on another screen, unlock the key first",
        )


def _judged(lines: Iterable[tuple[str, str]], fingerprints: Collection[str]) -> Signature:
    """The one signature that the lines report, by the rules of the port."""
    status = dict(lines)
    made = sum(1 for word, _ in lines if word == "NEWSIG")
    valid = status.get("VALIDSIG", "").split()
    if made != 1 or not valid:
        return _not_valid(status, made)
    maker = valid[9] if len(valid) > 9 else valid[0]
    wanted = " or ".join(fingerprints) or "no key at all"
    weak = _WEAK_HASHES.get(valid[7], "")
    faults = (
        (maker not in fingerprints, f"made by key {maker}, wanted {wanted}", Verdict.OTHER_KEY),
        ("REVKEYSIG" in status, f"key {maker} is revoked", Verdict.REVOKED),
        (weak != "", f"uses the weak digest {weak}", Verdict.UNREADABLE),
        (valid[8] != "00", "was made for text, not for bytes", Verdict.UNREADABLE),
        ("EXPKEYSIG" in status, f"good, but key {maker} has expired", Verdict.EXPIRED),
        ("EXPSIG" in status, "good, but the signature itself has expired", Verdict.EXPIRED),
        ("GOODSIG" not in status, "gpg does not report it as good", Verdict.UNREADABLE),
    )
    first = next((fault for fault in faults if fault[0]), None)
    good = Signature(maker, "", made_s=int(valid[2]) if valid[2].isdigit() else 0)
    return Signature(maker, first[1], first[2]) if first else good


def _not_valid(status: Mapping[str, str], made: int) -> Signature:
    if made > 1:
        return Signature("", f"holds {made} signatures, wanted one", Verdict.UNREADABLE)
    if "BADSIG" in status:
        return Signature("", "was made for other bytes", Verdict.OTHER_BYTES)
    if "NO_PUBKEY" in status:
        # GnuPG 2.2.7 and later end the ERRSIG line with the full fingerprint, or with "-".
        name = status.get("ERRSIG", "").split()[-1:]
        unknown = name[0] if name and len(name[0]) >= 40 else status["NO_PUBKEY"]
        return Signature("", f"made by key {unknown}, which is not known here", Verdict.UNKNOWN_KEY)
    return Signature("", "is not a detached OpenPGP signature", Verdict.UNREADABLE)


def _key(public: Mapping[str, Any], secret: Mapping[str, Any] | None, home: Path) -> Key:
    parts = _signing_parts(secret if secret is not None else public)
    own = _time(public["expires"])
    # gpg signs with the part that is valid longest; none outlives the primary key.
    ends = [_earlier(own, _time(part["expires"])) for part in parts]
    expires = own if not ends else None if None in ends else max(end for end in ends if end)
    names = public["uids"] or [""]
    return Key(
        fingerprint=public["fingerprint"],
        user_id=names[0].encode("latin-1", "replace").decode("utf-8", "replace"),
        secret=secret is not None and bool(parts),
        expires=expires,
        revoked=public["trust"] == "r",
        ends=_ends(public, parts, expires),
        home=str(home),
    )


def _ends(
    public: Mapping[str, Any], parts: list[Mapping[str, Any]], expires: datetime | None
) -> tuple[str, ...]:
    """The primary key and the signing subkeys that end when the key can sign no more, or before."""
    subkeys = {subkey[0]: subkey[2] for subkey in public.get("subkeys", ())}
    found = []
    for part in (public, *(part for part in parts if part["keyid"] in subkeys)):
        end = _time(part["expires"])
        if end is not None and expires is not None and end <= expires:
            found.append(subkeys.get(part["keyid"], ""))
    return tuple(found) or ("",)


def _signing_parts(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The primary key and its subkeys, as far as they can sign and their secret is at hand."""
    parts = [key, *key.get("subkey_info", {}).values()]
    return [
        part
        for part in parts
        if re.search("s", part["cap"]) and part.get("trust") != "r" and part.get("token") != "#"
    ]


def _time(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text else None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known) if known else None
