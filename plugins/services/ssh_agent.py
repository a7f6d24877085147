"""Ssh agent: the person's own, which has keys and signs; a silent one is not waited for."""

from __future__ import annotations

import os
import pwd
import re
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plugins.services.environment import exported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["SshAgent", "agent_socket"]

_ANSWERS_S: Final = 5.0
_SIGNS_S: Final = 25.0
"""A person may have to confirm it, or to touch a card; less than a host waits for a login."""
_USUAL: Final = "SSH_AUTH_SOCK"


def agent_socket(settings: Mapping[str, Any]) -> str:
    """Where the agent listens for a host with these settings in the ssh configuration; "" for none.

    Source: ssh_config(5), "IdentityAgent" and "TOKENS"; openssh-portable, ssh.c. Of the tokens
    those of the person and this machine count.
    """
    named = str(settings.get("identityagent", _USUAL))
    if named in ("none", _USUAL):
        return exported(_USUAL) if named == _USUAL else ""
    account = pwd.getpwuid(os.getuid())
    tokens = {"%%": "%", "%d": account.pw_dir, "%u": account.pw_name, "%i": str(account.pw_uid)}
    path = re.sub("%[%dui]", lambda found: tokens[found[0]], str(Path(named).expanduser()))
    path = re.sub(r"\$\{(\w+)\}", lambda found: exported(found[1]), path)
    return exported(path[1:]) if path.startswith("$") else path


class SshAgent:
    """The agent that listens there, as paramiko uses one; one that does not answer has no keys.

    ``answers_s`` is how long it may take to list its keys, ``signs_s`` to sign with one.
    """

    def __init__(
        self, path: str, *, answers_s: float = _ANSWERS_S, signs_s: float = _SIGNS_S
    ) -> None:
        import paramiko
        from paramiko.agent import AgentSSH

        self.keys: Sequence[Any] = ()
        self.silence = ""
        """What it did not do in time; "" for an agent that answered."""
        self.did_not_sign = False
        """It listed its keys, and a login failed because it then took too long to sign."""
        self._path = path
        self._is_listing = True
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(answers_s)
        with suppress(paramiko.SSHException, OSError, EOFError):
            self._socket.connect(path)
            agent = AgentSSH()
            # By itself paramiko waits for ever.
            agent._connect(self)  # noqa: SLF001
            self.keys = agent.get_keys()
        self._is_listing = False
        self._socket.settimeout(signs_s)

    def get_keys(self) -> Sequence[Any]:
        """Those that are offered, in this order."""
        return self.keys

    def close(self) -> None:
        """Nobody asks it any more."""
        self._socket.close()

    # ── the connection, as paramiko speaks on one ──────────────────────────────────────────

    def send(self, message: bytes) -> None:
        """The agent has the message."""
        self._socket.sendall(message)

    def recv(self, most: int) -> bytes:
        """What it says next. Raises SSHException if that is nothing for too long."""
        import paramiko

        try:
            return self._socket.recv(most)
        except TimeoutError as error:
            self.did_not_sign = not self._is_listing
            what = "list its keys" if self._is_listing else "sign"
            within = f"within {self._socket.gettimeout():g} s"
            self.silence = f"the ssh agent at {self._path} did not {what} {within}"
            raise paramiko.SSHException(self.silence) from error
