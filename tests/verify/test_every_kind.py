"""Every kind of alteration of a published release, by a generator: none is missed, by name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from plugins.model.published_file import Kind
from tests.faults.alterations import alterations_of, batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from plugins.model.report import Report
    from tests.released import Released

pytestmark = pytest.mark.slow


def told(report: Report, name: str) -> bool:
    """Whether a finding that blocks names it."""
    stopping = report.stopping(report.findings)
    return any(name in f"{each.where} {each.message}" for each in stopping)


def test_no_alteration_of_any_kind_is_missed(
    world: Released, count: Callable[[str, int], None]
) -> None:
    """What `doit verify` does not see is what somebody would alter: it was 29 of 45 kinds once."""
    alterations = list(alterations_of(world))
    missed, looks = [], 0
    for batch in batches(alterations):
        for each in batch:
            each.do(world)
        report = world.look(fresh=True)
        missed += [(each.kind, each.named) for each in batch if not told(report, each.named)]
        looks += 1
        world.restore()
    untouched = world.look(fresh=True)
    assert missed == []
    assert untouched.findings == ()
    kinds = Counter(each.kind.partition(": ")[0] for each in alterations)
    of_files = {each.kind for each in world.contract.files} | {
        Kind.PART,
        Kind.EVIDENCE,
        Kind.RECORD,
    }
    assert {each.value for each in of_files} <= kinds.keys()
    for kind, number in kinds.items():
        count(f"alterations were told by name: {kind}", number)
    count(
        f"kinds of alterations, each told by name, in {looks} looks",
        len({each.kind for each in alterations}),
    )
    count("alterations were missed", len(missed))
    count("false alarms of an untouched release", len(untouched.findings))
