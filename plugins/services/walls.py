"""Walls: what a foreign program may see and change, as the words that confine it.

Bubblewrap does it on Linux, in namespaces of its own; sandbox-exec on macOS, by a profile that is
written from its documentation and has not been tried on a Mac.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.ports.programs import Confinement
from plugins.services.call_filter import filtered
from plugins.services.installed import installed_with
from plugins.services.sandbox_profile import profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

__all__ = [
    "HOME_INSIDE",
    "Limits",
    "Walls",
    "filters_of",
    "missing",
    "refused",
    "trial",
    "with_filters",
]

_SYSTEM: Final = ("/usr", "/opt", "/nix/store", "/gnu/store")
_LINKED: Final = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Of /etc what programs need to start and to know names; keys and passwords are elsewhere there.
_ETC: Final = (
    "alternatives", "crypto-policies", "gai.conf", "host.conf", "hosts", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "ld-musl-x86_64.path", "ld-musl-aarch64.path", "localtime",
    "mime.types", "nsswitch.conf", "perl", "protocols", "services", "timezone",
    "ca-certificates", "pki/ca-trust/extracted", "pki/tls/certs", "ssl/cert.pem", "ssl/certs",
    "ssl/openssl.cnf",
)  # fmt: skip
_ETC_OF_NETWORK: Final = ("pip.conf", "resolv.conf", "xdg/pip")
# Root may write to these without any capability, and outside they are the same ones.
_OF_THE_KERNEL: Final = (
    "/proc/acpi", "/proc/bus", "/proc/driver", "/proc/fs", "/proc/irq", "/proc/mtrr", "/proc/scsi",
    "/proc/sys", "/proc/sysrq-trigger",
)  # fmt: skip
# Whoever runs this is one user inside, and the only one there is: never root, who behaves otherwise
# without rights, and with no other to name, since a namespace knows the ids of nobody else.
_USER: Final = "1000"
_ACCOUNTS: Final = ("passwd", "group")
_OF_ACCOUNTS: Final = Path(__file__).with_name("inside")
HOME_INSIDE: Final = "/tmp/home"  # noqa: S108 - of the program's own, empty /tmp
# The shell is the first process in there: when it ends, the kernel ends all others, and only then
# is its end reported. "exit" keeps it from being replaced by the program. ulimit counts memory in
# KiB and files in blocks of 512 bytes; the number of processes is -u or -p. No limit may depend on
# a file: a shell that cannot open the target of a redirection leaves out the command.
_FIRST: Final = (
    "ulimit -c 0; ulimit -v {memory} 2>&-; ulimit -f {file} 2>&-; "
    "ulimit -u {processes} 2>&- || ulimit -p {processes} 2>&-; "
    '"$@"; exit $?'
)
_WAIVE: Final = "waive tools.unconfined in release.toml, with a reason"
_INSTALL: Final = {"bwrap": f"install bubblewrap, or {_WAIVE}"}


@frozen
class Limits:
    """What confined programs may use, all that one of them starts together."""

    memory_bytes: int
    processes: int = 4096
    file_bytes: int = 8 << 30
    output_bytes: int = 256 << 20
    """Of what is read from it into our memory."""
    scratch_bytes: int = 2 << 30
    """Each of its own /tmp and /dev/shm, which are in memory."""

    @classmethod
    def of_this_machine(cls) -> Limits:
        """Seven eighths of the memory."""
        return cls(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 7 // 8)


@frozen
class Walls:
    """The walls around one kind of foreign program; see the port for what the parts mean."""

    means: str
    limits: Limits
    writes: tuple[Path, ...] = ()
    reads: tuple[Path, ...] = ()
    network: bool = False

    @property
    def ends_with_us(self) -> bool:
        """Whether the kernel ends what is inside when we end, so that it need not hold our lock."""
        return self.means == "bwrap"

    def around(self, words: Sequence[str], program: Path, folder: Path) -> list[str]:
        """The words that run ``words``, whose program is at ``program``, inside, in ``folder``."""
        inside = ["/bin/sh", "-c", self._first(), "sh", *words]
        reads = tuple(dict.fromkeys((*self.reads, *self._shown_for(program))))
        start = shutil.which(self.means) or self.means
        if self.means == "bwrap":
            shown = list(self._bound(reads))
            return [start, *self._alone(), *shown, "--chdir", str(folder), "--", *inside]
        if self.means == "sandbox-exec":
            profile = profile_of(self.writes, _all_of(reads), network=self.network)
            return [start, "-p", profile, *inside]
        return list(words)

    def _shown_for(self, program: Path) -> tuple[Path, ...]:
        """The program; nothing if it is in a folder that foreign code writes to.

        That folder is shown, and neither a link nor a first line in it may show anything else.
        """
        places = (program.parent.absolute(), program.parent.resolve())
        theirs = [path for each in self.writes for path in (each.absolute(), each.resolve())]
        own = any(place.is_relative_to(each) for place in places for each in theirs)
        return () if own else (program,)

    def _first(self) -> str:
        limits = self.limits
        # A process may be given more addresses than memory, such as the stacks of its threads.
        return _FIRST.format(
            memory=max(limits.memory_bytes, 4 << 30) >> 10,
            file=limits.file_bytes >> 9,
            processes=limits.processes * 4,
        )

    def _alone(self) -> Iterator[str]:
        """Namespaces, and a system in which nothing can be written."""
        yield from ("--unshare-user", "--unshare-all", "--cap-drop", "ALL")
        yield from ("--uid", _USER, "--gid", _USER)
        yield from (*(("--share-net",) if self.network else ()), "--die-with-parent")
        yield from ("--new-session", "--as-pid-1", "--proc", "/proc", "--dev", "/dev")
        for path in _OF_THE_KERNEL:
            yield from ("--ro-bind-try", path, path)
        for own in ("/dev/shm", "/tmp"):  # noqa: S108 - its own
            yield from ("--size", str(self.limits.scratch_bytes), "--tmpfs", own)
        yield from ("--dir", HOME_INSIDE)
        for path in _SYSTEM:
            yield from ("--ro-bind-try", path, path)
        for part in map(Path, _LINKED):
            if part.is_symlink():
                yield from ("--symlink", str(part.readlink()), str(part))
            else:
                yield from ("--ro-bind-try", str(part), str(part))
        for name in (*_ETC, *(_ETC_OF_NETWORK if self.network else ())):
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for name in _ACCOUNTS:
            yield from ("--ro-bind", str(_OF_ACCOUNTS / name), f"/etc/{name}")

    def _bound(self, reads: tuple[Path, ...]) -> Iterator[str]:
        """What is named is where it is outside, and under the name that it was given, too."""
        found = _all_of(reads)
        # A link in a folder that is shown is there already, and nothing can be bound over it.
        shown = {*found, *(Path("/etc") / name for name in _ETC)}
        bound = {
            path: "--ro-bind"
            for path in found
            # Devices are there already, and one that is bound again cannot be used.
            if not path.is_char_device()
            and (not path.is_symlink() or shown.isdisjoint(path.parents))
        }
        bound |= {path: "--bind" for each in self.writes for path in (each.resolve(), each)}
        # An outer folder comes first: what is bound later lies above it.
        for path in sorted(bound, key=lambda path: len(path.parts)):
            yield from (bound[path], str(path.resolve()), str(path))
        yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def trial() -> tuple[str, list[str]]:
    """What would confine on this kind of machine, and the words that try it."""
    means = "sandbox-exec" if sys.platform == "darwin" else "bwrap"
    return means, Walls(means, Limits(4 << 30)).around(["true"], Path("/bin/sh"), Path("/"))


def filters_of(means: str) -> AbstractContextManager[tuple[int, ...]]:
    """Descriptors of the filters of calls that these means take, while the block lasts."""
    return filtered() if means == "bwrap" else nullcontext(())


def with_filters(words: Sequence[str], filters: Sequence[int]) -> list[str]:
    """The words that start something behind walls, and read the filters before."""
    start, *rest = words
    return [start, *(word for each in filters for word in ("--seccomp", str(each))), *rest]


def missing(means: str) -> Confinement:
    """This machine lacks what would confine."""
    return Confinement("", f"{means} is not installed", _INSTALL.get(means, _WAIVE))


def refused(means: str, message: str) -> Confinement:
    """This machine has it and does not let it work, as its ``message`` says."""
    problem = f"{means} is refused here: {' '.join(message.split()).rstrip('.')}"
    return Confinement("", problem, f"let users make namespaces, or {_WAIVE}")


def _all_of(reads: Sequence[Path]) -> tuple[Path, ...]:
    """Each path as it is named and as it is found, a program with what it is installed with."""
    found = [part for path in reads for part in installed_with(path)]
    return tuple(dict.fromkeys(found))
