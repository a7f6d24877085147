"""Mail server: the Mail port over SMTP, with TLS wherever the server is not this machine."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from doit_receipts.errors import NothingDone, ServiceFailed
from doit_receipts.outside import Act, leaves
from plugins.services.email_format import wire_bytes

if TYPE_CHECKING:
    import smtplib
    from collections.abc import Iterator

    from plugins.model.secret import Secret
    from plugins.ports.email import Email

__all__ = ["MailServer"]

_SILENCE_S: Final = 60.0
_SEND: Final = "send"
_LOG_IN: Final = "log in"
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
# One address, no name, nothing that begins a new header.
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class MailServer:
    """The Mail port; ``address`` is ``smtp://host[:port]`` or ``smtps://host[:port]``.

    A server that says nothing for ``silence_s`` is given up.
    """

    def __init__(
        self, address: str, login: Secret | None, *, silence_s: float = _SILENCE_S
    ) -> None:
        self._address = address
        self._silence_s = silence_s
        self._login = login

    def __repr__(self) -> str:
        return f"mail({self._address})"

    def send(self, email: Email) -> None:
        """See the port. Asked once: an email cannot be looked for, nor taken back."""
        from email.utils import formatdate

        for address in (email.sender, *email.to):
            if not _ADDRESS.fullmatch(address):
                problem = f"{address or 'an empty text'} is not an email address"
                raise self._unsent(_SEND, _one_line(problem), "correct it in release.toml")
        if not _MESSAGE_ID.fullmatch(email.message_id):
            raise self._unsent(
                _SEND, "the Message-ID of the email is not valid", "report this as a bug"
            )
        try:
            content = wire_bytes(email, formatdate(usegmt=True))
        except UnicodeEncodeError as error:
            problem = f"its text cannot be written as UTF-8 at character {error.start}"
            raise self._unsent(_SEND, problem, "correct the text, then approve it again") from error
        action = f"send to {', '.join(email.to)}"
        if not leaves(_act(email)):
            return
        with self._connected(action) as server, self._sending(action):
            refused = server.sendmail(email.sender, list(email.to), content)
        if refused:
            names = ", ".join(refused)
            raise self._failed(
                action,
                f"the server refused {names}; the other recipients have the email",
                f"send it to {names} by hand, then run the same command again and say so",
            )

    def log_in(self) -> None:
        """See the port."""
        with self._connected(_LOG_IN) as server:
            server.noop()

    @contextmanager
    def _connected(self, action: str) -> Iterator[smtplib.SMTP]:
        """A server that accepted our login. Until then nothing can have been sent."""
        import smtplib

        try:
            server = self._opened()
        except smtplib.SMTPAuthenticationError as error:
            # the server's words may repeat what was typed
            problem = f"the login was refused ({error.smtp_code})"
            remedy = "check [credentials] mail"
            raise self._unsent(action, problem, remedy) from None
        except (smtplib.SMTPException, OSError) as error:
            problem = f"cannot be reached at {self._address} ({type(error).__name__})"
            remedy = "check the network and [hosts] mail, then run the same command again"
            raise self._unsent(action, problem, remedy) from error
        try:
            yield server
        finally:
            self._leave(server)

    @contextmanager
    def _sending(self, action: str) -> Iterator[None]:
        """What goes wrong from here on may have gone wrong after the email was taken."""
        import smtplib

        try:
            yield
        except smtplib.SMTPServerDisconnected as error:
            raise self._lost(action, error) from error
        except smtplib.SMTPRecipientsRefused as error:
            answers = "; ".join(f"{name}: {_said(why)}" for name, why in error.recipients.items())
            raise self._refused(action, answers) from error
        except smtplib.SMTPResponseException as error:
            raise self._refused(action, _said((error.smtp_code, error.smtp_error))) from error
        except (smtplib.SMTPException, OSError) as error:
            raise self._lost(action, error) from error

    def _lost(self, action: str, error: Exception) -> ServiceFailed:
        return self._failed(
            action,
            f"the connection ended ({type(error).__name__}): the email may have been sent or not",
            "check whether the email arrived, then run the same command again and say so",
        )

    def _refused(self, action: str, said: str) -> ServiceFailed:
        problem = f"the email was refused: {said}"
        return self._unsent(
            action, problem, "correct what it refuses, then run the same command again"
        )

    def _opened(self) -> smtplib.SMTP:
        server = self._reached()
        try:
            self._enter(server)
        except BaseException:
            server.close()
            raise
        return server

    def _reached(self) -> smtplib.SMTP:
        import smtplib
        import ssl

        parts = urlsplit(self._address)
        host = parts.hostname or ""
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=self._silence_s, context=context
            )
        # Else our own name is looked up, for seconds where no name server answers.
        name = "localhost" if host in _LOOPBACK else None
        server = smtplib.SMTP(host, parts.port or 587, name, timeout=self._silence_s)
        if host in _LOOPBACK:
            return server
        try:
            # also raised if the server does not offer it: no password travels in the clear
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
        return server

    def _enter(self, server: smtplib.SMTP) -> None:
        if self._login is None:
            return
        user, colon, password = self._login.reveal().partition(":")
        if not colon:
            problem = "the login is not of the form user:password"
            remedy = "check [credentials] mail"
            raise self._unsent(_LOG_IN, problem, remedy)
        server.login(user, password)

    def _leave(self, server: smtplib.SMTP) -> None:
        import smtplib

        # The email was taken when DATA was answered; a goodbye that fails changes nothing.
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()

    def _failed(self, action: str, problem: str, remedy: str) -> ServiceFailed:
        return ServiceFailed(service="mail", action=action, problem=problem, remedy=remedy)

    def _unsent(self, action: str, problem: str, remedy: str) -> ServiceFailed:
        return NothingDone(service="mail", action=action, problem=problem, remedy=remedy)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _said(why: tuple[int, bytes | str]) -> str:
    code, text = why
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())[:200]}"


def _act(email: Email) -> Act:
    """The email in full, but for its date."""
    names = ", ".join(email.to)
    head = (
        f"Message-ID: {email.message_id}",
        f"From: {email.sender}",
        f"To: {names}",
        f"Subject: {email.subject}",
        "",
    )
    what = f"email to {names}: {email.subject} {email.message_id}"
    return Act.sending("mail", what, email.text.encode(), (*head, *email.text.splitlines()))
