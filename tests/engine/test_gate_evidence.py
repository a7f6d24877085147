"""Gates before an act: which of their receipts count, and which gates judge again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.gate_evidence import doubt

if TYPE_CHECKING:
    from collections.abc import Collection


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ((), "the journal does not tell of it"),
        ({"1f"}, ""),
        ({"2e", "1f"}, ""),
        ({""}, ""),
        ({"2e"}, "its receipt is none that the journal names"),
        ({"", "2e"}, "its receipt is none that the journal names"),
    ],
)
def test_a_receipt_counts_that_the_journal_names_or_one_of_before_it_named_any(
    left: Collection[str], why: str
) -> None:
    assert doubt("1f", left) == why
