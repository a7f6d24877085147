"""Answers of the programs on an ssh host: what ``find``, a digest program, ``id`` and gpg print."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final

from plugins.ports.host import Entry, Kind
from plugins.ports.signing import Signature, Verdict
from plugins.services.host_paths import checked

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FIND_FORMAT", "NAMES_FORMAT", "digest_lines", "kind_of", "listed", "named", "verdict"]

# GNU find: type, size, mode, owner, group, inode and time of the last change, path, target.
FIND_FORMAT: Final = r"%y\t%s\t%m\t%u\t%g\t%i:%s:%C@\t%P\0%l\0"
"""What ``listed`` reads: names, which may hold anything else, end with a zero byte."""
NAMES_FORMAT: Final = r"%y\t%P\0"
"""What ``named`` reads: the folder's own list has both, so no file has to be looked at."""
_KINDS: Final = {"f": Kind.FILE, "d": Kind.FOLDER, "l": Kind.LINK}
_DIGEST: Final = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")


def listed(folder: str, output: bytes) -> Iterator[Entry]:
    """The entries below the folder, as ``find`` prints them in FIND_FORMAT.

    Raises ServiceFailed for a name that ``checked`` refuses.
    """
    texts = output.decode(errors="surrogateescape").split("\0")
    for line, target in zip(texts[::2], texts[1::2], strict=False):
        kind, size, mode, owner, group, stamp, path = line.split("\t", 6)
        yield Entry(
            checked(f"{folder}/{path}" if folder else path),
            _KINDS.get(kind, Kind.OTHER), int(size), int(mode, 8), owner, group, target, stamp,
        )  # fmt: skip


def named(folder: str, output: bytes) -> Iterator[tuple[str, Kind]]:
    """The paths in the folder, as ``find`` prints them in NAMES_FORMAT.

    Raises ServiceFailed for a name that ``checked`` refuses.
    """
    for line in output.decode(errors="surrogateescape").split("\0")[:-1]:
        kind, name = line.split("\t", 1)
        yield checked(f"{folder}/{name}" if folder else name), _KINDS.get(kind, Kind.OTHER)


def digest_lines(text: str) -> Iterator[tuple[str, str]]:
    """Path and sha256 of each file that ``openssl dgst -r`` or ``sha256sum`` has read."""
    for line in text.splitlines():
        found = _DIGEST.fullmatch(line)
        if found:
            yield found[2], found[1]


def kind_of(mode: int) -> Kind:
    """What a mode, as the system has it, says of a name."""
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER


def verdict(status: str) -> Signature | None:
    """What gpg's status lines say; None if it has not the key."""
    words = [line.split()[1:] for line in status.splitlines() if line.startswith("[GNUPG:] ")]
    by_name = {line[0]: line[1:] for line in words if line}
    fingerprint = by_name["VALIDSIG"][-1] if by_name.get("VALIDSIG") else ""
    if "BADSIG" in by_name:
        return Signature("", "was made for other bytes", Verdict.OTHER_BYTES)
    if fingerprint and "GOODSIG" in by_name:
        return Signature(fingerprint, "")
    if fingerprint and "REVKEYSIG" in by_name:
        return Signature(fingerprint, "its key was revoked", Verdict.REVOKED)
    if fingerprint and ("EXPKEYSIG" in by_name or "EXPSIG" in by_name):
        return Signature(fingerprint, "the signature or its key has expired", Verdict.EXPIRED)
    if "NO_PUBKEY" in by_name:
        return None
    return Signature("", "gpg on the host cannot read it", Verdict.UNREADABLE)
