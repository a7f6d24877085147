"""Documentation archives of the real CPython: our way against the tree's Makefile, in one run.

    python tests/bench/docs.py [SOURCE]

SOURCE is the unpacked 3.13.5; by default what tests/real/fetch brings. The usual way is
``make dist-epub dist-html dist-texinfo dist-text`` in a row, ours is ``docs.build`` of the same
files from git. Both use the same tools, which are installed before, and start from nothing
else. Takes a quarter of an hour or more; whatever else the machine does meanwhile changes the
seconds, so the processors' own time is told as well. At the end all members are compared.

One is known to differ, whatsnew/changelog.txt. Sphinx turns quotes into curly ones while it reads,
but not for its text builder. In a row that builder finds all pages read by the ones before it,
curly, and reads one itself, for make has just written NEWS anew: the changelog, with straight
quotes. Here every page is read once, so all text pages have the quotes of the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from plugins.model.docs_source import DocsSource

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from plugins.model.layout import Layout  # noqa: E402 - the project need not be installed
from plugins.model.release import Release, type_of  # noqa: E402
from plugins.model.series import series_of  # noqa: E402
from plugins.model.version import Version  # noqa: E402
from plugins.services.environment import neutral_environment  # noqa: E402
from plugins.services.programs import MachinePrograms  # noqa: E402
from plugins.steps import docs  # noqa: E402
from plugins.steps.docs_tools import make_environment  # noqa: E402

_VERSION: Final = Version.parse("3.13.5")
_EPOCH_S: Final = 1749656217
_BAR: Final = 0.65
_TARGETS: Final = ("dist-epub", "dist-html", "dist-texinfo", "dist-text")


@dataclass(frozen=True, slots=True)
class Run:
    """One way, once: seconds on the clock and of all processors, peak of its largest process."""

    wall_s: float
    cpu_s: float
    peak_mb: float


class _Timed:
    """Progress that prints when it was told what."""

    def __init__(self) -> None:
        self._start_s = time.monotonic()

    def say(self, text: str) -> None:
        print(f"  {time.monotonic() - self._start_s:6.1f} s  {text}", flush=True)


def a_release(room: Path) -> Release:
    layout = Layout(room / "build" / str(_VERSION), _VERSION)
    return Release(_VERSION, type_of(_VERSION), series_of(_VERSION), layout)


def usual(room: Path) -> None:
    """The archives stand in ``room/source/Doc/dist``."""
    python = _tools(room)
    words = [f"PYTHON={python}", f"SPHINXBUILD={python} -m sphinx", f"BLURB={python} -m blurb"]
    progress = _Timed()
    environment = neutral_environment({"SOURCE_DATE_EPOCH": str(_EPOCH_S)})
    for target in _TARGETS:
        progress.say(target)
        subprocess.run(
            ["make", target, *words],
            cwd=room / "source" / "Doc", env=environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def ours(room: Path) -> None:
    """The archives stand in the release's own folder."""
    source = DocsSource(room / "clone", "HEAD", _EPOCH_S, tools=room / "tools")
    docs.build(a_release(room), source, docs.FORMATS, MachinePrograms(), _Timed())


def prepare(room: Path, source: Path) -> None:
    """The same files stand in ``source`` and, committed, in ``clone``; the tools are there."""
    shutil.copytree(source, room / "source", symlinks=True)
    shutil.copytree(source, room / "clone", symlinks=True)
    person = {
        f"GIT_{who}_{what}": "bench"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    for words in (["init", "-q"], ["add", "-Af", "."], ["commit", "-qm", "3.13.5"]):
        subprocess.run(
            ["git", *words], cwd=room / "clone", env=neutral_environment(person), check=True
        )
    make_environment(room / "tools", room / "source" / "Doc", MachinePrograms(), _Timed())


def _tools(room: Path) -> Path:
    return make_environment(
        room / "tools", room / "source" / "Doc", MachinePrograms(), _Timed()
    ).python


def measure(way: str, room: Path) -> Run:
    """Run one way as a process of its own."""
    print(way, flush=True)
    start_s = time.monotonic()
    process = subprocess.Popen([sys.executable, __file__, way, room])
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - start_s
    if status:
        sys.exit(f"{way} failed")
    # Linux counts the peak in KiB, macOS in bytes.
    unit = 1 << 10 if sys.platform == "linux" else 1 << 20
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


def members(archive: Path) -> dict[str, bytes]:
    """The files of an archive."""
    if archive.suffix == ".bz2":
        with tarfile.open(archive) as tar:
            return {each.name: _read(tar, each) for each in tar if each.isfile()}
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist() if name[-1] != "/"}


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member)
    return content.read() if content else b""


def compare(room: Path) -> None:
    """Print, for each archive, how the members of both ways differ."""
    for form in docs.FORMATS:
        for archive in a_release(room).layout.docs_archives(form):
            made = members(archive)
            by_make = members(room / "source" / "Doc" / "dist" / archive.name)
            odd = sorted({name for name, _ in made.items() ^ by_make.items()})
            told = f"differ: {', '.join(odd[:4])}" if odd else "all the same"
            print(f"{archive.name:40} {len(made):5} files, {told}")


def table(runs: dict[str, Run]) -> int:
    """Print the table; 0 if the bar is held."""
    base = runs["usual"]
    print(f"{'':8} {'wall s':>8} {'ratio':>6} {'cpu s':>8} {'ratio':>6} {'peak MB':>8}")
    for way, run in runs.items():
        print(
            f"{way:8} {run.wall_s:8.1f} {run.wall_s / base.wall_s:6.2f} "
            f"{run.cpu_s:8.1f} {run.cpu_s / base.cpu_s:6.2f} {run.peak_mb:8.0f}"
        )
    ratio = runs["ours"].wall_s / base.wall_s
    print(f"bar {_BAR}: {'held' if ratio <= _BAR else 'NOT held'}")
    return int(ratio > _BAR)


def main(words: list[str]) -> int:
    ways = {"usual": usual, "ours": ours}
    if words and words[0] in ways:
        ways[words[0]](Path(words[1]))
        return 0
    fetch = (sys.executable, _TOP / "tests" / "real" / "fetch")
    source = words[0] if words else subprocess.check_output(fetch, text=True).strip()
    with TemporaryDirectory() as name:
        room = Path(name)
        prepare(room, Path(source))
        runs = {way: measure(way, room) for way in ways}
        compare(room)
        return table(runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
