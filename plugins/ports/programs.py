"""Programs of this machine, run without a shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import IO

__all__ = ["PIPE", "Completed", "Confinement", "Programs"]

PIPE: Final = -1
"""Asks ``Programs.pipe`` for a pipe to this process; the value that subprocess has for it."""


@frozen
class Completed:
    """A program that ended: its status and what it wrote, as text."""

    status: int
    stdout: str
    stderr: str


@frozen
class Confinement:
    """What this machine confines foreign programs with; without it, why not and what to do."""

    means: str
    """The name of the program that does it; "" if nothing does."""
    problem: str = ""
    remedy: str = ""

    @property
    def fact(self) -> str:
        """For a receipt: by what foreign code was confined; ``no`` if by nothing."""
        return self.means or "no"


class Programs(Protocol):
    """The programs of this machine, run without a shell in a neutral environment.

    Neutral: locale C.UTF-8, time zone UTC, umask 022, no git configuration of person or
    system, no XZ_OPT, XZ_DEFAULTS, GZIP, TAR_OPTIONS, and nothing on standard input unless
    given. What a program writes goes to the log of the running step as well.
    """

    def find(self, name: str) -> Path | None:
        """Where the program is, or None."""
        ...

    def version(self, name: str) -> str:
        """The version number that the program reports; "" if it does not exist or reports none."""
        ...

    def confinement(self) -> Confinement:
        """What foreign programs would be confined with now; it is tried, not looked up."""
        ...

    def confined(
        self, *, writes: Sequence[Path] = (), reads: Sequence[Path] = (), network: bool = False
    ) -> Programs:
        """The same programs for foreign code: confined to what is named here.

        They see the system's programs and libraries, change nothing but the folders ``writes``,
        and read besides those ``reads``; a program that is named there comes with all that it is
        installed with. Home, /tmp, processes and sockets are their own, and nothing that
        they start outlives them. With ``network`` they can also fetch packages, with pip's own
        configuration. What they leave behind is untrusted: see `plugins.steps.left_behind`.
        Where this machine cannot confine and nobody waived that, running one raises ServiceFailed.
        """
        ...

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout_s: float | None = None,
        check: bool = True,
        descriptors: Sequence[int] = (),
    ) -> Completed:
        """Run to the end. With ``check``, raises ServiceFailed on any status but 0.

        It inherits the open files that ``descriptors`` name, behind walls too.
        """
        ...

    def pipe(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = None,
        stdout: int | IO[bytes] | None = None,
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Run beside us, with pipes or files for its streams.

        On leaving the block its end is awaited; raises ServiceFailed on any status but 0. If
        the block raised, the program is killed first.
        """
        ...
