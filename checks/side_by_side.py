"""Side by side: every group of checks is judged beside the others, and none waits for another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from plugins.model.report import Judgement

if TYPE_CHECKING:
    from checks.verify_context import CheckGroup
    from plugins.ports.progress import Progress

__all__ = ["judged"]

_LANES: Final = 8


def judged(groups: list[CheckGroup], progress: Progress) -> tuple[Judgement, ...]:
    """Every group beside the others; within one, check after check."""

    def walk(group: CheckGroup) -> Judgement:
        found: list[Finding] = []
        for check in group.checks:
            try:
                found += check()
            except ReleaseError as error:
                found.append(
                    Finding(group.blind, Severity.BLOCK, error.problem, error.where, error.remedy)
                )
        progress.say(f"{group.subject}: {len(found) or 'no'} findings")
        return Judgement(group.subject, group.looked_at, tuple(dict.fromkeys(found)))

    with ThreadPoolExecutor(_LANES, thread_name_prefix="judge") as pool:
        return tuple(pool.map(walk, groups))
