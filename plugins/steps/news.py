"""NEWS: the entries of ``Misc/NEWS.d/next`` merged into the file of this version, by blurb."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted
from plugins.steps.left_behind import see_plain
from plugins.steps.release_clone import input_commit
from plugins.steps.tree_links import path_in

if TYPE_CHECKING:
    from datetime import date

    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Completed, Programs

__all__ = ["NEXT", "blurb_of", "day_of", "merge", "news_file"]

_NEWS: Final = "Misc/NEWS.d"
NEXT: Final = "Misc/NEWS.d/next"
"""The folder of the entries that no release has published."""

_RELEASE_DATE: Final = re.compile(r"^\.\. release date: .*$", flags=re.MULTILINE)
_DATE: Final = re.compile(r"^\.\. date: .*$", flags=re.MULTILINE)
_NONCE: Final = re.compile(r"^\.\. nonce: ", flags=re.MULTILINE)
_NO_CHANGES: Final = re.compile(r"^\.\. no changes: True$", flags=re.MULTILINE)
_NAME: Final = re.compile(r"[^.]*\.(?:[^.]*(?:gh-issue|bpo)-[^.]*\.)+[^.]+\.rst")
_TOLD_BY_BLURB: Final = re.compile(r"Error in (?P<file>\S+?):(?P<line>\d+):\s*(?P<said>[^\n]+)")


def news_file(release: Release) -> str:
    """The path of this version's NEWS file in the tree."""
    return f"Misc/NEWS.d/{release.version}.rst"


