"""Ssh reader: the reading part of a host reached by ssh; it cannot change anything there.

SFTP answers looks, a few programs there answer the rest. Digests are computed on the host.
"""

from __future__ import annotations

import re
import shlex
import stat
from contextlib import suppress
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Final, TypeVar

from doit_receipts.errors import ReleaseError, ServiceFailed
from plugins.ports.host import LOOK_INTO, Entry, Kind, Login
from plugins.services import sftp_requests
from plugins.services.host_paths import checked
from plugins.services.retry import quiet_stamina
from plugins.services.sftp import Lost
from plugins.services.sftp_requests import Attributes, Refused, Request, Status
from plugins.services.ssh_accounts import Accounts
from plugins.services.ssh_answers import (
    FIND_FORMAT,
    NAMES_FORMAT,
    digest_lines,
    kind_of,
    listed,
    named,
    verdict,
)
from plugins.services.ssh_line import Address, CommandResult, Line, open_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from plugins.ports.signing import Signature

__all__ = ["SshReader"]

_Answer = TypeVar("_Answer")

_READ_ATTEMPTS: Final = 3
_SLOWEST_DIGEST_BYTES_PER_S: Final = 20_000_000
_COMMAND_TIMEOUT_S: Final = 120.0
_FILES_TO_A_DIGEST: Final = 8
"""Names to one program: its lines then leave it at once, so two may run side by side."""
_NEARLY_FULL_BYTES: Final = 1 << 20
# What takes a name in a folder. OpenSSH has one word for a taken name, a full disk, no inodes and a
# quota that is used up; only the first two are asked about here.
_TAKING: Final = ("rename", "make", "write", "link")
_ROOM: Final = (
    "see there whether the disk or its inodes (df -h, df -i) or your quota (quota) are used up, "
    "then run the same command again; what was done is not done again"
)
_NOT_FOUND: Final = 127

# openssl is six times as fast as Debian's sha256sum, which every host has.
_OPENSSL: Final = ("openssl", "dgst", "-sha256", "-r")
_SHA256SUM: Final = ("sha256sum", "--")


