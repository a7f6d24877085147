"""Told host: a file host whose every change is told first, one act a path.

What a plan holds back is as if it had been done, for whoever looks through the same object: so
an act whose later parts look at what its earlier parts made is shown to its end. Modes of what
``unzip`` leaves are those of the usual umask, 022; the host's own may differ.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from doit_receipts.artifact import sha256_of
from doit_receipts.outside import Act, is_held, leaves
from plugins.ports.host import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.ports.host import Host, Upload
    from plugins.ports.progress import Progress

__all__ = ["ToldHost"]

_COPIED_FILE = 0o644
_UNZIPPED_FILE, _UNZIPPED_FOLDER = 0o644, 0o755


class ToldHost:
    """The Host port over another one. What is not said here is that one's."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._changed: dict[str, Entry | None] = {}
        """What is as if it were there, or gone (None), by its path."""
        self._sources: dict[str, Path] = {}
        self._digests: dict[str, str] = {}
        self._real: dict[str, Entry] = {}
        """What is really there of something that was renamed, by its new path."""

    def __repr__(self) -> str:
        return repr(self._host)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    # ── looking ────────────────────────────────────────────────────────────────────────────

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """See the port."""
        found = self._host.look(paths)
        if not self._changed:
            return found
        return tuple(map(self._as_if, paths, found))

    def listing(self, folder: str, *, fetches: bool = True) -> tuple[Entry, ...]:
        """See the port."""
        found = {entry.path: entry for entry in self._host.listing(folder, fetches=fetches)}
        if not self._changed:
            return tuple(found.values())
        there = (self._as_if(path, found.get(path)) for path in sorted({*found, *self._changed}))
        return tuple(each for each in there if each and each.path.startswith(f"{folder}/"))

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """See the port."""
        if not self._changed:
            return self._host.digests(entries)
        asked = {self._real[entry.path].path: entry.path
                 for entry in entries if entry.path in self._real}  # fmt: skip
        moved = self._host.digests([self._real[path] for path in asked.values()])
        plain = [
            entry for entry in entries
            if entry.path not in self._real and entry.path not in self._digests
        ]  # fmt: skip
        return {
            **self._host.digests(plain),
            **{asked[path]: digest for path, digest in moved.items()},
            **{each.path: self._digests[each.path] for each in entries
               if each.path in self._digests},
        }  # fmt: skip

    def _as_if(self, path: str, found: Entry | None) -> Entry | None:
        if path in self._changed:
            return self._changed[path]
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if self._changed.get(above, found) is None:
                return None
        return found

    # ── changing ───────────────────────────────────────────────────────────────────────────

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        new = [path for path, found in zip(paths, self.look(paths), strict=True) if found is None]
        acts = [self._act("make the folder", path, f", mode {mode:o}") for path in new]
        others = [path for path in paths if path not in new]
        if self._let(*acts, *(self._changes(others, mode))):
            self._host.make_folders(paths, mode)
            return
        for path in new:
            self._changed[path] = self._entry(path, Kind.FOLDER, mode)
        self._have_mode(others, mode)

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """See the port."""
        acts = []
        for upload in uploads:
            words = f", mode {upload.mode:o}"
            act = self._act("upload", upload.path, words)
            acts.append(replace(act, size_bytes=upload.size_bytes, sha256=sha256_of(upload.source)))
        if self._let(*acts):
            self._host.put(uploads, progress)
            return
        for upload, act in zip(uploads, acts, strict=True):
            self._changed[upload.path] = self._entry(
                upload.path, Kind.FILE, upload.mode, upload.size_bytes
            )
            self._digests[upload.path] = act.sha256
            self._sources[upload.path] = upload.source

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """See the port."""
        if self._let(*(self._act("rename", old, f" to {new}") for old, new in moves)):
            self._host.rename(moves)
            return
        for old, new in moves:
            self._move(old, new)

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """See the port."""
        if self._let(*(self._act("copy", old, f" to {new}") for old, new in pairs)):
            self._host.copy(pairs)
            return
        for (old, new), entry in zip(pairs, self.look([old for old, _ in pairs]), strict=True):
            if entry is None:
                continue
            self._changed[new] = self._entry(new, entry.kind, _COPIED_FILE, entry.size_bytes)
            if old in self._digests:
                self._digests[new] = self._digests[old]
            else:
                self._real[new] = self._real.get(old, entry)

    def change(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        if self._let(*self._changes(paths, mode)):
            self._host.change(paths, mode)
            return
        self._have_mode(paths, mode)

    def point(self, link: str, target: str) -> None:
        """See the port."""
        if self._let(self._act("point the link", link, f" to {target}")):
            self._host.point(link, target)
            return
        self._changed[link] = replace(self._entry(link, Kind.LINK, 0o777), target=target)

    def remove(self, paths: Sequence[str]) -> None:
        """See the port."""
        found = [path for path, each in zip(paths, self.look(paths), strict=True) if each]
        if self._let(*(self._act("remove", path) for path in found)):
            self._host.remove(paths)
            return
        self._changed |= dict.fromkeys(found)

    def unzip(self, archive: str, folder: str) -> None:
        """See the port."""
        if self._let(self._act("unzip", archive, f" into {folder}")):
            self._host.unzip(archive, folder)
            return
        source = self._sources.get(archive)
        if source is None:
            return
        with zipfile.ZipFile(source) as opened:
            for each in opened.infolist():
                path = f"{folder}/{each.filename.rstrip('/')}"
                self._unzipped_above(path, folder)
                if not each.is_dir():
                    digest = hashlib.sha256(opened.read(each)).hexdigest()
                    self._digests[path] = digest
                    self._changed[path] = self._entry(
                        path, Kind.FILE, _UNZIPPED_FILE, each.file_size
                    )

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _let(self, *acts: Act) -> bool:
        """Whether all of them are to be done; each was told."""
        told = [leaves(act) for act in acts]
        return all(told) and not is_held()

    def _act(self, verb: str, path: str, more: str = "") -> Act:
        return Act("host", f"{verb} {self._host.shown(path)}{more}", (verb, path))

    def _changes(self, paths: Sequence[str], mode: int) -> list[Act]:
        """An act for each of the paths that has another mode or group."""
        group = self._host.group
        return [
            self._act("set mode and group of", path, f", mode {mode:o}")
            for path, found in zip(paths, self.look(paths), strict=True)
            if found is None or found.mode != mode or (group and found.group != group)
        ]

    def _have_mode(self, paths: Sequence[str], mode: int) -> None:
        for path, found in zip(paths, self.look(paths), strict=True):
            if found is not None:
                if path not in self._digests:
                    self._real.setdefault(path, found)
                group = self._host.group or found.group
                self._changed[path] = replace(found, mode=mode, group=group)

    def _entry(self, path: str, kind: Kind, mode: int, size_bytes: int = 0) -> Entry:
        user = self._host.login().user
        return Entry(path, kind, size_bytes, mode, user, self._host.group or user)

    def _unzipped_above(self, path: str, folder: str) -> None:
        above = path.rpartition("/")[0]
        while above != folder and above not in self._changed:
            self._changed[above] = self._entry(above, Kind.FOLDER, _UNZIPPED_FOLDER)
            above = above.rpartition("/")[0]

    def _move(self, old: str, new: str) -> None:
        for entry in (*self.look([old]), *self.listing(old)):
            if entry is None:
                continue
            path = f"{new}{entry.path.removeprefix(old)}"
            if entry.path in self._digests:
                self._digests[path] = self._digests[entry.path]
            else:
                self._real[path] = self._real.get(entry.path, entry)
            self._changed[path] = replace(entry, path=path)
            self._changed[entry.path] = None
