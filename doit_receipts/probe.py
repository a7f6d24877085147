"""Probe: what a look at the world found before a step acts on it, and after.

A step that changes something outside this machine looks first, and what it finds decides
(golang#53165: blindly doing again after a mail or a post is how releases go wrong twice):

========== ============================================================================
ABSENT     not there, or there in part and ours to complete: act, then look again; where the
           step says that it may be there unseen, a person may have it counted as done
IDENTICAL  there as wanted: nothing is done, and the receipt tells what stands there
DIFFERENT  something else exists there: stop, and show both sides; where the step says so, a
           person may have it counted as done
UNKNOWN    could not be told this time: stop, and say how to find out
UNSEEN     cannot be looked at, ever (a mail): done at most once, on the journal's word
========== ============================================================================
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Probe", "RemoteState", "absent", "different", "identical", "unknown", "unseen"]


class RemoteState(Enum):
    """How what is wanted stands in the world."""

    ABSENT = "absent"
    IDENTICAL = "identical"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    UNSEEN = "unseen"


@frozen
class Probe:
    """What one look found. ``facts`` go into the receipt: no clock and no secret is in them.

    ``problem`` and ``remedy`` are for a person, one line each; ``details`` show both sides. ``who``
    has to do what is absent, where the step itself cannot.
    """

    state: RemoteState
    facts: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    remedy: str = ""
    details: tuple[str, ...] = ()
    who: str = ""

    def __post_init__(self) -> None:
        for name in ("problem", "remedy"):
            object.__setattr__(self, name, printable(getattr(self, name)))
        object.__setattr__(self, "details", tuple(map(printable, self.details)))


def absent(
    problem: str = "not there yet",
    details: tuple[str, ...] = (),
    *,
    adopted: Mapping[str, str] | None = None,
    who: str = "",
    remedy: str = "",
) -> Probe:
    """It is not there, or in part; ``problem`` says what is still to be done.

    Where ``who`` has to do it, since the step itself cannot, it is waited for, and ``remedy`` says
    how it is done.

    With ``adopted`` the look may miss what is there, and a person may have it counted as done, by
    ``doit adopt``: these are the facts of the receipt then.
    """
    return Probe(RemoteState.ABSENT, dict(adopted or {}), problem, remedy, details, who)


def identical(facts: Mapping[str, str]) -> Probe:
    """It stands there as wanted; ``facts`` tell what, equal whoever put it there and when."""
    return Probe(RemoteState.IDENTICAL, facts)


def different(
    problem: str,
    remedy: str,
    details: tuple[str, ...],
    *,
    adopted: Mapping[str, str] | None = None,
) -> Probe:
    """Something else stands there, and this step must not replace it; ``details`` show both.

    With ``adopted`` a person who looked at both may have it counted as done, by ``doit adopt``:
    these are the facts of the receipt then.
    """
    return Probe(RemoteState.DIFFERENT, dict(adopted or {}), problem, remedy, details)


def unknown(problem: str, remedy: str, details: tuple[str, ...] = ()) -> Probe:
    """The look told nothing certain; ``remedy`` says how a person finds out."""
    return Probe(RemoteState.UNKNOWN, problem=problem, remedy=remedy, details=details)


def unseen(facts: Mapping[str, str], remedy: str) -> Probe:
    """Nobody can look whether it was done; ``remedy`` says whom to ask (`did the list get it`).

    ``facts`` are what the receipt will tell once it is done, known before it is.
    """
    return Probe(RemoteState.UNSEEN, facts, remedy=remedy)
