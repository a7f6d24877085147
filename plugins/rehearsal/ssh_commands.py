"""Ssh commands: the few programs that a rehearsed host has, acted out on its disk.

None of them is a program of this machine, so whatever a client sends, nothing outside of the
disk can be reached. Those that a real host has and this one lacks are "not found".
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import stat
import zipfile
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plugins.rehearsal.ssh_disk import Disk

__all__ = ["Ended", "Session"]

_NOT_FOUND: Final = 127
_XARGS_FAILED: Final = 123
_LETTERS: Final = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}
_NAMES_FORMAT: Final = r"%y\t%P\0"
_FIND_FORMAT: Final = r"%y\t%s\t%m\t%u\t%g\t%i:%s:%C@\t%P\0%l\0"


@frozen
class Ended:
    """How a command ended."""

    status: int
    output: bytes = b""
    errors: str = ""


@frozen
class Session:
    """Somebody's commands on one disk. ``now_s`` is what the host takes for the time."""

    disk: Disk
    user: str
    now_s: Callable[[], float]
    changed: Callable[[str, str], None]
    """Called for each change with what was done, to which path."""
    before_digests: Callable[[Sequence[str]], None]
    has_openssl: bool = True

    def run(self, line: str, stdin: bytes) -> Ended:
        """Act out one command line."""
        return self._run(shlex.split(line), stdin)

    def _run(self, words: Sequence[str], stdin: bytes) -> Ended:  # noqa: C901, PLR0911, PLR0912 - one for each
        try:
            match words:
                case ["id"]:
                    return self._id()
                case ["date", "-u", "+%s"]:
                    return Ended(0, b"%d\n" % int(self.now_s()))
                case ["getent", ("passwd" | "group") as what, key]:
                    return self._getent(what, key)
                case [
                    "find", "-P", folder, "-mindepth", "1", "-printf", form, "-type", "d",
                    "(", "!", "-readable", "-o", "!", "-executable", ")", "-prune",
                ] if form == _FIND_FORMAT:  # fmt: skip
                    return self._find(folder)
                case [
                    "find", "-P", folder, "-mindepth", "1", "-maxdepth", "1", "-printf", form,
                ] if form == _NAMES_FORMAT:  # fmt: skip
                    return self._names(folder)
                case [
                    "find", "-P", *folders, "-maxdepth", "0", "-type", "d", "-writable",
                    "-executable", "-printf", r"%p\0",
                ]:  # fmt: skip
                    usable = (each for each in folders if self.disk.is_usable(self.user, each))
                    return Ended(0, "".join(f"{each}\0" for each in usable).encode())
                case ["openssl", "dgst", "-sha256", "-r", *paths] if self.has_openssl:
                    return self._digests(paths)
                case ["sha256sum", "--", *paths]:
                    return self._digests(paths)
                case ["xargs", "-0", "-P", "2", "-n", _, *rest]:
                    paths = [each for each in stdin.decode().split("\0") if each]
                    ended = self._run([*rest, *paths], b"")
                    status = ended.status if ended.status in (0, _NOT_FOUND) else _XARGS_FAILED
                    return Ended(status, ended.output, ended.errors)
                case ["head", "-c", most, "--", path] if most.isdigit():
                    return Ended(0, self.disk.read(self.user, path)[: int(most)])
                case ["cp", "-P", "-T", "--remove-destination", "--", old, new]:
                    return self._copy(old, new)
                case ["unzip", "-q", "-o", archive, "-d", folder]:
                    return self._unzip(archive, folder)
                case _:
                    return Ended(_NOT_FOUND, errors=f"{words[0] if words else ''}: not found\n")
        except OSError as error:
            return Ended(1, errors=f"{words[0]}: {error.filename}: {error.strerror}\n")

    def _id(self) -> Ended:
        disk = self.disk
        groups = self.disk.accounts[self.user].groups
        listed = ",".join(f"{disk.group_number(group)}({group})" for group in groups)
        first = f"{disk.group_number(groups[0])}({groups[0]})"
        user = f"{disk.user_number(self.user)}({self.user})"
        return Ended(0, f"uid={user} gid={first} groups={listed}\n".encode())

    def _getent(self, what: str, key: str) -> Ended:
        name_of = self.disk.user if what == "passwd" else self.disk.group
        number = self.disk.user_number if what == "passwd" else self.disk.group_number
        name = name_of(int(key)) if key.isdigit() else key
        if not name or (name != "root" and not number(name)):
            return Ended(2)
        return Ended(0, f"{name}:x:{number(name)}:\n".encode())

    def _find(self, folder: str) -> Ended:
        lines = []
        for path, found in self.disk.walk(self.user, folder):
            kind = _LETTERS.get(stat.S_IFMT(found.mode), "o")
            target = str(self.disk.real(path).readlink()) if kind == "l" else ""
            stamp = f"{found.inode}:{found.size_bytes}:{found.changed_ns}"
            words = (
                kind, str(found.size_bytes), f"{stat.S_IMODE(found.mode):o}", found.owner,
                found.group, stamp, path.removeprefix(f"{folder}/"),
            )  # fmt: skip
            lines += ["\t".join(words), target]
        return Ended(0, os.fsencode("".join(f"{line}\0" for line in lines)))

    def _names(self, folder: str) -> Ended:
        """As GNU find: the folder's list has names and kinds, but folders it looks at."""
        lines, errors = [], []
        for path, found in self.disk.names(self.user, folder):
            kind = _LETTERS.get(stat.S_IFMT(found.mode), "o")
            if kind == "d" and not self.disk.enters(self.user, folder):
                errors.append(f"find: {path}: Permission denied\n")
            else:
                lines.append(f"{kind}\t{path.removeprefix(f'{folder}/')}\0")
        return Ended(1 if errors else 0, os.fsencode("".join(lines)), "".join(errors))

    def _digests(self, paths: Sequence[str]) -> Ended:
        self.before_digests(paths)
        lines, errors = [], []
        for path in paths:
            try:
                content = self.disk.read(self.user, path)
            except OSError as error:
                errors.append(f"{path}: {error.strerror}\n")
            else:
                lines.append(f"{hashlib.sha256(content).hexdigest()} *{path}\n")
        return Ended(1 if errors else 0, "".join(lines).encode(), "".join(errors))

    def _copy(self, old: str, new: str) -> Ended:
        if self.disk.real(old).is_symlink():
            return Ended(1, errors=f"cp: {old}: this rehearsed host copies no links\n")
        content = self.disk.read(self.user, old)
        if os.path.lexists(self.disk.real(new)):
            if self.disk.real(new).is_dir() and not self.disk.real(new).is_symlink():
                return Ended(1, errors=f"cp: cannot overwrite directory '{new}'\n")
            self.disk.remove(self.user, new)
        self.disk.create(self.user, new)
        self.disk.real(new).write_bytes(content)
        self.changed("copy", new)
        return Ended(0)

    def _unzip(self, archive: str, folder: str) -> Ended:
        content = self.disk.read(self.user, archive)
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for info in opened.infolist():
                path = f"{folder}/{info.filename}"
                if ".." in info.filename.split("/"):
                    return Ended(2, errors=f"unzip: {info.filename}: outside of the folder\n")
                self._folders(folder, info.filename.rstrip("/"), is_folder=info.is_dir())
                if not info.is_dir():
                    if os.path.lexists(self.disk.real(path)):
                        self.disk.remove(self.user, path)
                    self.disk.create(self.user, path)
                    self.disk.real(path).write_bytes(opened.read(info))
                    self.changed("unpack", path)
        return Ended(0)

    def _folders(self, top: str, inner: str, *, is_folder: bool) -> None:
        parts = inner.split("/") if is_folder else inner.split("/")[:-1]
        path = top
        for part in parts:
            path = f"{path}/{part}"
            if not self.disk.real(path).is_dir():
                self.disk.make_folder(self.user, path, 0o755)
                self.changed("unpack", path)
