"""History as a test: what the tool changes for a release that upstream has made already.

The release starts from the parent of upstream's own release commit and goes through the tool's own
steps; what upstream's commit holds and ours does not, or the other way round, is a difference.
Each difference is either one that has a reason, which is named, or a defect.

    python tests/real/history.py CLONE VERSION... [--topics]

CLONE is a clone of python/cpython with tags, bare or not. It is only read. Of a copy that lacks
some files (large ones, say), these are empty on both sides, and named.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plugins.model.docs_source import DocsSource
from plugins.model.layout import Layout
from plugins.model.release import Release, ReleaseType, known_phase, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.services.git_base import GitBase
from plugins.services.git_clone import GitClone
from plugins.services.git_remote import GitRemote
from plugins.services.programs import MachinePrograms
from plugins.steps import merge_back, news, release_clone, topics, version_files
from tests.progress import Quiet
from tests.real.reasons import LATER, explained

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNEXPLAINED", "Difference", "History", "Replayed", "report"]

_RELEASED: Final = re.compile(r"^\.\. release date: (\d{4}-\d{2}-\d{2})$", flags=re.MULTILINE)
_TOPICS: Final = tuple(topics.PRODUCTS.values())
_LATER_COMMITS: Final = 40
_SHOWN: Final = 60

UNEXPLAINED: Final = "NO REASON"


@dataclass(frozen=True, slots=True)
class Difference:
    """A file that is not the same in our commit and in upstream's."""

    path: str
    reasons: tuple[str, ...]
    """Why it may differ; () if it may not."""
    lines: tuple[str, ...]
    """The difference, from ours to upstream's."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A release that was made again."""

    version: Version
    type: ReleaseType
    changed: tuple[str, ...]
    """What upstream's release commit changed, NEWS entries to come aside."""
    differences: tuple[Difference, ...]
    lacking: tuple[str, ...]
    """Files that the clone does not have; empty on both sides."""

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """The differences that nothing excuses."""
        return tuple(found for found in self.differences if not found.reasons)


