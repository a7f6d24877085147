"""Hosts to test against: a rehearsed one, a real OpenSSH server, a folder."""

from __future__ import annotations

import asyncio
import grp
import os
import pwd
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.ports.host import Upload
from plugins.rehearsal.ssh_disk import Account
from plugins.rehearsal.ssh_server import SshServer, login_key, serve, write_login
from plugins.rehearsal.store import Store
from plugins.services.folder_host import FolderHost
from plugins.services.ssh_host import SshHost
from plugins.services.ssh_line import Address
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.ports.host import Host
    from plugins.rehearsal.ssh_disk import Disk

ROOT = "/srv/ftp"
GROUP = "downloads"


@dataclass
class Standing:
    """A host and the folder of this machine that its root is."""

    kind: str
    host: Host
    files: Path
    disk: Disk | None = None

    def leave(self, path: str, content: bytes) -> None:
        """We left this file there some time ago."""
        (self.files / path).write_bytes(content)
        if self.disk is not None:
            self.disk.own(f"{ROOT}/{path}", "rm", GROUP)

    def plant(self, path: str, target: str) -> None:
        """Somebody of the group has put a link there; the target counts from the link."""
        (self.files / path).symlink_to(target)
        if self.disk is not None:
            self.disk.own(f"{ROOT}/{path}", "steve", GROUP)


@dataclass
class Rehearsed:
    """A rehearsed host that answers, with its environment's state."""

    store: Store
    server: SshServer
    ssh_config: Path
    files: Path
    _hosts: list[SshHost] = field(default_factory=list)

    def host(self, group: str = GROUP, connections: int = 2) -> SshHost:
        """A client of its own."""
        address = Address("downloads.rehearsal", "", 0, ROOT)
        made = SshHost(address, group, ssh_config=self.ssh_config, connections=connections)
        self._hosts.append(made)
        return made

    def events(self) -> list[str]:
        """What was changed, oldest first."""
        return [f"{e['event']} {e['path'].removeprefix(ROOT)}" for e in self._changes()]

    def bytes_sent(self) -> int:
        """How many writes there were."""
        return sum(e["event"] == "write" for e in self._changes())

    def _changes(self) -> Iterator[dict[str, str]]:
        return self.store.happened("ssh.downloads")

    def close(self) -> None:
        for each in self._hosts:
            each.close()


@contextmanager
def a_rehearsed_host(folder: Path, room_bytes: int = 20_000_000_000) -> Iterator[Rehearsed]:
    """A host of its own, served from a thread."""
    store = Store(folder / "state")
    key = login_key(folder / "login")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    accounts = [Account("rm", ("rm", GROUP), key), Account("steve", ("steve", GROUP), key)]
    starting = serve(store, "downloads", accounts, root=folder / "disk", room_bytes=room_bytes)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(30)
    server.disk.prepare(ROOT, "root", GROUP, 0o2775)
    server.disk.prepare(f"{ROOT}/doc", "root", GROUP, 0o2775)
    config = write_login(
        folder / "login", "rm", {"downloads.rehearsal": (server.port, server.known_key)}
    )
    made = Rehearsed(store, server, config, server.disk.real(ROOT))
    try:
        yield made
    finally:
        made.close()
        loop.call_soon_threadsafe(server.close)
        _wait_for_the_end(loop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
        loop.close()


def _wait_for_the_end(loop: asyncio.AbstractEventLoop) -> None:
    async def others() -> None:
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        await asyncio.wait(left, timeout=10) if left else None

    asyncio.run_coroutine_threadsafe(others(), loop).result(30)


@dataclass
class OpenSsh:
    """A real OpenSSH server, with a configuration and keys of its own."""

    port: int
    folder: Path
    ssh_config: Path
    pid: int


@contextmanager
def an_openssh_server(
    folder: Path,
    address: str = "127.0.0.1",
    within: tuple[str, ...] = (),
    env: str = "",
    options: str = "",
) -> Iterator[OpenSsh]:
    """An sshd answers as the one who runs the tests; skips if it is not installed.

    ``within`` is a command that starts it elsewhere, such as in a network of its own; ``env``
    are variables that commands there see, ``options`` further lines of its configuration. What
    our shell does when it starts is not done there.
    """
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if sshd is None or shutil.which("ssh-keygen") is None:
        pytest.skip("there is no sshd here")
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host", "id_ed25519"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True
        )
    shutil.copy(folder / "id_ed25519.pub", folder / "authorized_keys")
    port = _free_port(address)
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nStrictModes no\n"
        "UsePAM no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\nMaxStartups 100\n"
        f"SetEnv HOME={folder} {env}\n{options}"
    )
    user = pwd.getpwuid(os.geteuid()).pw_name
    key = (folder / "host.pub").read_text().split()
    config = write_login(folder, user, {"downloads.rehearsal": (port, f"{key[0]} {key[1]}")})
    if address != "127.0.0.1":
        for file in (config, folder / "known_hosts"):
            file.write_text(file.read_text().replace("127.0.0.1", address))
    process = subprocess.Popen(
        [*within, sshd, "-D", "-f", folder / "sshd_config", "-E", folder / "sshd.log"],
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for(address, port, process)
        yield OpenSsh(port, folder, config, process.pid)
    finally:
        process.terminate()
        process.wait(120)


def _free_port(address: str) -> int:
    if address != "127.0.0.1":
        return 2222  # a network of its own
    with socket.create_server((address, 0)) as found:
        port: int = found.getsockname()[1]
        return port


def _wait_for(address: str, port: int, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        try:
            with socket.create_connection((address, port), timeout=1):
                return True
        except OSError:
            return False

    wait_until(answers, f"sshd answers at {address}:{port}", of=process)


def own_group() -> str:
    """The group that files of the one who runs the tests have."""
    return grp.getgrgid(os.getegid()).gr_name


@contextmanager
def a_host(kind: str, folder: Path) -> Iterator[Standing]:
    """A host of one of the kinds, with an empty root that has a folder ``doc``."""
    files = folder / "root"
    if kind == "rehearsed":
        with a_rehearsed_host(folder) as rehearsed:
            yield Standing(kind, rehearsed.host(), rehearsed.files, rehearsed.server.disk)
        return
    files.mkdir()
    (files / "doc").mkdir()
    for each in (files, files / "doc"):
        each.chmod(0o2775)
    if kind == "folder":
        yield Standing(kind, FolderHost(files), files)
        return
    with an_openssh_server(folder / "sshd") as server:
        host = SshHost(
            Address("downloads.rehearsal", "", 0, str(files)),
            own_group(), ssh_config=server.ssh_config, connections=2,
        )  # fmt: skip
        try:
            yield Standing(kind, host, files)
        finally:
            host.close()


def an_upload(source: Path, path: str, content: bytes) -> Upload:
    """A file of this machine that is to have this path on the host."""
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_bytes(content)
    return Upload(source, path, len(content))
