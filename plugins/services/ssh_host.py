"""Ssh host: a file host reached by ssh; what changes it goes over SFTP.

Files travel over several connections, for the window that OpenSSH gives one channel (2 MB) is
what limits a distant host.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cached_property
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from plugins.ports.host import Kind
from plugins.services import sftp_requests
from plugins.services.host_paths import objection, partial_name
from plugins.services.sftp import Lost
from plugins.services.sftp_requests import Attributes, Refused, Request, Status
from plugins.services.ssh_answers import kind_of
from plugins.services.ssh_line import Address, Line, open_line
from plugins.services.ssh_reader import SshReader
from plugins.services.ssh_sending import Access, Sending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from doit_receipts.errors import ServiceFailed
    from plugins.ports.host import Entry, Upload
    from plugins.ports.progress import Progress

__all__ = ["SshHost"]

_READ_AHEAD: Final = 8
_MOST_CONNECTIONS: Final = 4
_NEAR_S: Final = 0.015
_TRIPS: Final = 3
_UNPACK_S: Final = 600.0
_CANNOT: Final = (Status.UNSUPPORTED, Status.FAILURE)
"""What a server says that lacks lsetstat@openssh.com, or whose system has no such call."""


class SshHost(SshReader):
    """The Host port over ssh; connects at first use. ``group`` is "" if groups do not matter.

    With ``connections`` 0, its distance decides how many are used to send.
    """

    def __init__(
        self,
        address: Address,
        group: str = "",
        *,
        ssh_config: Path | None = None,
        connections: int = 0,
    ) -> None:
        super().__init__(address, group, ssh_config=ssh_config)
        self._connections = connections

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        found = self._folders(paths)
        new = [path for path, entry in zip(paths, found, strict=True) if entry is None]
        with self._changing("make folder") as line:
            requests = [sftp_requests.make_folder(self._at(path), mode) for path in new]
            self._demand("make folder", new, line.sftp.ask(requests))
        self.change(paths, mode)

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """See the port."""
        found = self.look([upload.path for upload in uploads])
        for entry in found:
            if entry is not None:
                raise self._taken(entry.path, "write")
        self._folders(sorted({upload.path.rpartition("/")[0] for upload in uploads} - {""}))
        if uploads:
            self._send(uploads, progress)

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """See the port. The server itself refuses a name that is taken."""
        requests = [sftp_requests.rename(self._at(old), self._at(new)) for old, new in moves]
        with self._changing("rename") as line:
            answers = line.sftp.ask(requests)
            self._demand("rename to", [new for _, new in moves], answers, [old for old, _ in moves])

    def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
        """See the port. A copy is made under another name first, so that it may be made twice."""
        for entry in self.look([new for _, new in pairs]):
            if entry is not None:
                raise self._taken(entry.path, "copy to")
        partials = [(partial_name(new), new) for _, new in pairs]
        for (old, _), (partial, _) in zip(pairs, partials, strict=True):
            self._run(
                "cp", "-P", "-T", "--remove-destination", "--", self._at(old), self._at(partial),
                timeout_s=_UNPACK_S,
            )  # fmt: skip
        self.rename(partials)

    def change(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        found = self.look(paths)
        for entry in found:
            if entry is not None and entry.kind is Kind.LINK:
                raise self._objected(entry, "a file or a folder", "change the mode of")
        owned = [
            sftp_requests.chown(
                self._at(entry.path), self._accounts.user_number(entry.owner), self._group_number
            )
            for entry in found
            if entry is not None and self._group and entry.group != self._group
        ]
        names = [
            entry.path
            for entry in found
            if entry is not None and self._group and entry.group != self._group
        ]
        self._change("change the group of", names, owned)
        # After the group: a change of group takes setgid away.
        changed = [
            path
            for path, entry in zip(paths, found, strict=True)
            if entry is None or entry.mode != mode or path in names
        ]
        requests = [sftp_requests.chmod(self._at(path), mode) for path in changed]
        self._change("change the mode of", changed, requests)

    def point(self, link: str, target: str) -> None:
        """See the port."""
        partial = self._at(partial_name(link))
        with self._changing("link") as line:
            line.sftp.ask([sftp_requests.remove_file(partial)])
            requests = [
                sftp_requests.link(partial, target),
                sftp_requests.replace(partial, self._at(link)),
            ]
            self._demand("link", [link, link], line.sftp.ask(requests))

    def remove(self, paths: Sequence[str]) -> None:
        """See the port."""
        found = [entry for entry in self.look(paths) if entry is not None]
        requests = [
            sftp_requests.remove_folder(self._at(entry.path))
            if entry.kind is Kind.FOLDER
            else sftp_requests.remove_file(self._at(entry.path))
            for entry in found
        ]
        with self._changing("remove") as line:
            self._demand("remove", [entry.path for entry in found], line.sftp.ask(requests))

    def unzip(self, archive: str, folder: str) -> None:
        """See the port."""
        self._run(
            "unzip", "-q", "-o", self._at(archive), "-d", self._at(folder), timeout_s=_UNPACK_S
        )

    def _folders(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """What a look finds of the folders. Raises ServiceFailed for what is none."""
        found = self.look(paths)
        for entry in found:
            if entry is not None and entry.kind is not Kind.FOLDER:
                raise self._objected(entry, "a folder", "use the folder")
        return found

    def _change(self, action: str, paths: Sequence[str], requests: Sequence[Request]) -> None:
        """All have changed; a server that cannot leave links alone is asked after one more look."""
        with self._changing(action) as line:
            answers = line.sftp.ask(requests)
            again = [
                number
                for number, answer in enumerate(answers)
                if isinstance(answer, Refused) and answer.status in _CANNOT
            ]
            found = line.sftp.ask([sftp_requests.look(self._at(paths[number])) for number in again])
            again = [
                number
                for number, each in zip(again, found, strict=True)
                if isinstance(each, Attributes) and kind_of(each.mode) is not Kind.LINK
            ]
            second = line.sftp.ask([sftp_requests.followed(requests[number]) for number in again])
            for number, answer in zip(again, second, strict=True):
                answers[number] = answer
            self._demand(action, paths, answers)

    def _foreign(self, path: str, found: Attributes) -> ServiceFailed | None:
        """What is said of a partial upload that is not a file of ours; None of one that is."""
        entry = self._entry(path, found, "")
        if entry is None or (entry.kind is Kind.FILE and found.user_id == self._accounts.number):
            return None
        return self._objected(entry, "a partial upload of yours", "write")

    def _objected(self, found: Entry, wanted: str, action: str) -> ServiceFailed:
        return self._failed(self._at(found.path), action, *objection(found, wanted))

    @cached_property
    def _group_number(self) -> int:
        """The number of our group. Raises ServiceFailed if the host has no such group."""
        number = self._accounts.group_number(self._group)
        if number is None:
            raise self._failed(self._group, "find the group", "the host has no such group",
                "ask its administrators to create it and to add you to it",
            )  # fmt: skip
        return number

    @contextmanager
    def _changing(self, action: str) -> Iterator[Line]:
        """No change is sent twice; after a lost connection a look finds out what was done.

        A connection that broke while idle is opened anew before.
        """
        self._reading(lambda line: line.sftp.ask([sftp_requests.look(self._at(""))]))
        try:
            with self._turn:
                yield self._opened()
        except Lost as lost:
            self.close()
            raise self._cut(lost, action) from lost

    def _demand(
        self,
        action: str,
        paths: Sequence[str],
        answers: Sequence[sftp_requests.Answer],
        olds: Sequence[str] = (),
    ) -> None:
        """All was granted. Raises ServiceFailed for the first refusal, naming the path.

        ``olds`` are the names that files had before, which may be what was refused.
        """
        for number, (path, answer) in enumerate(zip(paths, answers, strict=True)):
            if isinstance(answer, Refused):
                raise self._refused(action, path, answer, olds[number] if olds else "")

    def _last_requests(self, upload: Upload) -> list[Request]:
        """What a file gets before it has its name: group and mode."""
        place = self._at(partial_name(upload.path))
        owned = (
            [sftp_requests.chown(place, self._accounts.number, self._group_number)]
            if self._group
            else []
        )
        return [*owned, sftp_requests.chmod(place, upload.mode)]

    def _send(self, uploads: Sequence[Upload], progress: Progress) -> None:
        access = Access(
            opened=lambda: open_line(self._address, self._ssh_config),
            place=self._at,
            digest=self._digest_over,
            beginnings=self._beginnings(uploads),
            foreign=self._foreign,
            last_requests=self._last_requests,
            refused=self._refused,
            lost=self._cut,
        )
        self._last_requests(uploads[0])  # asks for numbers once, not from every thread
        connections = self._connections or self._useful_connections()
        arrived: SimpleQueue[str] = SimpleQueue()
        reader = Thread(target=self._read_ahead, args=(arrived,), daemon=True)
        reader.start()
        try:
            Sending(access, uploads, progress, arrived.put).run(connections)
        finally:
            arrived.put("")
            reader.join()

    def _read_ahead(self, arrived: SimpleQueue[str]) -> None:
        """Files are read there while others are on their way; ``digests`` then knows them."""
        paths: list[str] = []
        while path := arrived.get():
            folder = path.rpartition("/")[0]
            paths += [path] if folder else []
            if len(paths) < _READ_AHEAD:
                continue
            # What goes wrong here will go wrong again where somebody waits for it.
            with suppress(ReleaseError, Refused):
                entries = [entry for entry in self.listing(folder) if entry.path in paths]
                self.digests(entries)
            paths = []

    def _beginnings(self, uploads: Sequence[Upload]) -> dict[str, tuple[int, str]]:
        """Size and digest of what earlier runs left of each upload, by its path, in one go."""
        left = {partial_name(upload.path): upload.path for upload in uploads}
        found = [entry for entry in self.look(list(left)) if entry is not None]
        digests = self.digests(found)
        return {
            left[entry.path]: (entry.size_bytes, digests[entry.path])
            for entry in found
            if entry.path in digests
        }

    def _useful_connections(self) -> int:
        """One to a near host, where each more costs time; up to four to a distant one.

        OpenSSH takes 2 MB on a channel before it answers: 40 MB/s at 50 ms of round trip.
        """
        import time

        trips_s = []
        for _ in range(_TRIPS):
            before_s = time.monotonic()
            self._asked("look at", sftp_requests.look, [""])
            trips_s.append(time.monotonic() - before_s)
        return min(_MOST_CONNECTIONS, 1 + int(min(trips_s) / _NEAR_S))
