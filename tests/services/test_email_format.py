"""Emails arrive as they were approved, to the byte: a real SMTP server, the usual parser."""

from __future__ import annotations

import asyncio
import email
import email.policy
import threading
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from plugins.ports.email import Email
from plugins.services.email_format import wire_bytes
from plugins.services.mail_server import MailServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from aiosmtpd.smtp import Envelope, Session

SENDER = "rm@example.org"
DATE = "Sun, 29 Nov 2026 05:00:00 GMT"
# What servers, archives and clients are known to change.
HARD = [
    "From the release team\nFrom here on\n",
    "Note: the first word has a colon\n\nbody\n",
    "Subject: not a header\nBcc: x@example.org\n\nreally not\n",
    "a line with spaces at its end   \nand a tab\t\n",
    "CRLF line ends\r\nof every\rkind\n",
    "no line end at the end",
    ".\n.leading dots\n..\n",
    "long " * 600 + "\n" + "x" * 5000,
    "русский, 日本語, العربية, 👩‍👩‍👧, e\u0301\n",
    "=20=3D=\n=?utf-8?b?eA==?=\n",
    "\n\n\nblank lines around\n\n\n",
    "odd\u2028line\u0085ends\x0b\x0c and NUL \0\n",
    f"{'x' * 70}\nFrom \n{'y' * 73}From z\n",
]
TEXTS = st.one_of(
    st.text(min_size=1),
    st.lists(
        st.one_of(
            st.text(max_size=120),
            st.sampled_from(["From ", ".", "", " ", "\t", "=", "x" * 72, "x" * 73, "ж" * 40]),
            st.sampled_from(HARD),
        ),
        min_size=1,
    ).map("\n".join),
)
SUBJECTS = st.text(
    st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=200
).filter(lambda text: bool(text.strip()))


def an_email(text: str, subject: str = "Python 3.13.6 is now available") -> Email:
    return Email("<v3.13.6.test.pep101@example.org>", SENDER, ("a@example.org",), subject, text)


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def arrived(message: EmailMessage) -> bytes:
    payload = message.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


class Kept:
    """What a server was given, as aiosmtpd calls for it."""

    def __init__(self) -> None:
        self.content: list[bytes] = []

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        self.content.append(envelope.content)
        return "250 OK"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[MailServer, Kept]]:
    """A real SMTP server that keeps what it gets, and our client of it."""
    kept = Kept()
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(
        loop.create_server(lambda: SMTP(kept, hostname="mail.test"), "127.0.0.1", 0)
    )
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port = listening.sockets[0].getsockname()[1]
    yield MailServer(f"smtp://127.0.0.1:{port}", None), kept

    async def close() -> None:
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS, subject=SUBJECTS)
def test_text_and_subject_arrive_over_a_real_server(
    server: tuple[MailServer, Kept], text: str, subject: str
) -> None:
    client, kept = server
    client.send(an_email(text, subject))
    message = parsed(kept.content.pop())
    assert arrived(message) == text.encode()
    assert message["subject"] == subject


@pytest.mark.parametrize("text", HARD)
def test_texts_that_are_often_changed_arrive(server: tuple[MailServer, Kept], text: str) -> None:
    client, kept = server
    client.send(an_email(text))
    message = parsed(kept.content.pop())
    assert arrived(message) == text.encode()
    assert message["bcc"] is None
    assert not message.defects


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
@example("From \n" * 3)
def test_no_line_of_the_wire_can_be_changed_on_the_way(text: str) -> None:
    """Short, ASCII, never "From ", never a dot or a space at an edge that somebody cuts."""
    content = wire_bytes(an_email(text), DATE)
    assert content.isascii()
    body = content.partition(b"\r\n\r\n")[2]
    assert body.count(b"\n") == body.count(b"\r") == body.count(b"\r\n")
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b"From ", b"."))
        assert not line.endswith((b" ", b"\t"))
    # a mailbox of another line end, and a server that puts > before From, change nothing
    kept = content.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
    assert arrived(parsed(kept)) == text.encode()


@settings(max_examples=300, deadline=None)
@given(subject=SUBJECTS)
@example("x" * 200)
@example("=?utf-8?q?a?=")
@example("two  spaces")
@example(" edge ")
def test_subject_arrives_in_short_lines(subject: str) -> None:
    content = wire_bytes(an_email("text", subject), DATE)
    assert parsed(content)["subject"] == subject
    assert all(len(line) <= 78 for line in content.split(b"\r\n"))


def test_plain_subject_stays_legible() -> None:
    assert b"\r\nSubject: Python 3.13.6 is now available\r\n" in wire_bytes(an_email("x"), DATE)
