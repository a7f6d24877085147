"""A client believes no server, holds no more than it was told to, and waits for nobody long."""

from __future__ import annotations

import gzip
import json
import re
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.model.blog import BLOG
from plugins.model.content import Content
from plugins.model.published_file import DOCS, SITE
from plugins.ports.public import AROUND
from plugins.services.anonymous_client import AnonymousClient
from plugins.services.bounds import Bounds
from plugins.services.site_reader import SiteReader
from tests.lying_server import answer, lying

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

URL = "https://www.python.org/ftp/python/3.13.6/Python-3.13.6.tgz"
MOST = 1_000_000
QUICK = Bounds(grace_s=0.5, least_rate=1_000_000_000, silence_s=0.5)


def a_client(base: str, tmp_path: Path, bounds: Bounds = QUICK) -> AnonymousClient:
    return AnonymousClient(base, base, (base,), tmp_path / "visits.json", bounds=bounds)


@pytest.fixture
def _bounded_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.usefixtures("_bounded_memory")
@pytest.mark.parametrize(
    "sent",
    [
        answer(b"x" * 99, Content_Length=str(10 << 30)),
        answer(b"x" * 99, Content_Length="9" * 400),
        answer(b"x" * 99, Content_Length="-5"),
        answer(b"x" * 99, Content_Length="12"),
        answer(b"x" * 99, Content_Length="990"),
        answer(b"x" * (MOST + 1)),
        answer(b"fffffffffffff\r\nxx", Content_Length="", Transfer_Encoding="chunked"),
        answer(b"", "302 Found", Location="http://169.254.169.254/latest/") * 9,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 400_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00" * 99,
        b"",
        answer(b"oops", "503 Service Unavailable"),
    ],
    ids=[
        "ten gigabytes claimed", "an endless number", "a negative size", "less told than sent",
        "more told than sent", "too much sent", "an endless chunk", "a redirect",
        "endless headers", "no HTTP", "nothing", "busy",
    ],
)  # fmt: skip
def test_what_no_honest_server_sends_is_refused(sent: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with lying(lambda to, _: to.sendall(sent)) as base:
        client = a_client(base, tmp_path)
        try:
            fetched = client.fetch(URL, base, MOST, file)
        except ServiceFailed:
            pass
        else:
            # A smaller length than was sent is a whole answer to HTTP, and its digest is judged.
            assert fetched.status != 200 or fetched.content.size_bytes == 12
            assert fetched.status == 200 or not file.exists()
    assert not file.with_name("file.partial").exists()


@pytest.mark.usefixtures("_bounded_memory")
def test_an_endless_answer_is_cut_where_it_is_too_large(tmp_path: Path) -> None:
    def speak(to: socket.socket, _: str) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            to.sendall(bytes(1 << 16))

    patient = Bounds(60.0, 1, 10.0)
    with lying(speak) as base, pytest.raises(ServiceFailed, match="larger than 1,000,000"):
        a_client(base, tmp_path, patient).fetch(URL, base, MOST)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1"])
def test_an_answer_that_drips_is_given_up(head: bytes, tmp_path: Path) -> None:
    def speak(to: socket.socket, _: str) -> None:
        to.sendall(head)
        while True:
            to.sendall(b"x")
            time.sleep(0.05)

    with (
        lying(speak) as base,
        pytest.raises(ServiceFailed, match=r"timed out|too slow to wait for"),
    ):
        a_client(base, tmp_path).fetch(URL, base, MOST)


def test_a_door_that_fails_again_and_again_is_not_waited_for(tmp_path: Path) -> None:
    asked: list[str] = []
    with lying(lambda _, path: asked.append(path)) as base:
        client = a_client(base, tmp_path)
        for _ in range(3):
            with pytest.raises(ServiceFailed):
                client.fetch(URL, base, MOST)
        before = len(asked)
        with pytest.raises(ServiceFailed, match="no longer asked, after 3 failures"):
            client.fetch(URL, base, MOST)
        assert len(asked) == before


def test_a_blog_that_fails_leaves_python_org_to_be_asked(tmp_path: Path) -> None:
    def broken(to: socket.socket, _path: str) -> None:
        to.sendall(answer(b"oops", "503 Service Unavailable"))

    def good(to: socket.socket, _path: str) -> None:
        to.sendall(answer(b"a page"))

    with lying(broken) as blog, lying(good) as www, lying(good) as docs:
        client = AnonymousClient(www, docs, (), tmp_path / "visits.json", blog=blog, bounds=QUICK)
        for _ in range(3):
            with pytest.raises(ServiceFailed, match="answered 503"):
                client.read(f"{BLOG}/2026/11/python-3136/", AROUND)
        with pytest.raises(ServiceFailed, match="no longer asked"):
            client.read(f"{BLOG}/rss.xml", AROUND)
        for site in (SITE, DOCS):
            assert client.read(f"{site}/3/", AROUND).text == "a page"


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Sun, 29 Nov 2026 12:00:00 GMT", datetime(2026, 11, 29, 12, tzinfo=UTC)),
        ("Sun, 29 Nov 2026 12:00:00", datetime(2026, 11, 29, 12, tzinfo=UTC)),
        ("yesterday", None),
        ("Sun, 99 Nov 2026 99:00:00 GMT", None),
        ("9" * 400, None),
        ("", None),
    ],
)
def test_when_a_file_was_changed_is_what_the_server_says(
    header: str, moment: datetime | None, tmp_path: Path
) -> None:
    with lying(lambda to, _: to.sendall(answer(b"x", Last_Modified=header))) as base:
        assert a_client(base, tmp_path).read(URL, AROUND).changed == moment


