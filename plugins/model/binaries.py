"""Binaries: which packages experts and CI build for each series, one line for each file.

A file that comes or goes with a series is one line here, and the contract, the site's rows, the
purge and the verification follow. ``{v}`` is the version, ``{series}`` its X.Y, ``{macos}`` the
oldest macOS that the series supports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen

if TYPE_CHECKING:
    from plugins.model.version import Version

__all__ = [
    "BINARIES",
    "MACHINES",
    "SYSTEMS",
    "Binary",
    "binaries_of",
    "nuget_packages",
    "nuget_version",
]

MACHINES: Final = ("amd64", "arm64", "win32")
"""What Windows is built for, as names of files and folders say it."""

_NO_LIMIT: Final = 999


@frozen
class Binary:
    """One package of the series 3.``first`` to 3.``last``, both included.

    ``made_by`` and ``kind`` are values of the contract's Origin and Kind. Without a ``title`` the
    website lists the file in no series; from 3.``unlisted`` on it lists it no more.
    """

    name: str
    made_by: str
    kind: str
    system: str = ""
    title: str = ""
    note: str = ""
    first: int = 0
    last: int = _NO_LIMIT
    unlisted: int = _NO_LIMIT
    button: bool = False

    def is_of(self, minor: int) -> bool:
        """Whether releases of 3.``minor`` have this file."""
        return self.first <= minor <= self.last

    def is_listed(self, minor: int) -> bool:
        """Whether the website has a row for it in releases of 3.``minor``."""
        return bool(self.title) and minor < self.unlisted


_EXE: Final = "installer"
_EMBED: Final = "embeddable package"
_FEED: Final = "manifest of the install manager"
_PACKAGE: Final = "package of the install manager"

# Sources: the release pages of 3.10 to 3.15; PEP 773 (the install manager from 3.13 on, no
# installer by 3.16, and no listing of embeddable packages then); PEP 738 (Android from 3.14);
# PEP 730 and the 3.15 schedule (iOS from 3.15). python/release-tools, state of 2026-07-22:
# windows-release/azure-pipelines.yml says "EXE/MSI installer (3.15 and earlier)", and
# stage-publish-pymanager.yml uploads the embeddable packages where no installer is made.
# Names of the install manager's packages: PC/layout/support/pymanager.py of CPython.
# Nothing is published for WASI and Emscripten. A package for one of them would be a line here, and
# one in _HOLDS of checks/mobile_packages.py: a file that it has to hold.
BINARIES: Final = (
    Binary("python-{v}-amd64.exe", "windows", _EXE, "windows",
           "Windows installer (64-bit)", "Recommended", last=15, button=True),
    Binary("python-{v}-embed-amd64.zip", "windows", _EMBED, "windows",
           "Windows embeddable package (64-bit)", unlisted=16),
    Binary("python-{v}.exe", "windows", _EXE, "windows", "Windows installer (32-bit)", last=15),
    Binary("python-{v}-embed-win32.zip", "windows", _EMBED, "windows",
           "Windows embeddable package (32-bit)", unlisted=16),
    Binary("python-{v}-arm64.exe", "windows", _EXE, "windows",
           "Windows installer (ARM64)", "Experimental", first=11, last=15),
    Binary("python-{v}-embed-arm64.zip", "windows", _EMBED, "windows",
           "Windows embeddable package (ARM64)", first=11, unlisted=16),
    Binary("python-{v}-amd64.zip", "windows", _PACKAGE, first=16),
    Binary("python-{v}-arm64.zip", "windows", _PACKAGE, first=16),
    Binary("python-{v}-win32.zip", "windows", _PACKAGE, first=16),
    Binary("windows-{v}.json", "windows", _FEED, "windows",
           "Windows release manifest", "Install with 'py install {series}'", first=13),
    Binary("python-{v}-macos11.pkg", "macos", _EXE, "macos",
           "macOS installer", "for macOS {macos} and later", button=True),
    Binary("python-{v}-aarch64-linux-android.tar.gz", "ci", _EMBED, "android",
           "Android embeddable package (aarch64)", first=14),
    Binary("python-{v}-x86_64-linux-android.tar.gz", "ci", _EMBED, "android",
           "Android embeddable package (x86_64)", first=14),
    Binary("python-{v}-iOS-XCframework.tar.gz", "ci", _EMBED, "ios", "iOS XCframework", first=15),
)  # fmt: skip
"""Every binary that any series has, in the order in which the website gets their rows."""

SYSTEMS: Final = tuple(dict.fromkeys(each.system for each in BINARIES if each.system))
"""The operating systems, by the slugs of the website, under which it lists binaries."""


def binaries_of(version: Version) -> tuple[Binary, ...]:
    """The binaries of a release of this version; a security release has none all the same."""
    return tuple(each for each in BINARIES if each.is_of(version.minor))


# Source: PC/layout/support/nuspec.py of CPython, and Doc/using/windows.rst of 3.13 and later.
_NUGET: Final = (
    ("python", 0),
    ("pythonx86", 0),
    ("pythonarm64", 11),
    ("python-freethreaded", 13),
    ("pythonx86-freethreaded", 13),
    ("pythonarm64-freethreaded", 13),
)


def nuget_packages(version: Version) -> tuple[str, ...]:
    """The packages of NuGet that a release of this version adds itself to."""
    return tuple(name for name, first in _NUGET if first <= version.minor)


def nuget_version(version: Version) -> str:
    """The version as NuGet writes it: ``3.15.0-rc1``."""
    early = str(version).removeprefix(version.folder)
    return f"{version.folder}-{early}" if early else version.folder
