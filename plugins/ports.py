"""The outside world on one page: what steps and checks may ask of it.

A port is a small Protocol. Implementations live in ``plugins.services``; they raise
``ServiceFailed`` for what the world does wrong and never ask a person anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import IO

    from plugins.model.series import SigstoreIdentity

__all__ = [
    "AROUND",
    "PIPE",
    "Artifact",
    "Base",
    "Builder",
    "Builders",
    "BundleSigner",
    "BundleVerifier",
    "Cdn",
    "Clock",
    "Clone",
    "Commit",
    "Completed",
    "Entry",
    "Forum",
    "History",
    "Host",
    "Identity",
    "Issue",
    "Issues",
    "Job",
    "Key",
    "Kind",
    "Letter",
    "Listings",
    "Login",
    "Mail",
    "Programs",
    "Progress",
    "Proposals",
    "Protection",
    "Pull",
    "RefUpdate",
    "Remote",
    "Run",
    "Sboms",
    "Seen",
    "Signature",
    "Signer",
    "Site",
    "SiteRelease",
    "SiteRow",
    "SourceArchive",
    "SourceFile",
    "Tag",
    "Templates",
    "Topic",
    "Upload",
    "Verdict",
    "Verifier",
    "Visit",
    "Visitor",
    "Workflows",
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
        """The ref is not there; what it named may be."""
        ...

    def follows(self, commit: str, ancestor: str) -> bool:
        """Whether the ancestor is the commit or stands in its history; False if unknown here."""
        ...

    def write_patch(self, old: str, new: str, file: Path) -> None:
        """The file holds all that differs between two commits, as git tells it, binary as well."""
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
    """By nobody that can be known; of a bundle, what made it is not trusted."""
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


class BundleVerifier(Protocol):
    """Sigstore's roots of trust, without any secret."""

    def ready(self) -> None:
        """Whom to trust is known. Raises ServiceFailed if that could not be fetched."""
        ...

    def verify_bundle(self, bundle: Path, sha256: str, by: SigstoreIdentity) -> Signature:
        """Check a bundle that this identity has to have made for the file with this digest.

        Its log entry, its certificate and their times are judged with it. Nobody is asked, but the
        log for a bundle of the years when the proof of its entry was left out. The fingerprint of
        the answer is the identity that made it.
        """
        ...


class BundleSigner(BundleVerifier, Protocol):
    """Sigstore with the identity token of somebody who has just logged in."""

    def sign(self, digests: Collection[str], by: SigstoreIdentity) -> Iterator[tuple[str, bytes]]:
        """The bundle of each file, by the sha256 of its bytes, as they are made.

        Each is written into the public log, which never forgets, and was verified before it comes
        out. A file may be signed twice: either bundle is good. Raises Waiting if the token is not
        there, expired or another's, and ServiceFailed, once all others are made.
        """
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
        """The sha256 of each file among them, by path, computed there; not of one that is gone.

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

    def read(self, path: str, most_bytes: int) -> bytes:
        """The beginning of a small file, at most so many bytes of it."""
        ...

    def verify(self, file: str, signature: str) -> Signature | None:
        """Check a detached OpenPGP signature there, by whichever key made it.

        None if the host has no gpg or not the key, so that nothing can be told there.
        """
        ...


# ── the hub: remotes, GitHub, builders, mail, forum ──────────────────────────────────────────


@dataclass(frozen=True, slots=True)
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

    def fetch(self, folder: Path, wanted: Mapping[str, str]) -> None:
        """The repository at ``folder`` has the remote's refs under other names.

        ``wanted`` maps refs of the remote to refs of the repository; nothing else is fetched.
        """
        ...

    def push(self, source: Path, updates: Sequence[RefUpdate], *, dry_run: bool = False) -> None:
        """All of the updates have happened, or none has. Raises ServiceFailed.

        Each ref must stand at its expected old value when the remote takes the push. A branch
        only ever moves forward and a tag never moves. With ``dry_run`` nothing is changed: it
        succeeds if the remote lets us write and the refs stand as expected.
        """
        ...


class Protection(Protocol):
    """The rules that GitHub keeps for the branches of one repository."""

    def rules(self, branch: str) -> dict[str, Any] | None:
        """The branch's rules in GitHub's own words, without addresses; None if it has none.

        ``enforce_admins`` in them tells whether they hold for administrators as well.
        """
        ...

    def enforce_admins(self, branch: str, *, on: bool) -> None:
        """The branch's rules hold for administrators, or do not. Done again, it changes nothing."""
        ...

    def protect(self, branch: str, rules: Mapping[str, Any]) -> None:
        """The branch has these rules, given in the words that ``rules`` gives."""
        ...


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue of the tracker."""

    number: int
    title: str
    url: str
    labels: tuple[str, ...]


class Issues(Protocol):
    """The issues of one repository at GitHub, and their labels."""

    def open_issues(self, *labels: str) -> tuple[Issue, ...]:
        """Every open issue that has all of these labels, by number; pull requests are none."""
        ...

    def add_label(self, number: int, label: str) -> None:
        """The issue has the label; it had it before or not."""
        ...

    def remove_label(self, number: int, label: str) -> None:
        """The issue does not have the label; it had it before or not."""
        ...

    def labels(self) -> tuple[str, ...]:
        """The names of all labels of the repository."""
        ...

    def make_label(self, name: str, colour: str, description: str) -> None:
        """The repository has a label of this name."""
        ...

    def rights(self) -> frozenset[str]:
        """What the user of the token may do there: pull, triage, push, maintain, admin."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow. ``title`` is its display title; ``conclusion`` is "" while it runs."""

    id: int
    title: str
    commit: str
    conclusion: str
    url: str


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a run; ``conclusion`` is "" while it runs."""

    name: str
    conclusion: str
    url: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A zip file that a run left; ``sha256`` is "" if GitHub does not tell it."""

    id: int
    name: str
    size: int
    sha256: str
    expired: bool


