"""Intents: what the journal says of acts on the world that left no receipt.

A step that cannot look whether it was done is done at most once on the journal's word: the
intent is on the disk before the act, and without a receipt behind it nobody but a person can
tell which of the two came last. The person says so with ``doit adopt`` or ``doit retry``.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from doit_receipts.journal import Journal

__all__ = [
    "ACCEPTED", "ADOPT", "INTENT", "RETRY", "VOID", "Intent", "asked_for", "inputs_digest",
    "intent_of", "is_on_record", "knows_all", "receipts_left", "seals",
]  # fmt: skip

INTENT: Final = "intent"
"""The step is about to act."""
ACCEPTED: Final = "accepted"
"""It was done as far as it is ours; somebody else has to let it through."""
VOID: Final = "void"
"""It was refused before anything was done."""
ADOPT: Final = "adopt"
"""A person says that it was done."""
RETRY: Final = "retry"
"""A person says that it was not, or that doing it again is right."""
_WORDS: Final = (INTENT, ACCEPTED, VOID, ADOPT, RETRY)


@frozen
class Intent:
    """The last word on an act: ``word`` is one of the five events, ``inputs`` a digest of what
    the step was made from when it was said. Of what was accepted, ``waiting`` is who has to let
    it through, what there is to say of it, and what to do.
    """

    word: str
    inputs: str
    waiting: tuple[str, str, str] = ("", "", "")


def intent_of(journal: Journal, task: str) -> Intent | None:
    """The last word on the task's act; None if it never began, or began and was void."""
    last: Intent | None = None
    for entry in journal.entries():
        if entry.get("task") == task and entry.get("event") in _WORDS:
            who, problem, remedy = (
                str(entry.get(name, "")) for name in ("who", "problem", "remedy")
            )
            last = Intent(str(entry["event"]), str(entry.get("inputs", "")), (who, problem, remedy))
    return None if last is None or last.word == VOID else last


def is_on_record(journal: Journal, task: str) -> bool:
    """Whether the task was done by the journal, and no person said since to do it again."""
    done = False
    for entry in journal.entries():
        if entry.get("task") == task and entry.get("event") in ("done", RETRY):
            done = entry["event"] != RETRY
    return done


def receipts_left(journal: Journal) -> dict[str, set[str]]:
    """The digests of all receipts that runs left by the journal, by task.

    A line of an earlier version names none: "" stands for it.
    """
    left: dict[str, set[str]] = {}
    for entry in journal.entries():
        if entry.get("event") == "done":
            left.setdefault(str(entry.get("task")), set()).add(str(entry.get("receipt", "")))
    return left


def seals(journal: Journal) -> frozenset[str]:
    """What the journal has as proofs that a run left a receipt; see ``Plan.seal_of``."""
    return frozenset(
        str(entry["seal"])
        for entry in journal.entries()
        if entry.get("event") == "done" and "seal" in entry
    )


def asked_for(journal: Journal, approval: str) -> set[str]:
    """All that runs asked people to approve by this name, and that people approved."""
    return {
        str(entry["subject"])
        for entry in journal.entries()
        if entry.get("task") == approval and "subject" in entry
    }


def inputs_digest(inputs: Mapping[str, str]) -> str:
    """One digest of all inputs, to know whether a word was said of the same ones."""
    return hashlib.sha256(json.dumps(dict(inputs), sort_keys=True).encode()).hexdigest()


def knows_all(journal: Journal, done: Iterable[str]) -> bool:
    """Whether the journal tells of every one of these finished tasks.

    One that was deleted or cut short cannot be asked whether a mail was sent.
    """
    recorded = {entry.get("task") for entry in journal.entries() if entry.get("event") == "done"}
    return recorded.issuperset(done)
