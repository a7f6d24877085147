"""Ssh line: one connection to a host whose key is known, by Fabric (paramiko below).

The person's ssh configuration and agent count as they do for ``ssh`` itself. A host key that is
unknown, or not the known one, is a refusal with its fingerprint: nothing was sent by then.
"""

from __future__ import annotations

import re
import shlex
import socket
import time
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from doit_receipts.errors import ServiceFailed, SettingsError
from doit_receipts.frozen import frozen
from plugins.services.known_hosts import known_host
from plugins.services.sftp import Lost, Sftp, losses
from plugins.services.ssh_agent import SshAgent, agent_socket
from plugins.services.ssh_keys import offered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from fabric import Connection
    from paramiko import Transport
    from paramiko.channel import Channel

__all__ = ["Address", "CommandResult", "Line", "open_line"]

_CONNECT_S: Final = 20
_LOGIN_S: Final = 30
_SILENCE_S: Final = 60.0
_WHOLE_S: Final = 7_200.0
"""Longer than anything that is asked of a host; who sends a byte a minute never ends."""
_KEEPALIVE_S: Final = 15
_MOST_BYTES: Final = 1 << 28
"""What a command may say; the longest list of a host's files has 30 MB."""
_WINDOW_BYTES: Final = 1 << 26
"""What a host may send before we read it; our own sending has the host's window."""
_LOGIN_OPTIONS: Final = {
    "banner_timeout": _LOGIN_S, "auth_timeout": _LOGIN_S, "channel_timeout": _LOGIN_S,
}  # fmt: skip
_CIPHERS: Final = (
    "aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr",
)  # fmt: skip
"""The fast ones first: gcm needs no digest of its own (a quarter less time here than ctr)."""
_NO_KEY: Final = "No authentication methods available"
"""What paramiko says if there is no key to offer."""


@frozen
class Address:
    """Where to log in and below which folder everything is; "" and 0 leave it to ssh."""

    host: str
    user: str
    port: int
    root: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read ``ssh://[user@]host[:port]/folder``. Raises SettingsError for anything else."""
        try:
            parts = urlsplit(url)
            port = parts.port or 0
        except ValueError:
            parts, port = urlsplit(""), 0
        root = parts.path.rstrip("/")
        if (
            parts.scheme != "ssh"
            or not parts.hostname
            or parts.password is not None
            or not root.isprintable()
            or ".." in root.split("/")
        ):
            raise SettingsError(
                where="[hosts]",
                problem=f"{url.rpartition('@')[2]!a} is not the address of an ssh host",
                remedy="write ssh://user@host/folder",
            )
        return cls(parts.hostname, parts.username or "", port, root)

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{user}{self.host}{port}"


@frozen
class CommandResult:
    """What a command on the host ended with."""

    status: int
    output: bytes
    errors: str


