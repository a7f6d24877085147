"""Tests of the mail service against the world's server over real SMTP on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import NothingDone, ServiceFailed
from plugins.model.secret import Secret
from plugins.ports.email import Email
from plugins.rehearsal import mail as world
from plugins.rehearsal.store import Store
from plugins.services.mail_server import MailServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL = Email(
    "<v3.13.6.announce@pep101.example.org>",
    "rm@example.org",
    ("announce@example.org", "dev@example.org"),
    "Python 3.13.6 is out \N{EM DASH} at last",
    "A line.\n\n.a line with a dot\nüñï\n" + "long " * 300 + "\n",
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(world.serve(store))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"smtp://127.0.0.1:{server.port}"

    async def close() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Secret:
    monkeypatch.setenv("MAIL_OF_TEST", "rm:rehearsal-mail-password")
    return Secret("env:MAIL_OF_TEST")


def test_email_arrives_as_it_was_written(address: str, login: Secret, store: Store) -> None:
    MailServer(address, login).send(EMAIL)
    (kept,) = store.load("mail", [])
    assert kept["message_id"] == EMAIL.message_id
    assert kept["to"] == ["announce@example.org", "dev@example.org"]
    assert kept["subject"] == EMAIL.subject
    assert kept["text"] == EMAIL.text


def test_long_id_stays_in_one_piece(address: str, login: Secret, store: Store) -> None:
    name = "<v3.14.0rc1.announce-a-list-of-quite-a-long-name-1a2b3c4d.release.pep101@python.org>"
    MailServer(address, login).send(replace(EMAIL, message_id=name))
    (kept,) = store.load("mail", [])
    assert kept["message_id"] == name
    assert f"Message-ID: {name}" in kept["head"]


def test_login_is_tried_without_a_email(address: str, login: Secret, store: Store) -> None:
    MailServer(address, login).log_in()
    assert store.load("mail", []) == []


def test_wrong_password_is_told_and_not_shown(
    address: str, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.setenv("MAIL_OF_TEST", "rm:canary-4711")
    mail = MailServer(address, Secret("env:MAIL_OF_TEST"))
    with pytest.raises(ServiceFailed, match="the login was refused") as told:
        mail.send(EMAIL)
    assert isinstance(told.value, NothingDone)
    assert "canary" not in repr(mail) + str(told.value) + repr(told.value.__context__)
    assert store.load("mail", []) == []


def test_refusal_is_certain(address: str, login: Secret, store: Store) -> None:
    store.order_fault("mail.refuses")
    with pytest.raises(ServiceFailed, match=r"550 5\.7\.1 You may not post to this list") as told:
        MailServer(address, login).send(EMAIL)
    assert isinstance(told.value, NothingDone)


@pytest.mark.parametrize(("fault", "kept"), [("drop_after_accept", 1), ("drop_before", 0)])
def test_line_cut_while_sending_leaves_it_open_and_is_not_tried_again(
    address: str, login: Secret, store: Store, fault: str, kept: int
) -> None:
    store.order_fault(f"mail.{fault}")
    with pytest.raises(ServiceFailed, match="may have been sent or not") as told:
        MailServer(address, login).send(EMAIL)
    assert not isinstance(told.value, NothingDone)
    assert "run the same command again" in told.value.remedy
    assert len(store.load("mail", [])) == kept


def test_server_that_is_not_there_took_nothing(login: Secret) -> None:
    with pytest.raises(ServiceFailed, match="cannot be reached") as told:
        MailServer("smtp://127.0.0.1:9", login).send(EMAIL)
    assert isinstance(told.value, NothingDone)


@pytest.mark.parametrize("bad", ["a@b\nBcc: c@d", "A <a@b>", "nobody", ""])
def test_addresses_are_judged_at_the_border(address: str, login: Secret, bad: str) -> None:
    email = Email("<x@y>", "rm@example.org", (bad,), "S", "T")
    with pytest.raises(ServiceFailed, match="is not an email address") as told:
        MailServer(address, login).send(email)
    assert "\n" not in str(told.value)


def test_text_that_no_encoding_holds_is_one_line(address: str, login: Secret) -> None:
    with pytest.raises(NothingDone, match="cannot be written as UTF-8 at character 3"):
        MailServer(address, login).send(replace(EMAIL, text="abc\udc80"))


def test_message_id_that_would_begin_a_header_is_refused(address: str, login: Secret) -> None:
    with pytest.raises(NothingDone, match="Message-ID"):
        MailServer(address, login).send(replace(EMAIL, message_id="<a@b>\nBcc: c@d"))


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServiceFailed, match="cannot be reached at"):
            MailServer(address, None, silence_s=0.1).send(EMAIL)
