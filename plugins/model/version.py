"""Version and Level: the one parser of release versions, and their true order."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final

from doit_receipts.errors import BadVersion
from doit_receipts.frozen import frozen

__all__ = ["Level", "Version"]

_NUMBER: Final = r"(0|[1-9][0-9]{0,3})"
_FORM: Final = rf"(?a){_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:(a|b|rc){_NUMBER})?"


class Level(IntEnum):
    """How finished a version is; the order is the order of releases."""

    ALPHA = 0
    BETA = 1
    CANDIDATE = 2
    FINAL = 3

    @property
    def letters(self) -> str:
        """As written in a version string: ``a``, ``b``, ``rc`` or nothing."""
        return ("a", "b", "rc", "")[self]


@frozen(order=True)
class Version:
    """A CPython version such as ``3.14.0rc1``; sorts as they are released.

    Source: PEP 101, "Types of Releases" and the X.Y.ZaN convention (R02). Serial is 0 for
    a final, and for ``X.Y.0a0``, the version of a new main branch that is never released.
    """

    major: int
    minor: int
    micro: int
    level: Level = Level.FINAL
    serial: int = 0

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read exactly one version.

        Raises BadVersion for anything else: a missing part, a leading ``v``, a suffix, white
        space, digits that are not ASCII, a leading zero, an alpha of a bugfix release.
        """
        found = re.fullmatch(_FORM, text)
        if found is None:
            raise BadVersion(
                where="version",
                problem=f"{text!a} is not a version",
                remedy=_nearest(text),
            )
        major, minor, micro, letters, serial = found.groups()
        level = {None: Level.FINAL, "a": Level.ALPHA, "b": Level.BETA, "rc": Level.CANDIDATE}[
            letters
        ]
        version = cls(int(major), int(minor), int(micro), level, int(serial or 0))
        if level in (Level.ALPHA, Level.BETA) and version.micro:
            raise BadVersion(
                where="version",
                problem=f"{text!a} is an alpha or beta of a bugfix release",
                remedy=f"alphas and betas lead to {version.series}.0",
            )
        if letters and not version.serial and level is not Level.ALPHA:
            raise BadVersion(
                where="version", problem=f"{text!a} has serial 0", remedy="betas and rcs start at 1"
            )
        return version

    def __str__(self) -> str:
        suffix = f"{self.level.letters}{self.serial}" if self.level is not Level.FINAL else ""
        return f"{self.folder}{suffix}"

    @property
    def folder(self) -> str:
        """``X.Y.Z``: the folder on the download host that all releases of a version share."""
        return f"{self.major}.{self.minor}.{self.micro}"

    @property
    def series(self) -> str:
        """``X.Y``: the series, and the name of its maintenance branch (R03)."""
        return f"{self.major}.{self.minor}"

    @property
    def tag(self) -> str:
        """``vX.Y.ZaN``: the name of the release tag (R03)."""
        return f"v{self}"

    @property
    def is_prerelease(self) -> bool:
        """Whether this is an alpha, a beta or a release candidate."""
        return self.level is not Level.FINAL

    def predecessors(self) -> tuple[Version, ...]:
        """Versions that may have been released right before this one, the likeliest first.

        Of a level before its own nobody knows how many there were: up to nine are named. The
        first alpha and X.Y.Zrc1 of a bugfix release look back no further than their series.
        """
        this = (self.major, self.minor, self.micro)
        if self.serial > 1:
            return (Version(*this, self.level, self.serial - 1),)
        if self.micro:
            last = Version(self.major, self.minor, self.micro - 1)
            rcs = () if self.is_prerelease else _down(this, Level.CANDIDATE)
            return (*rcs, last)
        earlier = [level for level in reversed(Level) if level < self.level]
        return tuple(each for level in earlier for each in _down(this, level))

    def successors(self) -> tuple[Version, ...]:
        """Every version that may be released next after this one in its series (R02)."""
        major, minor, micro = self.major, self.minor, self.micro
        this = (major, minor, micro)
        after = Version(major, minor, micro + 1)
        match self.level:
            case Level.ALPHA:
                return (Version(*this, Level.ALPHA, self.serial + 1), Version(*this, Level.BETA, 1))
            case Level.BETA:
                return (
                    Version(*this, Level.BETA, self.serial + 1),
                    Version(*this, Level.CANDIDATE, 1),
                )
            case Level.CANDIDATE:
                return (Version(*this, Level.CANDIDATE, self.serial + 1), Version(*this))
            case Level.FINAL:
                return (after, Version(major, minor, micro + 1, Level.CANDIDATE, 1))


def _nearest(text: str) -> str:
    """Say what the writer most likely meant."""
    # Digits of other scripts count: without them another version would be proposed.
    plain = "".join(str(int(each)) if each.isdecimal() else each for each in text)
    plain = re.sub(r"[^0-9a-z.]", "", plain.lower().removeprefix("v"))
    plain = re.sub(r"(?<=\d)c(?=\d)", "rc", plain)
    for guess in (plain, f"{plain}.0", re.sub(r"^(\d+\.\d+)(a|b|rc)", r"\1.0\2", plain)):
        if guess != text and re.fullmatch(_FORM, guess):
            return f"write {guess}"
    return "write X.Y.Z, X.Y.ZaN, X.Y.ZbN or X.Y.ZrcN, such as 3.14.0rc1"


def _down(this: tuple[int, int, int], level: Level) -> tuple[Version, ...]:
    return tuple(Version(*this, level, serial) for serial in range(9, 0, -1))
