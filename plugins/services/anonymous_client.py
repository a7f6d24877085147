"""Anonymous client: what everybody can fetch, over HTTP, bounded in size, time and trust.

What a server says is believed in one thing only: that a file with the same strong ETag is the
file that it sent before, which is then hashed here again. ``forget`` takes that back as well. It
says nothing of its own: a server sees a browser and wget.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack
from dataclasses import astuple, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import token_hex
from threading import Lock
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import replacing, write_whole
from doit_receipts.errors import ServiceFailed
from plugins.model.content import Content
from plugins.ports.fetched import Fetched
from plugins.ports.public import AROUND
from plugins.services.bounds import Bounds
from plugins.services.endpoints import Endpoints
from plugins.services.http_client import HttpClient
from plugins.services.http_errors import Stumbled, worth_another_try
from plugins.services.retry import retried

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["AnonymousClient"]

_ATTEMPTS: Final = 3
_GIVEN_UP: Final = 3
_THROTTLED: Final = 429
_MOST_ADDRESS: Final = 2_000
_REDIRECTS: Final = (301, 302, 303, 307, 308)
# Whoever serves something else to a tool that verifies must not know one. What is asked around the
# caches comes from a browser, what is asked of them from wget, and both have to get the same bytes.
# Of command-line clients wget is the one that asks for nothing compressed, as we do.
_BROWSER: Final = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
}
_WGET: Final = {"User-Agent": "Wget/1.25.0", "Accept": "*/*"}
_BOUNDS: Final = Bounds(longest_s=14_400.0)


class _Known(NamedTuple):
    """What was fetched before, and the ETag under which the server sent it."""

    mark: str
    fetched: Fetched


class AnonymousClient:
    """``www``, ``docs``, ``edges`` and ``blog`` are its endpoints; see Endpoints.

    What was seen is kept in ``memory``.
    """

    def __init__(
        self,
        www: str,
        docs: str,
        edges: Sequence[str],
        memory: Path,
        *,
        blog: str = "",
        bounds: Bounds = _BOUNDS,
    ) -> None:
        self._endpoints = Endpoints(www, docs, edges, blog)
        self._memory = memory
        self._bounds = bounds
        self._lock = Lock()
        self._clients: dict[str, HttpClient] = {}
        self._known: dict[str, _Known] | None = None
        self._troubles: dict[tuple[str, str], int] = {}
        self._unsent: set[str] = set()

    def __repr__(self) -> str:
        return f"anonymous client({self._endpoints.www}, {self._endpoints.docs})"

    def endpoints(self, url: str) -> tuple[str, ...]:
        """See the port."""
        base, _ = self._endpoints.place(url)
        return (*(self._caches() if base == self._endpoints.www else (base,)), AROUND)

    def fetch(self, url: str, endpoint: str, most_bytes: int, file: Path | None = None) -> Fetched:
        """See the port."""
        known = self._remembered(f"{endpoint} {url}")
        if known is not None and file is not None and not _holds(file, known.fetched):
            known = None
        with ExitStack() as stack:
            out = _Kept(file, stack)
            fetched, mark = self._fetched(url, endpoint, most_bytes, known, out)
            if fetched.status != 200:
                out.drop()
            stack.close()
        if fetched.status == 200:
            self._learn(f"{endpoint} {url}", mark, fetched)
        return fetched

    def read(self, url: str, endpoint: str, most_bytes: int = 1 << 23) -> Fetched:
        """See the port."""
        text = _Text()
        fetched, _ = self._fetched(url, endpoint, most_bytes, None, text)
        return replace(fetched, text=text.decoded())

    def unsent(self) -> tuple[str, ...]:
        """See the port."""
        with self._lock:
            return tuple(sorted(self._unsent))

    def forget(self) -> None:
        """See the port."""
        with self._lock:
            self._known = {}

    def remember(self) -> None:
        """See the port."""
        with self._lock:
            content = {
                key: [known.mark, *astuple(known.fetched.content)]
                for key, known in (self._known or {}).items()
            }
        write_whole(self._memory, json.dumps(content, indent=1, sort_keys=True).encode())

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _fetched(
        self, url: str, endpoint: str, most_bytes: int, known: _Known | None, out: _Sink
    ) -> tuple[Fetched, str]:
        """What came, with the server's ETag; a request that failed for the moment is sent again."""
        # Around the caches each site is asked itself, and one that is down says nothing of others.
        base, _ = self._endpoints.place(url)
        asked = (base, endpoint)
        with self._lock:
            if self._troubles.get(asked, 0) >= _GIVEN_UP:
                raise ServiceFailed(
                    service=urlsplit(base).netloc if endpoint == AROUND else endpoint,
                    action=f"GET {url}",
                    problem=f"no longer asked, after {_GIVEN_UP} failures",
                    remedy="check that this machine can reach it, then run the same command again",
                )
        try:
            return retried(
                lambda: self._once(url, endpoint, most_bytes, known, out),
                worth_another_try, attempts=_ATTEMPTS, longest_wait_s=2.0,
            )  # fmt: skip
        except Stumbled:
            with self._lock:
                self._troubles[asked] = self._troubles.get(asked, 0) + 1
            raise

    def _once(
        self, url: str, endpoint: str, most_bytes: int, known: _Known | None, out: _Sink
    ) -> tuple[Fetched, str]:
        base, path = self._endpoints.place(url)
        at, host = self._endpoints.edge(base, base if endpoint == AROUND else endpoint)
        visitor = _BROWSER if endpoint == AROUND else _WGET
        headers = {"Host": host, **visitor}
        if known is not None:
            headers["If-None-Match"] = known.mark
        # A query that nobody asked before is in no cache.
        query = {"fresh": token_hex(8)} if endpoint == AROUND else None
        sni = {"sni_hostname": urlsplit(f"//{host}").hostname or host}
        extensions = sni if at.startswith("https:") else {}
        client, action = self._client(at), f"GET {url}"
        with client.open(
            "GET", path, action, _REDIRECTS, headers, extensions=extensions, params=query
        ) as answer:
            if answer.status_code == 304 and known is not None:
                with self._lock:
                    self._unsent.add(url)
                return known.fetched, known.mark
            if answer.status_code >= 500:
                raise client.stumbled(action, f"answered {answer.status_code}")
            if answer.status_code == _THROTTLED:
                # A server that takes no requests now has not answered this one.
                answer.read()
                raise client.refused(answer, action)
            digest, size = hashlib.sha256(), 0
            out.begin()
            for chunk in client.body(answer, action, most_bytes, packed=True):
                size += len(chunk)
                digest.update(chunk)
                out.take(chunk)
            mark = answer.headers.get("etag", "")
            leads_to = answer.headers.get("location", "")[:_MOST_ADDRESS]
            content = Content(size, digest.hexdigest())
            changed = _moment(answer.headers.get("last-modified", ""))
            found = Fetched(answer.status_code, content, leads_to=leads_to, changed=changed)
            return found, mark

    def _caches(self) -> tuple[str, ...]:
        with self._lock:
            return self._endpoints.edges

    def _client(self, base: str) -> HttpClient:
        with self._lock:
            if base not in self._clients:
                name = urlsplit(base).netloc
                self._clients[base] = HttpClient(name, base, bounds=self._bounds)
            return self._clients[base]

    def _remembered(self, key: str) -> _Known | None:
        with self._lock:
            if self._known is None:
                self._known = _read(self._memory)
            return self._known.get(key)

    def _learn(self, key: str, mark: str, fetched: Fetched) -> None:
        with self._lock:
            known = self._known if self._known is not None else {}
            self._known = known
            known.pop(key, None)
            if mark.startswith('"'):  # a weak mark says that it is alike, not the same
                known[key] = _Known(mark, fetched)


