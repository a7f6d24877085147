"""Ssh server: the downloads host and the docs host of a rehearsal, on loopback.

SFTP and a few commands, for several people, on a disk that refuses what a real one refuses.
Every change is recorded when it is done, before the client hears of it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import asyncssh

from doit_receipts.durable import write_whole
from plugins.rehearsal.ssh_commands import Session
from plugins.rehearsal.ssh_disk import Account, Disk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.rehearsal.ssh_disk import Found
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "SshServer", "login_key", "serve", "write_login"]

FAULTS: Final[Mapping[str, str]] = {
    "ssh.drop": "the connection breaks after as many bytes of files as the argument says (0)",
    "ssh.disk_full": "a write finds the disk full",
    "ssh.names_full": "folders take as many new names as the argument says (0), and no more",
    "ssh.foreign_folder": "another release manager owns the folder in the argument, alone",
    "ssh.host_key_changed": "the host has another key than before",
    "ssh.clock_skew": "the host's clock is ahead by the seconds in the argument (3600)",
    "ssh.slow": "a write takes the milliseconds in the argument (100)",
    "ssh.replaced": "a file whose path ends with the argument has other bytes when it is compared",
}

_HOME: Final = "/home"
_LOGIN_KEY: Final = "id_ed25519"
_ROOM_BYTES: Final = 20_000_000_000
_BLOCK_BYTES: Final = 4096
_OTHER_MANAGER: Final = "hugo"


class SshServer:
    """One host that answers on loopback; ``disk`` is its file system."""

    def __init__(self, store: Store, name: str, disk: Disk) -> None:
        self.store = store
        self.name = name
        self.disk = disk
        self.port = 0
        self.has_openssl = True
        self.has_lsetstat = True
        self.is_small = disk.room_bytes < _ROOM_BYTES
        """Whether somebody limited its room, so that it is worth to count at each write."""
        self.full = False
        """Whether the last write found the disk full; true once, for the first caller."""
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._drop_after: int | None = None
        self._names_left: int | None = None

    @property
    def known_key(self) -> str:
        """The host's public key, as known_hosts has it."""
        return _public(_key(self.store.folder / f"{self.name}.key"))

    async def start(self, port: int) -> None:
        """Listen on loopback; port 0 takes any."""
        self._socket = socket.create_server(("127.0.0.1", port))
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's
        self.port = self._socket.getsockname()[1]
        self._keep(self._accept(self._socket))

    def close(self) -> None:
        """Nobody is connected, and nobody can be."""
        for connection in tuple(self._connections):
            connection.abort()
        for task in tuple(self._tasks):
            task.cancel()
        if self._socket is not None:
            self._socket.close()

    def changed(self, user: str, event: str, path: str) -> None:
        """Record a change that was just made."""
        self.store.record(f"ssh.{self.name}", event, path=path, by=user)

    def joined(self, connection: asyncssh.SSHServerConnection) -> None:
        """Somebody connected."""
        self._connections.add(connection)

    def left(self, connection: asyncssh.SSHServerConnection) -> None:
        """Their connection ended."""
        self._connections.discard(connection)

    def logged_in(self) -> None:
        """Pending faults happen that nobody sees at the time."""
        folder = self.store.fault("ssh.foreign_folder")
        if folder:
            self.disk.prepare(folder, _OTHER_MANAGER, _OTHER_MANAGER, 0o755)

    def room_for(self, count: int) -> int | None:
        """How many bytes of a write arrive before the connection breaks; None for all."""
        slow = self.store.fault("ssh.slow")
        if slow is not None:
            time.sleep((int(slow) if slow else 100) / 1000)
        if self._drop_after is None:
            ordered = self.store.fault("ssh.drop")
            if ordered is None:
                return None
            self._drop_after = int(ordered or 0)
        if self._drop_after > count:
            self._drop_after -= count
            return None
        arrived, self._drop_after = self._drop_after, None
        return arrived

    def take_name(self) -> None:
        """A folder may have a new name. Raises SFTPFailure if its disk or a quota is full.

        OpenSSH has one word for both, and for a host without inodes.
        Source: openssh-portable, sftp-server.c, errno_to_portable.
        """
        most = self.store.fault("ssh.names_full")
        if most is None:
            self._names_left = None
            return
        left = int(most or 0) if self._names_left is None else self._names_left
        if not left:
            answer = "Failure"
            raise asyncssh.SFTPFailure(answer)
        self._names_left = left - 1

    def before_digests(self, paths: Sequence[str]) -> None:
        """Replace a file, if that was ordered."""
        faults = self.store.load("faults", {})
        ending = faults.get("ssh.replaced", {}).get("argument", "")
        for path in paths:
            if ending and path.endswith(ending) and self.store.fault("ssh.replaced") is not None:
                place = self.disk.real(path)
                content = place.read_bytes()
                place.write_bytes(bytes([content[0] ^ 1]) + content[1:] if content else b"x")

    def now_s(self) -> float:
        """The time that the host believes in."""
        skew = self.store.fault("ssh.clock_skew")
        return time.time() + (int(skew or 3600) if skew is not None else 0)

    def _keep(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connected, _ = await loop.sock_accept(listening)
            self._keep(self._serve(connected))

    async def _serve(self, connected: socket.socket) -> None:
        changed = self.store.fault("ssh.host_key_changed") is not None
        file = self.store.folder / f"{self.name}{'.other' if changed else ''}.key"
        # A client that goes away in the middle is its own affair.
        with suppress(asyncssh.Error, OSError):
            await asyncssh.run_server(
                connected,
                server_factory=lambda: _Door(self),
                server_host_keys=[_key(file)],
                sftp_factory=lambda channel: _Files(self, channel),
                process_factory=self._process,
                encoding=None,
            )

    async def _process(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        user = process.get_extra_info("username")
        stdin = await process.stdin.read()
        session = Session(
            self.disk, user, self.now_s,
            lambda event, path: self.changed(user, event, path), self.before_digests,
            self.has_openssl,
        )  # fmt: skip
        ended = session.run(process.command or "", stdin)
        process.stdout.write(ended.output)
        process.stderr.write(ended.errors.encode())
        process.exit(ended.status)


async def serve(
    store: Store,
    name: str,
    accounts: Sequence[Account],
    *,
    root: Path,
    port: int = 0,
    room_bytes: int = _ROOM_BYTES,
) -> SshServer:
    """The host ``name`` answers, with the files that it last had."""
    everybody = [*accounts, Account(_OTHER_MANAGER, (_OTHER_MANAGER,))]
    disk = Disk(root, store.folder / f"{name}.owners", everybody, room_bytes)
    for account in everybody:
        home = f"{_HOME}/{account.name}"
        if not disk.real(home).exists():
            disk.prepare(home, account.name, account.groups[0], 0o755)
    server = SshServer(store, name, disk)
    _key(store.folder / f"{name}.key")
    await server.start(port)
    return server


def write_login(folder: Path, user: str, hosts: Mapping[str, tuple[int, str]]) -> Path:
    """An ssh configuration with which ``user`` reaches the hosts by their names.

    ``hosts`` gives the port and the public key of each, which is known then. The user's own key
    is that of ``login_key`` for the same folder. Returns the configuration's file.
    """
    known = "".join(f"[127.0.0.1]:{port} {key}\n" for port, key in hosts.values())
    write_whole(folder / "known_hosts", known.encode())
    blocks = [
        f"Host {name}\n"
        "  HostName 127.0.0.1\n"
        f"  Port {port}\n"
        f"  User {user}\n"
        f'  UserKnownHostsFile "{folder / "known_hosts"}"\n'
        f'  IdentityFile "{folder / _LOGIN_KEY}"\n'
        "  IdentitiesOnly yes\n"
        for name, (port, _) in hosts.items()
    ]
    write_whole(folder / "ssh_config", "\n".join(blocks).encode())
    return folder / "ssh_config"


def login_key(folder: Path) -> str:
    """The public key of the pair that ``write_login`` names, made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    return _public(_key(folder / _LOGIN_KEY))


def _public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


def _key(file: Path) -> asyncssh.SSHKey:
    if not file.exists():
        made = asyncssh.generate_private_key("ssh-ed25519")
        file.touch(mode=0o600)
        made.write_private_key(file)
    return asyncssh.read_private_key(file)


class _Door(asyncssh.SSHServer):
    """Who may come in: accounts, by their keys."""

    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._server.joined(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's
        if self._connection is not None:
            self._server.left(self._connection)

    def begin_auth(self, username: str) -> bool:
        account = self._server.disk.accounts.get(username)
        if account is not None and account.key and self._connection is not None:
            keys = asyncssh.import_authorized_keys(account.key)
            self._connection.set_authorized_keys(keys)
        return True

    def auth_completed(self) -> None:
        self._server.logged_in()


class _Files(asyncssh.SFTPServer):
    """SFTP on the disk. Nothing here waits, so that requests are done in their order."""

    def __init__(self, server: SshServer, channel: asyncssh.SSHServerChannel[Any]) -> None:
        super().__init__(channel)
        self._server = server
        self._disk = server.disk
        self._user: str = channel.get_connection().get_extra_info("username")
        self._open: dict[int, str] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:  # noqa: ARG002 - asyncssh's
        name = path.decode()
        if not pflags & asyncssh.FXF_WRITE:
            self._disk.read(self._user, name)
            return self._disk.real(name).open("rb")
        if not pflags & asyncssh.FXF_EXCL:
            name = self._disk.followed(name)
        elif os.path.lexists(self._disk.real(name)):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        if not pflags & asyncssh.FXF_CREAT:
            self._disk.look(self._user, name)
        self._disk.create(self._user, name)
        file = self._disk.real(name).open("r+b", buffering=0)
        if pflags & asyncssh.FXF_TRUNC:
            file.truncate(0)
        self._open[id(file)] = name
        self._server.changed(self._user, "open", name)
        return file

    def write(self, file_obj: Any, offset: int, data: bytes) -> int:
        server, name = self._server, self._open[id(file_obj)]
        full = server.store.fault("ssh.disk_full") is not None
        if full or (server.is_small and server.disk.free_bytes() < len(data)):
            server.full = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        arrived = server.room_for(len(data))
        file_obj.seek(offset)
        file_obj.write(data if arrived is None else data[:arrived])
        server.changed(self._user, "write", name)
        if arrived is not None:
            self.channel.get_connection().abort()
        return len(data)

    def close(self, file_obj: Any) -> None:
        file_obj.close()
        self._open.pop(id(file_obj), None)

    def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self._attributes(self._disk.look(self._user, path.decode()))

    def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        return self.lstat(path)

    def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        self._set(self._disk.followed(path.decode()), attrs)

    def lsetstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        if not self._server.has_lsetstat:
            answer = "Operation unsupported"
            raise asyncssh.SFTPOpUnsupported(answer)
        self._set(path.decode(), attrs)

    def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        self._set(self._open[id(file_obj)], attrs)

    def _set(self, name: str, attrs: asyncssh.SFTPAttrs) -> None:
        try:
            if attrs.permissions is not None:
                self._disk.change_mode(self._user, name, stat.S_IMODE(attrs.permissions))
            if attrs.uid is not None and attrs.gid is not None:
                owner, group = self._disk.user(attrs.uid), self._disk.group(attrs.gid)
                self._disk.change_group(self._user, name, owner, group)
        except PermissionError as error:
            # OpenSSH has one answer for EPERM and EACCES; asyncssh calls the first a failure.
            raise asyncssh.SFTPPermissionDenied(str(error)) from error
        self._server.changed(self._user, "setstat", name)

    def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        mode = 0o777 if attrs.permissions is None else attrs.permissions
        self._server.take_name()
        self._disk.make_folder(self._user, path.decode(), mode)
        self._server.changed(self._user, "mkdir", path.decode())

    def rmdir(self, path: bytes) -> None:
        self._remove(path)

    def remove(self, path: bytes) -> None:
        self._remove(path)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._server.take_name()
        self._disk.rename(self._user, oldpath.decode(), newpath.decode())
        self._server.changed(self._user, "rename", newpath.decode())

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._disk.rename(self._user, oldpath.decode(), newpath.decode(), over=True)
        self._server.changed(self._user, "replace", newpath.decode())

    def symlink(self, oldpath: bytes, newpath: bytes) -> None:
        self._disk.link(self._user, newpath.decode(), oldpath.decode())
        self._server.changed(self._user, "symlink", newpath.decode())

    def readlink(self, path: bytes) -> bytes:
        self._disk.look(self._user, path.decode())
        return os.fsencode(self._disk.real(path.decode()).readlink())

    def realpath(self, path: bytes) -> bytes:
        return path

    def statvfs(self, path: bytes) -> asyncssh.SFTPVFSAttrs:
        self._disk.look(self._user, path.decode())
        free = 0 if self._server.full else self._disk.free_bytes()
        self._server.full = False
        blocks = free // _BLOCK_BYTES
        return asyncssh.SFTPVFSAttrs(
            bsize=_BLOCK_BYTES, frsize=_BLOCK_BYTES,
            blocks=self._disk.room_bytes // _BLOCK_BYTES, bfree=blocks, bavail=blocks,
            namemax=255,
        )  # fmt: skip

    def _remove(self, path: bytes) -> None:
        self._disk.remove(self._user, path.decode())
        self._server.changed(self._user, "remove", path.decode())

    def _attributes(self, found: Found) -> asyncssh.SFTPAttrs:
        return asyncssh.SFTPAttrs(
            size=found.size_bytes,
            uid=self._disk.user_number(found.owner),
            gid=self._disk.group_number(found.group),
            permissions=found.mode,
        )
