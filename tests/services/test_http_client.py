"""The one HTTP client against servers that lie: bounded, and a secret goes nowhere else."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, Waiting
from plugins.services.bounds import Bounds
from plugins.services.http_client import HttpClient
from tests.lying_server import answer, lying

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "canary-4711-token"
STORAGE = ("blob.core.windows.net",)
BOMB = gzip.compress(bytes(50_000_000))
QUICK = Bounds(grace_s=0.4, least_rate=1_000_000, silence_s=0.4, longest_s=1.5, size_bytes=1 << 20)


def a_client(base: str, **more: object) -> HttpClient:
    login = {"authorization": f"Bearer {TOKEN}"}
    return HttpClient("github", base, lambda: login, **{"bounds": QUICK, **more})  # type: ignore[arg-type]


def saying(*parts: bytes) -> Callable[[socket.socket, str], None]:
    return lambda to, _: to.sendall(b"".join(parts))


@pytest.fixture(autouse=True)
def _bounded_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_the_next_page_on_another_host_is_not_asked_and_the_token_stays() -> None:
    elsewhere: list[bytes] = []
    with lying(saying(answer(b"[]")), elsewhere) as other:
        page = answer(b"[1]", Link=f'<{other}/issues?page=2>; rel="next"')
        with (
            lying(saying(page)) as base,
            pytest.raises(
                ServiceFailed, match="github: list: the next page of the list is on another server"
            ),
        ):
            a_client(base).get_all("/issues", "list")
    assert elsewhere == []


@pytest.mark.parametrize(
    "link",
    ["http://[::1", "//evil.example/x", "https://127.0.0.1/", "http://127.0.0.1:1/x", "ftp://x/"],
)
def test_a_next_page_that_is_no_address_of_the_server_is_refused(link: str) -> None:
    page = answer(b"[1]", Link=f'<{link}>; rel="next"')
    with lying(saying(page)) as base, pytest.raises(ServiceFailed, match="on another server"):
        a_client(base).get_all("/issues", "list")


def test_pages_come_to_an_end_whatever_the_server_says() -> None:
    asked: list[bytes] = []

    def speak(to: socket.socket, path: str) -> None:
        to.sendall(answer(b"[1]", Link=f'<{base}{path}>; rel="next"'))

    with (
        lying(speak, asked) as base,
        pytest.raises(ServiceFailed, match="more than 50 pages of 100 entries"),
    ):
        a_client(base).get_all("/issues", "list")
    assert len(asked) == 50


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temp", "308 Perm"])
def test_a_write_that_is_led_elsewhere_was_not_done(method: str, status: str) -> None:
    asked: list[bytes] = []
    sent = answer(b"", status, Location="/elsewhere")
    with (
        lying(saying(sent), asked) as base,
        pytest.raises(ServiceFailed, match=r"redirects to /elsewhere: nothing was done"),
    ):
        a_client(base).send(method, "/x", "write", again=True, json={})
    assert len(asked) == 1


def test_a_read_is_led_on_by_its_own_server_only_and_not_for_ever() -> None:
    elsewhere: list[bytes] = []
    with lying(saying(answer(b"7")), elsewhere) as other:

        def speak(to: socket.socket, path: str) -> None:
            place = {"/a": "/b?x=1", "/out": f"{other}/x", "/loop": "/loop"}.get(path, "")
            to.sendall(answer(b"", "302 Found", Location=place) if place else answer(b"42"))

        with lying(speak) as base:
            client = a_client(base)
            assert client.json(client.get("/a", "read"), "read").number() == 42
            with pytest.raises(ServiceFailed, match="which is another server"):
                client.get("/out", "read")
            with pytest.raises(ServiceFailed, match="redirects more than 3 times"):
                client.get("/loop", "read")
    assert elsewhere == []


def test_a_download_goes_to_a_storage_that_was_named_without_the_token(tmp_path: Path) -> None:
    elsewhere: list[bytes] = []
    asked: list[bytes] = []
    with lying(saying(answer(b"content")), elsewhere) as other:
        sent = answer(b"", "302 Found", Location=f"{other.replace('127.0.0.1', 'localhost')}/x?s=1")
        with lying(saying(sent), asked) as base:
            file = tmp_path / "file"
            with pytest.raises(ServiceFailed, match="which is another server"):
                a_client(base).download("/zip", "fetch", file, 99)
            digest = a_client(base, leads_to=STORAGE).download("/zip", "fetch", file, 99)
    assert digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert TOKEN.encode() in asked[0]
    assert len(elsewhere) == 1
    assert TOKEN.encode() not in elsewhere[0]


@pytest.mark.parametrize(
    "place",
    [
        "https://blob.core.windows.net.evil.example/x",
        "https://evilblob.core.windows.net.example/x",
        "http://x.blob.core.windows.net/x",
        "https://x.blob.core.windows.net@evil.example/x",
        "//evil.example/x",
        "https://[",
        "javascript:alert(1)",
    ],
)
def test_a_storage_that_only_looks_like_the_named_one_is_refused(
    place: str, tmp_path: Path
) -> None:
    with (
        lying(saying(answer(b"", "302 Found", Location=place))) as base,
        pytest.raises(ServiceFailed),
    ):
        a_client(base, leads_to=STORAGE).download("/zip", "fetch", tmp_path / "file", 99)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate", "zstd", "gzip, gzip", "\x1b[2J"])
def test_a_packed_answer_is_not_unfolded(coding: str) -> None:
    with (
        lying(saying(answer(BOMB, Content_Encoding=coding))) as base,
        pytest.raises(ServiceFailed),
    ):
        a_client(base).get("/x", "read")


def test_an_answer_that_is_too_large_is_refused_by_its_length_and_by_its_bytes() -> None:
    large = b"x" * ((1 << 20) + 1)
    endless = b"HTTP/1.1 200 OK\r\n\r\n"
    for parts in ((answer(b"", Content_Length="9999999999"),), (answer(large),), (endless, large)):
        with (
            lying(saying(*parts)) as base,
            pytest.raises(ServiceFailed, match="larger than 1,048,576 bytes"),
        ):
            a_client(base).get("/x", "read")


def test_an_error_that_is_too_large_is_refused_too(tmp_path: Path) -> None:
    sent = answer(b"x" * (2 << 20), "404 Not Found")
    with lying(saying(sent)) as base, pytest.raises(ServiceFailed, match="larger than"):
        a_client(base).download("/x", "fetch", tmp_path / "file", 99)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["body", "header", "status line", "chunk"],
)
def test_an_answer_that_drips_is_given_up(head: bytes) -> None:
    def speak(to: socket.socket, _: str) -> None:
        to.sendall(head)
        while True:
            to.sendall(b"1")
            time.sleep(0.02)

    began = time.monotonic()
    with lying(speak) as base, pytest.raises(ServiceFailed):
        a_client(base).send("POST", "/x", "write", again=False, json={})
    assert time.monotonic() - began < 60


def test_an_answer_that_never_begins_in_earnest_is_given_up() -> None:
    """Word that it will come soon, for ever, at any rate: 1xx answers come before the real one."""

    def speak(to: socket.socket, _: str) -> None:
        while True:
            to.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    began = time.monotonic()
    with lying(speak) as base, pytest.raises(ServiceFailed, match=r"timed out|too slow"):
        a_client(base).send("POST", "/x", "write", again=False, json={})
    assert time.monotonic() - began < 60


def test_a_file_that_is_cut_off_is_fetched_again_and_never_half(tmp_path: Path) -> None:
    tries: list[str] = []

    def speak(to: socket.socket, path: str) -> None:
        tries.append(path)
        whole = answer(b"content")
        to.sendall(whole if len(tries) > 2 else whole[:-3])

    with lying(speak) as base:
        a_client(base).download("/x", "fetch", tmp_path / "file", 99)
        assert (tmp_path / "file").read_bytes() == b"content"
    with lying(saying(answer(b"content")[:-3])) as base, pytest.raises(ServiceFailed):
        a_client(base).download("/x", "fetch", tmp_path / "other", 99)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("body", [{"message": f"no {TOKEN}"}, {"x": TOKEN}, {"message": ["a"]}])
@pytest.mark.parametrize("padding", [0, 295])
def test_what_a_server_says_holds_no_secret_and_no_control_character(
    body: dict[str, object], padding: int
) -> None:
    body = {**body, "error": "x" * padding + f"\x1b[2J\r\n {TOKEN}"}
    sent = answer(json.dumps(body).encode(), "403 Forbidden")
    with lying(saying(sent)) as base, pytest.raises(ServiceFailed) as raised:
        a_client(base).get("/x", "read")
    told = f"{raised.value}{raised.value.details}{raised.value!r}"
    assert "canary" not in told
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("waits", "kind"),
    [("999999999999", Waiting), ("-1", ServiceFailed), ("Wed, 21 Oct", ServiceFailed),
     ("1e9", ServiceFailed), ("²", ServiceFailed)],
)  # fmt: skip
def test_a_server_may_not_let_us_wait_as_long_as_it_likes(
    waits: str, kind: type[Exception]
) -> None:
    sent = answer(b"{}", "503 Busy", Retry_After=waits)
    began = time.monotonic()
    with lying(lambda to, _: to.sendall(sent)) as base, pytest.raises(kind):
        a_client(base).get("/x", "read")
    assert time.monotonic() - began < 60


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    asked: list[bytes] = []
    with lying(saying(answer(b"42")), asked) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        client = HttpClient("site", "http://site.example")
        assert client.json(client.get("/x", "read"), "read").number() == 42
    assert asked[0].startswith(b"GET http://site.example/x HTTP/1.1\r\n")
