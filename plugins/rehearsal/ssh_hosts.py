"""Ssh hosts: the downloads host and the docs host of one environment, and how to log in.

The release manager is ``rm``. Their key and an ssh configuration that knows both hosts are in
the environment's folder ``login``; addresses are ``ssh://downloads.rehearsal/...``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.rehearsal import places
from plugins.rehearsal.ssh_disk import Account
from plugins.rehearsal.ssh_server import login_key, serve, write_login

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.ssh_server import SshServer
    from plugins.rehearsal.store import Store

__all__ = ["ADDRESSES", "docs", "downloads", "login"]

_DOWNLOADS: Final = "/srv/www.python.org/ftp/python"
_DOCS: Final = "/srv/docs.python.org"

ADDRESSES: Final = {
    "downloads": f"ssh://downloads.rehearsal{_DOWNLOADS}",
    "docs": f"ssh://docs.rehearsal{_DOCS}",
}
"""What release.toml says under [hosts]."""

_USER: Final = "rm"
_OTHERS: Final = ("steve", "ned")


async def downloads(store: Store, port: int) -> SshServer:
    """The downloads host answers; its group is ``downloads``."""
    return await _host(store, port, "downloads", (_DOWNLOADS, f"{_DOWNLOADS}/doc"))


async def docs(store: Store, port: int) -> SshServer:
    """The docs host answers; its group is ``docs``."""
    return await _host(store, port, "docs", (_DOCS, f"{_DOCS}/release"))


def login(store: Store) -> Path:
    """The ssh configuration with which the release manager reaches both hosts."""
    return store.folder.parent / "login" / "ssh_config"


async def _host(store: Store, port: int, name: str, folders: tuple[str, ...]) -> SshServer:
    way = login(store).parent
    accounts = [Account(_USER, (_USER, "downloads", "docs"), login_key(way))]
    accounts += [Account(other, (other, name)) for other in _OTHERS]
    # What users reach is the same folder: see ``places``.
    inner = len(folders[0].strip("/").split("/"))
    root = getattr(places, name)(store).parents[inner - 1]
    server = await serve(store, name, accounts, root=root, port=port)
    for folder in folders:
        server.disk.prepare(folder, "root", name, 0o2775)
    known = store.load("ssh", {})
    known[f"{name}.rehearsal"] = [server.port, server.known_key]
    store.save("ssh", known)
    write_login(way, _USER, {each: (port, key) for each, (port, key) in known.items()})
    return server
