"""The opening of a release: from release.toml to its values, its plan and its services."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from doit_receipts.errors import SettingsError
from doit_receipts.journal import Journal
from doit_receipts.plan import Plan
from doit_receipts.run_context import RunContext, StepLog, SystemClock
from doit_receipts.runner import perform
from doit_receipts.state import State
from plugins.command.judging import judge
from plugins.command.opened_services import Services
from plugins.command.revision import tool_revision
from plugins.model.settings import read_settings, release_of

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.settings import Settings

__all__ = ["OPENED", "RELEASE_FILE", "OpenRelease", "open_release"]

RELEASE_FILE: ContextVar[Path | None] = ContextVar("RELEASE_FILE", default=None)
"""The file that --release or PEP101_RELEASE chose; None for the one beside dodo.py."""


OPENED: ContextVar[OpenRelease] = ContextVar("OPENED")
"""The release of this process, for the parts that doit makes itself (its reporter)."""


class OpenRelease(NamedTuple):
    """A release that tasks can be declared for."""

    release: Release
    settings: Settings
    plan: Plan
    services: Services


def open_release(default: Path) -> OpenRelease:
    """Read the declaration and make everything that dodo.py needs; nothing is connected.

    Wrong settings end the command with exit status 3 and a line for each mistake.
    """
    from doit.exceptions import InvalidDodoFile

    path = RELEASE_FILE.get() or default
    try:
        settings = read_settings(path)
        release = release_of(settings)
    except SettingsError as error:
        raise InvalidDodoFile("\n".join((str(error), *error.details))) from error
    log, clock = StepLog(release.layout), SystemClock()
    services = Services(settings, release, log, clock)
    context = RunContext(
        log=log,
        journal=Journal(release.layout.journal, clock),
        clock=clock,
        waivers=settings.waivers,
        judge_approval=lambda task, subject: judge(settings, release, task, subject),
        perform=perform,
        revision=lambda: tool_revision(services.programs),
    )
    plan = Plan(release, State(release.layout.state), context)
    opened = OpenRelease(release, settings, plan, services)
    OPENED.set(opened)
    return opened
