"""Source archives of the real CPython: our way against the usual one, interleaved in one run.

    python tests/bench/archives.py [ROUNDS]

The usual way: git archive, unpack, blurb merge, blurb export, remove what is not shipped, GNU tar
through ``gzip -n -9``, GNU tar through ``xz -6`` on one thread. Ours: ``tarball.build`` with xz's
default of today (blocks), and with one thread, which gives the very same bytes as the usual way
with tar 1.35. Each is a process of its own; the clone is made once and read before.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, cast

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from plugins.model.layout import Layout  # noqa: E402 - the project need not be installed
from plugins.model.release import Release, type_of  # noqa: E402
from plugins.model.series import series_of  # noqa: E402
from plugins.model.version import Version  # noqa: E402
from plugins.services.programs import MachinePrograms  # noqa: E402
from plugins.steps import tarball  # noqa: E402
from tests.progress import Quiet  # noqa: E402
from tests.real.tree import EPOCH_S, RELEASED, make_real_clone  # noqa: E402

if TYPE_CHECKING:
    from plugins.ports.git import Clone

_VERSION: Final = Version.parse(RELEASED)
_BARS: Final = {"usual": 1.0, "ours, default": 0.60, "ours, same bytes": 0.88}
_THREADS: Final = {"ours, default": 0, "ours, same bytes": 1}
_PEAK_MB_BAR: Final = 250


@dataclass(frozen=True, slots=True)
class Run:
    """One way, once: seconds on the clock and of all processors, peak of its own process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class _Repository:
    folder: Path

    def resolve(self, revision: str) -> str:
        argv = ("git", "rev-parse", "--verify", revision)
        return subprocess.check_output(argv, cwd=self.folder, text=True).strip()


def usual(clone: Path, folder: Path) -> None:
    """Both archives stand in the folder, made the usual way."""
    top = f"Python-{_VERSION}"
    staging = folder / top
    blurb = Path(sys.executable).with_name("blurb")
    archive = folder / "tag.tar"
    _run(("git", "archive", f"--output={archive}", _VERSION.tag), clone)
    staging.mkdir()
    _run(("tar", "--extract", f"--file={archive}"), staging)
    _run((blurb, "merge"), staging)
    _run((blurb, "export"), staging)
    for name in (".gitattributes", ".gitignore"):
        (staging / name).unlink()
    for name in (".azure-pipelines", ".github", "Misc/mypy"):
        shutil.rmtree(staging / name)
    tar = (
        "tar --create --format=posix --sort=name --owner=0 --group=0 --numeric-owner "
        f"--mode=go+u,go-w --mtime=@{EPOCH_S} --clamp-mtime "
        f"--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime {top}"
    )
    for compressor, suffix in (("gzip -n -9", ".tgz"), ("xz -6 -T1", ".tar.xz")):
        _run(("sh", "-c", f"{tar} | {compressor} > {top}{suffix}"), folder)


def ours(clone: Path, folder: Path, threads: int) -> None:
    """Both archives stand in ``folder/src``, made by the step."""
    series = replace(series_of(_VERSION), xz_threads=threads)
    release = Release(_VERSION, type_of(_VERSION), series, Layout(folder, _VERSION))
    tarball.build(release, cast("Clone", _Repository(clone)), MachinePrograms(), Quiet())


def _run(argv: tuple[str | Path, ...], folder: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)


def measured(way: str, clone: Path, folder: Path) -> Run:
    """The way was gone in a process of its own."""
    folder.mkdir()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    argv = (sys.executable, __file__, "--one", way, clone, folder)
    ended = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    wall_s = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall_s, cpu_s, json.loads(ended.stdout))


def one(way: str, clone: Path, folder: Path) -> None:
    """One way is gone; the peak of this process is printed in MB."""
    if way in _THREADS:
        ours(clone, folder, _THREADS[way])
    else:
        usual(clone, folder)
    # Linux counts in KiB, macOS in bytes.
    unit = 1024**2 if sys.platform == "darwin" else 1024
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit))


def members(archive: Path) -> list[tuple[str, int, int, bytes, bytes]]:
    """What an archive holds: names, modes, times, kinds and contents in their order."""
    with tarfile.open(archive) as opened:
        return [
            (each.name, each.mode, int(each.mtime), each.type, _content(opened, each))
            for each in opened
        ]


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    body = archive.extractfile(member) if member.isreg() else None
    return body.read() if body else member.linkname.encode()


def compare(rounds: int) -> bool:
    """The table is printed; whether every bar is held."""
    fetched = subprocess.check_output((_TOP / "tests/real/fetch",), text=True).strip()
    with TemporaryDirectory(prefix="bench-archives-") as temporary:
        folder = Path(temporary)
        clone = make_real_clone(folder, Path(fetched))
        runs: dict[str, list[Run]] = {way: [] for way in _BARS}
        _run(("git", "archive", _VERSION.tag), clone)  # so that nobody reads it first
        for each in range(rounds):
            for way in _BARS:
                place = folder / f"{way.replace(', ', '-').replace(' ', '-')}-{each}"
                runs[way].append(measured(way, clone, place))
                print(f"round {each + 1}, {way}: {runs[way][-1]}", file=sys.stderr)
        held = _tell(runs)
        same = members(folder / f"usual-0/Python-{_VERSION}.tgz") == members(
            folder / f"ours-default-0/src/Python-{_VERSION}.tar.xz"
        )
        print(f"same members, modes, times and contents: {'yes' if same else 'NO'}")
    return held and same


def _tell(runs: dict[str, list[Run]]) -> bool:
    base = median(run.wall_s for run in runs["usual"])
    print(f"{'way':18}{'wall s':>8}{'CPU s':>8}{'ratio':>8}{'bar':>7}{'own peak MB':>13}")
    held = True
    for way, bar in _BARS.items():
        wall_s = median(run.wall_s for run in runs[way])
        cpu_s = median(run.cpu_s for run in runs[way])
        peak_mb = max(run.peak_mb for run in runs[way])
        held = held and wall_s / base <= bar and (way == "usual" or peak_mb < _PEAK_MB_BAR)
        print(f"{way:18}{wall_s:8.1f}{cpu_s:8.1f}{wall_s / base:8.2f}{bar:7.2f}{peak_mb:13.0f}")
    return held


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(not compare(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
