"""Staging a release on a real OpenSSH server: ours against scp and rsync, in one run.

    python tests/bench/staging.py [ROUNDS]

30 files of 25 MB. On loopback, scp of the same files is what they are compared to; ours also
has the digest of every file computed on the host. Then every file stands there by half, and
what goes over the wire is counted. With root, the same again to a host that is 50 ms away (a
network namespace with netem), where rsync is what they are compared to. Rounds take turns, so
that whatever else the machine does meanwhile meets all of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from plugins.model.artifact import Artifact, sha256_of  # noqa: E402 - it need not be installed
from plugins.model.probe import Standing  # noqa: E402
from plugins.model.remote_layout import Berth  # noqa: E402
from plugins.services.ssh_host import SshHost  # noqa: E402
from plugins.services.ssh_line import Address  # noqa: E402
from plugins.steps import staging  # noqa: E402
from tests.host_world import OpenSsh, an_openssh_server, own_group  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FILES: Final = 30
_FILE_BYTES: Final = 25_000_000
_BERTH: Final = Berth("3.13.6", ".3.13.6.staging")
_NEAR_BAR: Final = 1.2
_FAR_BAR: Final = 1.1
_DELAY_MS: Final = 25
_SPACE: Final = "pep101-bench"
_FAR: Final = "10.101.7.2"


class _Silent:
    def say(self, text: str) -> None:
        pass


def main(rounds: int) -> int:
    """Print the tables; 1 if a bar was missed."""
    with TemporaryDirectory() as made, ExitStack() as stack:
        folder = Path(made)
        files = _files(folder / "src")
        target = folder / "host"
        near = stack.enter_context(an_openssh_server(folder / "near"))
        print(f"loopback, {_FILES} files of {_FILE_BYTES // 1_000_000} MB, {rounds} rounds")
        missed = _table(
            {
                "scp": lambda: _scp(near, files, target),
                "scp -c aes128-gcm": lambda: _scp(near, files, target, "aes128-gcm@openssh.com"),
                "ours, digests compared": lambda: _ours(near, files, target),
            },
            rounds, target, _NEAR_BAR,
        )  # fmt: skip
        _resume(near, files, target)
        if os.geteuid() or not shutil.which("tc") or not shutil.which("rsync"):
            print("no root, tc or rsync: the distant host is left out")
            return missed
        with _distant_network():
            away = stack.enter_context(
                an_openssh_server(folder / "far", _FAR, ("ip", "netns", "exec", _SPACE))
            )
            print(f"{2 * _DELAY_MS} ms away")
            missed |= _table(
                {
                    "rsync": lambda: _rsync(away, files, target),
                    "ours, digests compared": lambda: _ours(away, files, target),
                },
                rounds, target, _FAR_BAR,
            )  # fmt: skip
            stack.close()
        return missed


def _table(ways: dict[str, Callable[[], None]], rounds: int, target: Path, bar: float) -> int:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            start = time.monotonic()
            way()
            seconds[name].append(time.monotonic() - start)
    first = next(iter(seconds.values()))
    for name, found in seconds.items():
        ratio = median(mine / other for mine, other in zip(found, first, strict=True))
        told = " ".join(f"{each:6.2f}" for each in found)
        print(f"  {name:24} {told} s   median ratio {ratio:.2f}")
    last = list(seconds.values())[-1]
    ratio = median(mine / other for mine, other in zip(last, first, strict=True))
    print(f"  bar {bar}: {'kept' if ratio <= bar else 'MISSED'}")
    return int(ratio > bar)


def _ours(server: OpenSsh, files: Sequence[staging.Wanted], target: Path) -> None:
    host = _host(server, target)
    staging.stage(files, _BERTH, host, _Silent())
    probe = staging.look_staged(files, _BERTH, host)
    host.close()
    if probe.standing is not Standing.IDENTICAL:
        raise RuntimeError(probe)


def _resume(server: OpenSsh, files: Sequence[staging.Wanted], target: Path) -> None:
    """Half of every file is there; what goes over loopback meanwhile is counted."""
    shutil.rmtree(target)
    target.mkdir()
    staging.reserve(_BERTH, _host(server, target))
    for file in files:
        if file.source is not None:
            half = target / _BERTH.staging / f"{file.name}.partial"
            half.write_bytes(file.source.read_bytes()[: file.size_bytes // 2])
    before, start = _on_loopback(), time.monotonic()
    _ours(server, files, target)
    sent, took = _on_loopback() - before, time.monotonic() - start
    whole = _FILES * _FILE_BYTES
    print(f"  resumed at half: {sent / 1e6:.0f} of {whole / 1e6:.0f} MB sent, {took:.2f} s")


def _on_loopback() -> int:
    return int(Path("/sys/class/net/lo/statistics/tx_bytes").read_text())


def _scp(server: OpenSsh, files: Sequence[staging.Wanted], target: Path, cipher: str = "") -> None:
    chosen = ["-c", cipher] if cipher else []
    _run(
        "scp", "-q", *chosen, "-F", server.ssh_config, *_sources(files),
        f"downloads.rehearsal:{target}/",
    )  # fmt: skip


def _rsync(server: OpenSsh, files: Sequence[staging.Wanted], target: Path) -> None:
    _run(
        "rsync", "-a", "-e", f"ssh -F {server.ssh_config}", *_sources(files),
        f"downloads.rehearsal:{target}/",
    )  # fmt: skip


def _host(server: OpenSsh, target: Path) -> SshHost:
    address = Address("downloads.rehearsal", "", 0, str(target))
    return SshHost(address, own_group(), ssh_config=server.ssh_config)


def _sources(files: Sequence[staging.Wanted]) -> list[Path]:
    return [file.source for file in files if file.source is not None]


def _files(folder: Path) -> tuple[staging.Wanted, ...]:
    folder.mkdir()
    made = []
    for number in range(_FILES):
        path = folder / f"file-{number:02}"
        path.write_bytes(os.urandom(_FILE_BYTES))
        made.append(Artifact(path, _FILE_BYTES, sha256_of(path)))
    return staging.wanted(made)


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


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 3))
