"""Own commits: what stands between upstream's history and what is made of it, by true objects.

Source: DESIGN rule 20. git believes what a clone says of an object, so commits, folders and files
that a change is made of are hashed here before two changes are called the same.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, Final, cast

from checks.git_objects import (
    NEUTRAL,
    AlteredObject,
    commit_of,
    contents,
    entries_of,
    is_before,
    parents_of,
)
from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.ports.programs import PIPE

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.git import Clone
    from plugins.ports.programs import Programs
    from plugins.ports.public import History

__all__ = ["commits_are_known", "merge_is_of_true_objects"]

_ORIGINAL: Final = re.compile(r"^\(cherry picked from commit ([0-9a-f]{40,64})\)$", re.MULTILINE)
"""As ``git cherry-pick -x`` writes it."""
_DIFF: Final = (
    "diff-tree", "-p", "-r", "--full-index", "--binary", "--no-color", "--no-ext-diff",
    "--no-textconv", "--no-renames", "--no-commit-id",
)  # fmt: skip
_PLACES: Final = (b"index ", b"@@ ")
"""Lines of a patch that say where it applies, and not what it does."""


@judges("base.only_here", "base.picked", "clone.objects", blind="source.unreadable")
def commits_are_known(
    release: Release, clone: Clone, programs: Programs, history: History, base: str
) -> tuple[Finding, ...]:
    """Upstream has ``base``, and the change of each commit between it and the release commit.

    What they and the release commit are made of holds what its names say.
    """
    try:
        released = commit_of(clone, "refs/release/commit")
        _see_change(clone, programs, base, released)
        upstream = _Upstream(release, programs, history, base)
        if not upstream.has(base):
            problem = f"the release is made of {base[:12]}, which upstream does not have"
            return (Finding("base.only_here", Severity.BLOCK, problem),)
        picked = _between(clone, programs, base, released)
        return tuple(
            Finding(
                "base.picked",
                Severity.BLOCK,
                f"upstream has no commit with the change of {each[:12]} "
                f"({clone.about(each).message.partition(chr(10))[0]})",
            )
            for each in picked
            if not upstream.has_change(clone, each)
        )
    except AlteredObject as error:
        return (error.finding(),)


@judges("clone.objects", blind="clone.objects")
def merge_is_of_true_objects(
    release: Release, clone: Clone, programs: Programs
) -> tuple[Finding, ...]:
    """What upstream's branches get was made of objects that hold what their names say."""
    tag = commit_of(clone, f"refs/tags/{release.version.tag}")
    for branch in release.merge_branches:
        old = clone.resolve(f"refs/release/old/{branch}")
        for before in filter(None, (old, tag)):
            _see_change(clone, programs, before, f"refs/release/new/{branch}")
    return ()


class _Upstream:
    """The commits that upstream has, on the branch of the release and on main."""

    def __init__(self, release: Release, programs: Programs, history: History, base: str) -> None:
        self._programs = programs
        self._base = base
        names = {f"refs/heads/{branch}": f"refs/upstream/{branch}"
                 for branch in (release.branch, "main")}  # fmt: skip
        there = history.refs(*names)
        self._clone = history.bring({name: names[name] for name in names if there[name]})
        self._heads = tuple(dict.fromkeys(filter(None, there.values())))

    def has_change(self, clone: Clone, commit: str) -> bool:
        """Whether one of them, which may have another name, does what this commit does."""
        _see_change(clone, self._programs, f"{commit}^", commit)
        named = _ORIGINAL.findall(clone.about(commit).message)[-1:]
        # Where a commit was picked from is known to be its place: lines around it may differ.
        return any(
            self.has(each) and self._does(clone, commit, each, lines_around=0) for each in named
        ) or any(
            self._does(clone, commit, each, lines_around=3)
            for each in self._alike(clone, commit)
            if self.has(each)
        )

    def has(self, commit: str) -> bool:
        """Whether it is in the history of one of the branches."""
        return any(is_before(self._clone, self._programs, commit, head) for head in self._heads)

    def _alike(self, clone: Clone, commit: str) -> list[str]:
        """Those since the base that change a file which this commit changes."""
        paths = clone.difference(f"{commit}^", commit)
        words = ["log", "--format=%H", "--no-merges", *self._heads, "--not", self._base]
        return _git(self._clone, self._programs, *words, "--", *paths).decode().split()

    def _does(self, clone: Clone, commit: str, other: str, *, lines_around: int) -> bool:
        """Whether both change the same lines of the same files."""
        if len(self._clone.about(other).parents) != 1:
            return False
        _see_change(self._clone, self._programs, f"{other}^", other)
        ours, theirs = (
            [line
             for line in _git(
                 each, self._programs, *_DIFF, f"-U{lines_around}", f"{name}^", name
             ).splitlines()
             if not line.startswith(_PLACES)]
            for each, name in ((clone, commit), (self._clone, other))
        )  # fmt: skip
        return ours == theirs


def _between(clone: Clone, programs: Programs, base: str, released: str) -> list[str]:
    """The commits on top of the base that the release commit was made on, newest first."""
    found: list[str] = []
    (above,) = parents_of(clone, programs, released)
    while above != base:
        found.append(above)
        parents = parents_of(clone, programs, above)
        if len(parents) != 1:
            break  # it is none that was picked, and no commit of upstream has its change
        (above,) = parents
    return found


def _see_change(clone: Clone, programs: Programs, before: str, after: str) -> None:
    """Both commits, their folders and the files that differ are what their names say.

    Raises AlteredObject, and ServiceFailed for a commit that the clone does not have.
    """
    sides = [set(entries_of(clone, programs, commit_of(clone, each))) for each in (before, after)]
    for _ in contents(clone, programs, sorted(sides[0] ^ sides[1])):
        pass


def _git(clone: Clone, programs: Programs, *words: str) -> bytes:
    command = [*NEUTRAL, *words]
    with programs.pipe(command, folder=clone.folder, stdout=PIPE) as process:
        return cast("IO[bytes]", process.stdout).read()
