"""Known hosts: which keys a host may show, as OpenSSH itself reads the known_hosts files.

``ssh-keygen -F`` finds the lines of a host: hashed names, patterns, negated ones, and lines that
are wrong, are its business. What is left to us are the two markers (sshd(8), "SSH_KNOWN_HOSTS FILE
FORMAT"): a revoked key is refused, and an authority vouches for certificates only, which paramiko
does not ask for.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.frozen import frozen
from plugins.services.programs import MachinePrograms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from paramiko import PKey, SSHClient

__all__ = ["KnownHost", "fingerprint", "known_host"]

_USER: Final = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_GLOBAL: Final = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_SSH_PORT: Final = 22
_NO_LINE: Final = 1
_TIMEOUT_S: Final = 30.0


@frozen
class KnownHost:
    """What the files say of one host; paramiko's policy, so that every key is judged by it.

    Keys are their kind and bytes. ``files`` are where it was looked for, in words.
    """

    keys: frozenset[tuple[str, bytes]]
    revoked: frozenset[bytes]
    has_authority: bool
    files: str

    def kinds(self) -> frozenset[str]:
        """The kinds of its known keys, which the host is asked for first."""
        return frozenset(kind for kind, _ in self.keys)

    def missing_host_key(self, _client: SSHClient, host: str, key: PKey) -> None:
        """Whether the host may have this key. Raises ServiceFailed if not; nothing was sent."""
        name, raw = key.get_name(), key.asbytes()
        shown = f"{name} {fingerprint(raw)}"
        if raw in self.revoked:
            problem = f"the host shows a key that is revoked: {shown}"
            remedy = f"do not log in; ask its administrators for its current key ({self.files})"
            raise ServiceFailed(
                service=host, action="check its host key", problem=problem, remedy=remedy
            )
        if (name, raw) in self.keys:
            return
        if self.keys:
            raise ServiceFailed(
                service=host,
                action="check its host key",
                problem=f"the host shows another key than the known one: {fingerprint(raw)}",
                remedy="ask its administrators; if they changed it, correct known_hosts",
                details=(
                    *(f"known:  {kind} {fingerprint(known)}" for kind, known in sorted(self.keys)),
                    f"shown:  {shown}",
                ),
            )
        only = "; an authority for its certificates is known, but no key" * self.has_authority
        raise ServiceFailed(
            service=host,
            action="check its host key",
            problem=f"the host is not in known_hosts; its key is {shown}{only}",
            remedy=f"compare the fingerprint with its administrators', log in once with "
            f"ssh, then run the same command again; known hosts are in {self.files}",
        )


def known_host(settings: Mapping[str, Any], ssh_config: Path | None) -> KnownHost:
    """What is known of a host whose ssh configuration was looked up.

    The files of the whole machine count unless ``ssh_config`` replaces its configuration, or names
    them. Raises ServiceFailed if ssh-keygen is not installed or cannot read a file.
    """
    user = str(settings.get("userknownhostsfile", _USER))
    everybody = str(settings.get("globalknownhostsfile", "" if ssh_config else _GLOBAL))
    of_user = _files(user)
    files = [*of_user, *_files(everybody)]
    lines: list[list[str]] = []
    for name in _names(settings):
        lines += [line.split() for file in files if file.is_file() for line in _lines(name, file)]
        if any(not fields[0].startswith("@") for fields in lines):
            break
    keys, revoked, has_authority = set(), set(), False
    for fields in lines:
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if len(fields) < 3 or (raw := _decoded(fields[2])) is None:
            continue
        if marker == "@revoked":
            revoked.add(raw)
        elif marker == "@cert-authority":
            has_authority = True
        elif not marker:
            keys.add((fields[1], raw))
    shown = " and ".join(map(str, of_user))
    return KnownHost(frozenset(keys), frozenset(revoked), has_authority, shown)


def fingerprint(raw: bytes) -> str:
    """A key's fingerprint, as ssh shows it."""
    return f"SHA256:{base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip('=')}"


def _files(value: str) -> list[Path]:
    """The files that a value of the ssh configuration names; one with a space in it is quoted.

    paramiko takes the first and the last quote off a value that begins and ends with one, so
    the only file that was quoted comes bare, and of several the outer quotes are missing.
    """
    only = Path(value).expanduser()
    if only.is_file():
        return [only]
    if re.match(r'[^"]*[^"\s]"', value):
        value = f'"{value}"'
    return [Path(each.strip('"')).expanduser() for each in re.findall(r'"[^"]*"|\S+', value)]


def _names(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """By which names ssh looks for the host: with its port, and if that is new, without."""
    alias = settings.get("hostkeyalias")
    host, port = str(settings.get("hostname", "")).lower(), int(settings.get("port", _SSH_PORT))
    if alias:
        return (str(alias),)
    return (host,) if port == _SSH_PORT else (f"[{host}]:{port}", host)


def _lines(name: str, file: Path) -> Iterable[str]:
    """The lines of the file that are about the host."""
    argv = ["ssh-keygen", "-F", name, "-f", str(file)]
    ended = MachinePrograms().run(argv, folder=Path("/"), timeout_s=_TIMEOUT_S, check=False)
    if ended.status not in (0, _NO_LINE):
        raise ServiceFailed(
            service="ssh-keygen",
            action=f"read {file}",
            problem=ended.stderr.strip() or f"ended with status {ended.status}",
            remedy="correct the file, or name another one in the ssh configuration",
        )
    return [line for line in ended.stdout.splitlines() if line.strip() and not line.startswith("#")]


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
