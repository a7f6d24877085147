"""The catalogue of corruption: single faults, each found by the rule that should find it.

A fault is done to a release that is out (or exported, or staged), and one look has to tell it
by its rule. What is damaged in one place shows in others too, so other rules may speak as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.model.rules import RULES
from tests.faults.catalogue import FAULTS
from tests.released import rules_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.fault import Fault
    from tests.released import Released

pytestmark = pytest.mark.slow

# What no single fault can show: these say that a look was not possible, and have own tests.
_OF_OTHERS = {
    "situation.unseen", "situation.nothing", "cache.unseen", "page.unseen", "row.unseen",
    "tag.unseen", "signature.unseen", "bundle.unseen", "staged.unseen", "rebuild.failed",
    "docs.unreadable", "evidence.unseen",
    # Of closing archives, in tests/verify/test_archived.
    "archived.unreadable", "archived.signature", "archived.receipt", "archived.approval",
    "archived.missing", "archived.published", "archived.unseen",
    # Only the release manager can sign a statement of another commit or file; a release without
    # evidence and manifest is one of those that were made before there were any.
    "evidence.commit", "evidence.subject", "evidence.missing", "manifest.missing",
}  # fmt: skip

# A gate's own, which verify tells beside its rules where it makes the archives again.
_OF_GATES = {"rebuild.few"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: f"{each.rule}: {each.name}")
def test_every_fault_is_found_by_its_rule(
    world: Released, fault: Fault, count: Callable[[str, int], None]
) -> None:
    fault.do(world)
    report = world.look(fault.situation)
    assert fault.rule in rules_of(report)
    assert rules_of(report) <= {*RULES, *_OF_GATES}
    assert not report.holds
    assert all(each.remedy for each in report.findings)
    count("single faults were found by the rule that should find them", 1)
    count(f"of them by {fault.rule}", 1)


def test_there_are_at_least_120_faults_and_no_two_are_the_same() -> None:
    assert len(FAULTS) >= 120
    assert len({(each.rule, each.name, each.situation) for each in FAULTS}) == len(FAULTS)


def test_every_rule_has_a_fault_that_only_it_has_to_find() -> None:
    assert {each.rule for each in FAULTS} | _OF_OTHERS >= set(RULES)
