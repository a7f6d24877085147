"""Staging a release on a real OpenSSH server: ours against scp and rsync, in one run.

    python tests/bench/staging.py [ROUNDS]

30 files of 25 MB. On loopback, scp of the same files is what they are compared to; ours also
has the digest of every file computed on the host. Then every file stands there by half, and
what goes over the wire is counted. The same again to a host that is 50 ms away, where rsync is
what they are compared to: with root and netem it is in a network of its own, else behind a relay
that passes everything on 25 ms later. Rounds take turns, so that whatever else the machine does
meanwhile meets all of them; processor time is that of both sides, whoever else is busy.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Final

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from doit_receipts.artifact import Artifact, sha256_of  # noqa: E402 - it need not be installed
from doit_receipts.probe import RemoteState  # noqa: E402
from plugins.model.remote_layout import StagingArea  # noqa: E402
from plugins.services.ssh_host import SshHost  # noqa: E402
from plugins.services.ssh_line import Address  # noqa: E402
from plugins.steps import staging, staging_folders  # noqa: E402
from tests.host_world import OpenSsh, an_openssh_server, own_group  # noqa: E402
from tests.progress import Quiet  # noqa: E402
from tests.waiting import comes_true  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from plugins.model.content import NamedFile

_FILES: Final = 30
_FILE_BYTES: Final = 25_000_000
_BERTH: Final = StagingArea("3.13.6", ".3.13.6.staging")
_NEAR_BAR: Final = 1.2
_FAR_BAR: Final = 1.1
_DELAY_MS: Final = 25
_SPACE: Final = "pep101-bench"
_FAR: Final = "10.101.7.2"


@dataclass(frozen=True)
class Run:
    """One way, once: seconds on the clock, and of the processors for both sides."""

    wall_s: float
    cpu_s: float


def main(rounds: int) -> int:
    """Print the tables; 1 if a bar was missed."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        files = _files(folder / "src")
        target = folder / "host"
        print(f"loopback, {_FILES} files of {_FILE_BYTES // 1_000_000} MB, {rounds} rounds")
        missed = _table(
            {"scp": _scp, "scp -c aes128-gcm": _fast_scp, "ours, digests compared": _ours},
            lambda number: an_openssh_server(folder / f"near-{number}"),
            (files, target, rounds, _NEAR_BAR),
        )
        with an_openssh_server(folder / "resumed") as near:
            _resume(near, files, target)
        if shutil.which("rsync") is None:
            print("no rsync: the distant host is left out")
            return missed
        with _distance() as (how, server):
            print(f"{2 * _DELAY_MS} ms away ({how})")
            return missed | _table(
                {"rsync": _rsync, "ours, digests compared": _ours},
                lambda number: server(folder / f"far-{number}"),
                (files, target, rounds, _FAR_BAR),
            )


def _table(
    ways: dict[str, Callable[[OpenSsh, Sequence[NamedFile], Path], None]],
    server: Callable[[str], AbstractContextManager[OpenSsh]],
    what: tuple[Sequence[NamedFile], Path, int, float],
) -> int:
    """Each way in turn, against a server of its own, whose processor time thus ends with it."""
    files, target, rounds, bar = what
    found: dict[str, list[Run]] = {name: [] for name in ways}
    for number in range(rounds):
        for place, (name, way) in enumerate(ways.items()):
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            before = _processor_s()
            with server(f"{number}-{place}") as each:
                start = time.monotonic()
                way(each, files, target)
                took = time.monotonic() - start
                _wait_for_sessions(each.pid)
            found[name].append(Run(took, _processor_s() - before))
    first = next(iter(found.values()))
    ratio = 0.0
    for name, runs in found.items():
        ratio = median(mine.wall_s / other.wall_s for mine, other in zip(runs, first, strict=True))
        busy = median(mine.cpu_s / other.cpu_s for mine, other in zip(runs, first, strict=True))
        told = " ".join(f"{each.wall_s:6.2f} ({each.cpu_s:.2f})" for each in runs)
        print(f"  {name:24} {told} s (cpu)  median ratio {ratio:.2f} ({busy:.2f})", flush=True)
    print(f"  bar {bar}: {'kept' if ratio <= bar else 'MISSED'}", flush=True)
    return int(ratio > bar)


def _wait_for_sessions(server: int) -> None:
    """The server has asked after all that it started, so their time is in its own."""
    file = Path(f"/proc/{server}/task/{server}/children")
    comes_true(lambda: not file.exists() or not file.read_text().strip(), within_s=5)


def _processor_s() -> float:
    found = (getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in found)


def _ours(server: OpenSsh, files: Sequence[NamedFile], target: Path) -> None:
    host = _host(server, target)
    staging.stage(files, _BERTH, host, Quiet())
    probe = staging.look_staged(files, _BERTH, host)
    host.close()
    if probe.state is not RemoteState.IDENTICAL:
        raise RuntimeError(probe)


