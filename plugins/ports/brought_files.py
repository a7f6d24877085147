"""Brought files: where a file of an expert is on the host at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.host import Kind

if TYPE_CHECKING:
    from plugins.model.version import Version
    from plugins.ports.host import HostReader

__all__ = ["place_of"]


def place_of(version: Version, host: HostReader, path: str) -> str:
    """Where the file is: public, staged, or still in the inbox of its role; "" for nowhere."""
    layout = RemoteLayout(version)
    folder, _, rest = path.partition("/")
    inboxes = [f"{layout.incoming}/{role.value}/{path}" for role in Origin]
    places = [path, f"{layout.downloads.staging}/{rest}" if folder else path, *inboxes]
    for place, entry in zip(places, host.look(places), strict=True):
        if entry is not None and entry.kind is Kind.FILE:
            return place
    return ""