class _Sink:
    """Where bytes go: nowhere."""

    def begin(self) -> None:
        """A first byte, or the first of another attempt, will come."""

    def take(self, chunk: bytes) -> None:
        """The next bytes."""


class _Text(_Sink):
    """Bytes that are kept in memory; what is fetched is bounded, so they are too."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def begin(self) -> None:
        self._chunks = []

    def take(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def decoded(self) -> str:
        return b"".join(self._chunks).decode(errors="replace")


class _Drop(Exception):
    """Nothing is to be kept."""


class _Kept(_Sink):
    """Bytes that are in a file once all have come; a file of that name stays until then."""

    def __init__(self, file: Path | None, stack: ExitStack) -> None:
        self._file = file
        self._stack = stack
        self._out: IO[bytes] | None = None

    def begin(self) -> None:
        if self._file is None:
            return
        if self._out is None:
            self._out = self._stack.enter_context(replacing(self._file))
        self._out.seek(0)
        self._out.truncate()

    def take(self, chunk: bytes) -> None:
        if self._out is not None:
            self._out.write(chunk)

    def drop(self) -> None:
        """What came is not the file, and no file of that name exists any more."""
        self._stack.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def _moment(header: str) -> datetime | None:
    """The moment that a header states; None for anything else."""
    try:
        moment = parsedate_to_datetime(header[:64])
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _holds(file: Path, fetched: Fetched) -> bool:
    try:
        known = fetched.content
        return file.stat().st_size == known.size_bytes and sha256_of(file) == known.sha256
    except OSError:
        return False


def _read(memory: Path) -> dict[str, _Known]:
    """What was kept; nothing if it cannot be read: then all is sent again."""
    try:
        content: Any = json.loads(memory.read_bytes())
        return {
            str(key): _Known(str(mark), Fetched(200, Content(int(size), str(sha256))))
            for key, (mark, size, sha256) in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
