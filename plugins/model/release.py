"""Release and ReleaseType: everything that is known about a release before it starts."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from plugins.model.series import Series, ships_docs
from plugins.model.version import Level, Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.layout import Layout

__all__ = ["KIND_NAMES", "PROJECT", "Phase", "Release", "ReleaseType", "known_phase", "type_of"]

PROJECT: Final = "Python"
"""What is released, as receipts name it."""


class Phase(Enum):
    """Where a branch is in its life, in the words of the developer's guide."""

    FEATURE = "feature"
    PRERELEASE = "prerelease"
    BUGFIX = "bugfix"
    SECURITY = "security"
    END_OF_LIFE = "end-of-life"


class ReleaseType(Enum):
    """The kinds of release of PEP 101, "Types of Releases" (R01); values are the inventory's."""

    ALPHA = "A"
    NEW_BRANCH = "NB"
    BETA = "B"
    FIRST_CANDIDATE = "RC1"
    CANDIDATE = "RC2+"
    FEATURE_FINAL = "FM"
    BUGFIX_FINAL = "FX"
    SECURITY_FINAL = "SEC"
    SECURITY_CANDIDATE = "SEC-RC"
    BEGIN_BUGFIX = "BBF"
    BEGIN_SECURITY = "BSEC"
    END_OF_LIFE = "EOL"

    @property
    def is_final(self) -> bool:
        """Whether this is a release that is not followed by another of the same X.Y.Z."""
        return self in (
            ReleaseType.FEATURE_FINAL,
            ReleaseType.BUGFIX_FINAL,
            ReleaseType.SECURITY_FINAL,
        )

    @property
    def begins(self) -> Phase | None:
        """The phase that a branch enters where nothing else is done; None if files are made."""
        return {
            ReleaseType.BEGIN_BUGFIX: Phase.BUGFIX,
            ReleaseType.BEGIN_SECURITY: Phase.SECURITY,
            ReleaseType.END_OF_LIFE: Phase.END_OF_LIFE,
        }.get(self)

    @property
    def words(self) -> str:
        """Its name as a person says it, such as ``bugfix final`` or ``begin security-only``."""
        return KIND_NAMES.get(self, self.name.lower().replace("_", " ")).replace("begin-", "begin ")


KIND_NAMES: Final[Mapping[ReleaseType, str]] = {
    ReleaseType.BEGIN_BUGFIX: "begin-bugfix",
    ReleaseType.BEGIN_SECURITY: "begin-security-only",
    ReleaseType.END_OF_LIFE: "end-of-life",
}
"""What ``kind`` is called in release.toml, of those that are about a series and no version."""


@frozen
class Release:
    """One release: its version, its type, what its series ships and where its files are.

    Where only the phase of a branch changes, ``version`` is X.Y.0 and stands for the series.
    """

    version: Version
    type: ReleaseType
    series: Series
    layout: Layout
    rehearsal: bool = False
    foreign_tree: bool = False
    """Whether the tree of a rehearsal is not our own; that of any other release never is."""

    @property
    def is_toy(self) -> bool:
        """Whether what its tree brings to be run is written by us, and comes with this tool."""
        return self.rehearsal and not self.foreign_tree

    @property
    def name(self) -> str:
        """``3.14.0rc1``, or ``3.12-end-of-life`` where only the phase of a branch changes."""
        kind = KIND_NAMES.get(self.type)
        return f"{self.version.series}-{kind}" if kind else str(self.version)

    @property
    def branch(self) -> str:
        """The branch of python/cpython that it is made from: ``main`` up to the first beta."""
        on_main = self.type in (ReleaseType.ALPHA, ReleaseType.NEW_BRANCH)
        return "main" if on_main else self.version.series

    @property
    def merge_branches(self) -> tuple[str, ...]:
        """The branches of upstream that it changes, the one it merges into first."""
        if self.type is ReleaseType.NEW_BRANCH:
            return (self.branch, self.version.series)
        return (self.branch,)

    @property
    def ships_docs(self) -> bool:
        """Whether documentation archives are built (release candidates and finals)."""
        return ships_docs(self.version)

    @property
    def ships_binaries(self) -> bool:
        """Whether experts make installers; security releases are source only (PEP 101)."""
        return self.type not in (
            ReleaseType.SECURITY_FINAL,
            ReleaseType.SECURITY_CANDIDATE,
            *KIND_NAMES,
        )

    @property
    def signs_with_gpg(self) -> bool:
        """Whether archives and tag carry OpenPGP signatures (PEP 761)."""
        return self.series.signs_with_gpg

    @property
    def sboms(self) -> tuple[Path, ...]:
        """``<archive>.spdx.json`` beside each source archive, as python.org names it, if any."""
        if not self.series.ships_sbom:
            return ()
        return tuple(each.with_name(f"{each.name}.spdx.json") for each in self.layout.tarballs)


def known_phase(version: Version, series: Series) -> Phase | None:
    """The phase that the branch is in when this version is made, as far as it is known here.

    None for X.Y.0 and all that leads to it, whose version says enough. Source: the schedule of
    ``TABLE_DAY``; the check ``release.phase`` compares it with that of the day.
    """
    if not version.micro:
        return None
    is_source_only = 0 < series.source_only_since <= version.micro
    return Phase.SECURITY if is_source_only else Phase.BUGFIX


def type_of(version: Version, phase: Phase | None = None) -> ReleaseType:
    """Classify a version that is released while its branch is in ``phase`` (R01).

    Without a phase, an X.Y.Z with Z > 0 is a bugfix release or a candidate for one; X.Y.Zrc1 with
    Z > 0 begins no phase of candidates (PEP 745, 3.14.5rc1). Raises SettingsError when version and
    phase contradict each other.
    """
    allowed: tuple[Phase, ...]
    is_source_only = phase in (Phase.SECURITY, Phase.END_OF_LIFE)
    match version.level, version.serial:
        case Level.ALPHA, 0:
            raise SettingsError(
                where="version",
                problem=f"{version} is the version of a new main branch and is never released",
                remedy=f"the first alpha is {version.folder}a1",
            )
        case Level.ALPHA, _:
            kind, allowed = ReleaseType.ALPHA, (Phase.FEATURE,)
        case Level.BETA, 1:
            kind, allowed = ReleaseType.NEW_BRANCH, (Phase.FEATURE, Phase.PRERELEASE)
        case Level.BETA, _:
            kind, allowed = ReleaseType.BETA, (Phase.PRERELEASE,)
        case Level.CANDIDATE, serial:
            if version.micro:
                kind = ReleaseType.SECURITY_CANDIDATE if is_source_only else ReleaseType.CANDIDATE
                allowed = (Phase.BUGFIX, Phase.SECURITY, Phase.END_OF_LIFE)
            else:
                kind = ReleaseType.FIRST_CANDIDATE if serial == 1 else ReleaseType.CANDIDATE
                allowed = (Phase.PRERELEASE,)
        case _ if not version.micro:
            kind, allowed = ReleaseType.FEATURE_FINAL, (Phase.PRERELEASE, Phase.BUGFIX)
        case _:
            kind = ReleaseType.SECURITY_FINAL if is_source_only else ReleaseType.BUGFIX_FINAL
            allowed = (Phase.BUGFIX, Phase.SECURITY, Phase.END_OF_LIFE)
    if phase is not None and phase not in allowed:
        raise SettingsError(
            where="[series] phase",
            problem=f"{version} is not released while its branch is in phase {phase.value}",
            remedy=f"write {' or '.join(repr(each.value) for each in allowed)}, or leave it out",
        )
    return kind
