"""Series: what a 3.X series ships and how it is signed; the only place that compares versions."""

from __future__ import annotations

from dataclasses import field
from datetime import date
from typing import Final

from doit_receipts.errors import SettingsError
from doit_receipts.frozen import frozen
from plugins.model.version import Level, Version

__all__ = ["TABLE_DAY", "Series", "SigstoreIdentity", "series_of"]

# Source: each series' Tools/build/regen-configure.sh or configure header. 3.11.4 was made with
# another version than its branch (python/cpython#105455).
_AUTOCONF: Final = {8: "2.69", 9: "2.69", 10: "2.69", 11: "2.69", 12: "2.71", 13: "2.71"}

TABLE_DAY: Final = date(2026, 8, 22)
"""The day of the schedule that PEPs and phases follow where nothing can be looked up."""

# Source: release_management/python-releases.toml of python/peps on that day.
_RELEASE_PEPS: Final = {
    8: 569, 9: 596, 10: 619, 11: 664, 12: 693, 13: 719, 14: 745, 15: 790, 16: 826,
}  # fmt: skip

# The first source-only release of a series, where its schedule names the last bugfix release.
# Source: release_management/python-releases.toml of python/peps, the releases up to end-of-bugfix.
_SOURCE_ONLY_SINCE: Final = {8: 11, 9: 14, 10: 12, 11: 10, 12: 11, 13: 17, 14: 15}

# The first with an SBOM beside its archives: 3.12.2, of February 2024. Of the alphas of that spring
# nothing is certain, so nothing is asked of them.
_SBOMS_SINCE: Final = {12: "3.12.2", 13: "3.13.0b1"}

# The first with a bundle beside every listed file. Source: as signs_with_sigstore.
_BUNDLES_SINCE: Final = {8: "3.8.17", 9: "3.9.17", 10: "3.10.12", 11: "3.11.0"}


@frozen
class SigstoreIdentity:
    """Who signs with Sigstore: a mail address, and the OpenID Connect issuer that vouches for it.

    One without the other is no identity (sigstore-python#600, release-tools#161).
    """

    address: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.address} at {self.issuer}"


_GITHUB: Final = "https://github.com/login/oauth"
_GOOGLE: Final = "https://accounts.google.com"
_MANAGERS: Final = {
    8: SigstoreIdentity("lukasz@langa.pl", _GITHUB),
    9: SigstoreIdentity("lukasz@langa.pl", _GITHUB),
    10: SigstoreIdentity("pablogsal@python.org", _GOOGLE),
    11: SigstoreIdentity("pablogsal@python.org", _GOOGLE),
    12: SigstoreIdentity("thomas@python.org", _GOOGLE),
    13: SigstoreIdentity("thomas@python.org", _GOOGLE),
    14: SigstoreIdentity("hugo@python.org", _GITHUB),
    15: SigstoreIdentity("hugo@python.org", _GITHUB),
    16: SigstoreIdentity("savannah@python.org", _GITHUB),
    17: SigstoreIdentity("savannah@python.org", _GITHUB),
}


@frozen
class Series:
    """Facts about one ``X.Y`` that steps and checks ask for instead of comparing versions.

    Its repr tells the name and what may differ from one release of a series to the next: a
    receipt tells its call by it, and a fact that this tool learns later is no change of it.
    """

    name: str
    signs_with_gpg: bool = field(repr=False)
    """Whether archives carry OpenPGP signatures. Source: PEP 761; they end with 3.13."""
    ships_sbom: bool = field(repr=False)
    """Whether source archives have an SBOM. Source: the first ones came with 3.12.2."""
    signs_with_sigstore: bool = field(repr=False)
    """Whether listed files carry Sigstore bundles. Source: python.org/downloads/metadata/sigstore
    says since 3.11.0; in older series bundles took the place of two files each by mid-2023."""
    manager: SigstoreIdentity = field(repr=False)
    """Who signs the bundles: the release manager, who may be another one day. Source: as above."""
    macos_least: str = field(repr=False)
    """The oldest macOS that the installer is for. Source: the pages of the releases."""
    autoconf: str = field(repr=False)
    """The autoconf that the branch's configure is made with; "" if the tree itself decides."""
    release_pep: int
    """The PEP that schedules the series; 0 where release.toml must say it."""
    source_only_since: int = field(repr=False)
    """The Z of the first X.Y.Z that is released as source only, by the schedule of TABLE_DAY; 0
    where that schedule does not reach so far."""
    development_suffix: str = field(repr=False)
    """What PY_VERSION ends with between releases: the release, and this. Source: patchlevel.h of
    each branch; ``+dev`` since 3.15."""
    xz_threads: int
    """Threads that xz is given: 0 for all, which current xz does by default; 1 for one stream.

    The bytes are the same for any number of threads but one (xz 5.4 and later)."""


def series_of(version: Version) -> Series:
    """What is known of the version's series.

    Raises SettingsError for a series that the tool does not know (before 3.8).
    """
    if version.major != 3 or version.minor < 8:
        raise SettingsError(
            where="version",
            problem=f"{version} is of series {version.series}",
            remedy="this tool releases 3.8 and later",
        )
    minor = version.minor
    return Series(
        name=version.series,
        signs_with_gpg=minor <= 13,
        ships_sbom=minor >= 12 and version >= Version.parse(_SBOMS_SINCE.get(minor, "3.12.0a1")),
        signs_with_sigstore=version >= Version.parse(_BUNDLES_SINCE.get(minor, f"3.{minor}.0a1")),
        manager=_MANAGERS.get(minor, SigstoreIdentity("", "")),
        macos_least="10.15" if minor >= 14 else "10.13" if minor >= 12 else "10.9",
        autoconf=_AUTOCONF.get(minor, "2.72"),
        release_pep=_RELEASE_PEPS.get(minor, 0),
        source_only_since=_SOURCE_ONLY_SINCE.get(minor, 0),
        development_suffix="+" if minor <= 14 else "+dev",
        xz_threads=0,
    )


def ships_docs(version: Version) -> bool:
    """Whether documentation archives are part of this release.

    Source: PEP 101 says finals where it exports and rc or final where it uploads; both need
    them (appendix 3, row 8).
    """
    return version.level >= Level.CANDIDATE
