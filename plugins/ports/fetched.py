"""Fetched: what an address gave to whoever asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from plugins.model.content import Content

__all__ = ["Fetched"]


@frozen
class Fetched:
    """What came from one place: ``text`` only of a page, ``content`` that of the bytes.

    ``leads_to`` is where a redirect leads, as the server says it.
    """

    status: int
    content: Content
    text: str = ""
    leads_to: str = ""
