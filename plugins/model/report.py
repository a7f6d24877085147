"""Report: what a verification looked at, subject by subject, and all that it found."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from doit_receipts.finding import Severity, blocking
from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from doit_receipts.finding import Finding, Waiver

__all__ = ["Judgement", "Report", "Situation", "Wanted"]


class Situation(Enum):
    """How far a release has come, as anybody can see it; it decides what has to hold."""

    NOTHING = "nothing"
    LOCAL = "local"
    STAGED = "staged"
    SWITCHED = "switched"
    """The files are public; tag, website and pages are not looked at."""
    PUBLISHED = "published"
    ARCHIVED = "archived"
    """What is judged is the closing archive, beside what is public now."""

    @property
    def described(self) -> str:
        """The same in a few words."""
        return {
            Situation.NOTHING: "no local artifacts, nothing is published",
            Situation.LOCAL: "local artifacts only, nothing is published",
            Situation.STAGED: "staged on the downloads host, not yet visible",
            Situation.SWITCHED: "files are public; website and tag are not judged",
            Situation.PUBLISHED: "published",
            Situation.ARCHIVED: "its closing archive, compared with what is public now",
        }[self]


@frozen
class Judgement:
    """One subject: ``looked_at`` says what was looked at, so that "nothing found" has a meaning."""

    subject: str
    looked_at: str
    findings: tuple[Finding, ...] = ()


@frozen
class Report:
    """Everything that was looked at; the waivers are those that hold today."""

    version: str
    kind: str
    situation: Situation
    judgements: tuple[Judgement, ...]
    waivers: tuple[Waiver, ...] = ()
    not_known: tuple[str, ...] = ()
    """What nobody could look at, or that is believed, in a sentence each."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them once, the worst first."""
        found = {finding for each in self.judgements for finding in each.findings}
        return tuple(sorted(found, key=lambda each: (-each.severity, each)))

    def stopping(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Those of the findings that are in the way."""
        return blocking(findings, self.waivers)

    @property
    def holds(self) -> bool:
        """Whether anybody may trust this release."""
        return not self.stopping(self.findings)

    def waiver_of(self, finding: Finding) -> Waiver | None:
        """The waiver that lets a blocking finding pass, if one does."""
        if finding.severity is not Severity.BLOCK:
            return None
        return next((each for each in self.waivers if each.rule == finding.rule), None)


@frozen
class Wanted:
    """How to look: by default at the situation that is recognised, believing what was seen before.

    With ``evidence`` the release has to have signed statements beside it. ``keys`` are files of
    public keys that count in place of the declared keyring.
    """

    situation: Situation | None = None
    rebuild: bool = False
    fresh: bool = False
    evidence: bool = False
    keys: tuple[Path, ...] = ()
