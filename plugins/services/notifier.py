"""Notifier: tells people of a release by a program, an email or a webhook, and never holds it up.

Sources: Discord's "Execute Webhook" (``content`` of 2,000 characters, ``allowed_mentions``),
Slack's "Incoming webhooks" (``text``, in which ``&``, ``<`` and ``>`` are markup), and Zulip's
Slack-compatible incoming webhook (zulip/zulip, zerver/webhooks/slack_incoming/view.py), which takes
the same field, leaves those three as they are, and makes ``_x_`` an ``*x*``: behind an ``@`` that
is a group of people (zerver/lib/mention.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from doit_receipts.errors import ReleaseError, ServiceFailed, SettingsError
from doit_receipts.printable import printable
from plugins.model.forms import WrongForm, leads_elsewhere, web_address
from plugins.services.bounds import Bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.outside_settings import Notify
    from plugins.ports.email import Mail
    from plugins.ports.programs import Programs

__all__ = ["PATIENCE_S", "Notifier", "payload"]

PATIENCE_S: Final = 10.0
"""So long a way is tried; an email, until its server says nothing for so long."""
_BOUNDS: Final = Bounds(
    grace_s=PATIENCE_S, silence_s=PATIENCE_S / 2, longest_s=PATIENCE_S, size_bytes=1 << 16
)
_SHORTEST_SECRET: Final = 8
_MOST_DISCORD: Final = 2000
_MOST_OTHERS: Final = 4000


class Notifier:
    """Tells all that ``[notify]`` names. What holds a secret is read when it is sent.

    In a rehearsal no webhook of another machine is asked.
    """

    def __init__(
        self,
        settings: Notify,
        sender: str,
        mail: Mail,
        programs: Programs,
        *,
        rehearsal: bool = False,
    ) -> None:
        self._settings = settings
        self._rehearsal = rehearsal
        self._sender = sender
        self._mail = mail
        self._programs = programs

    def tell(self, folder: Path, subject: str, text: str) -> Iterator[str]:
        """Each way was tried once, for ten seconds at most; gives a line for each that failed."""
        ways: dict[str, Callable[[], None]] = {}
        if self._settings.command:
            ways["command"] = lambda: self._run(folder, subject, text)
        if self._settings.webhook is not None:
            ways["webhook"] = lambda: self._post(f"{subject}\n{text}")
        # Last: a mail server that drips keeps the others waiting until all of it is stopped.
        if self._settings.mail:
            ways["mail"] = lambda: self._send(subject, text)
        for name, way in ways.items():
            try:
                way()
            except ServiceFailed as error:
                yield _line(name, error.problem)
            except (ReleaseError, OSError) as error:
                yield _line(name, str(error))

    def _run(self, folder: Path, subject: str, text: str) -> None:
        from plugins.services.environment import attended_environment

        words = [*self._settings.command, subject]
        self._programs.run(
            words, folder=folder, env=attended_environment(), stdin=text.encode(),
            timeout_s=PATIENCE_S,
        )  # fmt: skip

    def _send(self, subject: str, text: str) -> None:
        from secrets import token_hex

        from plugins.ports.email import Email

        if not self._sender:
            raise SettingsError(
                where="[announce] sender", problem="is missing",
                remedy="write the address that emails come from",
            )  # fmt: skip
        host = self._sender.partition("@")[2]
        # Of two with one Message-ID a mailbox shows one, and a stop may come again.
        mark = token_hex(16)
        to = (self._settings.mail,)
        self._mail.send(Email(f"<{mark}@{host}>", self._sender, to, subject, text))

    def _post(self, text: str) -> None:
        from plugins.services.http_client import HttpClient

        secret = self._settings.webhook
        assert secret is not None  # noqa: S101 - for the type checker
        try:
            address = urlsplit(web_address(secret.reveal()))
        except WrongForm as error:
            # Not the address: whoever knows it can write to the channel.
            raise SettingsError(
                where=f"secret {secret.place}", problem="holds no address of a webhook",
                remedy=str(error),
            ) from None  # fmt: skip
        if self._rehearsal and leads_elsewhere(address.geturl()):
            raise SettingsError(
                where=f"secret {secret.place}",
                problem="leads to another machine, and a rehearsal contacts only this one",
                remedy="take [notify] webhook out of the rehearsal's release.toml",
            )
        path = address.path + (f"?{address.query}" if address.query else "")
        secrets = (path, address.path, *_secret_parts(address.path, address.query))
        base = f"{address.scheme}://{address.netloc}"
        client = HttpClient("webhook", base, bounds=_BOUNDS, hidden=lambda: secrets)
        content = payload(self._settings.form, text)
        client.send("POST", path, "tell", again=False, json=content)


def _secret_parts(path: str, query: str) -> Iterator[str]:
    """The values of the query and the long parts of the path, as written and as they are read."""
    written = [part.partition("=")[2] for part in query.split("&")]
    written += [part for part in path.split("/") if len(part) >= _SHORTEST_SECRET]
    for each in (*written, *(value for _, value in parse_qsl(query))):
        if each:
            yield from (each, unquote(each))


def _line(way: str, problem: str) -> str:
    told = "the notification may not have been sent, and is not sent again"
    return f"[notify] {way}: {told}: {printable(problem)}"


def payload(form: str, text: str) -> dict[str, Any]:
    """The JSON that a webhook of this form takes; nobody is called by a name in the text."""
    match form:
        case "discord":
            return {"content": _cut(text, _MOST_DISCORD), "allowed_mentions": {"parse": []}}
        case "slack":
            safe = _cut(text, _MOST_OTHERS).replace("&", "&amp;")
            return {"text": safe.replace("<", "&lt;").replace(">", "&gt;")}
        case _:
            # A space without width: whatever is made of the rest, nobody is meant by it.
            return {"text": _cut(text.replace("@", "@\u200b"), _MOST_OTHERS)}


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