class History:
    """Releases of a clone of CPython, each made again below ``work``."""

    def __init__(self, cpython: Path, work: Path) -> None:
        self._programs = MachinePrograms()
        self._work = work
        self._originals: dict[str, str] = {}
        self._theirs = work / "theirs.git"
        if not self._theirs.is_dir():
            _git(work, "clone", "--quiet", "--bare", "--template=", str(cpython), "theirs.git")
            _git(self._theirs, "config", "user.name", "A Release Manager")
            _git(self._theirs, "config", "user.email", "rm@example.org")

    def release_commit(self, text: str, *, with_topics: bool = False) -> Replayed:
        """The release up to its one commit, against upstream's ``vX.Y.Z`` commit."""
        release, clone = self._begin(text)
        commit, parent, lacking = self._whole_pair(release)
        base = GitBase(self._theirs, self._programs, branch=release.branch, wanted=parent)
        release_clone.make(clone, base, Quiet())
        clone.prepare(self._theirs, (commit,))
        day = self._day(clone, commit, release)
        news.merge(release, clone, self._programs, date=day)
        version_files.bump(release, clone, after="news")
        version_files.readme(release, clone, after="bump")
        version_files.mark_next(release, clone, after="readme")
        last = "mark_next"
        if release.type is ReleaseType.FEATURE_FINAL:
            version_files.whatsnew_date(release, clone, date=day, after=last, step="whatsnew")
            last = "whatsnew"
        version_files.source_uri(release, clone, after=last)
        last = "source_uri"
        if with_topics:
            self._build_topics(release, clone, last, day)
            topics.put(release, clone, after=last, step="topics")
            last = "topics"
        skipped = () if with_topics else _TOPICS
        changed = tuple(
            name
            for name in clone.difference(parent, commit)
            if not name.startswith(f"{news.NEXT}/")
        )
        found = self._compared(clone, f"refs/release/{last}", commit, skipped)
        return Replayed(release.version, release.type, changed, found, lacking)

    def post_release(self, text: str) -> dict[str, Replayed]:
        """What upstream's branches got after the release, for each branch, against upstream's."""
        release, source = self._begin(text)
        commit, parent, lacking = self._whole_pair(release)
        wanted = self._after(release)
        if lacking:
            gone = dict.fromkeys(lacking, "")
            wanted = {name: self._without(it, gone, (commit,)) for name, it in wanted.items()}
        source.prepare(self._theirs, (commit, parent))
        for name in ("release/base", "release/commit", f"tags/v{text}"):
            source.point(f"refs/{name}", parent if name.endswith("base") else commit)
        upstream = self._work / "upstream.git"
        if not upstream.is_dir():
            _git(self._work, "init", "--quiet", "--bare", "--template=", "upstream.git")
            alternates = upstream / "objects/info/alternates"
            alternates.parent.mkdir(exist_ok=True)
            alternates.write_text(f"{self._theirs}/objects\n")
        for branch in release.merge_branches:
            _git(upstream, "update-ref", "-d", f"refs/heads/{branch}")
        _git(upstream, "update-ref", f"refs/heads/{release.branch}", parent)
        base = GitBase(self._theirs, self._programs, branch=release.branch, wanted=parent)
        merge_clone = GitClone(release.layout.merge_clone, self._programs)
        remote = GitRemote(str(upstream), self._programs)
        merge_back.make(release, source, merge_clone, base, remote, Quiet())
        found = {}
        for branch, theirs in wanted.items():
            merge_clone.prepare(self._theirs, (theirs,))
            changed = merge_clone.difference(commit, theirs)
            made = merge_back.made(release, merge_clone)[branch][1]
            differences = self._compared(merge_clone, made, theirs, ())
            found[branch] = Replayed(release.version, release.type, changed, differences, ())
        return found

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _begin(self, text: str) -> tuple[Release, GitClone]:
        version = Version.parse(text)
        series = series_of(version)
        layout = Layout(self._work / text, version)
        release = Release(version, type_of(version, known_phase(version, series)), series, layout)
        return release, GitClone(layout.clone, self._programs)

    def _id(self, name: str) -> str:
        return _git(self._theirs, "rev-parse", "--verify", name)

    def _day(self, clone: GitClone, commit: str, release: Release) -> date:
        content = clone.read(commit, news.news_file(release)) or b""
        found = _RELEASED.search(content.decode())
        assert found, f"upstream's {release.version} has no release date in its NEWS"
        return date.fromisoformat(found[1])

    def _whole_pair(self, release: Release) -> tuple[str, str, tuple[str, ...]]:
        """Upstream's release commit and its parent, and what the clone lacks of them.

        Where it lacks something, both are stand-ins in which these files are empty.
        """
        commit = self._id(f"refs/tags/{release.version.tag}^{{commit}}")
        parent = self._id(f"{commit}^")
        lacking = {**self._lacking(parent), **self._lacking(commit)}
        if lacking:
            parent = self._without(parent, lacking, ())
            commit = self._without(commit, lacking, (parent,))
        return commit, parent, tuple(sorted(lacking))

    def _lacking(self, commit: str) -> dict[str, str]:
        listed = _git(self._theirs, "ls-tree", "-r", commit)
        files = {line.split()[2]: line.partition("\t")[2] for line in listed.splitlines()}
        asked = "".join(f"{name}\n" for name in files)
        there = _git(self._theirs, "cat-file", "--batch-check", stdin=asked)
        gone = (line.split()[0] for line in there.splitlines() if line.endswith(" missing"))
        return {files[name]: name for name in gone}

    def _without(self, commit: str, lacking: dict[str, str], parents: tuple[str, ...]) -> str:
        empty = _git(self._theirs, "hash-object", "-w", "--stdin")
        with tempfile.TemporaryDirectory() as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            _git(self._theirs, "read-tree", commit, env=env)
            for path in lacking:
                _git(self._theirs, "update-index", "--cacheinfo", f"100644,{empty},{path}", env=env)
            tree = _git(self._theirs, "write-tree", env=env)
        when = _git(self._theirs, "show", "--no-patch", "--format=%cI", commit)
        dated = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        words = [word for parent in parents for word in ("-p", parent)]
        made = _git(self._theirs, "commit-tree", tree, *words, "-m", "Stand-in", env=dated)
        self._originals[made] = commit
        return made

    def _build_topics(self, release: Release, clone: GitClone, last: str, day: date) -> None:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        epoch_s = int((midnight + timedelta(hours=12)).timestamp())
        python = os.environ.get("PEP101_DOCS_PYTHON")
        source = DocsSource(
            clone.folder,
            f"refs/release/{last}",
            epoch_s,
            python=Path(python) if python else None,
            tools=self._work / "docs-tools",
        )
        topics.build(release, source, self._programs, Quiet())

    def _after(self, release: Release) -> dict[str, str]:
        """Upstream's commits right on top of the release commit, by the branch they are on."""
        commit = self._id(f"refs/tags/{release.version.tag}^{{commit}}")
        listed = _git(self._theirs, "rev-list", "--all", "--parents", f"^{commit}")
        children = [line.split()[0] for line in listed.splitlines() if commit in line.split()[1:2]]
        titles = {_git(self._theirs, "show", "-s", "--format=%s", name): name for name in children}
        found = {}
        for branch in release.merge_branches:
            is_main = release.type is ReleaseType.NEW_BRANCH and branch == release.branch
            wanted = "Python 3." if is_main else f"Post {release.version}"
            (found[branch],) = [name for title, name in titles.items() if title.startswith(wanted)]
        return found

    def _compared(
        self, clone: GitClone, ours: str, theirs: str, skipped: tuple[str, ...]
    ) -> tuple[Difference, ...]:
        found = []
        for path in clone.difference(ours, theirs):
            if path in skipped:
                continue
            mine, others = (clone.read(ref, path) or b"" for ref in (ours, theirs))
            why = explained(path, mine.decode(errors="replace"), others.decode(errors="replace"))
            if not why and (later := self._made_later(mine, theirs, path)):
                why = (LATER.format(later),)
            lines = _git(clone.folder, "diff", "--no-ext-diff", ours, theirs, "--", path)
            found.append(Difference(path, why, tuple(lines.splitlines()[4:])))
        return tuple(found)

    def _made_later(self, ours: bytes, theirs: str, path: str) -> str:
        """The later commit of upstream after which the file is what ours is; "" if none is."""
        start = self._originals.get(theirs, theirs)
        listed = _git(self._theirs, "log", "--all", "--reverse", "--ancestry-path",
                      "--format=%h (%cs, %s)", f"^{start}", "--", path)  # fmt: skip
        for line in listed.splitlines()[:_LATER_COMMITS]:
            shown = subprocess.run(
                ("git", "cat-file", "blob", f"{line.split()[0]}:{path}"),
                cwd=self._theirs, check=False, capture_output=True,
            )  # fmt: skip
            if shown.stdout == ours:
                return line
        return ""


