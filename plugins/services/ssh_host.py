"""Ssh host: a file host reached by ssh, with SFTP for changes and a few commands for reading.

Digests are computed there. Files travel over several connections, for the window that OpenSSH
gives one channel (2 MB) is what limits a distant host.
"""

from __future__ import annotations

import re
import shlex
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from queue import SimpleQueue
from threading import RLock, Thread
from typing import TYPE_CHECKING, Final, TypeVar

from doit_receipts.errors import ReleaseError, ServiceFailed
from plugins.ports.host import Entry, Kind, Login
from plugins.ports.signing import Signature, Verdict
from plugins.services import sftp
from plugins.services.host_paths import checked, half
from plugins.services.retry import quiet_stamina
from plugins.services.sftp import Attributes, Lost, Refused, Request, Status
from plugins.services.ssh_line import Address, Line, Told, open_line
from plugins.services.ssh_sending import Sending, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from plugins.ports.host import Upload
    from plugins.ports.progress import Progress

__all__ = ["SshHost"]

_Told = TypeVar("_Told")

_READ_AHEAD: Final = 8
_MOST_CONNECTIONS: Final = 4
_NEAR_S: Final = 0.015
_TRIPS: Final = 3
_READ_ATTEMPTS: Final = 3
_SLOWEST_DIGEST_BYTES_PER_S: Final = 20_000_000
_PATIENCE_S: Final = 120.0
_UNPACK_S: Final = 600.0
_FILES_TO_A_DIGEST: Final = 8
"""Names to one program: its lines then leave it at once, so two may run side by side."""
_NEARLY_FULL_BYTES: Final = 1 << 20
_NOT_FOUND: Final = 127

# openssl is six times as fast as Debian's sha256sum, which every host has.
_OPENSSL: Final = ("openssl", "dgst", "-sha256", "-r")
_SHA256SUM: Final = ("sha256sum", "--")

# GNU find: type, size, mode, owner, group, inode and time of the last change, path, target.
_FIND: Final = r"%y\t%s\t%m\t%u\t%g\t%i:%s:%C@\t%P\t%l\0"
_KINDS: Final = {"f": Kind.FILE, "d": Kind.FOLDER, "l": Kind.LINK}
_DIGEST: Final = re.compile(r"\\?([0-9a-f]{64}) [ *](.+)")


