"""Mail of the rehearsed world: a server that keeps every letter instead of passing it on.

The document ``mail`` holds the letters, oldest first, with their Message-IDs.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.smtp import SMTP, AuthResult

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, LoginPassword, Session

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "MailServer", "serve"]

FAULTS: Final = {
    "mail.drop_after_accept": "the server takes the letter and drops the connection without a word",
    "mail.drop_before": "the server drops the connection before it has taken the letter",
    "mail.refuses": "the server refuses the letter with code 550",
}

_LOGIN: Final = (b"rm", b"rehearsal-mail-password")


class MailServer:
    """A running server; ``port`` is where it answers."""

    def __init__(self, server: asyncio.Server) -> None:
        self._server = server

    @property
    def port(self) -> int:
        """The loopback port that it answers on."""
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    def close(self) -> None:
        """It answers no more, and its port is free."""
        self._server.close()


async def serve(store: Store, port: int = 0) -> MailServer:
    """Serve until it is closed; port 0 means any that is free."""
    loop = asyncio.get_running_loop()

    def session() -> SMTP:
        return SMTP(
            _Keeper(store),
            hostname="mail.rehearsal",
            authenticator=_judged,
            auth_required=False,
            auth_require_tls=False,
        )

    return MailServer(await loop.create_server(session, "127.0.0.1", port))


def _judged(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
) -> AuthResult:
    return AuthResult(success=(login.login, login.password) == _LOGIN, handled=False)


class _Keeper:
    """What aiosmtpd calls for each letter."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self._store.fault("mail.refuses") is not None:
            return "550 5.7.1 You may not post to this list"
        if self._store.fault("mail.drop_before") is not None:
            self._drop(server)
            return "421 Bye"
        raw = envelope.content
        content = raw if isinstance(raw, bytes) else (raw or "").encode()
        letter = _read(content, envelope)
        self._store.save("mail", [*self._store.load("mail", []), letter])
        self._store.record(
            "mail", "sent", to=letter["to"], subject=letter["subject"],
            message_id=letter["message_id"],
        )  # fmt: skip
        if self._store.fault("mail.drop_after_accept") is not None:
            self._drop(server)
        return "250 2.0.0 Ok: queued"

    def _drop(self, server: SMTP) -> None:
        if isinstance(server.transport, asyncio.Transport):
            server.transport.abort()


def _read(content: bytes, envelope: Envelope) -> dict[str, Any]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    body = message.get_body(("plain",))
    return {
        "message_id": str(message["message-id"]),
        "from": str(message["from"]),
        "to": sorted(envelope.rcpt_tos),
        "subject": str(message["subject"]),
        "text": body.get_content().replace("\r\n", "\n") if body is not None else "",
    }
