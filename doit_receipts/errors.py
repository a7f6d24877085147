"""Errors that a release manager can act on.

::

    ReleaseError            what failed, where, found and wanted, what to do next: one line
    ├── SettingsError       what is declared, or an option, is wrong; nothing was done
    │   └── BadVersion      a version that is none
    ├── StepFailed          a step could not do its work; what it left is as before or said here
    ├── ServiceFailed       a program or a host behind a port did not answer or refused
    │   └── NothingDone     and it is certain that it did nothing of what was asked
    ├── AlreadyPublished    a public step would be done a second time with other inputs
    └── Waiting             nothing is wrong, but somebody else has to act first
        ├── NotYet          and it is certain that nothing was done so far
        └── LetThrough      and all that is ours to do is done: it is not done again

Anything else that is raised is a bug and shows its traceback.
"""

from __future__ import annotations

from doit_receipts.printable import printable

__all__ = [
    "AlreadyPublished",
    "BadVersion",
    "LetThrough",
    "NotYet",
    "NothingDone",
    "ReleaseError",
    "ServiceFailed",
    "SettingsError",
    "StepFailed",
    "Waiting",
]


class ReleaseError(Exception):
    """A release cannot go on, and the message says what to do about it.

    The message is ``where: problem; remedy`` on one line. Lines that help (the end of a
    log, both sides of a difference) are in ``details`` and are shown below it. All of it is
    printable, whoever wrote its parts.
    """

    def __init__(
        self, *, problem: str, where: str = "", remedy: str = "", details: tuple[str, ...] = ()
    ) -> None:
        where, problem, remedy = map(printable, (where, problem, remedy))
        self.where = where
        self.problem = problem
        self.remedy = remedy
        self.details = tuple(map(printable, details))
        head = f"{where}: {problem}" if where else problem
        super().__init__(f"{head}; {remedy}" if remedy else head)


class SettingsError(ReleaseError):
    """The declaration of the release is wrong; nothing was started (exit status 3)."""


class BadVersion(SettingsError):
    """A text that the project does not know as a version."""


class StepFailed(ReleaseError):
    """A step stopped; the message says what it left behind, if anything."""


class ServiceFailed(ReleaseError):
    """A program or host failed: ``service`` is its name, ``action`` what was asked of it."""

    def __init__(
        self,
        *,
        service: str,
        action: str,
        problem: str,
        remedy: str = "",
        details: tuple[str, ...] = (),
    ) -> None:
        self.service = service
        self.action = action
        super().__init__(
            where=service, problem=f"{action}: {problem}", remedy=remedy, details=details
        )


class NothingDone(ServiceFailed):
    """The host refused, or was not reached, before anything was done: to ask again is safe.

    Only this lets a step that cannot look (a mail) be tried again without a person.
    """


class AlreadyPublished(ReleaseError):
    """Users have seen this step's work already, and its inputs are no longer those."""


class Waiting(ReleaseError):
    """``who`` has to act before this step can be done (exit status 4 if nothing failed)."""

    def __init__(
        self, *, who: str, problem: str, remedy: str = "", details: tuple[str, ...] = ()
    ) -> None:
        self.who = who
        super().__init__(
            where=f"waiting for {who}", problem=problem, remedy=remedy, details=details
        )

    @property
    def what(self) -> str:
        """What there is to wait for, and to do, in a line that does not name who does it."""
        return f"{self.problem}; {self.remedy}" if self.remedy else self.problem


class NotYet(Waiting):
    """The host put us off before anything was done: to ask again, once it lets us, is safe."""


class LetThrough(Waiting):
    """An act was accepted, and is to be seen only once ``who`` has let it through.

    The journal keeps that: until a look sees it, or a person says otherwise, the step waits, and
    does not act again.
    """
