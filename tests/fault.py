"""Fault: one thing that is wrong with a release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.released import Released

__all__ = ["Fault"]


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the rule that has to say so."""

    name: str
    rule: str
    do: Callable[[Released], None]
    situation: str = ""
