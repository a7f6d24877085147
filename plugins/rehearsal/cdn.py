"""The CDN of the rehearsal: two edges that serve what they once fetched until it is purged.

Even what was not there is kept: who asks too early makes the answer "404" last (3.12.5).
"""

from __future__ import annotations

import asyncio
import hmac
import ssl
from hashlib import sha256
from html import escape
from itertools import cycle
from typing import TYPE_CHECKING, Final

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from plugins.rehearsal import cache, docsbuild, places, site

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app", "docs_app", "edge", "section"]

FAULTS: Final = {
    "cdn.purge_timeout": "A purge is done, and its answer is a minute late.",
    "cdn.purge_refused": "A purge is answered with status 503 and not done.",
    "cdn.keeps_stale": "Edge b ignores the next purge of addresses that end with the argument.",
    "cdn.serves_503": "An edge answers with status 503 once.",
    "cdn.cuts_body": "An edge sends part of a file and closes the connection.",
}
_FILES: Final = "/ftp/python/"
_NEVER_S: Final = 60
_LEAST_CUT: Final = 4
_METHODS: Final = ("GET", "HEAD", "POST", "PURGE")
_NOT_KEPT: Final = ("/api/", "/admin/", "/service/")
_OF_CONTENT: Final = ("content-type", "location", "etag", "retry-after")
_KEPT_STATUSES: Final = (200, 301, 302, 404)


def app(store: Store) -> Starlette:
    """Both edges in turn, as users meet them; ``X-Edge: a`` asks for one."""
    return _Cdn(store, cache.WWW, cache.EDGES).starlette


def edge(name: str) -> Callable[[Store], Starlette]:
    """A maker of the application that is always this edge."""
    return lambda store: _Cdn(store, cache.WWW, (name,)).starlette


def docs_app(store: Store) -> Starlette:
    """The same in front of the documentation."""
    return _Cdn(store, cache.DOCS, cache.EDGES).starlette


class _Cdn:
    def __init__(self, store: Store, host: str, edges: tuple[str, ...]) -> None:
        self._store = store
        self._host = host
        self._edges = cycle(edges)
        self._site = httpx.AsyncClient(
            transport=httpx.ASGITransport(site.app(store), raise_app_exceptions=False),
            base_url="http://origin",
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # the site is in this process
        )
        self.starlette = Starlette(routes=[Route("/{path:path}", self._answer, methods=_METHODS)])

    async def _answer(self, request: Request) -> Response:
        if request.method == "PURGE":
            return await self._purge(request.url.path)
        if request.url.path.startswith("/service/"):
            return self._purge_key(request)
        chosen = request.headers.get("x-edge", "")
        edge = chosen if chosen in cache.EDGES else next(self._edges)
        if self._store.fault("cdn.serves_503") is not None:
            return Response("backend is unhealthy", status_code=503)
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        answer = cache.kept(self._store, edge, self._host, path)
        hit = answer is not None
        if answer is None:
            answer = await self._fetched(request, path)
            if not path.startswith(_NOT_KEPT) and answer.status in _KEPT_STATUSES:
                cache.keep(self._store, edge, self._host, path, answer)
        headers = {
            **answer.headers,
            "x-served-by": f"cache-rehearsal-{edge}",
            "x-cache": "HIT" if hit else "MISS",
        }
        mark = answer.headers.get("etag", "")
        if mark and request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers=headers)
        body = answer.body
        if len(body) >= _LEAST_CUT and self._store.fault("cdn.cuts_body") is not None:
            headers["content-length"] = str(len(body))
            body = body[: len(body) // 2]
        if request.method == "HEAD":
            headers["content-length"] = str(len(body))
            body = b""
        return Response(body, answer.status, headers)

    async def _fetched(self, request: Request, path: str) -> cache.Kept:
        if self._host == cache.DOCS:
            wanted = request.url.path.lstrip("/")
            found = docsbuild.page(self._store, wanted) or places.served(
                places.docs(self._store), wanted, "/"
            )
            return cache.Kept(found.status_code, _plain(found.headers), bytes(found.body))
        method = "GET" if request.method == "HEAD" else request.method
        answer = await self._site.request(method, path)
        return cache.Kept(answer.status_code, _plain(answer.headers), answer.content)

    async def _purge(self, path: str) -> Response:
        """Every edge forgets the path. Anybody may ask, as at python.org."""
        if self._store.fault("cdn.purge_refused") is not None:
            return JSONResponse({"msg": "unavailable"}, status_code=503)
        cache.forget(self._store, path, self._host)
        self._store.record("cdn", "purged", host=self._host, path=path)
        if self._store.fault("cdn.purge_timeout") is not None:
            await asyncio.sleep(_NEVER_S)
        return JSONResponse({"status": "ok"})

    def _purge_key(self, request: Request) -> Response:
        """``POST /service/ID/purge/downloads`` with the key of the API."""
        wanted = self._store.load("cdn_key", "")
        given = request.headers.get("fastly-key", "")
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            return JSONResponse({"msg": "not authorized"}, status_code=403)
        key = request.url.path.rpartition("/")[2]
        cache.forget_below(self._store, f"/{key}/", self._host)
        self._store.record("cdn", "purged", host=self._host, path=f"/{key}/*")
        return JSONResponse({"status": "ok"})


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that belong to the content; the length is that of what is sent."""
    return {name: headers[name] for name in _OF_CONTENT if name in headers}


def section(store: Store) -> str:
    """What each edge keeps of the downloads, and whether it is still what the host has."""
    purged = {each["path"] for each in store.happened("cdn") if each["host"] == cache.WWW}
    paths = sorted({path for edge in cache.EDGES for path in cache.kept_paths(store, edge)})
    files = [path for path in paths if path.startswith(_FILES) and not path.endswith("/")]
    rows = []
    for path in files:
        there = places.downloads(store) / path.removeprefix(_FILES)
        wanted = sha256(there.read_bytes()).digest() if there.is_file() else b""
        cells = "".join(f"<td>{_freshness(store, edge, path, wanted)}</td>" for edge in cache.EDGES)
        mark = "purged" if path in purged else ""
        rows.append(f"<tr><td><code>{escape(path)}</code></td>{cells}<td>{mark}</td></tr>")
    summary = (
        f"<p>{len(paths)} addresses are kept, {len(files)} of them files;"
        f" {len(purged)} addresses were purged.</p>"
    )
    edges = "".join(f"<th>edge {edge}</th>" for edge in cache.EDGES)
    table = f"<table><tr><th>file</th>{edges}<th></th></tr>{''.join(rows)}</table>" if rows else ""
    return f"<section><h2>The caches in front of it</h2>{summary}{table}</section>"


def _freshness(store: Store, edge: str, path: str, wanted: bytes) -> str:
    found = cache.kept(store, edge, cache.WWW, path)
    if found is None:
        return "not kept"
    if found.status != 200:
        word = "gone" if not wanted else f"stale: {found.status}"
        return f'<span class="{"good" if not wanted else "bad"}">{word}</span>'
    if sha256(found.body).digest() == wanted:
        return '<span class="good">fresh</span>'
    return '<span class="bad">stale</span>'
