"""File hosts, where users fetch from."""

from __future__ import annotations

import shlex
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signature

__all__ = [
    "LOOK_INTO", "WRITE_IN", "Entry", "Host", "HostReader", "Kind", "Login", "Upload",
    "closed_folders", "folders_seen_by_users", "letting_in", "unserved",
]  # fmt: skip

LOOK_INTO: Final = 0o5
"""What a folder's mode has to allow for whoever sees what is in it."""
WRITE_IN: Final = 0o3
"""What it has to allow for whoever makes, renames and deletes names in it."""


class Kind(Enum):
    """What exists under a name on a host."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    OTHER = "other"


@frozen
class Entry:
    """A name on a host, as one look found it; the path starts below the host's root."""

    path: str
    kind: Kind
    size_bytes: int
    mode: int
    """Permission bits, with setgid: 0o644, 0o2775."""
    owner: str
    group: str
    target: str = ""
    """Where a link leads; "" for anything else."""
    stamp: str = ""
    """Another one once the file was changed; "" from a look that does not know it."""

    def allows(self, bits: int, login: Login) -> bool:
        """Whether the mode has all of these bits for this account, access lists aside."""
        if login.user == "root":
            return True
        if self.owner == login.user:
            granted = self.mode >> 6
        elif self.group in login.groups:
            granted = self.mode >> 3
        else:
            granted = self.mode
        return granted & bits == bits


@frozen
class Login:
    """Whom the host takes us for, and how many seconds its clock is ahead of ours."""

    user: str
    groups: tuple[str, ...]
    ahead_s: int


@frozen
class Upload:
    """A file of this machine and the path below the host's root that it is to have."""

    source: Path
    path: str
    size_bytes: int
    mode: int = 0o644


class HostReader(Protocol):
    """A file host below one root folder, to look at. Paths are relative to the root, with ``/``.

    Raises ServiceFailed for what the host refuses, and for a host whose key is not the known
    one, before anything is sent to it.
    """

    @property
    def group(self) -> str:
        """The group that everything here has to have; "" if groups do not matter here."""
        ...

    def shown(self, path: str = "") -> str:
        """The place in words for a person: ``downloads.example:/srv/.../3.14.0``."""
        ...

    def login(self) -> Login:
        """We are logged in; returns whom the host takes us for."""
        ...

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """What exists under each path, None for nothing; links are not followed."""
        ...

    def listing(self, folder: str, *, fetches: bool = True) -> tuple[Entry, ...]:
        """All that is below the folder, to any depth, sorted by path, each with its stamp.

        A folder that we may not look into is one of them, and nothing below it is but what is
        fetched as users get it, unless that is not needed (``fetches``). Empty if there
        is no such folder, also for a link to one; ServiceFailed if it is itself closed to us.
        """
        ...

    def names(self, folder: str) -> Mapping[str, Kind] | None:
        """What is in a folder itself, by path, also where we may read no more than its names.

        None if that cannot be read.
        """
        ...

    def withheld(self, folder: str) -> str:
        """What users got in place of a file when the folder was last to be read as they get it.

        In words for a person; "" where they got all, and where nothing was fetched.
        """
        ...

    def forget(self) -> None:
        """Files that are read as users get them are sent whole the next time.

        Whatever their server says of them: it judges by times that the owner of a file can set.
        """
        ...

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """The sha256 of each file among them, by path, computed there; not of one that is gone.

        Entries are as ``listing`` returned them: what was read before and is not changed is not
        read again.
        """
        ...

    def free_bytes(self, folder: str) -> int:
        """How much space is left for us where the folder is."""
        ...

    def usable_folders(self, paths: Sequence[str]) -> frozenset[str]:
        """Those that are folders in which we may make, rename and delete.

        The host's system says so, by modes, groups, ACLs and disks that are mounted to be read,
        as ``access(2)`` does. A quota, or a server that refuses more than its system, shows only
        when something is written.
        """
        ...

    def read(self, path: str, most_bytes: int) -> bytes:
        """The beginning of a small file, at most so many bytes of it."""
        ...

    def verify(self, file: str, signature: str) -> Signature | None:
        """Check a detached OpenPGP signature there, by whichever key made it.

        None if the host lacks gpg or the key, so that it cannot judge.
        """
        ...


class Host(HostReader, Protocol):
    """The same host, to change. Nothing overwrites: a name that is taken is an error.

    Others may write where we do, and plant links: nothing is changed, and nothing written, through
    a link that has a name of ours.
    """

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """Each is a folder with this mode and the host's group; their parents are there.

        A name that anything else than a folder has is an error, and stays as it is.
        """
        ...

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """Each file exists under its path, complete, with its mode and the host's group.

        A partial upload (``<path>.partial``) is continued if its bytes are right, also when the
        connection breaks meanwhile; bytes there are compared by digest before anything is added.
        A partial that is a link, or of somebody else, is an error, and stays as it is.
        The digest of the complete file is for the caller to ask for.
        """
        ...

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """Each first path has become the second. The order among them is not promised."""
        ...

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Each second path is a new file of ours, made there, with the bytes of the first.

        Whoever has another name of the first, or holds it open, has nothing of the copy. A link is
        not followed. Each is made as ``<path>.partial``, which may be left by a killed run.
        """
        ...

    def change(self, paths: Sequence[str], mode: int) -> None:
        """Each has this mode and the host's group. A link is an error."""
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


def closed_folders(listed: Iterable[Entry], host: HostReader) -> tuple[Entry, ...]:
    """The folders of a listing that we may not look into, so that it has nothing below them."""
    return _shut(listed, host, are_seen=False)


def folders_seen_by_users(listed: Iterable[Entry], host: HostReader) -> tuple[Entry, ...]:
    """The folders of a listing that we may not look into, and that has what users get of them."""
    return _shut(listed, host, are_seen=True)


def _shut(listed: Iterable[Entry], host: HostReader, *, are_seen: bool) -> tuple[Entry, ...]:
    entries = tuple(listed)
    above = {entry.path.rpartition("/")[0] for entry in entries}
    found = [
        each for each in entries if each.kind is Kind.FOLDER and (each.path in above) == are_seen
    ]
    if not found:
        return ()
    login = host.login()
    return tuple(each for each in found if not each.allows(LOOK_INTO, login))


def unserved(folder: Entry, host: HostReader) -> str:
    """How a sentence on a closed folder ends: with what users get in place of a file, if known."""
    found = host.withheld(folder.path)
    return f"; {found}" if found else ""


def letting_in(folder: Entry, host: HostReader) -> str:
    """The command by which its owner lets us look into the folder."""
    place = shlex.quote(printable(host.shown(folder.path).rpartition(":")[2]))
    is_theirs = host.group and folder.group != host.group
    chgrp = f"chgrp {host.group} {place} && " if is_theirs else ""
    return f"`{chgrp}chmod g+rwx {place}`"