class Workflows(Protocol):
    """GitHub Actions of one repository."""

    def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, str]) -> int:
        """A run of the workflow file was asked for; returns its id, 0 if GitHub does not tell."""
        ...

    def runs(self, workflow: str) -> tuple[Run, ...]:
        """The newest hundred runs of the workflow that were dispatched, newest first."""
        ...

    def run(self, number: int) -> Run:
        """The run of this id."""
        ...

    def jobs(self, number: int) -> tuple[Job, ...]:
        """The jobs of the run's last attempt."""
        ...

    def artifacts(self, number: int) -> tuple[Artifact, ...]:
        """What the run left."""
        ...

    def download(self, artifact: Artifact, file: Path) -> str:
        """The artifact's zip stands in the file; returns its sha256. Streamed to disk."""
        ...


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request."""

    number: int
    url: str
    state: str
    """open, closed or merged."""
    head: str
    """The commit that it asks to take."""


class Proposals(Protocol):
    """Changes offered to a repository of texts by pull requests."""

    def text(self, path: str, ref: str = "") -> bytes | None:
        """A file on the branch or commit, by default on the main branch; None if it lacks it."""
        ...

    def pull(self, branch: str) -> Pull | None:
        """The newest pull request from the branch of this name, whatever its state."""
        ...

    def propose(self, branch: str, files: Mapping[str, bytes], title: str, body: str) -> Pull:
        """A pull request is open whose branch has these files; what is there of it is kept."""
        ...


@dataclass(frozen=True, slots=True)
class Builder:
    """A builder of the buildbots: its last build that ended, and whether it can build now."""

    name: str
    tags: tuple[str, ...]
    url: str
    online: bool
    result: str
    """success, warnings, failure, exception, cancelled, ...; "" if it never built."""


class Builders(Protocol):
    """The buildbots."""

    def stable(self, branch: str) -> tuple[Builder, ...]:
        """The stable builders of the branch, by name."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail: ``message_id`` is chosen by us, so that a second copy is known as one."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str


