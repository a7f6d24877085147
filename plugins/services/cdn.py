"""Cdn: the caches in front of python.org, purged by address and looked at one by one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from doit_receipts.durable import replacing
from plugins.model.content import Content
from plugins.ports.fetched import Fetched
from plugins.services.bounds import Bounds
from plugins.services.endpoints import Endpoints
from plugins.services.http_client import HttpClient
from plugins.services.http_errors import worth_another_try
from plugins.services.retry import retried

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from plugins.model.secret import Secret
    from plugins.services.endpoints import Endpoint

__all__ = ["Caches"]

_MOST_ADDRESS: Final = 2_000
_TEXTS: Final = ("text/", "application/rss+xml")
_MOST_TEXT: Final = 8 << 20
# Larger than any file of a release.
_MOST_BYTES: Final = 2 << 30
_REDIRECTS: Final = (301, 302, 303, 307, 308)


class Caches:
    """``www``, ``docs`` and ``edges`` are its endpoints; see Endpoints.

    ``key`` is that of the CDN's own API; without it purges are asked of the caches themselves,
    as python.org allows to everybody.
    """

    def __init__(
        self,
        www: str,
        docs: str,
        edges: Sequence[str] = (),
        key: Secret | None = None,
        *,
        timeout_s: float = 30.0,
    ) -> None:
        self._endpoints = Endpoints(www, docs, edges)
        self._key = key
        self._bounds = Bounds(silence_s=timeout_s, longest_s=7_200.0)
        self._purged: set[str] = set()
        self._seen: dict[tuple[str, str], tuple[str, Fetched]] = {}
        self._clients: dict[str, HttpClient] = {}

    def __repr__(self) -> str:
        return f"Caches({self._endpoints.www}, {self._endpoints.docs})"

    @property
    def edges(self) -> tuple[str, ...]:
        """Caches that can be asked one by one."""
        return self._endpoints.edges

    def purge(self, url: str) -> None:
        """The address is purged from every cache."""
        base, path = self._endpoints.place(url)
        # The key goes with this one request, and to nobody but the CDN.
        headers = {"Fastly-Key": self._key.reveal()} if self._key is not None else {}
        self._client(base).send("PURGE", path, f"PURGE {path}", again=True, headers=headers)
        self._purged.add(url)

    def was_purged(self, url: str) -> bool:
        """Whether this process purged it."""
        return url in self._purged

    def look(self, url: str, edge: str) -> Fetched:
        """What one cache serves, read in a stream; the same bytes are not sent twice."""
        base, path = self._endpoints.place(url)
        known = self._seen.get((edge, url))
        mark = {"If-None-Match": known[0]} if known is not None and known[0] else {}
        seen, mark_now = self._read(self._endpoints.edge(base, edge), path, mark, None)
        if seen.status == 304 and known is not None:
            return known[1]
        self._seen[edge, url] = (mark_now, seen)
        return seen

    def download(self, url: str, file: Path) -> Fetched:
        """The file holds what a user gets."""
        base, path = self._endpoints.place(url)
        endpoint = self._endpoints.edge(base, base)
        with replacing(file) as out:
            seen, _ = self._read(endpoint, path, {}, out)
            if seen.status != 200:
                self._client(endpoint.base).fail(
                    f"download {path}",
                    f"answered {seen.status}",
                    "open it in a browser, then run the same command again",
                )
        return seen

    def _read(
        self, at: Endpoint, path: str, mark: Mapping[str, str], out: IO[bytes] | None
    ) -> tuple[Fetched, str]:
        """An answer, read to its end, and its ETag; one that breaks off is read again."""
        client, action = self._client(at.base), f"GET {path}"
        sni = {"sni_hostname": urlsplit(f"//{at.host}").hostname or at.host}
        extensions = sni if at.base.startswith("https:") else {}

        def read() -> tuple[Fetched, str]:
            digest, size, text = hashlib.sha256(), 0, bytearray()
            if out is not None:
                out.seek(0)
                out.truncate()
            with client.open(
                "GET", path, action, _REDIRECTS, {"Host": at.host, **mark}, extensions=extensions
            ) as answer:
                if answer.status_code >= 500:
                    raise client.refused(client.whole(answer, action), action)
                is_text = answer.headers.get("content-type", "").startswith(_TEXTS)
                for chunk in client.body(answer, action, _MOST_BYTES, packed=True):
                    digest.update(chunk)
                    size += len(chunk)
                    if out is not None:
                        out.write(chunk)
                    elif is_text and len(text) < _MOST_TEXT:
                        text += chunk
                page = text.decode(errors="replace")
                leads_to = answer.headers.get("location", "")[:_MOST_ADDRESS]
                content = Content(size, digest.hexdigest())
                seen = Fetched(answer.status_code, content, page, leads_to)
                return seen, answer.headers.get("etag", "")

        return retried(read, worth_another_try)

    def _client(self, base: str) -> HttpClient:
        if base not in self._clients:
            name = urlsplit(base).netloc
            key = self._key
            hidden = tuple if key is None else lambda: (key.reveal(),)
            self._clients[base] = HttpClient(name, base, bounds=self._bounds, hidden=hidden)
        return self._clients[base]
