"""Repositories of git: the release clone, the release manager's own, and remote ones."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = [
    "Base", "Clone", "Commit", "Identity", "RefUpdate", "Remote", "Tag", "git_in", "is_pinned",
]  # fmt: skip


def git_in(folder: Path, *words: str) -> str:
    """The command of git in that folder as a person can paste it, whatever is in the path."""
    return shlex.join(("git", "-C", str(folder), *words))


def is_pinned(wanted: str) -> bool:
    """Whether ``[repository] base`` names a tag or a commit, which no fetch moves, or a branch."""
    return bool(wanted and re.fullmatch(r"(?:refs/tags/)?v[0-9].*|[0-9a-f]{7,40}", wanted))


@frozen
class Identity:
    """A person as git knows them."""

    name: str
    email: str


@frozen
class Commit:
    """What a commit says. ``id``, ``tree`` and ``parents`` are full object ids; ``message`` is
    whole, with its line break at the end; ``committed`` is in UTC, to the second.
    """

    id: str
    tree: str
    parents: tuple[str, ...]
    message: str
    committer: Identity
    committed: datetime


@frozen
class Tag:
    """A tag: the commit it names and when, in UTC; ``payload`` is "" and ``id`` the commit's if it
    is a light one. ``signature`` is the armoured signature below the payload, or "".
    """

    name: str
    id: str
    commit: str
    made: datetime
    payload: str = ""
    signature: str = ""


class Clone(Protocol):
    """The release clone: a git repository of the release's own that may be reset at will.

    Commits and trees are full object ids in hex, 40 digits (CPython's repository uses SHA-1). Paths
    are relative to the repository's top folder, with slashes, and are text in UTF-8. Times have a
    zone, and are kept to the second. CPython has about 5,000 files, 100 MB in all; whatever
    gives a file's bytes or all names has them in memory at once.
    Every edit starts from a commit that is known, so a step that was killed is simply done again.
    """

    @property
    def folder(self) -> Path:
        """Where its files are checked out, as an absolute path; it need not exist yet."""
        ...

    def prepare(self, source: Path, commits: Sequence[str]) -> None:
        """The clone exists and holds these commits of the repository ``source``, which is only
        read. Raises ServiceFailed for a commit that the source lacks.
        """
        ...

    def point(self, ref: str, target: str) -> None:
        """The ref, such as ``refs/release/base``, names the object."""
        ...

    def checkout(self, commit: str) -> None:
        """Make index and files those of the commit, with nothing left over or ignored."""
        ...

    def record(self, step: str, parent: str, message: str) -> str:
        """Commit all files on disk as a child of ``parent``; ``refs/release/<step>`` names it.

        The same files, parent and message give the same commit id. Returns it. Files that the
        tree itself ignores are not part of it, unless they were put into the index.
        """
        ...

    def pick(self, commit: str, onto: str, by: Identity) -> str:
        """Apply the commit's change to ``onto`` and return the new commit, the same each time.

        Its message names the original. ``onto`` is checked out, with whatever was not recorded
        lost. Raises StepFailed for a conflict, naming the files, and
        for a change that ``onto`` has already; the clone can be used as before.
        """
        ...

    def compose(
        self, tree_of: str, parent: str, message: str, *, by: Identity, when: datetime
    ) -> str:
        """Make a commit of another commit's tree. Nothing names it yet."""
        ...

    def merge(
        self,
        into: str,
        other: str,
        message: str,
        *,
        by: Identity,
        when: datetime,
        theirs: Collection[str] = (),
    ) -> str:
        """Merge a commit or tag into a commit and return the result, the same each time.

        ``other`` itself is the result where it follows ``into``. Of the files ``theirs`` that of
        ``other`` is taken if there is a conflict. Raises StepFailed for any other conflict,
        naming the files; the clone can be used as before.
        """
        ...

    def forget(self, ref: str) -> None:
        """The ref does not exist; what it named may."""
        ...

    def follows(self, commit: str, ancestor: str) -> bool:
        """Whether the ancestor is the commit or is in its history; False if either is unknown."""
        ...

    def beyond(self, commit: str, other: str) -> tuple[str, ...]:
        """The commits in the history of ``commit`` that are not in that of ``other``, newest first.

        Each in one line: its short id and its subject.
        """
        ...

    def write_patch(self, old: str, new: str, file: Path) -> None:
        """The file holds all that differs between two commits, as git writes it, binary as well."""
        ...

    def resolve(self, revision: str) -> str:
        """The object id that a revision names; "" if there is none."""
        ...

    def entry(self, commit: str, path: str) -> str:
        """The object id of a file or folder as committed; "" if the commit lacks it."""
        ...

    def about(self, commit: str) -> Commit:
        """What the commit says."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """A file's bytes as committed, or None if the commit lacks it."""
        ...

    def names(self, commit: str, folder: str = "") -> tuple[str, ...]:
        """The paths of all files of the commit below the folder, sorted."""
        ...

    def difference(self, old: str, new: str) -> tuple[str, ...]:
        """The paths of the files that differ between two commits, sorted."""
        ...

    def unrecorded(self) -> tuple[str, ...]:
        """The paths of files on disk that are not as the commit checked out has them, sorted.

        Ignored files count as well.
        """
        ...

    def tag(self, name: str) -> Tag | None:
        """The tag of this name, or None."""
        ...

    def put_tag(self, name: str, content: str) -> str:
        """Make a tag object of this content (payload and signature), which the tag then names.

        A tag of that name is replaced. Returns the object's id. Raises ServiceFailed for
        content that is no tag.
        """
        ...


class Base(Protocol):
    """The RM's own clone, which is only ever read."""

    @property
    def folder(self) -> Path:
        """Where it is."""
        ...

    def commit(self) -> str:
        """The commit to release from, as the clone has it now.

        Raises SettingsError if what release.toml names is not there.
        """
        ...

    def is_pinned(self) -> bool:
        """Whether release.toml names a tag or a commit as the base, and not a branch."""
        ...

    def is_held(self) -> bool:
        """Whether it is what a release was made from that others can see, so no fetch moves it.

        Only a tag or a commit that release.toml names goes before that, and then it is not held.
        """
        ...

    def about(self, commit: str) -> Commit:
        """What a commit says. Raises ServiceFailed if it cannot be read."""
        ...

    def text(self, commit: str, path: str) -> str | None:
        """A text file as committed, or None if the commit lacks it."""
        ...

    def tags(self) -> tuple[Tag, ...]:
        """Every tag whose name begins with ``v``, without payload and signature."""
        ...

    def later(self, commit: str, most: int) -> tuple[str, ...]:
        """The commits of upstream's branch that follow the commit, oldest first, at most so many.

        As the clone has that branch now; none where it lacks the branch or the commit is not in it.
        """
        ...

    def identity(self) -> Identity:
        """Whom the RM's git puts on commits. Raises SettingsError if that is not configured."""
        ...


@frozen
class RefUpdate:
    """One ref of a remote and what it is to become.

    ``ref`` is a full name such as ``refs/heads/3.13``; ``new`` an object id, "" to delete the
    ref; ``old`` the object id that it has to have now, "" if it must not be there.
    """

    ref: str
    new: str
    old: str = ""


class Remote(Protocol):
    """A git repository somewhere else, spoken to by exact refs only."""

    @property
    def address(self) -> str:
        """Where it is; it holds no secret."""
        ...

    def refs(self, *names: str) -> dict[str, str]:
        """The object ids that these refs name there now; "" for a ref that is not there."""
        ...

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """The full names of the refs there that match one of these, as ``git ls-remote`` does."""
        ...

    def fetch(self, folder: Path, wanted: Mapping[str, str]) -> None:
        """The repository at ``folder`` has the remote's refs under other names.

        ``wanted`` maps refs of the remote to refs of the repository; nothing else is fetched.
        """
        ...

    def push(self, source: Path, updates: Sequence[RefUpdate], *, dry_run: bool = False) -> None:
        """All of the updates have happened, or none has. Raises ServiceFailed.

        Each ref must have its expected old value when the remote takes the push. A branch
        only ever moves forward and a tag never moves. With ``dry_run`` nothing is changed: it
        succeeds if we may write to the remote and the refs are as expected.
        """
        ...
