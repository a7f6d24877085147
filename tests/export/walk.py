"""An undisturbed export, walked task by task: what each leaves, and each instant of its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.engine.killer import GROWING
from tests.moments import certain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.export.toy import Toy

# Where the engine notes which programs run: on a full disk it goes on without that.
PROGRAMS = "processes/"
# Programs that only read: before and after them nothing is different.
READING = {
    "autoconf", "blurb", "cc", "git", "git cat-file", "git config", "git diff-tree",
    "git for-each-ref", "git ls-tree", "git rev-list", "git rev-parse", "git show", "git status",
    "git version", "gzip", "make", "make Makefile", "makeinfo", "xz",
}  # fmt: skip
# The engine opens and closes each run in the same way: that of one task stands for all.
ENGINE = ("lock", "logs/", "running.")
# On a full disk, so do the last lines of each task; a kill there leaves another receipt each time.
RECORDS = (*ENGINE, PROGRAMS, "receipts", "journal.jsonl")
SCRATCH_INSTANTS = 8


@dataclass(frozen=True, slots=True)
class Stage:
    """One task of the walk: the instants of its run, and what the release is before and after."""

    task: str
    instants: tuple[str, ...]
    """Where a kill may leave what no other kill leaves."""
    growing: tuple[str, ...]
    """Where something is about to take room on the disk."""
    found: dict[str, bytes | str]
    left: dict[str, bytes | str]

    def is_whole(self, name: str, content: bytes | str) -> bool:
        """Whether a file is as it was before the task, or as the task leaves it."""
        return content in (self.found.get(name), self.left.get(name))


class Walk:
    """The stages of an export in order; before each, the toy is saved under the task's name."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        toy.restore()
        ended = toy.doit("export")
        assert ended.status == 0, ended.out
        left = toy.left()
        self.tasks = toy.ran()
        toy.restore()
        self.stages = [self._stage(task) for task in self.tasks]
        assert toy.left() == left

    def stage(self, task: str) -> Stage:
        """The stage of a task."""
        return next(each for each in self.stages if each.task == task)

    def _stage(self, task: str) -> Stage:
        self.toy.save(task)
        found = self.toy.left()
        report = self.toy.folder / "instants"
        ended = self.toy.quickly(f"--report={report}", task=task)
        assert ended.status == 0, ended.out
        assert self.toy.ran()[-1] == task
        seen = certain(report.read_text().splitlines())
        first = task == self.tasks[0]
        left = self.toy.left()
        return Stage(task, fatal(seen, first=first), growing(seen, first=first), found, left)


def fatal(seen: Sequence[str], *, first: bool) -> tuple[str, ...]:
    """The instants between which something changed that a kill leaves.

    What is just after one write is just before the next, but for a program that was started:
    after that it runs on by itself. What fsync does is not seen before a power cut. Of what is
    written below scratch, which no later step reads by itself, some stand for all.
    """
    found: list[str] = []
    scratch: list[str] = []
    for name in seen:
        moment, act, *what = name.split(" ")
        if act == "fsync" or (moment == "after" and act != "start"):
            continue
        if act == "start" and " ".join(what[:-1]) in READING:
            continue
        if what[0].startswith(ENGINE) and not first:
            continue
        (scratch if what[0].startswith("scratch/") else found).append(name)
    return (*found, *_some(scratch), seen[-1])


def growing(seen: Sequence[str], *, first: bool) -> tuple[str, ...]:
    """The instants before what a full disk refuses; of what is below scratch, some."""
    found: list[str] = []
    scratch: list[str] = []
    for name in seen:
        moment, act, *what = name.split(" ")
        if moment == "after" or act not in GROWING or (what[0].startswith(RECORDS) and not first):
            continue
        if what[0].startswith(PROGRAMS):
            continue
        (scratch if what[0].startswith("scratch/") else found).append(name)
    return (*found, *_some(scratch))


def _some(names: list[str]) -> list[str]:
    return names[:: max(1, len(names) // SCRATCH_INSTANTS)]
