from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.approval import Approval, BrokenApproval

DIGEST = "ab" * 32
approvals = st.builds(
    Approval,
    task=st.text(),
    version=st.text(),
    subject=st.just(DIGEST),
    by=st.text(),
    note=st.text(),
)
ONE = Approval("approve_windows", "3.13.6", DIGEST, "Ada", "looks fine: ü")


@given(approvals)
def test_statement_reads_back_what_it_writes(approval: Approval) -> None:
    assert Approval.from_bytes(approval.to_bytes(), "x") == approval


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        b"[]",
        ONE.to_bytes().replace(b'"format": 1', b'"format": 2'),
        ONE.to_bytes().replace(b'"note": ', b'"note": "", "note": '),
        ONE.to_bytes().replace(b'"by": "Ada"', b'"by": 1'),
        ONE.to_bytes().replace(DIGEST.encode(), b"ab"),
        ONE.to_bytes().replace(b"\n", b""),
        ONE.to_bytes().replace(b"{", b'{\n "more": "x",', 1),
        ONE.to_bytes() + b" ",
        ONE.to_bytes().replace("ü".encode(), b"\xff"),
        json.dumps({"format": 1, "task": "x"}).encode(),
    ],
)
def test_anything_but_the_one_true_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(BrokenApproval, match=r"not an approval .*; delete it"):
        Approval.from_bytes(raw, "approve_windows.json")
