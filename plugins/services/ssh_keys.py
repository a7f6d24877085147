"""Ssh keys: which keys a host is offered, and in which order, as ``ssh`` itself does it.

Keys of the agent that an IdentityFile names come before all others, since a server ends the
connection after a few that it does not know. Only their public halves are read from files, so a
private one with a passphrase is no hindrance where the agent has it.
Source: ssh_config(5), "IdentityFile" and "IdentitiesOnly"; openssh-portable, sshconnect2.c.
"""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.frozen import frozen
from doit_receipts.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["OfferedKeys", "offered"]

_DEFAULTS: Final = tuple(
    f"~/.ssh/id_{kind}" for kind in ("rsa", "ecdsa", "ecdsa_sk", "ed25519", "ed25519_sk")
)
_MOST_BYTES: Final = 1 << 16
_MAGIC: Final = b"openssh-key-v1\0"
_PRIVATE: Final = r"-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END"
_PUBLIC: Final = r"(?m)^(?:ssh|ecdsa|sk)-[\w.@-]+ ([A-Za-z0-9+/]+=*)(?: .*)?$"


@frozen
class OfferedKeys:
    """The keys for one host. Those of the agent are paramiko's."""

    named: tuple[Any, ...]
    """Keys of the agent that the configuration names, in its order."""
    others: tuple[Any, ...]
    """What else the agent has; none where only what is named may be offered."""
    files: tuple[str, ...]
    """Files of private keys that are configured, can be read, and are not the agent's."""
    locked: tuple[str, ...]
    """Files of keys that have a passphrase and are not in the agent: nobody can use them here."""


def offered(settings: Mapping[str, Any], keys: Iterable[Any]) -> OfferedKeys:
    """What a host is offered that has these settings in the ssh configuration.

    ``keys`` are those of the agent. A file that is not there, or that we may not read, is none.
    """
    only = str(settings.get("identitiesonly", "no")).lower() == "yes"
    configured = settings.get("identityfile") or ()
    held = {bytes(key.blob): key for key in keys}
    named: list[Any] = []
    files, locked = [], []
    for file in (Path(each).expanduser() for each in configured or _DEFAULTS):
        here = [held.pop(half) for half in _public_halves(file) if half in held]
        text = _text(file)
        named += here
        if here:
            continue
        if _is_locked(text):
            locked.append(str(file))
        elif " PRIVATE KEY-----" in text and (configured or only):
            files.append(str(file))
    return OfferedKeys(
        tuple(named), () if only else tuple(held.values()), tuple(files), tuple(locked)
    )


def _public_halves(file: Path) -> Iterator[bytes]:
    """What the agent may know the key by, or have beside it: a certificate first."""
    for text in (_text(Path(f"{file}-cert.pub")), _text(Path(f"{file}.pub")), _text(file)):
        if found := re.search(_PUBLIC, text):
            yield _decoded(found[1])
        elif fields := _fields(text):
            yield fields[-1]


def _is_locked(text: str) -> bool:
    fields = _fields(text)
    return fields[0] != b"none" if fields else "ENCRYPTED" in text


def _fields(text: str) -> list[bytes]:
    """Cipher, derivation, its options and public half of a private key in OpenSSH's format.

    Nothing for any other text. Source: openssh-portable, PROTOCOL.key.
    """
    found = re.search(_PRIVATE, text)
    raw = _decoded(found[1]) if found else b""
    if not raw.startswith(_MAGIC):
        return []
    fields, at = [], len(_MAGIC)
    for number in range(4):
        at += 4 * (number == 3)  # how many keys there are, before the first
        end = at + 4 + int.from_bytes(raw[at : at + 4], "big")
        fields.append(raw[at + 4 : end])
        at = end
    return fields


def _decoded(text: str) -> bytes:
    with suppress(ValueError):
        return base64.b64decode(text)
    return b""


def _text(file: Path) -> str:
    with suppress(OSError):
        return read_plain(file, _MOST_BYTES).decode("ascii", errors="replace")
    return ""
