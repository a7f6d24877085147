"""The rehearsed python.org: both APIs of its downloads, its pages and its admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.applications import Starlette
from starlette.routing import Route

from plugins.rehearsal.site_pages import Admin, Pages
from plugins.rehearsal.site_v1 import V1
from plugins.rehearsal.site_v2 import V2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "app"]

FAULTS: Final = {
    "site.500_after_write": "A write is stored and answered with 500.",
    "site.cdn_unreachable": "The site's own purge fails: what was saved is stored, the answer 500.",
    "site.429": "A call is throttled; the argument is Retry-After in seconds.",
}
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def app(store: Store) -> Starlette:
    """The whole site."""
    routes = [
        _route("/api/v1/{path:path}", V1(store)),
        _route("/api/v2/{path:path}", V2(store)),
        _route("/admin/{path:path}", Admin(store)),
        _route("/{path:path}", Pages(store)),
    ]
    return Starlette(routes=routes)


def _route(path: str, answer: Callable[[Request], Awaitable[Response]]) -> Route:
    async def endpoint(request: Request) -> Response:
        return await answer(request)

    return Route(path, endpoint, methods=_METHODS)