def test_what_is_packed_is_not_unfolded(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with lying(lambda to, _: to.sendall(answer(bomb, Content_Encoding="gzip"))) as base:
        fetched = a_client(base, tmp_path).fetch(URL, base, MOST)
    assert fetched.content == Content.of(bomb)


def test_an_unchanged_file_is_asked_for_by_its_mark_and_not_sent_again(tmp_path: Path) -> None:
    sent: list[str] = []

    def speak(to: socket.socket, path: str) -> None:
        sent.append(path)
        to.sendall(answer(b"content", Etag='"one"') if len(sent) == 1 else
                   answer(b"", "304 Not Modified", Etag='"one"'))  # fmt: skip

    file = tmp_path / "file"
    with lying(speak) as base:
        client = a_client(base, tmp_path)
        first = client.fetch(URL, base, MOST, file)
        assert not client.unsent()
        client.remember()
        again = a_client(base, tmp_path)
        assert again.fetch(URL, base, MOST, file) == first
        assert again.unsent() == (URL,)  # and a report says so
    assert file.read_bytes() == b"content"


@pytest.mark.parametrize("mark", ['W/"weak"', "", "bare"])
def test_a_mark_that_does_not_say_the_same_bytes_is_not_asked_for(
    mark: str, tmp_path: Path
) -> None:
    with lying(lambda to, _: to.sendall(answer(b"content", Etag=mark))) as base:
        client = a_client(base, tmp_path)
        client.fetch(URL, base, MOST, tmp_path / "file")
        client.remember()
    assert json.loads((tmp_path / "visits.json").read_bytes()) == {}


def test_a_file_that_was_changed_here_is_fetched_again(tmp_path: Path) -> None:
    file = tmp_path / "file"

    def speak(to: socket.socket, _: str) -> None:
        to.sendall(answer(b"content", Etag='"one"'))

    with lying(speak) as base:
        client = a_client(base, tmp_path)
        client.fetch(URL, base, MOST, file)
        file.write_bytes(b"changed")
        client.fetch(URL, base, MOST, file)
    assert file.read_bytes() == b"content"


@pytest.mark.parametrize("memory", [b"", b"[]", b'{"a": 1}', b"\xff", b'{"a": ["b", "x", 1]}'])
def test_a_memory_that_cannot_be_read_is_none(memory: bytes, tmp_path: Path) -> None:
    (tmp_path / "visits.json").write_bytes(memory)
    with lying(lambda to, _: to.sendall(answer(b"content"))) as base:
        assert a_client(base, tmp_path).fetch(URL, base, MOST).status == 200


def test_around_the_caches_no_two_questions_are_the_same(tmp_path: Path) -> None:
    asked: list[str] = []

    def speak(to: socket.socket, path: str) -> None:
        asked.append(path)
        to.sendall(answer(b"content"))

    with lying(speak) as base:
        client = a_client(base, tmp_path)
        assert client.endpoints(URL) == (base, AROUND)
        client.fetch(URL, AROUND, MOST)
        client.fetch(URL, AROUND, MOST)
    assert len(set(asked)) == 2
    assert all(each.startswith("/ftp/python/3.13.6/Python-3.13.6.tgz?fresh=") for each in asked)


def test_whoever_serves_one_kind_of_visitor_other_bytes_is_found(tmp_path: Path) -> None:
    """Nothing in a request says that it is a tool that compares."""
    asked: list[bytes] = []

    def speak(to: socket.socket, _: str) -> None:
        is_browser = b"User-Agent: Mozilla/" in asked[-1]
        to.sendall(answer(b"the good content" if is_browser else b"the evil content"))

    with lying(speak, asked) as base:
        client = a_client(base, tmp_path)
        first, second = (client.fetch(URL, endpoint, MOST) for endpoint in client.endpoints(URL))
    assert first.content != second.content
    lines = [each.decode().lower().partition("\r\n")[2] for each in asked]
    assert len({re.search("user-agent: .*", each)[0] for each in lines}) == 2  # type: ignore[index]
    assert not [each for each in lines if re.search("pep101|python-|httpx", each)]


@pytest.mark.usefixtures("_bounded_memory")
@pytest.mark.parametrize(
    "body",
    [
        b"<html>no JSON</html>",
        b"{}",
        b"[1]",
        b"[{}]",
        b"[" * 500_000,
        b'[{"resource_uri": 1, "name": "x", "slug": "y"}]',
        json.dumps(
            [{
                "resource_uri": "/x/1/", "name": "x", "slug": "y", "version": True,
                "is_published": 1, "is_latest": False, "pre_release": False,
                "show_on_download_page": True,
            }]
        ).encode(),
        b'[{"name": "' + b"x" * 40_000_000 + b'"}]',
        b"[1e999999, NaN, -1]",
        b"\xff\xfe\x00",
    ],
    ids=["html", "object", "numbers", "empty", "deep", "types", "flags", "huge", "odd", "bytes"],
)  # fmt: skip
def test_a_list_of_a_lying_site_is_an_error_with_its_name(body: bytes, tmp_path: Path) -> None:
    patient = Bounds(60.0, 1, 10.0)
    with lying(lambda to, _: to.sendall(answer(body))) as base:
        reader = SiteReader(a_client(base, tmp_path, patient))
        with pytest.raises(ServiceFailed):
            reader.releases()


def test_blog_is_asked_where_readers_reach_it_and_nowhere_without_that(tmp_path: Path) -> None:
    url = "https://blog.python.org/2026/11/python-3136/"
    asked: list[bytes] = []
    with lying(lambda to, _: to.sendall(answer(b"a post")), asked) as base:
        nowhere, memory = "http://127.0.0.1:9", tmp_path / "visits.json"
        client = AnonymousClient(nowhere, nowhere, (), memory, blog=base, bounds=QUICK)
        assert client.read(url, AROUND).text == "a post"
        assert client.endpoints(url) == (base, AROUND)
    assert asked[0].startswith(b"GET /2026/11/python-3136/?fresh=")
    assert b"authorization" not in asked[0].lower()
    with pytest.raises(ValueError, match="is not an address of python"):
        a_client(nowhere, tmp_path).read(url, AROUND)
