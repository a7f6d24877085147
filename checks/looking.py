"""Looking: a check that cannot look at its subject blocks, instead of saying that all is well."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["blocks_if_blind"]

_Looked = ParamSpec("_Looked")


def blocks_if_blind(
    rule: str,
) -> Callable[[Callable[_Looked, tuple[Finding, ...]]], Callable[_Looked, tuple[Finding, ...]]]:
    """A decorator of checks: an error that a person can act on becomes a finding of ``rule``.

    So it can be waived like any other, and the gate's other checks are still heard.
    """

    def decorate(
        check: Callable[_Looked, tuple[Finding, ...]],
    ) -> Callable[_Looked, tuple[Finding, ...]]:
        @wraps(check)
        def look(*arguments: _Looked.args, **named: _Looked.kwargs) -> tuple[Finding, ...]:
            try:
                return check(*arguments, **named)
            except ReleaseError as error:
                return (Finding(rule, Severity.BLOCK, error.problem, error.where, error.remedy),)

        return look

    return decorate