class Line:
    """One connection: commands, and one SFTP conversation at a time."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._sftp: Sftp | None = None

    @property
    def sftp(self) -> Sftp:
        """The conversation, begun at first use. Raises Lost."""
        if self._sftp is None:
            channel = self._session()
            with losses():
                channel.invoke_subsystem("sftp")
            self._sftp = Sftp(channel)
        return self._sftp

    def command(
        self,
        line: str,
        stdin: bytes = b"",
        timeout_s: float = _SILENCE_S,
        most_bytes: int = _MOST_BYTES,
        whole_s: float = _WHOLE_S,
    ) -> CommandResult:
        """The host's shell runs one line, already quoted, to its end. Raises Lost.

        ``timeout_s`` is how long it may be silent, ``most_bytes`` how much it may say, and
        ``whole_s`` how long it may talk.
        """
        until_s = time.monotonic() + whole_s
        channel = self._session()
        channel.settimeout(timeout_s)
        with losses(), closing(channel):
            channel.exec_command(line)
            if stdin:
                channel.sendall(stdin)
            channel.shutdown_write()
            output = b"".join(_all(channel.recv, most_bytes, until_s))
            errors = b"".join(_all(channel.recv_stderr, most_bytes, until_s))
            if not channel.status_event.wait(timeout_s):
                raise Lost(problem="the host did not report how the command ended")
            # paramiko's value for a channel that ended without a status.
            if channel.exit_status < 0:
                raise Lost(problem="the connection ended")
        return CommandResult(channel.exit_status, output, errors.decode(errors="replace"))

    def close(self) -> None:
        """The connection is closed."""
        self._connection.close()

    def _session(self) -> Channel:
        with losses():
            channel = self._connection.transport.open_session(timeout=_LOGIN_S)
        channel.settimeout(_SILENCE_S)
        return channel


def open_line(address: Address, ssh_config: Path | None) -> Line:
    """A connection that is logged in.

    ``ssh_config`` is read in place of the person's and the machine's, as ``ssh -F`` does.
    Raises ServiceFailed.
    """
    import logging

    import fabric
    import paramiko

    # What paramiko's threads log is reported once, by us.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    try:
        config = fabric.Config(runtime_ssh_path=str(ssh_config) if ssh_config else None)
    except (OSError, paramiko.SSHException) as error:
        raise ServiceFailed(
            service=str(address),
            action="read the ssh configuration",
            problem=f"{ssh_config or 'yours'}: {getattr(error, 'strerror', '') or error}",
            remedy="correct it, or name another one as [hosts] ssh_config",
        ) from error
    connection = fabric.Connection(
        address.host,
        user=address.user or None,
        port=address.port or None,
        config=config,
        connect_timeout=_CONNECT_S,
        connect_kwargs=dict(_LOGIN_OPTIONS),
    )
    guarded = connection
    agents: list[SshAgent] = []
    locked: list[str] = []
    with ExitStack() as asked:
        while isinstance(guarded, fabric.Connection):
            _guard(guarded, ssh_config)
            agent = SshAgent(agent_socket(guarded.ssh_config))
            agents.append(asked.enter_context(closing(agent)))
            locked += _with_keys(guarded, agent)
            guarded = guarded.gateway
        try:
            connection.open()
        except ServiceFailed:
            connection.client.close()
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            connection.client.close()
            raise _translated(error, address, agents, locked) from error
    connection.transport.set_keepalive(_KEEPALIVE_S)
    return Line(connection, str(address))


def _with_keys(connection: Connection, agent: SshAgent) -> tuple[str, ...]:
    """It offers what ``ssh`` would; the files of keys that have a passphrase nobody gave."""
    settings = connection.ssh_config
    keys = offered(settings, agent.keys)
    # paramiko has no other way to choose among the keys of an agent, or to order them.
    connection.client._agent = agent  # noqa: SLF001
    named = bool(settings.get("identityfile"))
    first, *more = keys.named or (None,)
    connection.connect_kwargs = {
        **connection.connect_kwargs,
        "pkey": first,
        "key_filename": list(keys.files),
        "look_for_keys": not named and settings.get("identitiesonly", "no").lower() != "yes",
    }
    agent.keys = (*more, *keys.others)
    return keys.locked


def _transport(sock: Any, *, kinds: Collection[str] = (), **options: Any) -> Transport:
    """``kinds`` of host keys are those that are known, which the host is asked for first."""
    import paramiko

    if isinstance(sock, socket.socket):
        # Small requests are answered at once, not when the next one fills a packet.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made = paramiko.Transport(sock, default_window_size=_WINDOW_BYTES, **options)
    offered = made.get_security_options()
    known = tuple(offered.ciphers)
    offered.ciphers = tuple(cipher for cipher in _CIPHERS if cipher in known)
    # A key for RSA has three names here, by the digest that it is used with.
    offered.key_types = tuple(
        sorted(
            offered.key_types,
            key=lambda kind: ("ssh-rsa" if kind.startswith("rsa-") else kind) not in kinds,
        )
    )
    return made


def _guard(connection: Connection, ssh_config: Path | None) -> None:
    """Only keys of the known_hosts files count; Fabric by itself would believe any host."""
    settings = {**connection.ssh_config, "hostname": connection.host, "port": connection.port}
    known = known_host(settings, ssh_config)
    connection.client.set_missing_host_key_policy(known)
    connection.connect_kwargs = {
        **connection.connect_kwargs,
        "transport_factory": partial(_transport, kinds=known.kinds()),
    }


def _translated(
    error: Exception, address: Address, agents: Sequence[SshAgent], locked: Sequence[str]
) -> ServiceFailed:
    import paramiko

    silent = next((agent for agent in agents if agent.silence), None)

    action, remedy = (
        "connect",
        "check that `ssh` can connect to it, then run the same command again",
    )
    match error:
        case paramiko.SSHException() if silent and (silent.did_not_sign or _is_refused(error)):
            action, problem = "log in", silent.silence
            remedy = (
                "confirm it where the agent asks (a window, a card), or restart the agent, then "
                "run the same command again"
            )
        case paramiko.SSHException() if _is_refused(error):
            action, problem = "log in", "the host accepts none of your keys"
            remedy = "add your key to the agent (ssh-add), or ask for access"
            if locked:
                problem += f"; {locked[0]} has a passphrase and is not in the agent"
                file = shlex.quote(locked[0])
                remedy = f"add it to the agent (ssh-add {file}), or ask for access"
        case socket.gaierror():
            problem = "the host name does not resolve"
        case TimeoutError():
            problem = f"no answer within {_CONNECT_S} s"
        case _:
            # What an exception of a library says may hold anything: the kind is enough.
            problem = _plain(error)
    return ServiceFailed(service=str(address), action=action, problem=problem, remedy=remedy)


def _is_refused(error: Exception) -> bool:
    import paramiko

    return isinstance(error, paramiko.AuthenticationException) or str(error) == _NO_KEY


def _plain(error: Exception) -> str:
    text = re.sub(r"\s+", " ", str(error)).strip()
    return text or "the host ended the connection"


def _all(read: Any, most_bytes: int, until_s: float) -> Iterator[bytes]:
    left = most_bytes
    while block := read(1 << 20):
        left -= len(block)
        if left < 0:
            raise Lost(problem=f"the host sent more than {most_bytes:,} bytes")
        if time.monotonic() > until_s:
            raise Lost(problem="the host keeps sending and does not end")
        yield block
