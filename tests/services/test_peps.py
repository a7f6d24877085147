"""Tests of the PEPs' site over real HTTP: what it tells, and the ways in which it tells nothing."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed
from plugins.model.release import Phase
from plugins.model.version import Version
from plugins.rehearsal import github, peps
from plugins.rehearsal.store import ALWAYS, Store
from plugins.services.bounds import Bounds
from plugins.services.peps import PublishedSchedules
from tests.lying_server import answer, lying
from tests.served import served

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

DAY = date(2026, 10, 6)
QUICK = Bounds(grace_s=1.0, least_rate=50_000, silence_s=0.5)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    github.seed(made, "3.14", ("main", "3.13", "3.14"))
    peps.seed(made, Version.parse("3.14.8"), DAY)
    return made


@pytest.fixture
def site(store: Store) -> Iterator[str]:
    with served(peps.app(store)) as address:
        yield address


def test_site_tells_branches_and_releases(site: str) -> None:
    schedules = PublishedSchedules(site)
    entry = schedules.branch("3.14")
    assert entry is not None
    assert (entry.phase, entry.pep) == (Phase.BUGFIX, 745)
    assert entry.end_of_life.endswith("-10")
    assert schedules.branch("3.40") is None
    stage = schedules.schedule().stage(Version.parse("3.14.8"))
    assert stage is not None
    assert (stage.actual, stage.day) == (False, DAY)


def test_each_document_is_asked_for_once(site: str, store: Store) -> None:
    schedules = PublishedSchedules(site)
    schedules.branch("3.14")
    schedules.schedule()
    store.order_fault("peps.500", times=ALWAYS)
    schedules.branch("3.13")
    schedules.schedule()
    with pytest.raises(ServiceFailed, match="answered 500"):
        schedules.schedule(fresh=True)


def test_server_that_stumbles_once_is_asked_again(site: str, store: Store) -> None:
    store.order_fault("peps.500")
    assert PublishedSchedules(site).branch("3.14") is not None


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("peps.500", ServiceFailed, "answered 500"),
        ("peps.malformed", ServiceFailed, "not valid JSON"),
        ("peps.endless", ServiceFailed, "is larger than 4,194,304 bytes"),
        ("peps.unknown_status", StepFailed, "3.14 status is the text 'hibernating'"),
    ],
)
def test_fault_is_one_line(
    site: str, store: Store, fault: str, kind: type[ReleaseError], words: str
) -> None:
    store.order_fault(fault, times=ALWAYS)
    with pytest.raises(kind) as caught:
        PublishedSchedules(site).branch("3.14")
    told = str(caught.value)
    assert words in told
    assert "\n" not in told
    assert site in told


def slowly(connection: socket.socket, path: str) -> None:  # noqa: ARG001 - as the server calls it
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b" ")
        time.sleep(0.05)


def silent(connection: socket.socket, path: str) -> None:  # noqa: ARG001 - as above
    connection.settimeout(50)
    connection.recv(1)


def saying(body: bytes, status: str = "200 OK", **headers: str) -> Callable[..., None]:
    def speak(connection: socket.socket, path: str) -> None:  # noqa: ARG001 - as above
        connection.sendall(answer(body, status, **headers))

    return speak


def cut(connection: socket.socket, path: str) -> None:  # noqa: ARG001 - as above
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{")


@pytest.mark.parametrize(
    "speak",
    [
        slowly,
        silent,
        cut,
        saying(b""),
        saying(b"\xff\xfe"),
        saying(b"<html>log in first</html>"),
        saying(b"[" * 100_000),
        saying(b"9" * 100_000),
        saying(b"{}", "404 Not Found"),
        saying(b"", "301 Moved Permanently", Location="https://elsewhere.example/"),
        saying(b"\x1f\x8b\x08\x00", Content_Encoding="gzip"),
        saying(b"null"),
        saying(b"[]"),
        saying(b'{"3.14": []}'),
        saying(b'{"3.14": {"pep": 745, "status": "bug\\nfix", "end_of_life": "2030-10"}}'),
        saying(b'{"3.14": {"pep": 1e999, "status": "bugfix", "end_of_life": "2030-10"}}'),
        saying(b'{"3.14": {"pep": 745, "status": "bugfix", "end_of_life": "2030-99"}}'),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_server_that_lies_costs_a_line_and_few_seconds(speak: Callable[..., None]) -> None:
    began_s = time.monotonic()
    with lying(speak) as address, pytest.raises(ReleaseError) as caught:
        PublishedSchedules(address, QUICK).branch("3.14")
    assert time.monotonic() - began_s < 40
    assert "\n" not in str(caught.value)
    assert address in str(caught.value)
    assert len(str(caught.value)) < 600


def test_nobody_at_the_address_is_one_line() -> None:
    schedules = PublishedSchedules("http://127.0.0.1:9", QUICK)
    for _ in range(2):
        with pytest.raises(ServiceFailed, match=r"GET /api/release-cycle\.json: cannot be reached"):
            schedules.branch("3.14")


def test_server_that_is_silent_is_waited_for_once() -> None:
    began_s = time.monotonic()
    with lying(silent) as address:
        schedules = PublishedSchedules(address, QUICK)
        for ask in (lambda: schedules.branch("3.14"), schedules.schedule) * 20:
            with pytest.raises(ServiceFailed, match="timed out"):
                ask()
    assert time.monotonic() - began_s < 15


def test_service_is_known_by_its_address() -> None:
    assert repr(PublishedSchedules("https://peps.example/")) == "schedules(https://peps.example)"
