"""Looking: which rules a check judges by, and what it says if it cannot look at its subject."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Final, ParamSpec, TypeAlias

from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from doit_receipts.frozen import frozen
from plugins.model.gate_rules import GATE_RULES
from plugins.model.rules import RULES

__all__ = ["Judged", "judged_by", "judges"]

_Looked = ParamSpec("_Looked")
_Check: TypeAlias = Callable[_Looked, tuple[Finding, ...]]


@frozen
class Judged:
    """The rules of one check; ``blind`` is that of the finding if it cannot look, "" for none."""

    rules: frozenset[str] = frozenset()
    blind: str = ""


_JUDGED: Final[dict[Callable[..., object], Judged]] = {}


def judges(*rules: str, blind: str = "") -> Callable[[_Check[_Looked]], _Check[_Looked]]:
    """A decorator of checks: the findings are of these rules, and of ``blind`` if it cannot look.

    With ``blind``, an error that a person can act on becomes a finding of that rule. So it can be
    waived like any other, and the gate's other checks are still heard. A finding that stops or
    warns, and does not say itself what to do, says what its rule does. LookupError for a rule that
    no table has, and for a finding of a rule that is not named here.
    """
    judged = Judged(frozenset({*rules, blind} - {""}), blind)
    if unknown := judged.rules - RULES.keys() - GATE_RULES.keys():
        message = f"no table of rules has {', '.join(sorted(unknown))}"
        raise LookupError(message)

    def decorate(check: _Check[_Looked]) -> _Check[_Looked]:
        @wraps(check)
        def look(*arguments: _Looked.args, **named: _Looked.kwargs) -> tuple[Finding, ...]:
            try:
                found = check(*arguments, **named)
            except ReleaseError as error:
                if not blind:
                    raise
                remedy = error.remedy or _seen_again(blind)
                found = (Finding(blind, Severity.BLOCK, error.problem, error.where, remedy),)
            if undeclared := {finding.rule for finding in found} - judged.rules:
                message = f"{check.__name__} does not name {', '.join(sorted(undeclared))}"
                raise LookupError(message)
            return tuple(map(_with_remedy, found))

        _JUDGED[look] = judged
        return look

    return decorate


def _seen_again(blind: str) -> str:
    """What to do where an error does not say it: a fault that was not seen may not be there."""
    if blind.endswith((".unseen", ".unreadable")):
        return (RULES.get(blind) or GATE_RULES[blind]).remedy
    return "once that is mended, run the same command again"


def _with_remedy(finding: Finding) -> Finding:
    """The finding with the remedy of its rule, where it has none of its own and something to do."""
    if finding.remedy or finding.severity is Severity.NOTE:
        return finding
    rule = RULES.get(finding.rule) or GATE_RULES[finding.rule]
    return replace(finding, remedy=rule.remedy)


def judged_by(check: Callable[..., object]) -> Judged:
    """The rules of this check; none for what is not a check."""
    return _JUDGED.get(check, Judged())
