"""The notifier: what Discord, Slack and Zulip are sent, and that nothing holds the release up."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.outside_settings import Notify
from plugins.model.secret import Secret
from plugins.services.notifier import Notifier, payload
from plugins.services.programs import MachinePrograms
from tests.lying_server import answer, lying

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from plugins.ports.email import Email

CANARY: Final = "c4n4ry-of-a-channel"
SUBJECT, TEXT = "Python 3.13.6: approve_commit waiting for RM", "approve_commit: <look> & @*all*\n"


class Outbox:
    """A Mail that keeps what it gets, or takes nothing."""

    def __init__(self, *, works: bool = True) -> None:
        self.sent: list[Email] = []
        self._works = works

    def send(self, email: Email) -> None:
        if not self._works:
            raise ServiceFailed(service="mail", action="send", problem="is away")
        self.sent.append(email)

    def log_in(self) -> None:
        """Nothing to do."""


def told(settings: Notify, folder: Path, mail: Outbox | None = None) -> list[str]:
    notifier = Notifier(settings, "rm@python.org", mail or Outbox(), MachinePrograms())
    return list(notifier.tell(folder, SUBJECT, TEXT))


def webhook(folder: Path, address: str, form: str = "slack") -> Notify:
    place = folder / "webhook"
    place.write_text(f"{address}/hooks/{CANARY}?key={CANARY}")
    place.chmod(0o600)
    return Notify(webhook=Secret(f"file:{place}"), form=form)


def test_rehearsal_asks_no_webhook_of_another_machine(tmp_path: Path) -> None:
    settings = webhook(tmp_path, "https://python.invalid")
    notifier = Notifier(settings, "rm@python.org", Outbox(), MachinePrograms(), rehearsal=True)
    (line,) = notifier.tell(tmp_path, SUBJECT, TEXT)
    assert "leads to another machine, and a rehearsal contacts only this one" in line
    assert "take [notify] webhook out" in line
    assert CANARY not in line


@pytest.mark.parametrize("form", ["discord", "slack", "zulip"])
def test_a_webhook_gets_its_own_form(form: str, tmp_path: Path) -> None:
    asked: list[bytes] = []
    bodies: list[bytes] = []

    def speak(connection: socket.socket, path: str) -> None:
        assert path == f"/hooks/{CANARY}?key={CANARY}"
        head, _, body = asked[-1].partition(b"\r\n\r\n")
        (size,) = [line for line in head.lower().split(b"\r\n") if b"content-length:" in line]
        while len(body) < int(size.partition(b":")[2]):
            body += connection.recv(65536)
        bodies.append(body)
        connection.sendall(answer(b"ok"))

    with lying(speak, asked) as address:
        assert told(webhook(tmp_path, address, form), tmp_path) == []
    assert asked[0].startswith(b"POST ")
    (body,) = bodies
    assert json.loads(body) == payload(form, f"{SUBJECT}\n{TEXT}")


def test_nobody_is_called_by_what_a_message_says() -> None:
    assert payload("discord", "@everyone")["allowed_mentions"] == {"parse": []}
    assert payload("slack", "<!channel> & co")["text"] == "&lt;!channel&gt; &amp; co"
    assert payload("slack", "&" * 5000)["text"].endswith("&amp;…")
    assert len(payload("discord", "x" * 3000)["content"]) == 2000


@pytest.mark.parametrize(
    "said", ["@**all**", " @*team*", "(@_team_)", "@_*team*_", "@_**all**", "@__x__", "@\u200b_x_"]
)
def test_zulip_finds_no_mention_once_it_has_translated_what_slack_means(said: str) -> None:
    text = payload("zulip", f"approve_a: {said} said so")["text"]
    bold = re.sub(r"\*([^*\n]+)\*", r"**\1**", text)
    for each in (text, bold, re.sub(r"_([^_\n]+)_", r"*\1*", bold)):
        assert not re.search(r"@_?\*", each)


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"\x00\xff" * 99]
)
def test_a_webhook_that_refuses_or_lies_is_one_line_without_its_address(
    said: bytes, tmp_path: Path
) -> None:
    with lying(lambda connection, _path: connection.sendall(said)) as address:
        (line,) = told(webhook(tmp_path, address), tmp_path)
    assert line.startswith("[notify] webhook: the notification may not have been sent")
    assert CANARY not in line
    assert "\n" not in line


def test_a_webhook_that_says_nothing_is_left_after_a_while(tmp_path: Path) -> None:
    def hang(connection: socket.socket, _path: str) -> None:
        connection.settimeout(60)
        while connection.recv(65536):
            pass

    with lying(hang) as address:
        (line,) = told(webhook(tmp_path, address), tmp_path)
    assert line.startswith("[notify] webhook: the notification may not have been sent")
    assert CANARY not in line


@pytest.mark.parametrize("content", ["http://example.org/x", "not an address", "a\nb"])
def test_what_is_no_address_is_not_repeated(content: str, tmp_path: Path) -> None:
    settings = webhook(tmp_path, "")
    (tmp_path / "webhook").write_text(content)
    (line,) = told(settings, tmp_path)
    assert content not in line
    assert "secret file:" in line


def test_one_way_that_fails_leaves_the_others(tmp_path: Path) -> None:
    script = "import sys, pathlib; pathlib.Path('told').write_text(sys.argv[1] + sys.stdin.read())"
    good = Notify(command=(sys.executable, "-c", script), mail="a@example.org")
    mail = Outbox()
    assert told(good, tmp_path, mail) == []
    assert (tmp_path / "told").read_text() == SUBJECT + TEXT
    (email,) = mail.sent
    assert (email.to, email.subject, email.text) == (("a@example.org",), SUBJECT, TEXT)
    bad = Notify(command=("no-such-program",), mail="a@example.org")
    lines = told(bad, tmp_path, Outbox(works=False))
    assert [line.partition(": ")[0] for line in lines] == ["[notify] command", "[notify] mail"]


@pytest.mark.parametrize("address", [f"/api?api_key={CANARY}&stream=x", f"/hooks/{CANARY}/slack"])
def test_a_server_that_repeats_a_part_of_the_address_tells_nobody_of_it(
    address: str, tmp_path: Path
) -> None:
    said = f'{{"message": "no account has the key {CANARY}"}}'.encode()
    head = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
    whole = head + b"Content-Length: %d\r\n\r\n%s" % (len(said), said)
    with lying(lambda connection, _path: connection.sendall(whole)) as base:
        settings = webhook(tmp_path, base, "zulip")
        (tmp_path / "webhook").write_text(f"{base}{address}")
        (line,) = told(settings, tmp_path)
    assert line.startswith("[notify] webhook: the notification may not have been sent")
    assert CANARY not in line


def test_a_webhook_that_takes_a_message_and_answers_with_an_error_is_asked_once(
    tmp_path: Path,
) -> None:
    """Whether it has the message nobody knows."""
    asked: list[bytes] = []

    def speak(connection: socket.socket, _path: str) -> None:
        connection.sendall(answer(b"stored, and then broke", "500 Internal Server Error"))

    with lying(speak, asked) as address:
        (line,) = told(webhook(tmp_path, address), tmp_path)
    assert len(asked) == 1
    assert line.startswith("[notify] webhook: the notification may not have been sent")


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "429 Too Many Requests"])
def test_a_webhook_that_sends_a_message_round_is_asked_once(status: str, tmp_path: Path) -> None:
    asked: list[bytes] = []

    def speak(connection: socket.socket, path: str) -> None:
        connection.sendall(answer(status=status, Location=path, Retry_After="0"))

    with lying(speak, asked) as address:
        (line,) = told(webhook(tmp_path, address), tmp_path)
    assert len(asked) == 1
    assert "may not have been sent" in line
    assert CANARY not in line


def test_an_email_of_a_stop_that_comes_again_is_no_copy_of_the_first(tmp_path: Path) -> None:
    """A mailbox shows one of two with the same Message-ID."""
    mail = Outbox()
    for _ in range(2):
        assert told(Notify(mail="a@example.org"), tmp_path, mail) == []
    first, second = (each.message_id for each in mail.sent)
    assert first != second


def test_a_mail_server_that_drips_keeps_nobody_from_the_webhook(tmp_path: Path) -> None:
    """An email has no end of its own: what takes too long is stopped, and what comes behind it."""
    asked: list[bytes] = []
    mail = Outbox(works=False)
    with lying(lambda connection, _path: connection.sendall(answer(b"ok")), asked) as address:
        settings = replace(webhook(tmp_path, address), mail="a@example.org")
        notifier = Notifier(settings, "rm@python.org", mail, MachinePrograms())
        first = next(notifier.tell(tmp_path, SUBJECT, TEXT))
    assert first.startswith("[notify] mail: ")
    assert len(asked) == 1
