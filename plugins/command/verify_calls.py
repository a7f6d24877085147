"""Verification: the calls that `doit verify` makes, as the chapters declare them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from doit_receipts.calls import Call

__all__ = ["Verification", "declare_verification", "declared_verification"]

_DECLARED: ContextVar[Verification | None] = ContextVar("verification", default=None)


class Verification(NamedTuple):
    """``judge`` is about this release, ``audit`` about all published ones of the series.

    ``archived`` is about the closing archive of any. The last argument of each is how to look, or
    at which file, for the command to replace.
    """

    judge: Call
    audit: Call
    archived: Call


def declare_verification(judge: Call, audit: Call, archived: Call) -> None:
    """`doit verify` makes these calls from now on."""
    _DECLARED.set(Verification(judge, audit, archived))


def declared_verification() -> Verification | None:
    """What was declared last in this process; None if nothing was."""
    return _DECLARED.get()
