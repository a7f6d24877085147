"""What confinement changes of a release: the bytes, which it must not, and the time.

    python tests/bench/confined_release.py FOLDER PART... [--rounds N]

FOLDER is that of a rehearsed release (``doit rehearse --folder F`` makes F/3.13.6), of the toy or
of the real CPython source; it is only read. A part is ``archives``, ``topics``, ``docs`` (the HTML
archives) or ``source`` (configured, built and tested by the quick tests): each is made behind walls
and then without them, in folders of their own, from nothing but the installed tools. The seconds
are those of the clock and of the processor, of all programs that ran; beside other work only the
processor's say something. Exit status 1 if a byte differs, or a part takes 3 % more of the
processor.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

_TOP: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(_TOP))

from doit_receipts.artifact import sha256_of  # noqa: E402 - the project need not be installed
from plugins.model.docs_source import DocsSource  # noqa: E402
from plugins.model.layout import Layout  # noqa: E402
from plugins.model.local_settings import SourceTest  # noqa: E402
from plugins.model.settings import read_settings, release_of  # noqa: E402
from plugins.ports.programs import Confinement  # noqa: E402
from plugins.services.git_clone import GitClone  # noqa: E402
from plugins.services.programs import MachinePrograms  # noqa: E402
from plugins.steps import docs, source_test, tarball, topics  # noqa: E402

if TYPE_CHECKING:
    from plugins.model.release import Release

_BAR: Final = 0.03
_WAYS: Final = ("with walls", "without")


class _Open(MachinePrograms):
    """Programs of a machine that cannot confine."""

    def confinement(self) -> Confinement:
        return Confinement("", "not asked for")


class _Quiet:
    def say(self, text: str) -> None:
        """Nobody reads it."""


class _Made:
    """A rehearsed release, of which parts are made once more in another folder."""

    def __init__(self, folder: Path) -> None:
        self.release = release_of(read_settings(folder / "release.toml"))
        self.layout = self.release.layout
        self.clone = GitClone(self.layout.clone, MachinePrograms())
        receipt = json.loads((self.layout.receipts / "build_tarballs.json").read_bytes())
        self.epoch_s = int(receipt["facts"]["epoch_s"])

    def make(self, part: str, room: Path, programs: MachinePrograms) -> dict[str, str]:
        """The part is made below ``room``; returns the digests of its files by name."""
        layout = Layout(room / str(self.release.version), self.release.version)
        release = replace(self.release, layout=layout)
        found: list[Path] = []
        if part == "archives":
            tarball.build(release, self.clone, programs, _Quiet())
            found = list(layout.tarballs)
        elif part == "topics":
            topics.build(release, self._source(room), programs, _Quiet())
            found = sorted(layout.made.iterdir())
        elif part == "docs":
            docs.build(release, self._source(room), ["html"], programs, _Quiet())
            found = sorted(layout.docs.iterdir())
        else:
            return self._tested(release, programs)
        return {each.name: sha256_of(each) for each in found}

    def _tested(self, release: Release, programs: MachinePrograms) -> dict[str, str]:
        layout = release.layout
        layout.src.mkdir(parents=True)
        for each in self.layout.tarballs:
            shutil.copy(each, layout.src / each.name)
        facts = source_test.run(release, programs, SourceTest.QUICK, _Quiet())
        return {name: facts[name] for name in ("python", "tests", "tree_sha256")}

    def _source(self, room: Path) -> DocsSource:
        tools = room / "docs-tools"
        shutil.copytree(self.layout.work / "docs-tools", tools, symlinks=True)
        tag = self.release.version.tag
        return DocsSource(self.layout.clone, tag, self.epoch_s, tools=tools)


def main(words: argparse.Namespace) -> int:
    """Print digests and seconds of each part; 1 if a byte differs or it costs too much."""
    made = _Made(words.folder)
    if not MachinePrograms().confinement().means:
        sys.exit(f"nothing is confined here: {MachinePrograms().confinement().problem}")
    failed = 0
    for part in words.parts:
        times: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
        results = []
        for _ in range(words.rounds):
            for way, programs in zip(_WAYS, (MachinePrograms(), _Open()), strict=True):
                with TemporaryDirectory(prefix="pep101-", dir=words.room) as room:
                    before, used = time.perf_counter(), _used_s()
                    results.append(made.make(part, Path(room), programs))
                    times[way].append((time.perf_counter() - before, _used_s() - used))
        same = all(each == results[0] for each in results)
        print(f"{part}: {len(results[0])} results, {'the same bytes' if same else 'THEY DIFFER'}")
        for name, digest in sorted(results[0].items()):
            print(f"    {name}  {digest[:64]}")
        for place, clock in enumerate(("clock", "processor")):
            one, other = (median(each[place] for each in times[way]) for way in _WAYS)
            more = f"{one:.1f} s with walls, {other:.1f} s without: {one / other - 1:+.1%}"
            print(f"    {clock}: {more}")
            failed |= place == 1 and one / other - 1 > _BAR
        failed |= not same
        sys.stdout.flush()
    return int(failed)


def _used_s() -> float:
    found = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", nargs="+", choices=("archives", "topics", "docs", "source"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--room", type=Path, help="where to make it (default: the usual place)")
    sys.exit(main(parser.parse_args()))
