"""Boxes: the pieces of HTML that the simulated python.org makes anew when a public row is saved.

The home page, the menu and ``/downloads/`` show them as they were made last. Source: the three
functions ``update_...`` of apps/downloads/models.py of python/pythondotorg at 0a7e8d1f: the boxes
of the home page and of the sources want a latest release of Python 2 as well.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["BOXES", "Tables", "boxes"]

_MENU: Final = "supernav-python-downloads"
_HOME: Final = "homepage-downloads"
_SOURCES: Final = "download-sources"
BOXES: Final = (_MENU, _HOME, _SOURCES)
"""Their names, as ``/box/NAME/`` serves them."""


class Tables(Protocol):
    """What the boxes are made from; see Rows."""

    def latest(self, major: int = 3) -> tuple[str, Mapping[str, Any]] | None:
        """The latest release and its key."""
        ...

    def button(self, release: str, system: str) -> Mapping[str, Any] | None:
        """The file that a button leads to."""
        ...

    def in_order(self, kind: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """All rows of a kind."""
        ...


def boxes(rows: Tables) -> dict[str, str]:
    """The boxes that can be made from what is public now; the others stay as they are."""
    python3, python2 = rows.latest(3), rows.latest(2)
    if python3 is None:
        return {}
    made: dict[str, str] = {}
    if menu := _menu(rows, *python3):
        made[_MENU] = menu
    if python2 is None:
        return made
    source = rows.button(python3[0], "source")
    if source is not None and rows.button(python2[0], "source") is not None:
        link = f'<a href="{escape(source["url"])}">Python 3</a>'
        made[_SOURCES] = f"<h2>Sources</h2><p>Download the latest {link} source.</p>"
    page = f"/downloads/release/{python3[1]['slug']}/"
    link = f'<a href="{page}">{escape(python3[1]["name"])}</a>'
    made[_HOME] = f"<h2>Download</h2><p>Latest: {link}</p>"
    return made


def _menu(rows: Tables, pk: str, release: Mapping[str, Any]) -> str:
    parts = []
    for _, system in rows.in_order("os"):
        file = rows.button(pk, system["slug"])
        if file is not None:
            link = f'<a class="button" href="{escape(file["url"])}">{escape(release["name"])}</a>'
            parts.append(f"<h4>Download for {escape(system['name'])}</h4><p>{link}</p>")
    everything = '<p><a href="/downloads/operating-systems/">View the full list</a></p>'
    return "\n".join([*parts, everything]) if parts else ""