def day_of(release: Release, clone: Clone, commit: str) -> str:
    """The day that NEWS of this version has in the commit, as YYYY-MM-DD; "" if it has none."""
    text = clone.read(commit, news_file(release)) or b""
    found = re.search(rb"^\.\. release date: (\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    return found[1].decode() if found else ""


def blurb_of(programs: Programs) -> Path:
    """Where blurb is: beside this Python, where the project's pin put it, or else on PATH.

    Its bytes depend on its version, so the pinned one goes first. Raises StepFailed.
    """
    beside = Path(sys.executable).with_name("blurb")
    found = programs.find(str(beside)) or programs.find("blurb")
    if found is None:
        raise StepFailed(
            where="blurb",
            problem="neither beside this Python nor on PATH",
            remedy=f"{sys.executable} -m pip install blurb",
        )
    return found


def merge(
    release: Release,
    clone: Clone,
    programs: Programs,
    *,
    date: date,
    after: str = "base",
    step: str = "news",
) -> dict[str, str]:
    """Every NEWS entry is in one file of this version, released on ``date`` (E01).

    blurb does it; what it may leave out in silence (entries of a section that it does not
    know) is an error here. Facts: how many entries, and which blurb.
    """
    previous = input_commit(clone, after)
    target = news_file(release)
    if clone.read(previous, target) is not None:
        raise StepFailed(
            where=target,
            problem="the base has this file already: its NEWS entries were merged before",
            remedy=f"release from a commit before that, or take {target} out of the branch",
        )
    entries = _entries(clone, previous)
    clone.checkout(previous)
    # blurb may write to that folder, so it has to be one.
    path_in(clone.folder, target)
    blurb = blurb_of(programs)
    ended = _released(release, clone.folder, blurb, programs)
    # Why it failed is looked for in what it left.
    see_plain(clone.folder / _NEWS)
    if ended.status:
        raise _failed(clone.folder, entries, ended.stdout + ended.stderr)
    _see_complete(clone.folder, target, entries)
    _put_date(clone.folder / target, date)
    made = clone.record(step, previous, f"Fold NEWS for {release.version}")
    return {
        "commit": made,
        "entries": str(len(entries)),
        "blurb": programs.version(str(blurb)),
    }


def _released(release: Release, clone: Path, blurb: Path, programs: Programs) -> Completed:
    """How ``blurb release`` ended, which changes nothing of the clone but its NEWS entries.

    It adds them to an index as well; that is one of an empty repository, which is thrown away.
    """
    room = release.layout.scratch / "blurb"
    shutil.rmtree(room, ignore_errors=True)
    programs.run(["git", "init", "--quiet", "--bare", "--template=", room], folder=clone)
    confined = programs.confined(writes=(clone / _NEWS, room), reads=(clone,))
    ended = confined.run(
        [blurb, "release", str(release.version)],
        folder=clone,
        env={"GIT_DIR": str(room), "GIT_WORK_TREE": str(clone)},
        check=False,
    )
    shutil.rmtree(room)
    return ended


def _entries(clone: Clone, commit: str) -> tuple[str, ...]:
    """The paths of the entries; each section's README is not one."""
    return tuple(
        name
        for name in clone.names(commit, NEXT)
        if not name.endswith("/README.rst") and not name.rpartition("/")[2].startswith(".")
    )


def _see_complete(folder: Path, target: str, entries: tuple[str, ...]) -> None:
    left = [name for name in entries if (folder / name).exists()]
    if left:
        raise StepFailed(
            where=left[0],
            problem="blurb did not merge it: its section is unknown to blurb, or its name does "
            "not end in .rst",
            remedy="move it to a section that blurb knows, on the branch",
            details=tuple(left[1:]),
        )
    text = (folder / target).read_text(encoding="utf-8")
    written = 0 if _NO_CHANGES.search(text) else len(_NONCE.findall(text))
    if written != len(entries):
        raise StepFailed(
            where=target, problem=f"blurb wrote {written} entries, wanted {len(entries)}",
            remedy="compare the file with Misc/NEWS.d/next, and report the difference to "
            "blurb's maintainers",
        )  # fmt: skip


def _put_date(file: Path, date: date) -> None:
    """Our date instead of the clock's, so that the file is the same on any day."""
    text = file.read_text(encoding="utf-8")
    text, count = _RELEASE_DATE.subn(f".. release date: {date:%Y-%m-%d}", text)
    if count != 1:
        raise StepFailed(
            where=file.name,
            problem=f"blurb wrote {counted(count, 'release date')}, wanted one",
            remedy="use the blurb that this project pins",
        )
    if _NO_CHANGES.search(text):
        # the only entry is blurb's own, and dated by the clock as well
        text = _DATE.sub(f".. date: {date:%Y-%m-%d}", text)
    write_whole(file, text.encode())


def _failed(folder: Path, entries: tuple[str, ...], said: str) -> StepFailed:
    """One clear error of blurb's traceback, which names the file only sometimes."""
    lines = tuple(line for line in said.splitlines() if line.strip())
    found = _TOLD_BY_BLURB.search(said)
    if found:
        # blurb counts lines from 0
        where, problem = f"{found['file']}:{int(found['line']) + 1}", found["said"]
    else:
        named = next((name for name in entries if name in said), "")
        where, problem = (named, "") if named else _culprit(folder, entries)
        problem = problem or (_last_words(lines[-1]) if lines else "blurb failed and said nothing")
    return StepFailed(
        where=where or "blurb release",
        problem=problem,
        remedy="correct the entry on the branch" if where else "run blurb release by hand",
        # The frames of a traceback help nobody here, and all of it is in the step's log.
        details=() if where else tuple(line for line in lines if not line.startswith(" "))[-4:],
    )


def _culprit(folder: Path, entries: tuple[str, ...]) -> tuple[str, str]:
    """The entry that blurb did not name, and what is wrong if blurb did not say that either."""
    for name in entries:
        if not _NAME.fullmatch(name.rpartition("/")[2]):
            return name, ""
        try:
            text = (folder / name).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            return name, f"is not UTF-8 at byte {error.start}"
        except FileNotFoundError:
            continue
        lines = [line.rstrip() for line in text.splitlines()]
        if any(line == ".." for line in lines):
            return name, "contains two entries, separated by a line of two dots"
        for number, line in enumerate(lines, start=1):
            if line and not line.startswith((".. ", "..", "#")):
                break
            if line.startswith("..") and ":" not in line:
                return f"{name}:{number}", f"metadata without a colon: {line}"
    return "", ""


def _last_words(line: str) -> str:
    return re.sub(r"^(\w+\.)*\w*(Error|Exception): ", "", line)
