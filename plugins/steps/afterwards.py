"""Afterwards: what others do once a release is out, waited for until a day and then reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from doit_receipts.errors import StepFailed, Waiting

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.ports.clock import Clock

__all__ = ["not_yet"]


def not_yet(  # noqa: PLR0913 - everything that the two messages say
    problem: str,
    where: str,
    clock: Clock,
    *,
    until: datetime,
    who: str,
    remedy: str = "",
    by_hand: bool = False,
    ours: bool = False,
    or_else: str = "",
) -> NoReturn:
    """Raises Waiting for ``who`` up to ``until``, and StepFailed with whom to ask from then on.

    ``remedy`` is what to ask them for; at once where nobody does it unless asked (``by_hand``).
    What is the release manager's to do (``ours``) is asked of nobody else.
    ``or_else`` is what ends the wait without anybody. Only the closing archive waits for it.
    """
    wish = remedy if ours else f"ask {who} to {remedy}"
    if clock.now() <= until:
        again = "run the same command again"
        first = f"{wish}, then {again}" if by_hand or ours else f"{again} later"
        raise Waiting(
            who=who,
            problem=problem,
            remedy=f"{first}; from {until:%Y-%m-%d} on this is a failure",
        )
    asked = wish if remedy else f"report it to {who}"
    if or_else:
        asked = f"{asked}, or {or_else}"
    raise StepFailed(
        where=where,
        problem=f"{problem}; it was due on {until:%Y-%m-%d}",
        remedy=f"{asked}; the release itself is out, and only its closing archive waits for this",
    )
