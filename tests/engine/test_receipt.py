from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doit_receipts.receipt import BrokenReceipt, Receipt

if TYPE_CHECKING:
    from pathlib import Path

names = st.text(max_size=20)
tables = st.dictionaries(names, names, max_size=4)
receipts = st.builds(
    Receipt,
    step=names,
    version=names,
    inputs=tables,
    outputs=tables,
    facts=tables,
    findings=st.lists(names, max_size=3).map(tuple),
    rehearsal=st.booleans(),
    adopted=st.booleans(),
)
ONE = Receipt(
    step="build_tarballs",
    version="3.13.6",
    inputs={"receipt:make_tag": "a" * 64},
    outputs={"src/Python-3.13.6.tgz": "b" * 64},
    facts={"xz": "5.4.1", "naïve": "ü"},
    findings=("archive.mode WARN: x",),
)


@given(receipts)
def test_receipt_reads_back_what_it_writes(receipt: Receipt) -> None:
    assert Receipt.from_bytes(receipt.to_bytes(), "x") == receipt


@given(receipts)
def test_bytes_are_those_of_indented_json(receipt: Receipt) -> None:
    raw = receipt.to_bytes().decode()
    again = json.dumps(json.loads(raw), sort_keys=True, indent=1, ensure_ascii=False)
    assert raw == f"{again}\n"


@given(receipts)
def test_equal_receipts_have_equal_bytes(receipt: Receipt) -> None:
    again = Receipt(
        step=receipt.step,
        version=receipt.version,
        inputs=dict(reversed(list(receipt.inputs.items()))),
        outputs=dict(reversed(list(receipt.outputs.items()))),
        facts=dict(reversed(list(receipt.facts.items()))),
        findings=receipt.findings,
        rehearsal=receipt.rehearsal,
        adopted=receipt.adopted,
    )
    assert again.to_bytes() == receipt.to_bytes()


def holds_or_harmless(raw: bytes) -> bool:
    try:
        return Receipt.from_bytes(raw, "x") == ONE
    except BrokenReceipt:
        return True


@pytest.mark.parametrize("change", [b"\x00", b" ", b"0", b'"', b"}", b"\xff", b""])
def test_edit_of_any_byte_is_detected_or_harmless(change: bytes) -> None:
    raw = ONE.to_bytes()
    for place in range(len(raw)):
        assert holds_or_harmless(raw[:place] + change + raw[place + 1 :]), place
        assert holds_or_harmless(raw[:place] + change + raw[place:]), place


def test_every_single_bit_that_flips_is_detected_or_harmless() -> None:
    raw = ONE.to_bytes()
    for place in range(len(raw)):
        for bit in range(8):
            flipped = bytes([raw[place] ^ (1 << bit)])
            assert holds_or_harmless(raw[:place] + flipped + raw[place + 1 :]), (place, bit)


def test_receipt_nested_without_end_is_broken() -> None:
    with pytest.raises(BrokenReceipt):
        Receipt.from_bytes(b"[" * 100_000, "x")


def test_receipt_cut_short_is_broken() -> None:
    raw = ONE.to_bytes()
    for length in range(len(raw) - 1):
        with pytest.raises(BrokenReceipt):
            Receipt.from_bytes(raw[:length], "x")


@given(st.binary(max_size=200))
def test_any_other_bytes_are_a_broken_receipt_and_never_a_bug(raw: bytes) -> None:
    with pytest.raises(BrokenReceipt):
        Receipt.from_bytes(raw, "x")


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "format",
                "seal",
                "step",
                "version",
                "inputs",
                "outputs",
                "facts",
                "findings",
                "rehearsal",
                "adopted",
            ]
        ),
        json_values,
    )
)
def test_any_other_json_is_a_broken_receipt_and_never_a_bug(content: dict[str, object]) -> None:
    with pytest.raises(BrokenReceipt):
        Receipt.from_bytes(json.dumps(content).encode(), "x")


def test_receipt_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "build_tarballs.json"
    ONE.write(path)
    assert Receipt.read(path) == ONE
    assert list(path.parent.iterdir()) == [path]


def test_no_file_is_no_receipt(tmp_path: Path) -> None:
    assert Receipt.read(tmp_path / "nothing.json") is None


def test_broken_receipt_names_its_file_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "receipts" / "make_tag.json"
    ONE.write(path)
    path.write_bytes(path.read_bytes().replace(b"5.4.1", b"5.4.2"))
    with pytest.raises(BrokenReceipt) as raised:
        Receipt.read(path)
    assert str(raised.value) == (
        "receipts/make_tag.json: edited after it was written (its seal does not match); "
        "delete it to have the step done again"
    )


def test_result_holds_what_tasks_behind_may_use_and_nothing_else() -> None:
    def result(**changed: object) -> str:
        values = {"step": "s", "version": "3.13.6", "outputs": {"a": "1"}, "facts": {"b": "2"}}
        return Receipt(**{**values, **changed}).result  # type: ignore[arg-type]

    assert result(inputs={"x": "y"}) == result()
    assert result(findings=("x",)) == result()
    assert result(adopted=True) == result()
    assert result(outputs={"a": "2"}) != result()
    assert result(facts={"b": "3"}) != result()
    assert result(rehearsal=True) != result()
