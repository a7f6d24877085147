"""Workers: other people's machines make the archives again, and their word goes into the ledger.

Each entry has the form of ``doit rebuild``: SHA256SUMS and the person's signature. Whether it
agrees with the release is for ``check_rebuilds``; only what a person of the roster signed is kept.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import ServiceFailed, SettingsError, StepFailed
from doit_receipts.outside import Unanswered
from plugins.model.action import rebuild_action
from plugins.model.answer import answer_of
from plugins.model.ledger import SIGNATURE, SUMS, entry_folder

if TYPE_CHECKING:
    from doit_receipts.journal import Journal
    from plugins.model.answer import Answer
    from plugins.model.rebuild_settings import Rebuilds
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signature, Verifier
    from plugins.ports.workers import Workers

__all__ = ["ask"]

_APART: Final = timedelta(minutes=10)
"""How far two clocks may be apart. Also how long a certificate of Sigstore is good."""


def ask(
    release: Release,
    rebuilds: Rebuilds,
    workers: Workers,
    verifier: Verifier,
    journal: Journal,
    progress: Progress,
    clock: Clock,
    *,
    commit: str,
) -> dict[str, str]:
    """The ledger has what each worker got from the tag, signed by its owner; facts: who by key.

    Each is asked, and what others answered is kept; then comes the error of the first that did not
    do, with what was wrong with the others below it: ServiceFailed for a worker that does not
    answer, and StepFailed for an answer about something else, that nobody signed whose key is in
    ``[rebuilds]``, or by the name of another person. Raises SettingsError without a ledger.
    """
    if rebuilds.ledger is None:
        raise SettingsError(
            where="[farm] workers",
            problem="are named, and there is no ledger for their answers",
            remedy='write ledger = "FOLDER" and their owners\' keys below [rebuilds]',
        )
    facts: dict[str, str] = {}
    failed: list[ServiceFailed | StepFailed] = []
    for where in workers.addresses():
        progress.say(f"waiting for {where} to make the archives again")
        try:
            who, key = _asked(where, release, rebuilds.ledger, rebuilds, workers, verifier, clock,
                              commit=commit)  # fmt: skip
        except (ServiceFailed, StepFailed) as error:
            failed.append(error)
            continue
        except Unanswered:
            # A plan: the others are asked too, whatever this one will answer.
            continue
        journal.append("elsewhere", task="ask_workers", platform=where, run=who)
        facts[who] = key
    if failed:
        failed[0].details += tuple(str(each) for each in failed[1:])
        raise failed[0]
    return facts


def _asked(
    where: str,
    release: Release,
    ledger: Path,
    rebuilds: Rebuilds,
    workers: Workers,
    verifier: Verifier,
    clock: Clock,
    *,
    commit: str,
) -> tuple[str, str]:
    """Who answered and by which key; the ledger has it. Raises ServiceFailed and StepFailed."""
    action = rebuild_action(release, commit=commit)
    names = tuple(path.name for path in release.layout.tarballs)
    asked = clock.now()
    answer = answer_of(workers.answer(where, action.to_bytes()), action, names, where)
    signature = _signed(answer, rebuilds, verifier, where)
    _refuse_clock(signature.made_s, asked, clock.now(), where)
    folder = entry_folder(ledger, str(release.version), answer.who)
    _refuse_anothers(folder, answer.who, signature.fingerprint, verifier, where)
    _keep(answer, folder, where)
    return answer.who, signature.fingerprint


def _signed(answer: Answer, rebuilds: Rebuilds, verifier: Verifier, where: str) -> Signature:
    with tempfile.TemporaryDirectory(prefix="pep101-answer-") as room:
        sums, signature = Path(room) / SUMS, Path(room) / SIGNATURE
        sums.write_text(answer.sums, encoding="ascii")
        signature.write_text(answer.signature, encoding="utf-8")
        found = verifier.verify_by(sums, signature, rebuilds.people(""))
    if found.problem:
        raise StepFailed(
            where=where,
            problem=f"the signature of its answer does not count: {found.problem}",
            remedy="name the key of its owner in [rebuilds] keys, once you have compared it with"
            " them; nothing of it was kept",
        )
    return found


def _refuse_clock(made_s: int, asked: datetime, now: datetime, where: str) -> None:
    """It was signed since it was asked for, by clocks that differ by ten minutes at most.

    A later date would make it count after its key has expired or was revoked.
    """
    made = datetime.fromtimestamp(made_s, UTC)
    if not asked - _APART <= made <= now + _APART:
        raise StepFailed(
            where=where,
            problem=f"its answer was signed at {made:%Y-%m-%d %H:%M} UTC by its clock, and asked "
            f"for at {asked:%Y-%m-%d %H:%M} UTC",
            remedy="ask its owner to set the clock there, or set the one here; nothing of it was"
            " kept",
        )


def _refuse_anothers(folder: Path, who: str, key: str, verifier: Verifier, where: str) -> None:
    """What somebody else signed stays: who answers chooses the name, and not the key."""
    signature = folder / SIGNATURE
    if signature.exists() and verifier.verify_by(folder / SUMS, signature, (key,)).problem:
        raise StepFailed(
            where=where,
            problem=f"calls itself {who}, whose entry in the ledger its key {key} did not sign",
            remedy=f"ask its owner for another --who; or, if {folder} is theirs, move it away and"
            " run the same command again",
        )


def _keep(answer: Answer, folder: Path, where: str) -> None:
    sums = folder / SUMS
    if sums.exists() and sums.read_bytes() != answer.sums.encode():
        raise StepFailed(
            where=where,
            problem=f"got other digests than {sums} says",
            remedy="find out which program differs there, then move that file away and run the"
            " same command again",
            details=tuple(answer.sums.splitlines()),
        )
    write_whole(sums, answer.sums.encode())
    write_whole(folder / SIGNATURE, answer.signature.encode())
