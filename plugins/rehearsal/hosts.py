"""Hosts of the rehearsed world: downloads and docs, and the login that reaches them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.rehearsal import places, ssh_server
from plugins.rehearsal.ssh_disk import Account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.rehearsal.ssh_server import SshServer
    from plugins.rehearsal.store import Store

__all__ = ["DOCS", "DOWNLOADS", "USER", "furnish", "serve_docs", "serve_downloads"]

USER: Final = "rm"
"""As whom the release manager logs in."""
DOWNLOADS: Final = "/srv/www.python.org/ftp/python"
"""Where the downloads are on their host."""
DOCS: Final = "/srv/docs.python.org"
"""Where the documentation is on its host."""

_LOGIN: Final = "login"
_INSIDE: Final = {"downloads": "doc", "docs": "release"}
_GROUP_MODE: Final = 0o2775


async def serve_downloads(store: Store, port: int) -> SshServer:
    """The downloads host answers; see ``ssh_server.serve``."""
    return await _serve(store, "downloads", DOWNLOADS, port)


async def serve_docs(store: Store, port: int) -> SshServer:
    """The docs host answers; see ``ssh_server.serve``."""
    return await _serve(store, "docs", DOCS, port)


def furnish(store: Store, addresses: Mapping[str, str]) -> Path:
    """An ssh configuration that knows both hosts by name and lets the release manager in."""
    hosts = {
        name: (int(addresses[name].rpartition(":")[2]), ssh_server.host_key(store, name))
        for name in ("downloads", "docs")
    }
    return ssh_server.write_login(store.folder.parent / _LOGIN, USER, hosts)


async def _serve(store: Store, name: str, top: str, port: int) -> SshServer:
    root = places.downloads(store) if name == "downloads" else places.docs(store)
    for _ in top.strip("/").split("/"):
        root = root.parent
    key = ssh_server.login_key(store.folder.parent / _LOGIN)
    account = Account(USER, (name, USER), key)
    server = await ssh_server.serve(store, name, [account], root=root, port=port)
    for folder in (top, f"{top}/{_INSIDE[name]}"):
        server.disk.prepare(folder, "root", name, _GROUP_MODE)
    return server
