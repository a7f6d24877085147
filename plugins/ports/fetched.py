"""Fetched: what an address gave to whoever asked for it."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.model.content import Content

__all__ = ["Fetched"]


@frozen
class Fetched:
    """What came from one place: ``text`` only of a page, ``content`` that of the bytes.

    ``leads_to`` is where a redirect leads, and ``changed`` when the server's file was changed, as
    it says; None if it says nothing of it.
    """

    status: int
    content: Content
    text: str = ""
    leads_to: str = ""
    changed: datetime | None = field(default=None, compare=False)
