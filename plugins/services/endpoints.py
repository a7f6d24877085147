"""Endpoints: where an address that users of python.org see is asked, one for each of its caches."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from plugins.model.blog import BLOG
from plugins.model.published_file import DOCS, SITE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Endpoint", "Endpoints"]


class Endpoint(NamedTuple):
    """How one cache is reached: an address, and the name that it has to answer for."""

    base: str
    host: str


class Endpoints:
    """The caches of python.org: ``www`` serves site and files, ``docs`` the documentation.

    ``edges`` are addresses of single caches of ``www``; if none is given, each address to which
    its name resolves is one. ``blog`` serves the blog; without it no address of the blog is one.
    """

    def __init__(self, www: str, docs: str, edges: Sequence[str] = (), blog: str = "") -> None:
        self.www = www
        self.docs = docs
        self.blog = blog
        self._given = tuple(edges)

    @cached_property
    def edges(self) -> tuple[str, ...]:
        """Caches that can be asked one by one."""
        return self._given or _addresses(self.www) or (self.www,)

    def place(self, url: str) -> tuple[str, str]:
        """Where an address that users see is asked, and its path. Raises ValueError for others."""
        for seen, base in ((SITE, self.www), (DOCS, self.docs), (BLOG, self.blog)):
            if base and (url == seen or url.startswith(f"{seen}/")):
                return base, url.removeprefix(seen) or "/"
        message = f"{url!a} is not an address of python.org"
        raise ValueError(message)

    def edge(self, base: str, edge: str) -> Endpoint:
        """The endpoint of ``base`` through an edge; only ``www`` has others than itself."""
        host = urlsplit(base).netloc
        if base != self.www or edge == base:
            return Endpoint(base, host)
        if edge in self._given:
            return Endpoint(edge, host)
        parts = urlsplit(base)
        shown = f"[{edge}]" if ":" in edge else edge
        port = f":{parts.port}" if parts.port else ""
        return Endpoint(f"{parts.scheme}://{shown}{port}", host)


def _addresses(base: str) -> tuple[str, ...]:
    """Every address that the name has, sorted; empty if it has none that we can reach."""
    import socket

    parts = urlsplit(base)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(sorted({str(address[0]) for *_, address in found}))
