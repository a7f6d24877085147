"""The tree of the log: what it proves holds, and nothing else does."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from plugins.rehearsal import merkle

LEAVES = st.lists(st.binary(max_size=4), min_size=1, max_size=70).map(
    lambda contents: [merkle.leaf(each) for each in contents]
)


def root_by(proof: list[bytes], leaf: bytes, index: int, size: int) -> bytes:
    """The root that the proof leads to, as a verifier computes it (RFC 9162, section 2.1.3.2)."""
    found, last = leaf, size - 1
    for each in proof:
        assert last > 0
        if index % 2 or index == last:
            found = sha256(b"\1" + each + found).digest()
            while not index % 2 and index:
                index, last = index // 2, last // 2
        else:
            found = sha256(b"\1" + found + each).digest()
        index, last = index // 2, last // 2
    assert last == 0
    return found


def test_root_of_no_entry_is_that_of_nothing() -> None:
    assert merkle.root([]) == sha256().digest()


@given(LEAVES)
def test_every_entry_is_proven_in_a_tree_of_any_size(leaves: list[bytes]) -> None:
    for index, leaf in enumerate(leaves):
        proof = merkle.proof(leaves, index)
        assert root_by(proof, leaf, index, len(leaves)) == merkle.root(leaves)


@given(LEAVES, st.data())
def test_another_entry_is_not_proven(leaves: list[bytes], draw: st.DataObject) -> None:
    index = draw.draw(st.integers(0, len(leaves) - 1))
    other = merkle.leaf(b"another entry")
    found = root_by(merkle.proof(leaves, index), other, index, len(leaves))
    assert found != merkle.root(leaves)
