"""Answer: what another person's machine says that it got from a tag, with that person's signature.

It has the form of an entry of the ledger (see ``plugins.model.ledger``), so whoever counts entries
counts it, and anybody can verify it with gpg alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.frozen import frozen
from plugins.model.ledger import read_sums
from plugins.model.strict_json import BrokenJson, canonical, only_keys, read_object

if TYPE_CHECKING:
    from plugins.model.action import Action

__all__ = ["Answer", "answer_of"]

_MOST_BYTES: Final = 65_536
_FIELDS: Final = ("action", "signature", "sums", "who")


@frozen
class Answer:
    """``sums`` is a file SHA256SUMS, ``signature`` its detached OpenPGP signature by ``who``."""

    who: str
    sums: str
    signature: str
    action: str
    """The digest of the action that it answers."""

    def to_bytes(self) -> bytes:
        """Its canonical JSON."""
        return canonical({name: getattr(self, name) for name in _FIELDS})


def answer_of(raw: bytes, action: Action, names: tuple[str, ...], where: str) -> Answer:
    """The answer to this action, about files of these names. Raises StepFailed for another."""
    try:
        content = read_object(raw, _MOST_BYTES)
        only_keys(content, set(_FIELDS), "the answer")
    except BrokenJson as error:
        raise _refused(where, problem=f"its answer {error}") from error
    for name in _FIELDS:
        if not isinstance(content[name], str):
            raise _refused(where, problem=f"its answer has a {name} that is no text")
    found = Answer(**content)
    if found.action != action.digest:
        raise _refused(where, problem="its answer is about another action")
    sums = read_sums(found.sums.encode())
    if sums is None or sorted(sums) != sorted(names):
        raise _refused(where, problem=f"its answer is not about {' and '.join(sorted(names))}")
    return found


def _refused(where: str, *, problem: str) -> StepFailed:
    return StepFailed(
        where=where,
        problem=problem,
        remedy="ask its owner which version of this tool runs there; nothing of it was kept",
    )
