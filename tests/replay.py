"""A server that learns what another one answers, and then says the same, or something worse."""

from __future__ import annotations

import contextlib
import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BAD", "MISSING", "Replay", "places", "replaying", "spoiled"]

MISSING: Final = "(missing)"
_HERE: Final = "@here@"
Place = tuple[str | int, ...]

# What replaces a field, as JSON has it.
BAD: Final = {
    MISSING: "",
    "null": "null",
    "true": "true",
    "zero": "0",
    "negative": "-1",
    "fraction": "1.5",
    "huge number": "9" * 5_000,
    "1e999": "1e999",
    "NaN": "NaN",
    "text": '"spam"',
    "no text": '""',
    "long text": json.dumps("x" * 5_000),
    "controls": '"\\u001b[2J\\u0000\\r\\n\\u202espam\\ud7ff"',
    "half a character": '"\\ud800"',
    "list": "[]",
    "lists": "[[], {}, null, 7]",
    "object": "{}",
    "deep": "[" * 100 + "]" * 100,
    "very deep": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "no JSON": "<html>",
}


@dataclass
class Replay:
    """What is answered by method and path; ``worse`` replaces one of the answers."""

    address: str = ""
    origin: str = ""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    worse: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, key: str, request: Any) -> tuple[int, dict[str, str], bytes]:
        """The answer to a request, asked of the origin if it was never asked before."""
        self.asked.append(key)
        if key not in self.answers:
            self.answers[key] = _fetched(self.origin, request)
        status, headers, body = self.answers[key]
        return status, headers, self.worse.get(key, body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: in two, the second waits 40 ms for word of the first.
    wbufsize = 1 << 16
    server: Any

    def _do(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        body = self.rfile.read(length)
        key = f"{self.command} {self.path}"
        answer = self.server.replay.answer(key, (self.command, self.path, self.headers, body))
        status, headers, content = answer
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 - as http.server calls them

    def log_message(self, *_words: object) -> None:
        """Nothing is reported."""


def _fetched(origin: str, request: Any) -> tuple[int, dict[str, str], bytes]:
    method, path, headers, body = request
    kept = {name: text for name, text in headers.items() if name.lower() != "host"}
    asked = urllib.request.Request(origin + path, body or None, kept, method=method)
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(asked) as answer:
            return answer.status, _kept(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _kept(error.headers), error.read()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_words: object) -> None:
        return None


def _kept(headers: Any) -> dict[str, str]:
    wanted = ("content-type", "location", "retry-after")
    return {name: text for name, text in headers.items() if name.lower() in wanted}


@contextlib.contextmanager
def replaying(origin: str) -> Iterator[Replay]:
    """A server in front of the one at ``origin``, until the block ends."""
    replay = Replay(origin=origin)
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.replay, server.daemon_threads = replay, True
    replay.address = f"http://127.0.0.1:{server.server_address[1]}"
    # How long its end takes at most.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def places(content: Any, at: Place = ()) -> Iterator[Place]:
    """The places in a value: it itself, each field, and the first of each list."""
    yield at
    if isinstance(content, dict):
        for name, inner in content.items():
            yield from places(inner, (*at, name))
    elif isinstance(content, list) and content:
        yield from places(content[0], (*at, 0))


def spoiled(content: Any, place: Place, bad: str) -> bytes:
    """The value with something else in one place, as JSON; "" removes what is there."""
    copy = json.loads(json.dumps(content))
    if not place:
        return bad.encode()
    inner = copy
    for step in place[:-1]:
        inner = inner[step]
    if bad:
        inner[place[-1]] = _HERE
    else:
        del inner[place[-1]]
    return json.dumps(copy).replace(json.dumps(_HERE), bad).encode()