def _git(folder: Path, *words: str, env: dict[str, str] | None = None, stdin: str = "") -> str:
    ended = subprocess.run(
        ("git", *words), cwd=folder, env={**os.environ, **(env or {})}, input=stdin,
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return ended.stdout.strip()


def report(words: list[str]) -> Iterator[str]:
    """Line by line what differs, release by release; UNEXPLAINED marks what nothing excuses."""
    with_topics = "--topics" in words
    clone, *versions = [word for word in words if not word.startswith("-")]
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(clone).resolve(), Path(folder))
        for text in versions:
            made = {"release commit": history.release_commit(text, with_topics=with_topics)}
            after = history.post_release(text)
            made |= {f"after it, {branch}": found for branch, found in after.items()}
            for what, found in made.items():
                yield from _lines(f"{text} ({found.type.name}), {what}", found)


def _lines(what: str, found: Replayed) -> Iterator[str]:
    yield f"{what}: {len(found.changed)} files changed, {len(found.differences)} differ"
    yield from (f"  empty here: {name}" for name in found.lacking)
    for difference in found.differences:
        yield f"  {difference.path}: {'; '.join(difference.reasons) or UNEXPLAINED}"
        if not difference.reasons:
            yield from (f"    {line}" for line in difference.lines[:_SHOWN])


if __name__ == "__main__":
    bad = 0
    for line in report(sys.argv[1:]):
        print(line, flush=True)
        bad += line.endswith(UNEXPLAINED)
    sys.exit(bad and 1)
