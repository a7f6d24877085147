"""Project: what the engine asks of whoever makes a release with it."""

from __future__ import annotations

import functools
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from doit_receipts.typed import typed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from doit_receipts.approval import ApprovalKeys
    from doit_receipts.finding import Waiver

__all__ = ["Project", "Release"]


class Project(Protocol):
    """One release of one project, as far as the engine has to know it."""

    @property
    def name(self) -> str:
        """What is released, as people say it."""
        ...

    @property
    def version(self) -> str:
        """The version, as text."""
        ...

    @property
    def headline(self) -> str:
        """What kind of release it is, in a few words; stands behind name and version."""
        ...

    @property
    def work(self) -> Path:
        """The work folder of this release, and of no other."""
        ...

    @property
    def rehearsal(self) -> bool:
        """Whether nothing real is touched; receipts of the two kinds never meet."""
        ...

    @property
    def chapters(self) -> Mapping[str, str]:
        """The chapters in the order of reading: their keys and titles."""
        ...

    @property
    def labels(self) -> Mapping[str, str]:
        """What the kinds of labels are called where a task is explained."""
        ...

    def described(self, task: str, kind: str, words: Sequence[str]) -> Sequence[str]:
        """What a task's labels of this kind stand for, in lines to be read; it may have none."""
        ...

    def words(self) -> Collection[str]:
        """Words beside labels that ``explained`` knows, such as ids of rules; for completion."""
        ...

    def explained(self, word: str) -> Mapping[str, Sequence[str]]:
        """The labels that a word stands for, itself or others, with lines about each.

        The first line is what the label means. Empty for a word that stands for nothing.
        """
        ...

    @property
    def declaration(self) -> str:
        """The file, as messages name it, in which settings and waivers are written."""
        ...

    @property
    def people(self) -> Collection[str]:
        """The words for those who may approve at all; an approval by another is refused."""
        ...

    @property
    def releaser(self) -> str:
        """The word for whoever makes the release: asked for what nobody else can know."""
        ...

    @property
    def waivers(self) -> Sequence[Waiver]:
        """All that are declared; whether one holds today is the engine's to say."""
        ...

    def roster(self, who: str) -> tuple[str, ...]:
        """The keys that may approve as ``who``. Raises SettingsError if there are none."""
        ...

    def approval_keys(self) -> ApprovalKeys:
        """Whoever signs and verifies approvals; asked for when one is needed, and not before."""
        ...

    def revision(self) -> str:
        """The revision of what makes the release, for the journal."""
        ...

    def command(self, *words: str) -> str:
        """The words to type for a command about this release: ``doit why build``."""
        ...


@frozen
class Release:
    """A Project for those who need no more than values.

    ``experts`` are the full fingerprints of the OpenPGP keys of each person who approves, by the
    word that ``plan.approval(who=…)`` uses, whoever makes the release first; ``keyring`` is a
    GnuPG home, None for the person's own.
    ``declaration`` is the file that messages name where something in it has to change.
    """

    name: str
    version: str
    work: Path
    headline: str = ""
    rehearsal: bool = False
    chapters: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    waivers: Sequence[Waiver] = ()
    experts: Mapping[str, Collection[str]] = field(default_factory=dict)
    keyring: Path | None = None
    declaration: str = "dodo.py"

    @property
    def people(self) -> tuple[str, ...]:
        """Those who have a key."""
        return tuple(who for who, keys in self.experts.items() if keys)

    def described(self, task: str, kind: str, words: Sequence[str]) -> Sequence[str]:
        """The labels themselves: a small project has no more to say of them."""
        del task, kind
        return (", ".join(words),) if words else ()

    def words(self) -> Collection[str]:
        """None: a small project has labels and nothing else."""
        return ()

    def explained(self, word: str) -> Mapping[str, Sequence[str]]:
        """Nothing: a label of a small project is what it says."""
        del word
        return {}

    @property
    def releaser(self) -> str:
        """The first of ``experts``."""
        return next(iter(self.experts), "whoever releases")

    def roster(self, who: str) -> tuple[str, ...]:
        """The keys that may approve as ``who``. Raises SettingsError if there are none."""
        keys = tuple(self.experts.get(who, ()))
        if not keys:
            raise SettingsError(
                where=self.declaration,
                problem=f"no key is named that may approve as {who}",
                remedy=f'write the full fingerprint of their key: experts={{"{who}": ["…"]}}',
            )
        return keys

    def approval_keys(self) -> ApprovalKeys:
        """GnuPG, over the keyring."""
        # late: a listing needs no keys
        from doit_receipts.openpgp import GnuPG

        return GnuPG(self.keyring)

    def revision(self) -> str:
        """The version of the engine: a small project's tool is its dodo.py."""
        return _engine_version()

    def command(self, *words: str) -> str:
        """The words to type."""
        return typed(*words)


@functools.cache
def _engine_version() -> str:
    # late: the metadata of packages are read for the journal, and once
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"doit-receipts {version('doit-receipts')}"
    except PackageNotFoundError:
        return "doit-receipts, from its source"
