"""Front: the world's own page, which shows what a user sees and what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["app"]


def app(store: Store) -> Starlette:
    """The page at ``/``."""

    async def page(_request: Request) -> HTMLResponse:
        lines = [f"<li>{each['part']} {each['event']}</li>" for each in store.happened()]
        return HTMLResponse(f"<title>The world</title><ol>{''.join(lines)}</ol>")

    return Starlette(routes=[Route("/", page)])
