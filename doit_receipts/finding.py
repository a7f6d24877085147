"""Finding, Severity and Waiver: what a check says, and how a person lets it pass."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from doit_receipts.frozen import frozen
from doit_receipts.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = ["Finding", "Severity", "Waiver", "blocking"]


class Severity(IntEnum):
    """What a finding does: told, warned about, or in the way."""

    NOTE = 0
    WARN = 1
    BLOCK = 2


@frozen(order=True)
class Finding:
    """One judgement: ``rule`` is a dotted id that never changes, ``where`` a file or place.

    Its texts are printable, whoever wrote what was looked at.
    """

    rule: str
    severity: Severity
    message: str
    where: str = ""
    remedy: str = ""

    def __post_init__(self) -> None:
        for name in ("message", "where", "remedy"):
            object.__setattr__(self, name, printable(getattr(self, name)))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.rule} {self.severity.name}: {place}{self.message}{remedy}"


@frozen
class Waiver:
    """A person's word that findings of ``rule`` may pass until the end of the day ``until``."""

    rule: str
    reason: str
    by: str
    until: date

    def holds(self, today: date) -> bool:
        """Whether this waiver still lets its rule pass; not after the day ``until``."""
        return today <= self.until

    def describe(self) -> str:
        """The waiver as an input of the gate that depends on it: equal words, equal waiver.

        Receipts hold them, so they stay as they are when the class is renamed or gets more parts.
        """
        return (
            f"Waiver(rule={self.rule!r}, reason={self.reason!r}, by={self.by!r},"
            f" until={self.until!r})"
        )


def blocking(findings: Iterable[Finding], covering: Iterable[Waiver]) -> tuple[Finding, ...]:
    """The findings that stop a gate: those that block and whose rule no waiver covers.

    ``covering`` are the waivers that hold today; see ``Waiver.holds``.
    """
    waived = {waiver.rule for waiver in covering}
    return tuple(
        finding
        for finding in findings
        if finding.severity is Severity.BLOCK and finding.rule not in waived
    )
