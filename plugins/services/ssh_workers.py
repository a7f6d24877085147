"""Ssh workers: other people's machines, asked over ssh to do an action and sign what came of it.

The action goes in by standard input, and the answer comes out by standard output. What is run
there its owner decides, who names one command for our key (``command=`` in authorized_keys); the
word that we send is for whoever has no such line.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.outside import Act, Unanswered, leaves
from plugins.services.sftp import Lost
from plugins.services.ssh_line import Address, open_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["SshWorkers"]

_COMMAND: Final = "pep101-worker"
_SILENCE_S: Final = 3_600.0
"""Archives of the real CPython take two minutes on a laptop; a slow machine may need an hour."""
_MOST_BYTES: Final = 1 << 20
_LAST_LINES: Final = 8


class SshWorkers:
    """The Workers port over ssh. A host key that is not known is a refusal."""

    def __init__(self, urls: Sequence[str], *, ssh_config: Path | None = None) -> None:
        self._urls = tuple(urls)
        self._ssh_config = ssh_config

    def __repr__(self) -> str:
        return f"workers({', '.join(self._urls)})"

    def addresses(self) -> tuple[str, ...]:
        """See the port."""
        return self._urls

    def answer(self, address: str, action: bytes) -> bytes:
        """See the port."""
        if not leaves(Act.sending("host", f"run {_COMMAND} on {address}", action)):
            raise Unanswered
        with closing(open_line(Address.parse(address), self._ssh_config)) as line:
            try:
                ended = line.command(_COMMAND, action, _SILENCE_S, most_bytes=_MOST_BYTES)
            except Lost as error:
                raise _failed(address, str(error)) from error
        if ended.status:
            said = tuple(each for each in ended.errors.splitlines() if each.strip())
            problem = f"its command ended with status {ended.status}"
            raise _failed(address, problem, said[-_LAST_LINES:])
        return ended.output


def _failed(address: str, problem: str, details: tuple[str, ...] = ()) -> ServiceFailed:
    return ServiceFailed(
        service=address,
        action="make the archives again",
        problem=problem,
        remedy="ask its owner to look at it, or take it out of [farm] workers",
        details=details,
    )
