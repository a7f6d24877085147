"""Ssh disk: the files of a rehearsed host, with owners, groups and room of their own.

Bytes, modes and links are those of a real folder; owners and groups are in a log beside it,
so that several people work there, and are refused there, without being accounts of this machine.
"""

from __future__ import annotations

import errno
import json
import os
import posixpath
import stat
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Account", "Disk", "Found"]

_READ: Final = 4
_WRITE: Final = 2
_ENTER: Final = 1
_ROOT: Final = ("root", "root")
_FIRST_USER: Final = 1000
_FIRST_GROUP: Final = 5000
_UMASK: Final = 0o022
_MOST_LINKS: Final = 40


@frozen
class Account:
    """Somebody who can log in: the name, the groups (the first is the own one), the key."""

    name: str
    groups: tuple[str, ...]
    key: str = field(default="", repr=False)
    """The public key in OpenSSH's one line; without one, nobody can log in as this account."""


@frozen
class Found:
    """What is at a path."""

    mode: int
    """With the kind, as the system reports it."""
    size_bytes: int
    owner: str
    group: str
    changed_ns: int
    inode: int


class Disk:
    """The files below ``root``; paths are absolute, as people who are logged in write them.

    What an account may not do raises PermissionError, as the system would; what there is no
    room for, OSError with ENOSPC.
    """

    def __init__(
        self, root: Path, owners: Path, accounts: Sequence[Account], room_bytes: int
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.accounts: Mapping[str, Account] = {account.name: account for account in accounts}
        self.room_bytes = room_bytes
        self._log = owners
        self._owners: dict[str, tuple[str, str]] = {}
        self._granted: set[tuple[str, str]] = set()
        lines = owners.read_text(encoding="utf-8").splitlines() if owners.exists() else []
        for line in lines:
            self._apply(json.loads(line))
        self._users = ["root", *sorted(self.accounts)]
        groups = {group for account in accounts for group in account.groups}
        self._groups = ["root", *sorted(groups | {group for _, group in self._owners.values()})]

    # Names and numbers.

    def user_number(self, name: str) -> int:
        """The number that the system has for the user; 0 is root's."""
        return _number(self._users, name, _FIRST_USER)

    def group_number(self, name: str) -> int:
        """The number that the system has for the group; 0 is root's."""
        return _number(self._groups, name, _FIRST_GROUP)

    def user(self, number: int) -> str:
        """The user of this number; "" if there is none."""
        return _name(self._users, number, _FIRST_USER)

    def group(self, number: int) -> str:
        """The group of this number; "" if there is none."""
        return _name(self._groups, number, _FIRST_GROUP)

    # Looks.

    def real(self, path: str) -> Path:
        """Where the path is on this machine."""
        inner = _normal(path).lstrip("/")
        return self.root / inner if inner else self.root

    def look(self, user: str, path: str) -> Found:
        """What is there, links not followed. Raises FileNotFoundError."""
        self._enter(user, path)
        return self._found(path)

    def names(self, user: str, folder: str) -> Iterator[tuple[str, Found]]:
        """What is in the folder itself, for whoever may read its list."""
        self._demand(user, folder, _READ)
        for name in sorted(each.name for each in self.real(folder).iterdir()):
            path = posixpath.join(_normal(folder), name)
            yield path, self._found(path)

    def enters(self, user: str, folder: str) -> bool:
        """Whether the user may enter the folder, without which no file in it is reached."""
        return self._permits(user, folder, _ENTER)

    def walk(self, user: str, folder: str) -> Iterator[tuple[str, Found]]:
        """All below the folder, each with what it is; nothing below what is closed to them."""
        self._demand(user, folder, _ENTER)
        for path, found in self.names(user, folder):
            yield path, found
            if stat.S_ISDIR(found.mode) and self._permits(user, path, _READ | _ENTER):
                yield from self.walk(user, path)

    def read(self, user: str, path: str) -> bytes:
        """A file's bytes."""
        self._enter(user, path)
        self._demand(user, path, _READ)
        return self.real(path).read_bytes()

    def is_usable(self, user: str, path: str) -> bool:
        """Whether it is a folder in which the user may make names, as ``access(2)`` answers."""
        return self._permits(user, path, _WRITE | _ENTER) and stat.S_ISDIR(self._found(path).mode)

    def followed(self, path: str) -> str:
        """What the path leads to for whoever follows links. Raises OSError for a loop."""
        for _ in range(_MOST_LINKS):
            if not self.real(path).is_symlink():
                return path
            target = str(self.real(path).readlink())
            path = _normal(posixpath.join(posixpath.dirname(_normal(path)), target))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    def free_bytes(self) -> int:
        """How much room is left."""
        used = sum(
            (Path(parent) / name).lstat().st_size
            for parent, _, files in os.walk(self.root)
            for name in files
        )
        return max(self.room_bytes - used, 0)

    # Changes.

    def prepare(self, path: str, owner: str, group: str, mode: int) -> None:
        """A folder is there with this owner, group and mode, whoever may do what."""
        self.real(path).mkdir(parents=True, exist_ok=True)
        self.real(path).chmod(mode)
        self.own(path, owner, group)

    def own(self, path: str, owner: str, group: str) -> None:
        """What is there belongs to them, whoever put it there."""
        self._remember({"path": _normal(path), "owner": owner, "group": group})
        for names, name in ((self._users, owner), (self._groups, group)):
            if name not in names:
                names.append(name)

    def grant(self, path: str, user: str) -> None:
        """An access list permits the user what the mode does not."""
        self._granted.add((_normal(path), user))

    def create(self, user: str, path: str) -> None:
        """An empty file is there, or the one that was, if the user may write to it."""
        self._enter(user, path)
        if os.path.lexists(self.real(path)):
            self._demand(user, path, _WRITE)
            return
        self._demand(user, posixpath.dirname(_normal(path)), _WRITE | _ENTER)
        self.real(path).touch()
        self.real(path).chmod(0o666 & ~_UMASK)
        self._inherit(user, path)

    def make_folder(self, user: str, path: str, mode: int) -> None:
        """A new folder; as everywhere, it takes group and setgid from one that has setgid."""
        parent = posixpath.dirname(_normal(path))
        self._demand(user, parent, _WRITE | _ENTER)
        self.real(path).mkdir()
        inherited = self._found(parent).mode & stat.S_ISGID
        self.real(path).chmod(mode & ~_UMASK & 0o777 | inherited)
        self._inherit(user, path)

    def change_mode(self, user: str, path: str, mode: int) -> None:
        """Its owner has changed its permissions; those of a link nobody changes."""
        self._enter(user, path)
        found = self._found(path)
        if stat.S_ISLNK(found.mode):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP), path)
        if found.owner != user:
            raise PermissionError(errno.EPERM, "not the owner", path)
        if found.group not in self.accounts[user].groups:
            mode &= ~stat.S_ISGID
        self.real(path).chmod(mode)

    def change_group(self, user: str, path: str, owner: str, group: str) -> None:
        """Its owner has given it to a group of theirs; nobody gives files away."""
        self._enter(user, path)
        found = self._found(path)
        if found.owner != user or owner != user or group not in self.accounts[user].groups:
            raise PermissionError(errno.EPERM, "not the owner, or not of the group", path)
        if stat.S_ISREG(found.mode):
            self.real(path).chmod(stat.S_IMODE(found.mode) & ~(stat.S_ISGID | stat.S_ISUID))
        self._remember({"path": _normal(path), "owner": owner, "group": group})

    def rename(self, user: str, old: str, new: str, *, over: bool = False) -> None:
        """Another name; a name that is taken raises FileExistsError unless ``over``."""
        for path in (old, new):
            self._demand(user, posixpath.dirname(_normal(path)), _WRITE | _ENTER)
        self._found(old)
        if not over and os.path.lexists(self.real(new)):
            raise FileExistsError(errno.EEXIST, "File exists", new)
        self.real(old).rename(self.real(new))
        self._remember({"moved": [_normal(old), _normal(new)]})

    def link(self, user: str, path: str, target: str) -> None:
        """A symbolic link."""
        self._demand(user, posixpath.dirname(_normal(path)), _WRITE | _ENTER)
        self.real(path).symlink_to(target)
        self._inherit(user, path)

    def remove(self, user: str, path: str) -> None:
        """The file, link or empty folder is gone."""
        self._demand(user, posixpath.dirname(_normal(path)), _WRITE | _ENTER)
        place = self.real(path)
        if stat.S_ISDIR(place.lstat().st_mode):
            place.rmdir()
        else:
            place.unlink()
        self._remember({"gone": _normal(path)})

    def _found(self, path: str) -> Found:
        status = self.real(path).lstat()
        owner, group = self._owners.get(_normal(path)) or self._inherited(_normal(path))
        return Found(
            status.st_mode, status.st_size, owner, group, status.st_ctime_ns, status.st_ino
        )

    def _inherited(self, path: str) -> tuple[str, str]:
        """Whose something is that was put on the disk by nobody who is logged in.

        Its group is that of its folder where that hands it down, as every file system does.
        """
        parent = posixpath.dirname(path)
        if parent == path:
            return _ROOT
        _, group = self._owners.get(parent) or self._inherited(parent)
        hands_down = self.real(parent).lstat().st_mode & stat.S_ISGID
        return (_ROOT[0], group) if hands_down else _ROOT

    def _enter(self, user: str, path: str) -> None:
        """Every folder above may be entered."""
        parent = posixpath.dirname(_normal(path))
        if parent != _normal(path):
            self._demand(user, parent, _ENTER)

    def _permits(self, user: str, path: str, wanted: int) -> bool:
        try:
            self._demand(user, path, wanted)
        except OSError:
            return False
        return True

    def _demand(self, user: str, path: str, wanted: int) -> None:
        self._enter(user, path)
        found = self._found(path)
        if wanted & _ENTER and stat.S_ISREG(found.mode):
            raise NotADirectoryError(errno.ENOTDIR, "Not a directory", path)
        if user == found.owner:
            granted = found.mode >> 6
        elif found.group in self.accounts[user].groups:
            granted = found.mode >> 3
        else:
            granted = found.mode
        if wanted & ~granted & 0o7 and (_normal(path), user) not in self._granted:
            raise PermissionError(errno.EACCES, "Permission denied", path)

    def _inherit(self, user: str, path: str) -> None:
        parent = self._found(posixpath.dirname(_normal(path)))
        group = parent.group if parent.mode & stat.S_ISGID else self.accounts[user].groups[0]
        self._remember({"path": _normal(path), "owner": user, "group": group})

    def _remember(self, change: dict[str, object]) -> None:
        self._apply(change)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(json.dumps(change) + "\n")

    def _apply(self, change: dict[str, object]) -> None:
        match change:
            case {"path": str(path), "owner": str(owner), "group": str(group)}:
                self._owners[path] = (owner, group)
            case {"gone": str(path)}:
                self._owners.pop(path, None)
            case {"moved": [str(old), str(new)]}:
                for path in [each for each in self._owners if _is_below(each, old)]:
                    self._owners[new + path.removeprefix(old)] = self._owners.pop(path)
            case _:
                raise ValueError(change)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _normal(path: str) -> str:
    return posixpath.normpath(f"/{path.lstrip('/')}")


def _number(names: Sequence[str], name: str, first: int) -> int:
    at = names.index(name) if name in names else 0
    return first + at if at else 0


def _name(names: Sequence[str], number: int, first: int) -> str:
    at = number - first if number else 0
    return names[at] if 0 <= at < len(names) else ""
