"""Site: not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["app"]


def app(store: Store) -> Starlette:
    """Nothing yet."""
    del store
    return Starlette()
