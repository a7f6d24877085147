"""The outside world on one page: what steps and checks may ask of it.

A port is a small Protocol. Implementations live in ``plugins.services``; they raise
``ServiceFailed`` for what the world does wrong and never ask a person anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import IO

__all__ = [
    "PIPE",
    "Base",
    "Clock",
    "Clone",
    "Commit",
    "Completed",
    "Entry",
    "Host",
    "Identity",
    "Key",
    "Kind",
    "Login",
    "Programs",
    "Progress",
    "Sboms",
    "Signature",
    "Signer",
    "SourceArchive",
    "SourceFile",
    "Tag",
    "Upload",
    "Verdict",
    "Verifier",
]

PIPE: Final = -1
"""Asks ``Programs.pipe`` for a pipe to this process; the value that subprocess has for it."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that ended: its status and what it wrote, as text."""

    status: int
    stdout: str
    stderr: str


class Programs(Protocol):
    """The programs of this machine, run without a shell in a neutral environment.

    Neutral: locale C.UTF-8, time zone UTC, umask 022, no git configuration of person or
    system, no XZ_OPT, XZ_DEFAULTS, GZIP, TAR_OPTIONS, and nothing on standard input unless
    given. What a program writes goes to the log of the running step as well.
    """

    def find(self, name: str) -> Path | None:
        """Where the program is, or None."""
        ...

    def version(self, name: str) -> str:
        """The version number that the program tells; "" if it is not there or tells none."""
        ...

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout_s: float | None = None,
        check: bool = True,
    ) -> Completed:
        """Run to the end. With ``check``, raises ServiceFailed on any status but 0."""
        ...

    def pipe(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = None,
        stdout: int | IO[bytes] | None = None,
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run beside us, with pipes or files for its streams.

        On leaving the block its end is awaited; raises ServiceFailed on any status but 0. If
        the block raised, the program is killed first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as git knows them."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says; ``committed`` is in UTC."""

    id: str
    tree: str
    parents: tuple[str, ...]
    message: str
    committer: Identity
    committed: datetime


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag: the commit it names and when; ``payload`` is "" and ``id`` the commit's if it is
    a light one. ``signature`` is the armoured signature below the payload, or "".
    """

    name: str
    id: str
    commit: str
    made: datetime
    payload: str = ""
    signature: str = ""


class Clone(Protocol):
    """The release clone: a git repository of the release's own that may be reset at will.

    Commits and trees are hex object ids. Every edit starts from a commit that is known, so a
    step that was killed is simply done again.
    """

    @property
    def folder(self) -> Path:
        """Where its files are checked out."""
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

        Its message names the original. Raises StepFailed for a conflict, naming the files, and
        for a change that ``onto`` has already; the clone can be used as before.
        """
        ...

    def compose(
        self, tree_of: str, parent: str, message: str, *, by: Identity, when: datetime
    ) -> str:
        """Make a commit of another commit's tree. Nothing names it yet."""
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
        """Make a tag object of this content (payload and signature) and let the tag name it.

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

    def about(self, commit: str) -> Commit:
        """What a commit says. Raises ServiceFailed if it cannot be read."""
        ...

    def text(self, commit: str, path: str) -> str | None:
        """A text file as committed, or None if the commit lacks it."""
        ...

    def tags(self) -> tuple[Tag, ...]:
        """Every tag whose name begins with ``v``, without payload and signature."""
        ...

    def identity(self) -> Identity:
        """Whom the RM's git puts on commits. Raises SettingsError if nobody told it."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """An OpenPGP key of the keyring, by its primary key's full fingerprint."""

    fingerprint: str
    user_id: str
    secret: bool
    """Whether a secret half that can sign is at hand, here or on a card."""
    expires: datetime | None
    """When the last part of it that can sign expires; None for never."""
    revoked: bool


class Verdict(Enum):
    """What a signature turned out to be."""

    GOOD = "good"
    EXPIRED = "expired"
    """Right in itself, but it or its key has expired since."""
    REVOKED = "revoked"
    OTHER_KEY = "other key"
    """Right in itself, but by a key that was not asked for."""
    UNKNOWN_KEY = "unknown key"
    OTHER_BYTES = "other bytes"
    UNREADABLE = "unreadable"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was checked: ``problem`` is "" if and only if it is good.

    ``fingerprint`` is that of the primary key of the maker, "" if nobody can tell.
    """

    fingerprint: str
    problem: str
    verdict: Verdict = Verdict.GOOD


class Verifier(Protocol):
    """OpenPGP public keys."""

    def verify_by(self, file: Path, signature: Path, fingerprints: Collection[str]) -> Signature:
        """Check a detached signature that one of these keys, and no other, has to have made.

        Fingerprints are those of primary keys; their subkeys may have signed. A file that is
        missing is a problem, not an error.
        """
        ...


class Signer(Protocol):
    """OpenPGP over one keyring and one key; the secret key never leaves the agent."""

    @property
    def fingerprint(self) -> str:
        """The full fingerprint of the key that signs."""
        ...

    def keys(self) -> tuple[Key, ...]:
        """Every key of the keyring."""
        ...

    def sign(self, file: Path, signature: Path) -> None:
        """Write a detached, armoured signature of the file. Raises ServiceFailed.

        The signature stands under its name only after it was verified.
        """
        ...

    def verify(self, file: Path, signature: Path) -> Signature:
        """Check a detached signature that this key has to have made; see Verifier."""
        ...


@dataclass(frozen=True, slots=True)
class SourceArchive:
    """What an SBOM is about: one source archive and where users will fetch it."""

    version: str
    cpe: str
    """Its name in the Common Platform Enumeration, by which vulnerabilities are told."""
    file_name: str
    location: str
    sha256: str
    namespace: str
    """An address that no other document has."""
    epoch_s: int


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the archive, by its path in the source tree."""

    path: str
    sha1: str
    sha256: str


class Sboms(Protocol):
    """Documents in SPDX, which tell what software is made of."""

    def document(
        self, archive: SourceArchive, files: Sequence[SourceFile], tree_sbom: bytes
    ) -> bytes:
        """A valid SPDX 2.3 document in JSON: CPython, its files, and what it bundles.

        ``tree_sbom`` is the tree's own, which tells what is bundled and which files are whose.
        The same arguments give the same bytes. Raises ServiceFailed if the tree's is not SPDX
        or the document would not be valid.
        """
        ...

    def version(self) -> str:
        """The version of what writes them."""
        ...


class Progress(Protocol):
    """A word about long work; shown while it lasts, never part of a result."""

    def say(self, text: str) -> None:
        """Tell what is being done now, in a few words."""
        ...


class Clock(Protocol):
    """Time, for rules that depend on the day; receipts never hold it."""

    def now(self) -> datetime:
        """The time now, in UTC."""
        ...


# File hosts: where users fetch from.


class Kind(Enum):
    """What stands under a name on a host."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name on a host, as one look told it; the path starts below the host's root."""

    path: str
    kind: Kind
    size_bytes: int
    mode: int
    """Permission bits, with setgid: 0o664, 0o2775."""
    owner: str
    group: str
    target: str = ""
    """Where a link leads; "" for anything else."""
    stamp: str = ""
    """Another one once the file was changed; "" from a look that does not tell it."""


@dataclass(frozen=True, slots=True)
class Login:
    """Whom the host takes us for, and how many seconds its clock is ahead of ours."""

    user: str
    groups: tuple[str, ...]
    ahead_s: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of this machine and the path below the host's root that it is to have."""

    source: Path
    path: str
    size_bytes: int
    sha256: str
    mode: int = 0o664


class Host(Protocol):
    """A file host below one root folder. Paths are relative to the root, with ``/``.

    Nothing overwrites: a name that is taken is an error. Raises ServiceFailed for what the host
    refuses, and for a host whose key is not the known one, before anything is sent to it.
    """

    @property
    def group(self) -> str:
        """The group that everything here has to have; "" if groups do not matter here."""
        ...

    def shown(self, path: str = "") -> str:
        """The place in words for a person: ``downloads.example:/srv/.../3.14.0``."""
        ...

    def login(self) -> Login:
        """Log in, or tell who we are."""
        ...

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """What stands under each path, None for nothing; links are not followed."""
        ...

    def listing(self, folder: str) -> tuple[Entry, ...]:
        """All that is below the folder, to any depth, sorted by path, each with its stamp.

        Empty if there is no such folder.
        """
        ...

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """The sha256 of each file, by path, computed there. One that is gone is left out.

        Entries are as ``listing`` told them: what was read before and is not changed is not
        read again.
        """
        ...

    def free_bytes(self, folder: str) -> int:
        """How much room is left for us where the folder stands."""
        ...

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """Each is a folder with this mode and the host's group; their parents are there."""
        ...

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """Each file stands under its path, whole, with its mode and the host's group.

        A half upload (``<path>.partial``) is continued if its bytes are right, also when the
        connection breaks meanwhile; bytes there are compared by digest before anything is added.
        The whole file's digest is for the caller to ask for.
        """
        ...

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """Each first path has become the second. The order among them is not promised."""
        ...

    def change(self, paths: Sequence[str], mode: int) -> None:
        """Each has this mode and the host's group."""
        ...

    def point(self, link: str, target: str) -> None:
        """The symbolic link leads to the target, in one step if it led elsewhere before."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Files, links and folders are gone, in this order; a folder has to be empty by then.

        One that is not there is no error.
        """
        ...

    def unzip(self, archive: str, folder: str) -> None:
        """What the zip archive holds is below the folder; files of the same name are replaced."""
        ...

    def verify(self, file: str, signature: str) -> Signature | None:
        """Check a detached OpenPGP signature there, by whichever key made it.

        None if the host has no gpg or not the key, so that nothing can be told there.
        """
        ...
