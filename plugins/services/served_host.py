"""Served host: a file host that reads, of folders which are closed to our group, what users get.

The pipeline of Windows makes a folder for the parts of each machine's installers and ends with
``chmod g-x,o+r`` on it (python/release-tools, windows-release/uploadrelease.ps1): every user can
fetch what is in there, and a member of the group can no more than read the names.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.errors import ServiceFailed
from plugins.ports.host import LOOK_INTO, Entry, Kind
from plugins.ports.public import AROUND
from plugins.services.http_errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from plugins.model.contract import Contract
    from plugins.ports.host import Host
    from plugins.ports.public import PublicClient

__all__ = ["ServedHost"]

_SERVED: Final = 0o444
"""What is known of the mode of a file that users get."""
_SHA256: Final = "sha256:"
"""How the stamp of such a file begins; no host's own stamp does."""
_OTHERS: Final = 0o017
_OTHERS_LOOK_IN: Final = 0o005
_MOST_NAMES: Final = 500
_AT_ONCE: Final = 8


class ServedHost:
    """The Host port over another one. What is not said here is that one's.

    Of the ``folders``, which are of the release alone, one is read as users get it if they can look
    into it, and nobody of its group can reach the files in it: so none of the group can write to
    one. Names and kinds are those that the host lists; each file that the ``contract`` knows is
    fetched whole by a visitor, around the caches and bounded, and fetched again unless the server
    says by its strong ETag that it is the same; ``forget`` takes that back. Owner and group of a
    file are the folder's, and modes and links remain unknown. Where users do not get anything of
    that, and for whatever would write there, such a folder is as closed as it is without this.
    ServiceFailed where their site does not answer: that says nothing of the folder.
    """

    def __init__(
        self,
        host: Host,
        open_visitor: Callable[[], PublicClient],
        folders: Collection[str],
        contract: Contract,
    ) -> None:
        self._host = host
        self._open_visitor = open_visitor
        self._visitor = open_visitor()
        self._withheld: dict[str, str] = {}
        self._folders = frozenset(folders)
        self._contract = contract

    def __repr__(self) -> str:
        return repr(self._host)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """See the port."""
        inner = {path for path in paths if _above(path) in self._folders}
        served: dict[str, Entry | None] = {}
        for folder in self._served_folders({_above(path) for path in inner}):
            inside = self._inside(folder, inner)
            if inside is not None:
                mine = {path for path in inner if _above(path) == folder.path}
                served |= dict.fromkeys(mine) | {each.path: each for each in inside}
        rest = [path for path in paths if path not in served]
        found = served | dict(zip(rest, self._host.look(rest), strict=True))
        return tuple(found[path] for path in paths)

    def listing(self, folder: str, *, fetches: bool = True) -> tuple[Entry, ...]:
        """See the port."""
        if not fetches:
            return self._host.listing(folder)
        for each in self._served_folders({folder} & self._folders):
            if (inside := self._inside(each)) is not None:
                return inside
        listed = self._host.listing(folder)
        shut = self._among(entry for entry in listed if entry.path in self._folders)
        more = [entry for each in shut for entry in self._inside(each) or ()]
        return tuple(sorted((*listed, *more), key=lambda entry: entry.path)) if more else listed

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """See the port."""
        served = {
            entry.path: entry.stamp.removeprefix(_SHA256)
            for entry in entries
            if entry.stamp.startswith(_SHA256)
        }
        rest = [entry for entry in entries if entry.path not in served]
        return {**self._host.digests(rest), **served}

    def read(self, path: str, most_bytes: int) -> bytes:
        """See the port."""
        file = self._contract.brought(path)
        if file is not None and self._served_folders({_above(path)} & self._folders):
            with suppress(TooLarge), self._asking():
                fetched = self._visitor.read(file.url, AROUND, file.size.value[1])
                if fetched.status == 200:
                    return fetched.text.encode()[:most_bytes]
        return self._host.read(path, most_bytes)

    def withheld(self, folder: str) -> str:
        """See the port."""
        return self._withheld.get(folder, "")

    def forget(self) -> None:
        """See the port."""
        self._visitor.forget()

    # ── inside ─────────────────────────────────────────────────────────────────────────────

    def _served_folders(self, paths: Collection[str]) -> list[Entry]:
        """Those of the paths that are folders to be read as users get them."""
        found = self._host.look(sorted(paths)) if paths else ()
        return self._among(entry for entry in found if entry is not None)

    def _among(self, entries: Iterable[Entry]) -> list[Entry]:
        found = [
            entry
            for entry in entries
            if entry.kind is Kind.FOLDER and entry.mode & _OTHERS == _OTHERS_LOOK_IN
        ]
        login = self._host.login() if found else None
        return [each for each in found if login and not each.allows(LOOK_INTO, login)]

    def _inside(
        self, folder: Entry, only: Collection[str] | None = None
    ) -> tuple[Entry, ...] | None:
        """What is in the folder, or ``only`` that of it; None if that cannot be had."""
        self._withheld.pop(folder.path, None)
        names = self._host.names(folder.path)
        if names is None or len(names) > _MOST_NAMES:
            return None
        wanted = [
            Entry(path, kind, 0, _SERVED, folder.owner, folder.group)
            for path, kind in sorted(names.items(), key=lambda each: each[0])
            if only is None or path in only
        ]
        found = self._all_served(wanted)
        for each in found:
            if isinstance(each, str):
                self._withheld[folder.path] = each
                return None
        entries = tuple(each for each in found if isinstance(each, Entry))
        if any(each.stamp for each in entries):
            self._visitor.remember()
        return entries

    def _all_served(self, entries: Sequence[Entry]) -> list[Entry | str]:
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="served")
        try:
            asked = [pool.submit(self._served, entry) for entry in entries]
            with self._asking():
                for each in as_completed(asked):
                    each.result()
            return [each.result() for each in asked]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # one fetch may take minutes

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A site that fails is asked again the next time, though one visitor gives it up."""
        try:
            yield
        except ServiceFailed:
            self._visitor = self._open_visitor()
            raise

    def _served(self, entry: Entry) -> Entry | str:
        """The entry as users get it; in words what they get if that is not the whole file."""
        file = self._contract.brought(entry.path)
        if file is None or entry.kind is not Kind.FILE:
            return entry
        most_bytes = file.size.value[1]
        try:
            fetched = self._visitor.fetch(file.url, AROUND, most_bytes)
        except TooLarge:
            return f"users get more than {most_bytes:,} bytes from {file.url}"
        if fetched.status != 200:
            return f"users get status {fetched.status} from {file.url}"
        content = fetched.content
        return replace(entry, size_bytes=content.size_bytes, stamp=f"{_SHA256}{content.sha256}")


def _above(path: str) -> str:
    return path.rpartition("/")[0]