class SshReader:
    """The HostReader port over ssh; connects at first use.

    ``group`` is "" if groups do not matter.
    """

    def __init__(
        self, address: Address, group: str = "", *, ssh_config: Path | None = None
    ) -> None:
        self._address = address
        self._group = group
        self._ssh_config = ssh_config
        self._line: Line | None = None
        self._turn = RLock()  # one conversation, and several threads while files are sent
        self._known: dict[tuple[str, str], str] = {}
        self._digester: tuple[str, ...] = _OPENSSL

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address}:{self._address.root})"

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
        (root,) = self._asked("look at", sftp_requests.look, [""])
        if not isinstance(root, Attributes) or not stat.S_ISDIR(root.mode):
            raise self._failed(
                self._at(""), "open", "the folder does not exist", "correct [hosts] in release.toml"
            )
        return Login(self._accounts.name, tuple(sorted(self._accounts.groups)), ahead_s)

    def look(self, paths: Sequence[str]) -> tuple[Entry | None, ...]:
        """See the port."""
        answers = self._asked("look at", sftp_requests.look, paths)
        links = [
            path
            for path, answer in zip(paths, answers, strict=True)
            if isinstance(answer, Attributes) and stat.S_ISLNK(answer.mode)
        ]
        found = self._asked("read link", sftp_requests.read_link, links)
        targets = {
            path: answer for path, answer in zip(links, found, strict=True) if type(answer) is str
        }
        return tuple(
            self._entry(path, answer, targets.get(path, ""))
            for path, answer in zip(paths, answers, strict=True)
        )

    def listing(self, folder: str, *, fetches: bool = True) -> tuple[Entry, ...]:
        """See the port; nothing is fetched."""
        del fetches
        (top,) = self.look([folder])
        if top is None or top.kind is not Kind.FOLDER:
            return ()
        result = self._run(
            "find", "-P", self._at(folder), "-mindepth", "1", "-printf", FIND_FORMAT,
            "-type", "d", "(", "!", "-readable", "-o", "!", "-executable", ")", "-prune",
            check=False, timeout_s=_COMMAND_TIMEOUT_S,
        )  # fmt: skip
        if result.status:
            if not top.allows(LOOK_INTO, self.login()):
                closed = Refused(Status.PERMISSION_DENIED, result.errors)
                raise self._refused(action="look into", path=folder, refused=closed)
            self._complain(["find"], result)
        return tuple(sorted(listed(folder, result.output), key=lambda entry: entry.path))

    def names(self, folder: str) -> Mapping[str, Kind] | None:
        """See the port."""
        result = self._run(
            "find", "-P", self._at(folder), "-mindepth", "1", "-maxdepth", "1", "-printf",
            NAMES_FORMAT, check=False,
        )  # fmt: skip
        return None if result.status else dict(named(folder, result.output))

    def withheld(self, folder: str) -> str:
        """See the port; nothing is fetched."""
        del folder
        return ""

    def forget(self) -> None:
        """See the port; nothing is fetched."""

    def digests(self, entries: Sequence[Entry]) -> Mapping[str, str]:
        """See the port; two programs read side by side."""
        entries = [entry for entry in entries if entry.kind is Kind.FILE]
        unread = [
            entry
            for entry in entries
            if not entry.stamp or (entry.path, entry.stamp) not in self._known
        ]
        if unread:
            size_bytes = sum(entry.size_bytes for entry in unread)
            computed = self._digests([entry.path for entry in unread], size_bytes)
            for entry in unread:
                self._known.pop((entry.path, entry.stamp), None)
                if entry.path in computed:
                    self._known[entry.path, entry.stamp] = computed[entry.path]
        found = {entry.path: self._known.get((entry.path, entry.stamp), "") for entry in entries}
        return {path: digest for path, digest in found.items() if digest}

    def free_bytes(self, folder: str) -> int:
        """See the port."""
        try:
            return self._reading(lambda line: line.sftp.free_bytes(self._at(folder)))
        except Refused as refused:
            problem = f"the host does not report its free space: {refused}"
            raise self._failed(self._at(folder), "look at", problem,
                "ask the host's administrators for an SFTP server that knows statvfs@openssh.com",
            ) from refused  # fmt: skip

    def usable_folders(self, paths: Sequence[str]) -> frozenset[str]:
        """See the port; GNU find asks the system there, as ``access(2)`` answers."""
        by_place = {self._at(path): path for path in paths}
        if not by_place:
            return frozenset()
        result = self._run(
            "find", "-P", *by_place, "-maxdepth", "0", "-type", "d", "-writable", "-executable",
            "-printf", r"%p\0", check=False,
        )  # fmt: skip
        if result.status == _NOT_FOUND:
            self._complain(["find"], result)
        found = result.output.decode(errors="replace").split("\0")
        return frozenset(by_place[place] for place in found if place in by_place)

    def read(self, path: str, most_bytes: int) -> bytes:
        """See the port."""
        result = self._run("head", "-c", str(most_bytes), "--", self._at(path))
        return bytes(result.output)

    def verify(self, file: str, signature: str) -> Signature | None:
        """See the port."""
        result = self._run(
            "gpg", "--batch", "--no-tty", "--status-fd", "1", "--verify",
            self._at(signature), self._at(file), check=False, timeout_s=_COMMAND_TIMEOUT_S,
        )  # fmt: skip
        if result.status == _NOT_FOUND:
            return None
        return verdict(result.output.decode(errors="replace"))

    def close(self) -> None:
        """The connections are closed; the next use opens another."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    # Accounts there.

    @cached_property
    def _accounts(self) -> Accounts:
        said = self._run("id").output.decode(errors="replace")
        try:
            return Accounts(said, self._look_up)
        except ValueError as error:
            problem = f"the command `id` on the host answers {said.strip()[:80]!a}"
            raise self._failed(self._at(""), "log in to", problem,
                "have its login scripts print nothing, then run the same command again",
            ) from error  # fmt: skip

    def _look_up(self, database: str, key: str) -> str:
        return self._run("getent", database, key, check=False).output.decode(errors="replace")

    # Commands.

    def _run(
        self,
        *words: str,
        stdin: bytes = b"",
        check: bool = True,
        timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> CommandResult:
        """Run a program there that only reads, or that may be run twice."""
        result = self._reading(lambda line: line.command(_quoted(words), stdin, timeout_s))
        if check and result.status:
            self._complain(words, result)
        return result

    def _complain(self, words: Sequence[str], result: CommandResult) -> None:
        lines = tuple(result.errors.strip().splitlines()[-5:])
        remedy = (
            f"ask the host's administrators to install {words[0]}"
            if result.status == _NOT_FOUND
            else "see what it reports there, then run the same command again"
        )
        raise ServiceFailed(
            service=str(self._address), action=f"run {words[0]}",
            problem=f"ended with status {result.status}", remedy=remedy, details=lines,
        )  # fmt: skip

    def _digests(self, paths: Sequence[str], size_bytes: int) -> dict[str, str]:
        at_once = min(_FILES_TO_A_DIGEST, (len(paths) + 1) // 2)
        names = b"".join(f"{self._at(path)}\0".encode() for path in paths)
        result = self._run(
            "xargs", "-0", "-P", "2", "-n", str(at_once), *self._digester,
            stdin=names, check=False,
            timeout_s=_COMMAND_TIMEOUT_S + size_bytes / _SLOWEST_DIGEST_BYTES_PER_S,
        )  # fmt: skip
        if result.status == _NOT_FOUND and self._digester is _OPENSSL:
            self._digester = _SHA256SUM
            return self._digests(paths, size_bytes)
        found = dict(digest_lines(result.output.decode(errors="replace")))
        digests = {path: found[self._at(path)] for path in paths if self._at(path) in found}
        unread = [path for path in paths if path not in digests]
        # Gone is one thing, not readable another.
        if unread and any(entry is not None for entry in self.look(unread)):
            self._complain(["xargs", *self._digester], result)
        return digests

    def _digest_over(self, line: Line, path: str, size_bytes: int) -> str:
        """The digest of a partial file, over a connection of the caller's."""
        timeout_s = _COMMAND_TIMEOUT_S + size_bytes / _SLOWEST_DIGEST_BYTES_PER_S
        words = [*self._digester, self._at(path)]
        result = line.command(_quoted(words), timeout_s=timeout_s)
        if result.status == _NOT_FOUND and self._digester is _OPENSSL:
            self._digester = _SHA256SUM
            return self._digest_over(line, path, size_bytes)
        return dict(digest_lines(result.output.decode(errors="replace"))).get(self._at(path), "")

    # Lines, and what goes wrong on them.

    def _opened(self) -> Line:
        if self._line is None:
            self._line = open_line(self._address, self._ssh_config)
        return self._line

    def _reading(self, ask: Callable[[Line], _Answer]) -> _Answer:
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

    def _asked(
        self, action: str, request: Callable[[str], Request], paths: Sequence[str]
    ) -> list[sftp_requests.Answer]:
        """The answers to looks: nothing there is one, a refusal of any other kind an error."""
        requests = [request(self._at(path)) for path in paths]
        answers = self._reading(lambda line: line.sftp.ask(requests))
        for path, answer in zip(paths, answers, strict=True):
            if isinstance(answer, Refused) and answer.status != Status.NO_SUCH_FILE:
                raise self._refused(action, path, answer)
        return answers

    def _refused(self, action: str, path: str, refused: Refused, old: str = "") -> ServiceFailed:
        """Why, as far as it can be found out: the protocol has one word for most of it."""
        place = self._at(path)
        if refused.status == Status.PERMISSION_DENIED:
            with suppress(ReleaseError):
                shown = self._refuses_us([path, old])
                if shown is not None:
                    return self._failed(place, action,
                        f"permission denied: {self._at(shown.path)} is {shown.owner}:{shown.group} "
                        f"with mode {shown.mode:o}, and you are {self._accounts.name}",
                        f"ask {shown.owner} or the host's administrators for "
                        f"chgrp {self._group or 'GROUP'} and chmod g+rwx on it",
                    )  # fmt: skip
            return self._failed(place, action, "permission denied",
                "ask the host's administrators to let your account read and write there",
            )  # fmt: skip
        if refused.status == Status.FAILURE:
            with suppress(ReleaseError):
                free = self.free_bytes("")
                if free < _NEARLY_FULL_BYTES:
                    return self._failed(place, action, f"the disk is full: {free} bytes are free",
                        "free space there, then run the same command again; "
                        "what was sent is not sent again",
                    )  # fmt: skip
                if action.startswith(_TAKING) and any(self.look([path])):
                    return self._taken(path, action)
        taking = action.startswith(_TAKING) and refused.status == Status.FAILURE
        return self._failed(place, action, f"the host refused: {refused}",
            _ROOM if taking else "see what is there, then run the same command again",
        )  # fmt: skip

    def _refuses_us(self, paths: Sequence[str]) -> Entry | None:
        """What most likely refused, if others than us write there.

        Of a file that has a new name and an old one it is one of the folders: the file's own mode
        is not asked when it is moved. Of what we cannot even look at it is the folder above that
        we still can.
        """
        folders = [path.rpartition("/")[0] for path in paths if path]
        places = folders if all(paths) else [*paths[:1], *folders]
        found, above = self._seen(places), paths[0]
        while above and not found:
            above = above.rpartition("/")[0]
            found = self._seen([above])
        user, groups = self.login().user, self.login().groups
        closed = [
            entry
            for entry in found
            if entry.owner != user and not (entry.group in groups and entry.mode & 0o020)
        ]
        return next(iter((*closed, *found)), None)

    def _seen(self, paths: Sequence[str]) -> list[Entry]:
        requests = [sftp_requests.look(self._at(path)) for path in paths]
        answers = self._reading(lambda line: line.sftp.ask(requests))
        found = (self._entry(path, answer, "") for path, answer in zip(paths, answers, strict=True))
        return [entry for entry in found if entry is not None]

    def _taken(self, path: str, action: str) -> ServiceFailed:
        return self._failed(self._at(path), action, "exists already, and nothing is overwritten",
            "run the same command again: it checks what exists there",
        )  # fmt: skip

    def _cut(self, lost: Lost, action: str = "ask") -> ServiceFailed:
        return self._failed(
            self._at(""), action, f"the connection was lost: {lost}", "run the same command again"
        )

    def _failed(self, place: str, action: str, problem: str, remedy: str) -> ServiceFailed:
        return ServiceFailed(
            service=str(self._address), action=f"{action} {place}".strip(), problem=problem,
            remedy=remedy,
        )  # fmt: skip

    def _at(self, path: str) -> str:
        return f"{self._address.root}/{checked(path)}" if path else self._address.root or "/"

    def _entry(self, path: str, answer: sftp_requests.Answer, target: str) -> Entry | None:
        if not isinstance(answer, Attributes):
            return None
        accounts = self._accounts
        return Entry(
            path,
            kind_of(answer.mode),
            answer.size_bytes,
            stat.S_IMODE(answer.mode),
            accounts.name_of("passwd", answer.user_id),
            accounts.name_of("group", answer.group_id),
            target,
        )


def _quoted(words: Sequence[str]) -> str:
    """The one line that the host's shell gets, each word quoted: the only place that does."""
    return shlex.join(words)
