"""Folder host: a file host that is a folder of this machine (``folder:///srv/ftp``)."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ServiceFailed
from doit_receipts.plain_file import open_plain, opened_regular
from plugins.model.zipped import BrokenZip, opened_zip
from plugins.ports.host import Entry, Kind, Login
from plugins.services.host_paths import checked, objection, partial_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from plugins.ports.host import Upload
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signature

__all__ = ["FolderHost"]

_BLOCK_BYTES: Final = 1 << 20


class FolderHost:
    """The Host port over a folder. Groups count only if one is asked for."""

    def __init__(self, root: Path, group: str = "") -> None:
        self._root = root
        self._group = group
        self._known: dict[tuple[str, str], str] = {}

    def __repr__(self) -> str:
        return f"FolderHost({self._root})"

    @property
    def group(self) -> str:
        """See the port."""
        return self._group

    def shown(self, path: str = "") -> str:
        """See the port."""
        return str(self._at(path))

    def login(self) -> Login:
        """See the port; the clock is our own."""
        import grp
        import pwd

        if not self._root.is_dir():
            raise ServiceFailed(
                service=str(self._root),
                action="open",
                problem="the folder does not exist",
                remedy="create it, or correct [hosts] in release.toml",
            )
        groups = []
        for number in {os.getegid(), *os.getgroups()}:
            with suppress(KeyError):
                groups.append(grp.getgrgid(number).gr_name)
        try:
            user = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            user = str(os.geteuid())
        return Login(user, tuple(sorted(groups)), 0)

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """See the port."""
        return tuple(self._entry(path) for path in paths)

    def listing(self, folder: str, *, fetches: bool = True) -> tuple[Entry, ...]:
        """See the port; nothing is fetched."""
        del fetches
        top = self._at(folder)
        if top.is_symlink() and folder:
            return ()
        with self._reported("list", folder):
            paths = [
                (Path(parent) / name).relative_to(self._root).as_posix()
                for parent, folders, files in _walk(top)
                for name in (*folders, *files)
            ]
        found = (self._entry(path) for path in sorted(paths))
        return tuple(entry for entry in found if entry is not None)

    def names(self, folder: str) -> Mapping[str, Kind] | None:
        """See the port."""
        top = self._at(folder)
        start = f"{folder}/" if folder else ""
        try:
            with os.scandir(top) as found:
                return {checked(f"{start}{each.name}"): _kind_in(each) for each in found}
        except OSError:
            return None

    def withheld(self, folder: str) -> str:
        """See the port; nothing is fetched."""
        del folder
        return ""

    def forget(self) -> None:
        """See the port; nothing is fetched."""

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """See the port."""
        found = {}
        for entry in entries:
            if entry.kind is not Kind.FILE:
                continue
            key = entry.path, entry.stamp
            if not entry.stamp or key not in self._known:
                with self._reported("read", entry.path), suppress(FileNotFoundError):
                    self._known[key] = sha256_of(self._at(entry.path))
            if key in self._known:
                found[entry.path] = self._known[key]
        return found

    def free_bytes(self, folder: str) -> int:
        """See the port."""
        with self._reported("read the free space of", folder):
            return shutil.disk_usage(self._at(folder)).free

    def usable_folders(self, paths: Sequence[str]) -> frozenset[str]:
        """See the port."""
        places = {path: self._at(path) for path in paths}
        return frozenset(
            path
            for path, place in places.items()
            if place.is_dir() and not place.is_symlink() and os.access(place, os.W_OK | os.X_OK)
        )

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        for path in paths:
            with self._reported("make folder", path):
                with suppress(FileExistsError):
                    self._at(path).mkdir()
                self._refuse_no_folder(path)
                self._own(path, mode)

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """See the port."""
        for upload in uploads:
            progress.say(f"copy {upload.path}")
            with self._reported("write", upload.path):
                self._refuse_taken(upload.path)
                self._refuse_no_folder(upload.path.rpartition("/")[0])
                partial = partial_name(upload.path)
                self._refuse_foreign(partial)
                _copy(upload, self._at(partial))
                self._own(partial, upload.mode)
                self._rename(partial, upload.path)

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """See the port."""
        for old, new in moves:
            with self._reported("rename to", new):
                self._rename(old, new)

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """See the port."""
        for old, new in pairs:
            with self._reported("copy to", new):
                self._refuse_taken(new)
                partial = self._at(partial_name(new))
                partial.unlink(missing_ok=True)
                with (
                    open(self._at(old), "rb", opener=_unfollowed) as source,
                    partial.open("xb") as target,
                ):
                    shutil.copyfileobj(source, target, _BLOCK_BYTES)
                self._rename(partial_name(new), new)

    def change(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        for path in paths:
            with self._reported("change the mode of", path):
                self._own(path, mode)

    def point(self, link: str, target: str) -> None:
        """See the port."""
        with self._reported("link", link):
            partial = self._at(partial_name(link))
            partial.unlink(missing_ok=True)
            partial.symlink_to(target)
            partial.replace(self._at(link))

    def remove(self, paths: Sequence[str]) -> None:
        """See the port."""
        for path in paths:
            with self._reported("remove", path), suppress(FileNotFoundError):
                place = self._at(path)
                if stat.S_ISDIR(place.lstat().st_mode):
                    place.rmdir()
                else:
                    place.unlink()

    def unzip(self, archive: str, folder: str) -> None:
        """See the port."""
        with self._reported("unpack", archive):
            try:
                with opened_zip(self._at(archive)) as opened:
                    for name in opened.namelist():
                        place = self._at(folder) / checked(name.rstrip("/"))
                        if not name.endswith("/"):
                            place.unlink(missing_ok=True)  # as unzip does
                    opened.extractall(self._at(folder))
            except BrokenZip as error:
                raise self._failed(
                    action="unpack", path=archive, problem=str(error),
                    remedy="have the task that makes it run again",
                ) from error  # fmt: skip

    def read(self, path: str, most_bytes: int) -> bytes:
        """See the port."""
        with self._reported("read", path), open_plain(self._at(path)) as stream:
            return stream.read(most_bytes)

    def verify(self, file: str, signature: str) -> Signature | None:  # noqa: ARG002 - the port's
        """See the port; what this machine's gpg says is reported elsewhere."""
        return None

    def close(self) -> None:
        """Nothing was opened."""

    def _at(self, path: str) -> Path:
        return self._root / checked(path) if path else self._root

    def _entry(self, path: str) -> Entry | None:
        place = self._at(path)
        with self._reported("look at", path):
            try:
                found = place.lstat()
                target = str(place.readlink()) if stat.S_ISLNK(found.st_mode) else ""
            except (FileNotFoundError, NotADirectoryError):
                return None
        return Entry(
            path,
            _kind(found.st_mode),
            found.st_size,
            stat.S_IMODE(found.st_mode),
            _name_of(found.st_uid, "user"),
            _name_of(found.st_gid, "group"),
            target,
            f"{found.st_ino}:{found.st_size}:{found.st_ctime_ns}",
        )

    def _own(self, path: str, mode: int) -> None:
        place, found = self._at(path), self._entry(path)
        if found is not None and found.kind is Kind.LINK:
            raise self._objected(found, "a file or a folder", "change the mode of")
        if self._group and (found is None or found.group != self._group):
            try:
                shutil.chown(place, group=self._group)
            except LookupError as error:
                raise OSError(errno.EINVAL, f"there is no group {self._group}") from error
        place.chmod(mode)

    def _refuse_no_folder(self, path: str) -> None:
        found = self._entry(path) if path else None
        if found is not None and found.kind is not Kind.FOLDER:
            raise self._objected(found, "a folder", "use the folder")

    def _refuse_foreign(self, partial: str) -> None:
        found = self._entry(partial)
        if found is None:
            return
        if found.kind is not Kind.FILE or found.owner != _name_of(os.geteuid(), "user"):
            raise self._objected(found, "a partial upload of yours", "write")

    def _refuse_taken(self, path: str) -> None:
        if os.path.lexists(self._at(path)):
            raise FileExistsError(errno.EEXIST, "exists already, and nothing is overwritten")

    def _rename(self, old: str, new: str) -> None:
        source, target = self._at(old), self._at(new)
        if source.is_dir() and not source.is_symlink():
            self._refuse_taken(new)
            source.rename(target)
        else:
            # A link fails for a name that was taken meanwhile, which a rename would overwrite.
            os.link(source, target, follow_symlinks=False)
            source.unlink()

    @contextmanager
    def _reported(self, action: str, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem, remedy = _told(error)
            raise self._failed(action=action, path=path, problem=problem, remedy=remedy) from error

    def _objected(self, found: Entry, wanted: str, action: str) -> ServiceFailed:
        problem, remedy = objection(found, wanted)
        return self._failed(action=action, path=found.path, problem=problem, remedy=remedy)

    def _failed(self, *, action: str, path: str, problem: str, remedy: str) -> ServiceFailed:
        return ServiceFailed(
            service=str(self._root), action=f"{action} {path}", problem=problem, remedy=remedy
        )


def _told(error: OSError) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    problem, then = error.strerror or str(error), "then run the same command again"
    match error.errno:
        case errno.EEXIST:
            problem = "exists already, and nothing is overwritten"
            return problem, "run the same command again: it checks what exists there"
        case errno.ENOSPC | errno.EDQUOT:
            return problem, f"free space there, {then}"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return problem, f"let your account read and write there, {then}"
        case _:
            return problem, f"see that the folders above it exist and its disk is sound, {then}"


def _copy(upload: Upload, partial: Path) -> None:
    """The partial file holds the complete upload; what it holds already is kept if it is right."""
    with upload.source.open("rb") as source, _begun(partial, source, upload.size_bytes) as target:
        source.seek(target.tell())
        shutil.copyfileobj(source, target, _BLOCK_BYTES)
        target.flush()
        os.fsync(target.fileno())


def _begun(partial: Path, source: BinaryIO, most_bytes: int) -> BinaryIO:
    """The partial file, at its end if that is right so far; else a new one.

    A file of other bytes is never emptied: it may have another name, by which it is wanted.
    """
    with suppress(FileNotFoundError):
        target = open(partial, "r+b", opener=_unfollowed)  # noqa: SIM115 - handed on
        have = target.seek(0, os.SEEK_END)
        target.seek(0)
        if 0 < have <= most_bytes and _digest(target, have) == _digest(source, have):
            return target
        target.close()
        partial.unlink()
    return open(partial, "xb", opener=_unfollowed)


def _unfollowed(name: str, flags: int) -> int:
    """A regular file, and nothing that a link leads to."""
    return opened_regular(name, flags | os.O_NOFOLLOW)


def _digest(stream: object, size: int) -> str:
    import io

    if not isinstance(stream, io.BufferedIOBase):
        raise TypeError(stream)
    made = hashlib.sha256()
    while size and (block := stream.read(min(size, _BLOCK_BYTES))):
        made.update(block)
        size -= len(block)
    return made.hexdigest()


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER


def _kind_in(found: os.DirEntry[str]) -> Kind:
    """What a folder's own list says of a name, so that the name is not looked at."""
    if found.is_symlink():
        return Kind.LINK
    if found.is_dir(follow_symlinks=False):
        return Kind.FOLDER
    return Kind.FILE if found.is_file(follow_symlinks=False) else Kind.OTHER


def _name_of(number: int, what: str) -> str:
    import grp
    import pwd

    try:
        return pwd.getpwuid(number).pw_name if what == "user" else grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _walk(top: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``, with the names of folders that are closed to us, which it does not enter."""
    for parent, folders, files in os.walk(top, onerror=_raise_unless_gone):
        yield parent, [*folders], files
        folders[:] = [name for name in folders if os.access(Path(parent) / name, os.R_OK | os.X_OK)]


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