class SshHost:
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
        self._address = address
        self._group = group
        self._ssh_config = ssh_config
        self._connections = connections
        self._line: Line | None = None
        self._turn = RLock()  # one conversation, and several threads while files are sent
        self._known: dict[tuple[str, str], str] = {}
        self._names: dict[tuple[str, int], str] = {}
        self._digester: tuple[str, ...] = _OPENSSL

    def __repr__(self) -> str:
        return f"SshHost({self._address}:{self._address.root})"

    @property
    def group(self) -> str:
        """See the port."""
        return self._group

    def shown(self, path: str = "") -> str:
        """See the port."""
        return f"{self._address.host}:{self._at(path)}"

    def login(self) -> Login:
        """See the port."""
        import time

        number = re.search(rb"\d+", self._run("date", "-u", "+%s").output)
        ahead_s = int(number[0]) - int(time.time()) if number else 0
        (root,) = self._asked("look at", [sftp.look(self._at(""))])
        if not isinstance(root, Attributes) or not stat.S_ISDIR(root.mode):
            raise self._failed(
                self._at(""), "open", "there is no such folder", "correct [hosts] in release.toml"
            )
        return Login(self._account.name, tuple(sorted(self._account.groups)), ahead_s)

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """See the port."""
        answers = self._asked("look at", [sftp.look(self._at(path)) for path in paths])
        links = [
            path
            for path, answer in zip(paths, answers, strict=True)
            if isinstance(answer, Attributes) and stat.S_ISLNK(answer.mode)
        ]
        told = self._asked("read link", [sftp.read_link(self._at(path)) for path in links])
        targets = {
            path: answer for path, answer in zip(links, told, strict=True) if type(answer) is str
        }
        return tuple(
            self._entry(path, answer, targets.get(path, ""))
            for path, answer in zip(paths, answers, strict=True)
        )

    def listing(self, folder: str) -> tuple[Entry, ...]:
        """See the port."""
        (top,) = self.look([folder])
        if top is None or top.kind is not Kind.FOLDER:
            return ()
        told = self._run(
            "find", "-P", self._at(folder), "-mindepth", "1", "-printf", _FIND,
            timeout_s=_PATIENCE_S,
        )  # fmt: skip
        found = (_listed(folder, each) for each in told.output.decode().split("\0") if each)
        return tuple(sorted(found, key=lambda entry: entry.path))

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """See the port; two programs read side by side."""
        entries = [entry for entry in entries if entry.kind is Kind.FILE]
        unread = [
            each for each in entries if not each.stamp or (each.path, each.stamp) not in self._known
        ]
        if unread:
            told = self._digests([each.path for each in unread], sum(e.size_bytes for e in unread))
            for each in unread:
                self._known.pop((each.path, each.stamp), None)
                if each.path in told:
                    self._known[each.path, each.stamp] = told[each.path]
        found = {each.path: self._known.get((each.path, each.stamp), "") for each in entries}
        return {path: digest for path, digest in found.items() if digest}

    def free_bytes(self, folder: str) -> int:
        """See the port."""
        try:
            return self._reading(lambda line: line.sftp.free_bytes(self._at(folder)))
        except Refused as refused:
            problem = f"how much room is left cannot be told: {refused}"
            raise self._failed(self._at(folder), "look at", problem) from refused

    def make_folders(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        found = self.look(paths)
        new = [path for path, entry in zip(paths, found, strict=True) if entry is None]
        with self._changing("make folder") as line:
            requests = [sftp.make_folder(self._at(path), mode) for path in new]
            self._demand("make folder", new, line.sftp.ask(requests))
        self.change(paths, mode)

    def put(self, uploads: Sequence[Upload], progress: Progress) -> None:
        """See the port."""
        found = self.look([upload.path for upload in uploads])
        for entry in found:
            if entry is not None:
                raise self._taken(entry.path, "write")
        if uploads:
            self._send(uploads, progress)

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        """See the port. The server itself refuses a name that is taken."""
        requests = [sftp.rename(self._at(old), self._at(new)) for old, new in moves]
        with self._changing("rename") as line:
            answers = line.sftp.ask(requests)
            self._demand("rename to", [new for _, new in moves], answers, [old for old, _ in moves])

    def change(self, paths: Sequence[str], mode: int) -> None:
        """See the port."""
        found = self.look(paths)
        owned = [
            sftp.chown(self._at(entry.path), self._number_of(entry), self._group_id)
            for entry in found
            if entry is not None and self._group and entry.group != self._group
        ]
        names = [e.path for e in found if e is not None and self._group and e.group != self._group]
        with self._changing("change the group of") as line:
            self._demand("change the group of", names, line.sftp.ask(owned))
        # After the group: a change of group takes setgid away.
        changed = [
            path
            for path, entry in zip(paths, found, strict=True)
            if entry is None or entry.mode != mode or path in names
        ]
        with self._changing("change the mode of") as line:
            requests = [sftp.chmod(self._at(path), mode) for path in changed]
            self._demand("change the mode of", changed, line.sftp.ask(requests))

    def point(self, link: str, target: str) -> None:
        """See the port."""
        partial = self._at(half(link))
        with self._changing("link") as line:
            line.sftp.ask([sftp.remove_file(partial)])
            requests = [
                sftp.link(partial, target),
                sftp.replace(partial, self._at(link)),
            ]
            self._demand("link", [link, link], line.sftp.ask(requests))

    def remove(self, paths: Sequence[str]) -> None:
        """See the port."""
        found = [entry for entry in self.look(paths) if entry is not None]
        requests = [
            (sftp.remove_folder if e.kind is Kind.FOLDER else sftp.remove_file)(self._at(e.path))
            for e in found
        ]
        with self._changing("remove") as line:
            self._demand("remove", [entry.path for entry in found], line.sftp.ask(requests))

    def unzip(self, archive: str, folder: str) -> None:
        """See the port."""
        self._run(
            "unzip", "-q", "-o", self._at(archive), "-d", self._at(folder), timeout_s=_UNPACK_S
        )

    def read(self, path: str, most_bytes: int) -> bytes:
        """See the port."""
        told = self._run("head", "-c", str(most_bytes), "--", self._at(path))
        return bytes(told.output)

    def verify(self, file: str, signature: str) -> Signature | None:
        """See the port."""
        told = self._run(
            "gpg", "--batch", "--no-tty", "--status-fd", "1", "--verify",
            self._at(signature), self._at(file), check=False, timeout_s=_PATIENCE_S,
        )  # fmt: skip
        if told.status == _NOT_FOUND:
            return None
        return _verdict(told.output.decode(errors="replace"))

    def close(self) -> None:
        """The connections are closed; the next use opens another."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    # Names and numbers of accounts.

    @cached_property
    def _account(self) -> _Account:
        told = self._run("id").output.decode(errors="replace")
        user = re.search(r"uid=(\d+)(?:\(([^)]*)\))?", told)
        groups = re.findall(r"(\d+)\(([^)]*)\)", told.partition(" gid=")[2])
        if user is None:
            raise self._failed(
                self._at(""), "log in to", f"`id` there answers {told.strip()[:80]!r}"
            )
        return _Account(
            user[2] or user[1], int(user[1]), {name: int(number) for number, name in groups}
        )

    @cached_property
    def _group_id(self) -> int:
        """The number of our group. Raises ServiceFailed if the host has no such group."""
        known = self._account.groups.get(self._group)
        if known is not None:
            return known
        told = self._run("getent", "group", self._group, check=False).output.decode()
        found = re.match(r"[^:]*:[^:]*:(\d+):", told)
        if found is None:
            raise self._failed(self._group, "find the group", "the host has no such group",
                "ask its administrators (U04, U07)",
            )  # fmt: skip
        return int(found[1])

    def _name_of(self, what: str, number: int) -> str:
        """The name of a user (``passwd``) or a ``group``; its number if it has none."""
        key = what, number
        if key not in self._names:
            told = self._run("getent", what, str(number), check=False).output.decode()
            self._names[key] = told.partition(":")[0] or str(number)
        return self._names[key]

    def _number_of(self, entry: Entry) -> int:
        """The owner's number, which the protocol wants beside that of the group."""
        for (what, number), name in self._names.items():
            if what == "passwd" and name == entry.owner:
                return number
        return self._account.number

    # Commands.

    def _run(
        self, *words: str, stdin: bytes = b"", check: bool = True, timeout_s: float = _PATIENCE_S
    ) -> Told:
        """Run a program there that only reads, or that may be run twice."""
        told = self._reading(lambda line: line.command(_quoted(words), stdin, timeout_s))
        if check and told.status:
            self._complain(words, told)
        return told

    def _complain(self, words: Sequence[str], told: Told) -> None:
        lines = tuple(told.errors.strip().splitlines()[-5:])
        remedy = (
            f"ask the host's administrators to install {words[0]}"
            if told.status == _NOT_FOUND
            else ""
        )
        raise ServiceFailed(
            service=str(self._address), action=f"run {words[0]}",
            problem=f"ended with status {told.status}", remedy=remedy, details=lines,
        )  # fmt: skip

    def _digests(self, paths: Sequence[str], size_bytes: int) -> dict[str, str]:
        at_once = min(_FILES_TO_A_DIGEST, (len(paths) + 1) // 2)
        names = b"".join(f"{self._at(path)}\0".encode() for path in paths)
        told = self._run(
            "xargs", "-0", "-P", "2", "-n", str(at_once), *self._digester,
            stdin=names, check=False,
            timeout_s=_PATIENCE_S + size_bytes / _SLOWEST_DIGEST_BYTES_PER_S,
        )  # fmt: skip
        if told.status == _NOT_FOUND and self._digester is _OPENSSL:
            self._digester = _SHA256SUM
            return self._digests(paths, size_bytes)
        found = dict(_digest_lines(told.output.decode(errors="replace")))
        digests = {path: found[self._at(path)] for path in paths if self._at(path) in found}
        unread = [path for path in paths if path not in digests]
        # Gone is one thing, not readable another.
        if unread and any(entry is not None for entry in self.look(unread)):
            self._complain(["xargs", *self._digester], told)
        return digests

    # Lines, and what goes wrong on them.

    def _opened(self) -> Line:
        if self._line is None:
            self._line = open_line(self._address, self._ssh_config)
        return self._line

    def _reading(self, ask: Callable[[Line], _Told]) -> _Told:
        """What the host answers; once more over a new connection if this one is lost."""
        stamina = quiet_stamina()

        try:
            for attempt in stamina.retry_context(
                on=Lost, attempts=_READ_ATTEMPTS, wait_initial=0.1, wait_max=2.0, timeout=None
            ):
                with attempt, self._turn:
                    try:
                        return ask(self._opened())
                    except Lost:
                        self.close()
                        raise
        except Lost as lost:
            raise self._cut(lost) from lost
        raise AssertionError

    def _asked(self, action: str, requests: Sequence[Request]) -> list[sftp.Answer]:
        """The answers to looks: nothing there is one, a refusal of any other kind an error."""
        answers = self._reading(lambda line: line.sftp.ask(requests))
        for answer in answers:
            if isinstance(answer, Refused) and answer.status != Status.NO_SUCH_FILE:
                raise self._refused(action, "", answer)
        return answers

    @contextmanager
    def _changing(self, action: str) -> Iterator[Line]:
        """Nothing is asked twice; what was done when the connection broke is for a look to tell.

        One that broke while nobody needed it is opened anew before.
        """
        self._reading(lambda line: line.sftp.ask([sftp.look(self._at(""))]))
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
        answers: Sequence[sftp.Answer],
        olds: Sequence[str] = (),
    ) -> None:
        """All was granted. Raises ServiceFailed for the first refusal, naming the path.

        ``olds`` are the names that files had before, which may be what was refused.
        """
        for number, (path, answer) in enumerate(zip(paths, answers, strict=True)):
            if isinstance(answer, Refused):
                raise self._refused(action, path, answer, olds[number] if olds else "")

    def _refused(self, action: str, path: str, refused: Refused, old: str = "") -> ServiceFailed:
        """Why, as far as it can be found out: the protocol has one word for most of it."""
        place = self._at(path)
        if refused.status == Status.PERMISSION_DENIED:
            with suppress(ReleaseError):
                shown = self._refuses_us([path, old])
                if shown is not None:
                    return self._failed(place, action,
                        f"permission denied: {self._at(shown.path)} is {shown.owner}:{shown.group} "
                        f"with mode {shown.mode:o}, and we are {self._account.name}",
                        f"ask {shown.owner} or the host's administrators for "
                        f"chgrp {self._group or 'GROUP'} and chmod g+rwx on it",
                    )  # fmt: skip
            return self._failed(place, action, "permission denied")
        if refused.status == Status.FAILURE:
            with suppress(ReleaseError):
                free = self.free_bytes("")
                if free < _NEARLY_FULL_BYTES:
                    return self._failed(place, action, f"the disk is full: {free} bytes are free",
                        "make room there, then run the same command again; "
                        "what was sent is not sent again",
                    )  # fmt: skip
                if any(self.look([path])) and action.startswith(("rename", "make", "write")):
                    return self._taken(path, action)
        return self._failed(place, action, f"the host refused: {refused}")

    def _refuses_us(self, paths: Sequence[str]) -> Entry | None:
        """What most likely refused, if others than us write there.

        Of a file that has a new name and an old one it is one of the folders: the file's own mode
        is not asked when it is moved.
        """
        folders = [path.rpartition("/")[0] for path in paths if path]
        places = folders if all(paths) else [*paths[:1], *folders]
        found = [entry for entry in self.look(places) if entry is not None]
        user, groups = self.login().user, self.login().groups
        closed = [
            entry
            for entry in found
            if entry.owner != user and not (entry.group in groups and entry.mode & 0o020)
        ]
        return next(iter((*closed, *found)), None)

    def _taken(self, path: str, action: str) -> ServiceFailed:
        return self._failed(self._at(path), action, "is there already, and nothing is overwritten",
            "run the same command again: it looks what stands there",
        )  # fmt: skip

    def _cut(self, lost: Lost, action: str = "ask") -> ServiceFailed:
        return self._failed(
            self._at(""), action, f"the connection was lost: {lost}", "run the same command again"
        )

    def _failed(self, place: str, action: str, problem: str, remedy: str = "") -> ServiceFailed:
        return ServiceFailed(
            service=str(self._address), action=f"{action} {place}".strip(), problem=problem,
            remedy=remedy,
        )  # fmt: skip

    def _at(self, path: str) -> str:
        return f"{self._address.root}/{checked(path)}" if path else self._address.root or "/"

    def _entry(self, path: str, answer: sftp.Answer, target: str) -> Entry | None:
        if not isinstance(answer, Attributes):
            return None
        account = self._account
        self._names.setdefault(("passwd", account.number), account.name)
        for name, number in account.groups.items():
            self._names.setdefault(("group", number), name)
        return Entry(
            path,
            _kind(answer.mode),
            answer.size_bytes,
            stat.S_IMODE(answer.mode),
            self._name_of("passwd", answer.user_id),
            self._name_of("group", answer.group_id),
            target,
        )

    def _last_requests(self, upload: Upload) -> list[Request]:
        """What a file gets before it has its name: group and mode."""
        place = self._at(half(upload.path))
        owned = [sftp.chown(place, self._account.number, self._group_id)] if self._group else []
        return [*owned, sftp.chmod(place, upload.mode)]

    def _send(self, uploads: Sequence[Upload], progress: Progress) -> None:
        way = Way(
            opened=lambda: open_line(self._address, self._ssh_config),
            place=self._at,
            digest=self._digest_of_half,
            beginnings=self._beginnings(uploads),
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
            Sending(way, uploads, progress, arrived.put).run(connections)
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
                entries = [each for each in self.listing(folder) if each.path in paths]
                self.digests(entries)
            paths = []

    def _beginnings(self, uploads: Sequence[Upload]) -> dict[str, tuple[int, str]]:
        """Size and digest of what earlier runs left of each upload, by its path, in one go."""
        left = {half(upload.path): upload.path for upload in uploads}
        found = [entry for entry in self.look(list(left)) if entry is not None]
        told = self.digests(found)
        return {
            left[entry.path]: (entry.size_bytes, told[entry.path])
            for entry in found
            if entry.path in told
        }

    def _useful_connections(self) -> int:
        """One to a near host, where each more costs time; up to four to a distant one.

        OpenSSH takes 2 MB on a channel before it answers: 40 MB/s at 50 ms of round trip.
        """
        import time

        trips_s = []
        for _ in range(_TRIPS):
            before_s = time.monotonic()
            self._asked("look at", [sftp.look(self._at(""))])
            trips_s.append(time.monotonic() - before_s)
        return min(_MOST_CONNECTIONS, 1 + int(min(trips_s) / _NEAR_S))

    def _digest_of_half(self, line: Line, path: str, size_bytes: int) -> str:
        timeout_s = _PATIENCE_S + size_bytes / _SLOWEST_DIGEST_BYTES_PER_S
        words = [*self._digester, self._at(half(path))]
        told = line.command(_quoted(words), timeout_s=timeout_s)
        if told.status == _NOT_FOUND and self._digester is _OPENSSL:
            self._digester = _SHA256SUM
            return self._digest_of_half(line, path, size_bytes)
        return dict(_digest_lines(told.output.decode(errors="replace"))).get(
            self._at(half(path)), ""
        )


@dataclass(frozen=True, slots=True)
class _Account:
    name: str
    number: int
    groups: Mapping[str, int]


def _quoted(words: Sequence[str]) -> str:
    """The one line that the host's shell gets, each word quoted: the only place that does."""
    return shlex.join(words)


def _listed(folder: str, line: str) -> Entry:
    kind, size, mode, owner, group, stamp, path, target = line.split("\t", 7)
    return Entry(
        f"{folder}/{path}" if folder else path,
        _KINDS.get(kind, Kind.OTHER), int(size), int(mode, 8), owner, group, target, stamp,
    )  # fmt: skip


def _digest_lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        found = _DIGEST.fullmatch(line)
        if found:
            yield found[2], found[1]


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return Kind.FILE
    if stat.S_ISDIR(mode):
        return Kind.FOLDER
    return Kind.LINK if stat.S_ISLNK(mode) else Kind.OTHER


def _verdict(told: str) -> Signature | None:
    """What gpg's status lines say; None if it has not the key."""
    words = [line.split()[1:] for line in told.splitlines() if line.startswith("[GNUPG:] ")]
    by_name = {each[0]: each[1:] for each in words if each}
    fingerprint = by_name["VALIDSIG"][-1] if by_name.get("VALIDSIG") else ""
    if "BADSIG" in by_name:
        return Signature("", "was made for other bytes", Verdict.OTHER_BYTES)
    if fingerprint and "GOODSIG" in by_name:
        return Signature(fingerprint, "")
    if fingerprint and "REVKEYSIG" in by_name:
        return Signature(fingerprint, "its key was revoked", Verdict.REVOKED)
    if fingerprint and ("EXPKEYSIG" in by_name or "EXPSIG" in by_name):
        return Signature(fingerprint, "it or its key has expired", Verdict.EXPIRED)
    if "NO_PUBKEY" in by_name:
        return None
    return Signature("", "gpg there cannot read it", Verdict.UNREADABLE)