def _resume(server: OpenSsh, files: Sequence[NamedFile], target: Path) -> None:
    """Half of every file is there; what goes over loopback meanwhile is counted."""
    shutil.rmtree(target)
    target.mkdir()
    staging_folders.reserve(_BERTH, _host(server, target))
    for file in files:
        if file.source is not None:
            half = target / _BERTH.staging / f"{file.name}.partial"
            half.write_bytes(file.source.read_bytes()[: file.content.size_bytes // 2])
    before, start = _on_loopback(), time.monotonic()
    _ours(server, files, target)
    sent, took = _on_loopback() - before, time.monotonic() - start
    whole = _FILES * _FILE_BYTES
    print(f"  resumed at half: {sent / 1e6:.0f} of {whole / 1e6:.0f} MB sent, {took:.2f} s")


def _on_loopback() -> int:
    return int(Path("/sys/class/net/lo/statistics/tx_bytes").read_text())


def _scp(server: OpenSsh, files: Sequence[NamedFile], target: Path, *options: str) -> None:
    _run(
        "scp", "-q", *options, "-F", server.ssh_config, *_sources(files),
        f"downloads.rehearsal:{target}/",
    )  # fmt: skip


def _fast_scp(server: OpenSsh, files: Sequence[NamedFile], target: Path) -> None:
    _scp(server, files, target, "-c", "aes128-gcm@openssh.com")


def _rsync(server: OpenSsh, files: Sequence[NamedFile], target: Path) -> None:
    _run(
        "rsync", "-a", "-e", f"ssh -F {server.ssh_config}", *_sources(files),
        f"downloads.rehearsal:{target}/",
    )  # fmt: skip


def _host(server: OpenSsh, target: Path) -> SshHost:
    address = Address("downloads.rehearsal", "", 0, str(target))
    return SshHost(address, own_group(), ssh_config=server.ssh_config)


def _sources(files: Sequence[NamedFile]) -> list[Path]:
    return [file.source for file in files if file.source is not None]


def _files(folder: Path) -> tuple[NamedFile, ...]:
    folder.mkdir()
    made = []
    for number in range(_FILES):
        path = folder / f"file-{number:02}"
        path.write_bytes(os.urandom(_FILE_BYTES))
        made.append(Artifact(path, _FILE_BYTES, sha256_of(path)))
    return staging.wanted(made)


@contextmanager
def _distance() -> Iterator[tuple[str, Callable[[Path], AbstractContextManager[OpenSsh]]]]:
    """How far away a server is made to be, and what makes one there."""
    with ExitStack() as stack:
        try:
            stack.enter_context(_distant_network())
        except (OSError, subprocess.CalledProcessError):
            yield "a relay: no root, or no netem in this kernel", _behind_a_relay
        else:
            inside = ("ip", "netns", "exec", _SPACE)
            yield "netem", lambda folder: an_openssh_server(folder, _FAR, inside)


@contextmanager
def _distant_network() -> Iterator[None]:
    """A network namespace behind a pair of devices that each wait before they send."""
    _run("ip", "netns", "add", _SPACE)
    try:
        _run("ip", "link", "add", "pep101a", "type", "veth", "peer", "name", "pep101b")
        _run("ip", "link", "set", "pep101b", "netns", _SPACE)
        inside = ("ip", "netns", "exec", _SPACE)
        _run("ip", "address", "add", "10.101.7.1/24", "dev", "pep101a")
        _run(*inside, "ip", "address", "add", f"{_FAR}/24", "dev", "pep101b")
        for where, device in (((), "pep101a"), (inside, "pep101b")):
            _run(*where, "ip", "link", "set", device, "up")
            delay = ("root", "netem", "delay", f"{_DELAY_MS}ms", "limit", "100000")
            _run(*where, "tc", "qdisc", "add", "dev", device, *delay)
        _run(*inside, "ip", "link", "set", "lo", "up")
        yield
    finally:
        _run("ip", "netns", "delete", _SPACE)


@contextmanager
def _behind_a_relay(folder: Path) -> Iterator[OpenSsh]:
    with an_openssh_server(folder) as server:
        words = [sys.executable, __file__, "--relay", str(server.port)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as relay:
            port = int(relay.stdout.readline()) if relay.stdout else 0
            for name in ("ssh_config", "known_hosts"):
                file = folder / name
                file.write_text(file.read_text().replace(str(server.port), str(port)))
            try:
                yield server
            finally:
                relay.terminate()


def _relay(port: int) -> None:
    """Pass on what comes in, both ways, so much later; the order and all bytes are kept."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            near, _ = listening.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for one, other in ((near, far), (far, near)):
                late: Queue[tuple[float, bytes]] = Queue()
                Thread(target=_take, args=(one, late), daemon=True).start()
                Thread(target=_pass_on, args=(late, other), daemon=True).start()


def _take(source: socket.socket, late: Queue[tuple[float, bytes]]) -> None:
    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    block = b"-"
    while block:
        try:
            block = source.recv(1 << 18)
        except OSError:
            block = b""
        late.put((time.monotonic() + _DELAY_MS / 1000, block))


def _pass_on(late: Queue[tuple[float, bytes]], target: socket.socket) -> None:
    while True:
        due, block = late.get()
        time.sleep(max(due - time.monotonic(), 0))
        try:
            if not block:
                target.shutdown(socket.SHUT_WR)
                return
            target.sendall(block)
        except OSError:
            return


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--relay"]:
        _relay(int(sys.argv[2]))
    else:
        sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 3))
