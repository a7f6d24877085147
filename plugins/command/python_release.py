"""PythonRelease: a release of Python, as the engine asks about it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.errors import SettingsError
from doit_receipts.typed import DODO, started_in, typed
from plugins.command.revision import tool_revision
from plugins.model.release import PROJECT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from doit_receipts.approval import ApprovalKeys
    from doit_receipts.finding import Waiver
    from plugins.model.obligations import Obligation
    from plugins.model.release import Release
    from plugins.model.settings import Settings
    from plugins.ports.programs import Programs

__all__ = ["PythonRelease"]


class PythonRelease:
    """The Project of one release: its settings, and the chapters of PEP 101."""

    name = PROJECT
    releaser = "RM"
    labels: Mapping[str, str] = {"pep": "PEP 101"}
    # The module of each chapter. Where it has a second one, such as base or go, the chapter
    # imports that, and its tasks come first.
    _of_files: Mapping[str, str] = {
        "before": "1 before anything",
        "heads_up": "2 heads-up",
        "clone": "3 the release clone",
        "commit": "4 the release commit",
        "hand_over": "5 hand over",
        "windows_build": "6 the Windows build",
        "docs_elsewhere": "6b documentation elsewhere",
        "build": "7 build and check",
        "elsewhere": "7b tests on other machines",
        "lights": "8 green lights",
        "stage": "9 stage and verify",
        "texts": "10 page and announcement",
        "merge": "11 merge back",
        "switch": "12 the go and the switch",
        "upstream": "13 push upstream",
        "rebuilds": "13b rebuilds",
        "website": "14 website and CDN",
        "evidence": "15 evidence",
        "manifest": "16 the manifest of all",
        "announce": "17 announce",
        "close": "18 close",
        "afterwards": "19 afterwards",
        "closing_archive": "20 the closing archive",
        "verify": "verify",
    }
    _of_a_phase: Mapping[str, str] = {
        "moment": "1 the moment and the words",
        "bugfix_mode": "2 begin bugfix mode",
        "security_only": "2 begin security-only mode",
        "end_of_life": "2 the end of the branch",
        "end_of_tracker": "3 the tracker of an ended series",
        "recorded": "4 recorded and announced",
        "closing_archive": "5 the closing archive",
        "verify": "verify",
    }

    def __init__(self, settings: Settings, release: Release, programs: Programs) -> None:
        self._settings = settings
        self._release = release
        self._programs = programs
        self.version = release.name
        self.chapters = self._of_a_phase if release.type.begins else self._of_files
        self.work: Path = release.layout.work
        self.rehearsal = release.rehearsal
        self.waivers: tuple[Waiver, ...] = settings.waivers
        self.declaration = settings.file.name
        self.people = (self.releaser, *(each.role for each in settings.experts))

    def __repr__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def headline(self) -> str:
        """``bugfix final, from 3.13``."""
        return f"{self._release.type.words}, from {self._release.branch}"

    def owes(self, obligation: Obligation) -> bool:
        """Whether a release of this kind and series owes it."""
        return obligation.is_of(self._release)

    def described(self, task: str, kind: str, words: Sequence[str]) -> Sequence[str]:
        """What the PEP asks for by these ids; those of other kinds of release in one line."""
        del kind
        # late: of all commands, only why and list --pep read what the PEP asks for
        from plugins.command.pep import described

        return described(self._release, task, words)

    def words(self) -> Collection[str]:
        """The ids of all rules."""
        from plugins.model.gate_rules import GATE_RULES
        from plugins.model.rules import RULES

        return {*RULES, *GATE_RULES}

    def explained(self, word: str) -> Mapping[str, Sequence[str]]:
        """What the PEP asks for by this id or in this line of its text, ``line:213``; or a rule."""
        from plugins.command.pep import explained
        from plugins.model.gate_rules import GATE_RULES
        from plugins.model.published_remedies import PUBLISHED
        from plugins.model.rules import RULES

        rule = RULES.get(word) or GATE_RULES.get(word)
        if rule is None:
            return explained(word)
        waiver = "can be waived" if rule.waivable else "cannot be waived"
        lines = [rule.holds, f"else          {rule.remedy}"]
        lines += [f"published     {PUBLISHED[word]}"] if word in PUBLISHED else []
        lines += [f"              it {waiver}"]
        return {word: [*lines, f"source        {rule.source}"] if rule.source else lines}

    def roster(self, who: str) -> tuple[str, ...]:
        """The keys that may approve as ``who``. Raises SettingsError if there are none."""
        signing = self._settings.signing
        if who == self.releaser:
            keys: tuple[str, ...] = (signing.gpg_key,) if signing.gpg_key else ()
            wanted = "[signing] gpg_key"
        else:
            experts = self._settings.experts
            keys = next((expert.keys for expert in experts if expert.role == who), ())
            wanted = f"[experts.{who}]"
        if not keys:
            raise SettingsError(
                where=self._settings.file.name,
                problem=f"{wanted} names no key that may approve",
                remedy=f"write the full fingerprint of the key of {who} there",
            )
        return keys

    def approval_keys(self) -> ApprovalKeys:
        """The keyring that release.toml names."""
        # late: python-gnupg is needed by those who approve, not by a listing
        from plugins.command.approval_keys import KeyringOfApprovals

        return KeyringOfApprovals(self._settings.signing.gnupg_home)

    def revision(self) -> str:
        """The commit that the tool runs from; asked once."""
        return self._revision

    @cached_property
    def _revision(self) -> str:
        return tool_revision(self._programs)

    def command(self, *words: str) -> str:
        """The words to type for a command of doit, for the release that is open now."""
        from plugins.command.release_file import RELEASE_FILE

        plain = typed(*words)
        chosen, here = RELEASE_FILE.get(), started_in()
        if chosen is None:
            return plain
        import shlex

        from plugins.services.environment import exported

        named = exported("PEP101_RELEASE")
        if named and here / Path(named).expanduser() == chosen:
            return plain
        shown = shlex.quote(
            str(chosen.relative_to(here) if chosen.is_relative_to(here) else chosen)
        )
        if DODO.get() is not None:
            # In another folder doit's own list knows no --release, and would not even read dodo.py.
            return f"PEP101_RELEASE={shown} {plain}"
        return f"{plain} --release {shown}"
