"""Mail of the simulated environment: a server that keeps every email instead of passing it on.

The document ``mail`` holds the emails, oldest first, with their Message-IDs. A text is kept as a
reader decodes it, to the byte.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.smtp import SMTP, AuthResult

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, LoginPassword, Session

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "MailServer", "serve"]

FAULTS: Final = {
    "mail.drop_after_accept": "the server accepts the email and drops the connection unanswered",
    "mail.drop_before": "the server drops the connection before it has accepted the email",
    "mail.refuses": "the server refuses the email with code 550",
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
    # aiosmtpd warns whoever logs in of an attribute that only aiosmtpd itself uses.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    loop = asyncio.get_running_loop()
    # it warns of its own use of a name that it gave up
    logging.getLogger("mail.log").setLevel(logging.ERROR)

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
    """What aiosmtpd calls for each email."""

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
        kept = _read(content, envelope)
        self._store.save("mail", [*self._store.load("mail", []), kept])
        self._store.record(
            "mail", "sent", to=kept["to"], subject=kept["subject"],
            message_id=kept["message_id"],
        )  # fmt: skip
        if self._store.fault("mail.drop_after_accept") is not None:
            self._drop(server)
        return "250 2.0.0 Ok: queued"

    def _drop(self, server: SMTP) -> None:
        if isinstance(server.transport, asyncio.Transport):
            server.transport.abort()


def _read(content: bytes, envelope: Envelope) -> dict[str, Any]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    # decoded, and its line ends left alone: what a test compares is what was approved
    body = message.get_payload(decode=True)
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
    return {
        "head": content.partition(b"\r\n\r\n")[0].decode(errors="replace").splitlines(),
        "message_id": str(message["message-id"]).strip(),
        "from": str(message["from"]),
        "to": sorted(envelope.rcpt_tos),
        "subject": str(message["subject"]),
        "text": text,
    }
