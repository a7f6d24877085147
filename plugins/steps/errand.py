"""Errand: actions that were asked of other machines, and how far each of them is.

What counts is what the workflow of ``[farm]`` states of the action, as Sigstore confirms it. Which
run does it is found by the run's title, which has the action's digest in it, or by the id that was
kept here; a run that somebody else asked for is as good as our own.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.durable import write_whole
from doit_receipts.frozen import frozen
from plugins.model.attested import PREDICATE_TYPE, Attested, attested
from plugins.model.strict_json import BrokenJson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from plugins.model.action import Action
    from plugins.model.farm_settings import Farm
    from plugins.model.layout import Layout
    from plugins.ports.machines import Machines, StepRun
    from plugins.ports.statements import StatementVerifier

__all__ = ["Errand", "Found"]

_NOT_LISTED: Final = timedelta(minutes=15)
"""How long a run that was asked for may be missing in the list of all runs."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@frozen
class Found:
    """How far one action is: what counts, or the run that does it; and what does not count."""

    action: Action
    done: Attested | None = None
    bundle: bytes = b""
    run: StepRun | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)
    """Which run was asked for from here, and when: ``run`` and ``at``."""
    refused: tuple[str, ...] = ()
    """Why statements of it do not count, a line each."""

    def is_under_way(self, now: datetime) -> bool:
        """Whether a run is doing it, or was asked for so lately that GitHub may not list it yet.

        One that ended, and stated nothing that counts, is not.
        """
        return not self.is_lost(now) if self.run is None else not self.run.conclusion

    def asked_at(self) -> datetime:
        """When its run was asked for; long ago where nobody knows."""
        text = self.run.asked if self.run is not None else self.asked.get("at", "")
        with suppress(ValueError):
            found = datetime.fromisoformat(text)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
        return _LONG_AGO

    def is_lost(self, now: datetime) -> bool:
        """Whether the run that was asked for is not there, and will not come any more."""
        if self.run is not None:
            return False
        return bool(self.asked.get("run")) or now - self.asked_at() > _NOT_LISTED


@frozen
class Errand:
    """Actions, the machines that are asked for them, and who may state that they were done."""

    layout: Layout
    farm: Farm
    actions: tuple[Action, ...]
    machines: Machines
    sigstore: StatementVerifier

    def look(self) -> tuple[Found, ...]:
        """How far each action is now. Runs are looked at only while one of them is not done."""
        found = [self._word(action) for action in self.actions]
        if all(each.done is not None for each in found):
            return tuple(found)
        runs, kept = self.machines.runs(), self._kept()
        return tuple(
            each if each.done is not None else self._under_way(each, runs, kept) for each in found
        )

    def keep_asked(self, action: Action, run: int, now: datetime) -> None:
        """Which run was asked for is known here, also while GitHub's list lacks it.

        With 0 for ``run`` one is being asked for: it may exist from now on.
        """
        asked = {"run": run, "at": now.isoformat(timespec="seconds")}
        self._keep({**self._kept(), action.digest: asked})

    def forget_asked(self, action: Action) -> None:
        """No run was asked for the action."""
        self._keep({key: each for key, each in self._kept().items() if key != action.digest})

    def proved(self, bundle: bytes, action: Action) -> Attested:
        """What the workflow states of the action, and Sigstore confirms.

        Raises BrokenJson, whose text says which proof is missing: Sigstore's, the workflow's
        identity, a claim of its certificate, the predicate or the action.
        """
        stated = self.sigstore.verify_statement(
            bundle, self.farm.signer, self.farm.claims, ours=False
        )
        if stated.signature.problem:
            raise BrokenJson(stated.signature.problem)
        return attested(stated.payload, action)

    def _word(self, action: Action) -> Found:
        refused = []
        for bundle in self.machines.attestations(action.digest, PREDICATE_TYPE):
            try:
                return Found(action, self.proved(bundle, action), bundle)
            except BrokenJson as error:
                refused.append(str(error))
        return Found(action, refused=tuple(refused))

    def _under_way(
        self, found: Found, runs: Sequence[StepRun], kept: Mapping[str, Mapping[str, Any]]
    ) -> Found:
        """The newest run of the action that goes on is the one that counts, or else the newest."""
        digest = found.action.digest
        asked = kept.get(digest, {})
        of_it = [run for run in runs if digest in run.title.split()]
        run = next((run for run in of_it if not run.conclusion), of_it[0] if of_it else None)
        if run is None and asked.get("run"):
            run = self.machines.run(asked["run"])
        if run is not None and run.conclusion == "success":
            # It may have ended, and stated so, since the statements were looked at.
            found = self._word(found.action)
            if found.done is not None:
                return found
        return Found(found.action, run=run, asked=asked, refused=found.refused)

    @property
    def _file(self) -> Path:
        return self.layout.elsewhere / "runs.json"

    def _keep(self, kept: Mapping[str, Mapping[str, Any]]) -> None:
        content = json.dumps(kept, indent=1, sort_keys=True)
        write_whole(self._file, content.encode() + b"\n")

    def _kept(self) -> dict[str, dict[str, Any]]:
        """Which run was asked for each action, by its digest: a hint that may be lost."""
        try:
            found = json.loads(self._file.read_bytes())
            return {key: each for key, each in found.items() if isinstance(each, dict)}
        except (OSError, ValueError, AttributeError, RecursionError):
            return {}
