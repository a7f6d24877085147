"""Verification: the calls that `doit verify` makes, as the chapters declare them."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from doit_receipts.calls import Call

__all__ = ["Verification", "declare_verification", "declared_verification"]

_DECLARED: ContextVar[Callable[[], tuple[Call | None, Call | None, Call]] | None] = ContextVar(
    "verification", default=None
)


class Verification(NamedTuple):
    """``judge`` is about this release, ``audit`` about all published ones of the series.

    Both are None where no file is published. ``archived`` is about the closing archive of any. The
    last argument of each is how to look, or at which file, for the command to replace.
    """

    judge: Call | None
    audit: Call | None
    archived: Call


def declare_verification(creator: Callable[[], tuple[Call | None, Call | None, Call]]) -> None:
    """`doit verify` makes the calls that ``creator`` gives; nothing else needs them, or asks."""
    _DECLARED.set(creator)


def declared_verification() -> Verification | None:
    """What was declared last in this process; None if nothing was."""
    creator = _DECLARED.get()
    return Verification(*creator()) if creator else None
