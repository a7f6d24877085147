"""The opening of a release: from release.toml to its values, its plan and its services."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from doit_receipts.clock import SystemClock
from doit_receipts.errors import SettingsError
from doit_receipts.handover import go_on_with_own_commands
from doit_receipts.opening import open_plan
from doit_receipts.run_context import StepLog
from plugins.command.checkout import refuse_foreign_environment
from plugins.command.opened_services import Services
from plugins.command.python_release import PythonRelease
from plugins.command.release_file import RELEASE_FILE
from plugins.model.settings import read_settings, release_of

if TYPE_CHECKING:
    from pathlib import Path

    from doit_receipts.plan import Plan
    from plugins.model.release import Release
    from plugins.model.settings import Settings

__all__ = ["OpenRelease", "open_release", "opened"]

_OPENED: ContextVar[OpenRelease] = ContextVar("opened release")


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

    refuse_foreign_environment()
    go_on_with_own_commands()
    path, clock = RELEASE_FILE.get() or default, SystemClock()
    try:
        settings = read_settings(path, clock.now().date())
        release = release_of(settings)
    except SettingsError as error:
        raise InvalidDodoFile("\n".join((str(error), *error.details))) from error
    log = StepLog(release.layout)
    services = Services(settings, release, log, clock)
    plan = open_plan(PythonRelease(settings, release, services.programs), clock, log)
    plan.context.lend = services.lend
    plan.context.notify = services.notify
    plan.context.place = services.place
    plan.context.declared_in = (path, *([settings.train.file] if settings.train else ()))
    found = OpenRelease(release, settings, plan, services)
    _OPENED.set(found)
    return found


def opened() -> OpenRelease:
    """The release that dodo.py opened, for its chapters."""
    return _OPENED.get()
