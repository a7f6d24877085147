"""Side by side: every group of checks is judged beside the others, and none waits for another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import counted
from plugins.model.published_remedies import PUBLISHED
from plugins.model.report import Judgement

if TYPE_CHECKING:
    from checks.verify_context import CheckGroup
    from plugins.ports.progress import Progress

__all__ = ["judged"]

_LANES: Final = 8


def judged(
    groups: list[CheckGroup], progress: Progress, *, published: bool = False
) -> tuple[Judgement, ...]:
    """Every group beside the others; within one, check after check.

    What is ``published`` is mended otherwise: to make it again helps nobody who has it.
    """

    def walk(group: CheckGroup) -> Judgement:
        found: list[Finding] = []
        for check in group.checks:
            try:
                found += map(_for_users, check()) if published else check()
            except ReleaseError as error:
                found.append(
                    Finding(group.blind, Severity.BLOCK, error.problem, error.where, error.remedy)
                )
        progress.say(f"{group.subject}: {counted(len(found), 'finding')}")
        return Judgement(group.subject, group.looked_at, tuple(dict.fromkeys(found)))

    with ThreadPoolExecutor(_LANES, thread_name_prefix="judge") as pool:
        return tuple(pool.map(walk, groups))


def _for_users(finding: Finding) -> Finding:
    """The finding, with what to do where users have it; what was not seen is looked at again."""
    if finding.remedy.endswith("run the same command again"):
        return finding
    return replace(finding, remedy=PUBLISHED.get(finding.rule, finding.remedy))
