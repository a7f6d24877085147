"""A toy export with 1, 2 and 8 tasks at once leaves the same bytes and the same journal."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.export.test_killing_export import assert_same

if TYPE_CHECKING:
    from tests.export.toy import Toy

pytestmark = pytest.mark.slow


def told(toy: Toy) -> Counter[str]:
    """What the journal tells, without its times and in no order."""
    entries = map(json.loads, (toy.work / "journal.jsonl").read_text().splitlines())
    return Counter(
        json.dumps({name: each[name] for name in each if name not in ("at", "took_s")})
        for each in entries
    )


def test_any_number_at_once_exports_the_same(toy: Toy) -> None:
    left, journals = {}, {}
    with toy.instead("autoconf", "echo autoconf 2.13"):
        for at_once in (1, 2, 8):
            toy.restore()
            ended = toy.doit(f"-n{at_once}", "export")
            assert ended.status == 0, ended.out
            left[at_once], journals[at_once] = toy.left(), told(toy)
    assert len(left[1]) > 40
    for at_once in (2, 8):
        assert_same(left[at_once], left[1], f"{at_once} at once")
        assert journals[at_once] == journals[1]