class Mail(Protocol):
    """A mail server that sends for us. What was sent can neither be seen nor taken back."""

    def send(self, letter: Letter) -> None:
        """The server took the letter. Raises ServiceFailed; then nobody knows unless it says."""
        ...

    def log_in(self) -> None:
        """The server was reached and lets us in; nothing was sent."""
        ...


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the forum with its first post."""

    id: int
    title: str
    text: str
    url: str


class Forum(Protocol):
    """A forum that keeps an id of ours with each topic."""

    def topic(self, external_id: str) -> Topic | None:
        """The topic of this id of ours, or None."""
        ...

    def post(self, external_id: str, title: str, text: str, category: int) -> Topic:
        """A new topic stands there. Asked once: a failure may have come after it was stored."""
        ...

    def user(self) -> str:
        """Whom the forum takes us for. Raises ServiceFailed if for nobody."""
        ...


class Templates(Protocol):
    """Texts with places to fill in, which come with this tool."""

    def fill(self, name: str, words: Mapping[str, object]) -> str:
        """The text of this name, filled in. Raises ServiceFailed for a word that is missing."""
        ...


# ── the website and the caches in front of it ────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SiteRelease:
    """A release as the site has it. ``address`` is its path in the API; ``fields`` by the site's
    own names: name, slug, is_published, is_latest, pre_release, release_date, ...
    """

    address: str
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Such as ``Python 3.13.5``; not unique on the site."""
        return str(self.fields["name"])

    @property
    def slug(self) -> str:
        """The last part of its page's address; unique on the site."""
        return str(self.fields["slug"])

    @property
    def is_published(self) -> bool:
        """Whether users see it in lists."""
        return bool(self.fields["is_published"])


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A file as the site lists it. ``system`` is a slug such as ``source``; ``fields`` by the
    site's own names: name, slug, url, sha256_sum, filesize, download_button, ...
    """

    address: str
    system: str
    fields: Mapping[str, Any]

    @property
    def slug(self) -> str:
        """Unique over all files of all releases."""
        return str(self.fields["slug"])


class Site(Protocol):
    """The website's downloads: releases, drafts among them, and the rows of their files."""

    def may_write(self) -> None:
        """We are known to the site and may write. Raises ServiceFailed; nothing is changed."""
        ...

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every release, drafts too."""
        ...

    def add_release(self, fields: Mapping[str, Any]) -> None:
        """A release stands there. Asked once: a failure may have come after it was stored."""
        ...

    def change_release(self, release: SiteRelease, changes: Mapping[str, Any]) -> None:
        """The release has these values; done again, nothing changes."""
        ...

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        ...

    def add_row(self, release: SiteRelease, system: str, fields: Mapping[str, Any]) -> None:
        """A row stands there. Asked once: a failure may have come after it was stored."""
        ...

    def change_row(self, row: SiteRow, changes: Mapping[str, Any]) -> None:
        """The row has these values; done again, nothing changes."""
        ...

    def delete_row(self, row: SiteRow) -> None:
        """The row is gone; it was there before or not."""
        ...

    def page(self, slug: str) -> str | None:
        """The release's page in HTML, as fresh as the site has it, drafts too; None if there is
        none.
        """
        ...

    @property
    def saves_texts(self) -> bool:
        """Whether we may save the text of a page, which the API cannot."""
        ...

    def save_text(self, release: SiteRelease, text: str, markup: str) -> None:
        """The page's text is this, in ``html`` or ``markdown``; done again, nothing changes."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a user gets at an address: ``text`` is "" for a file, ``sha256`` that of the bytes."""

    status: int
    size_bytes: int
    sha256: str
    text: str = ""


class Cdn(Protocol):
    """The caches that users fetch through. Addresses are those that users see."""

    @property
    def edges(self) -> tuple[str, ...]:
        """Caches that can be asked one by one; never empty."""
        ...

    def purge(self, url: str) -> None:
        """Every cache was told to forget the address; done again, nothing changes."""
        ...

    def was_purged(self, url: str) -> bool:
        """Whether this process purged it: what other caches keep, nobody can look at."""
        ...

    def look(self, url: str, edge: str) -> Seen:
        """What one cache serves. What this process saw there before is only compared."""
        ...

    def download(self, url: str, file: Path) -> Seen:
        """What a user gets stands in the file, whole; one that is there is replaced."""
        ...


# ── a stranger, who has no rights anywhere ───────────────────────────────────────────────────

AROUND: Final = "around the caches"
"""The door by which a visitor gets what stands behind the caches."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What came by one door: ``text`` only if it was asked for, ``sha256`` that of the bytes."""

    status: int
    size_bytes: int
    sha256: str
    text: str = ""


class Visitor(Protocol):
    """Somebody who fetches what everybody can, believes nothing and waits for nobody long.

    Addresses are those that users see. No redirect is followed, nothing is unfolded, and what
    is larger, longer or slower than it may be is refused with ServiceFailed.
    """

    def doors(self, url: str) -> tuple[str, ...]:
        """Every way to the address: each cache that can be asked alone, and ``AROUND``."""
        ...

    def fetch(self, url: str, door: str, most_bytes: int, file: Path | None = None) -> Visit:
        """What a file's address gives; with ``file`` its bytes stand there afterwards.

        What did not change since an earlier visit, by the word of the server, is not sent again.
        """
        ...

    def read(self, url: str, door: str, most_bytes: int = 1 << 23) -> Visit:
        """The same of a page, with its text."""
        ...

    def forget(self) -> None:
        """Earlier visits count no more: everything is sent again."""
        ...

    def remember(self) -> None:
        """What was seen until now is kept for later visits."""
        ...


class Listings(Protocol):
    """The website's lists as everybody may read them; see Site."""

    def releases(self) -> tuple[SiteRelease, ...]:
        """Every public release."""
        ...

    def rows(self, release: SiteRelease) -> tuple[SiteRow, ...]:
        """The rows of its files."""
        ...


class History(Protocol):
    """Upstream's repository as everybody may read it."""

    def refs(self, *names: str) -> Mapping[str, str]:
        """The object ids that these refs name there now; "" for a ref that is not there."""
        ...

    def bring(self, wanted: Mapping[str, str], gone: Sequence[str] = ()) -> Clone:
        """A repository here has upstream's refs under other names, with all that they need.

        The refs ``gone`` are not there, whatever was brought before.
        """
        ...
