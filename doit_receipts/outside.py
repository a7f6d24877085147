"""Outside: every act that leaves this machine, told at the place where it leaves.

A service asks ``leaves`` right before it sends what changes something: a push, a request that is
no question, a command on a host, an email. Whoever listens hears of it. A run lets it go and
writes it into the task's log; a plan writes it down and holds it back. So a plan shows what the
very code of the run would send, and cannot be about anything else.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Act", "Unanswered", "heard_by", "is_held", "leaves"]


@dataclass(frozen=True, slots=True)
class Act:
    """One act outside: what is done, to whom, with what; no secret is in it.

    ``kind`` is a word such as push, http, host or mail. ``lines`` hold what is sent in full, where
    people read that; ``size_bytes`` and ``sha256`` are of what is sent, "" where there is nothing.
    """

    kind: str
    what: str
    lines: tuple[str, ...] = ()
    size_bytes: int = 0
    sha256: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "what", printable(self.what))
        object.__setattr__(self, "lines", tuple(map(printable, self.lines)))

    @classmethod
    def sending(cls, kind: str, what: str, content: bytes, lines: tuple[str, ...] = ()) -> Act:
        """An act that sends these bytes, by size and digest."""
        if not content:
            return cls(kind, what, lines)
        return cls(kind, what, lines, len(content), sha256(content).hexdigest())

    def __str__(self) -> str:
        sent = f", {self.size_bytes:,} bytes, sha256 {self.sha256}" if self.sha256 else ""
        return f"{self.what}{sent}"


class Unanswered(Exception):
    """What comes next depends on the answer to an act that a plan has held back."""


_LISTENER: ContextVar[Callable[[Act], bool] | None] = ContextVar("listener", default=None)
_HELD: ContextVar[bool] = ContextVar("held", default=False)


def leaves(act: Act) -> bool:
    """Whether the act is to be done now; whoever listens has heard of it, and may hold it back."""
    listener = _LISTENER.get()
    return listener is None or listener(act)


def is_held() -> bool:
    """Whether acts are held back here, so that nothing on this machine is to be changed either."""
    return _HELD.get()


@contextmanager
def heard_by(listener: Callable[[Act], bool], *, held: bool = False) -> Iterator[None]:
    """In the block this listener hears of every act of this context, and lets it go or not.

    ``held`` says beforehand that it lets none go.
    """
    before, was_held = _LISTENER.set(listener), _HELD.set(held)
    try:
        yield
    finally:
        _HELD.reset(was_held)
        _LISTENER.reset(before)
