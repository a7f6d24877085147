"""The world of a rehearsal: a toy CPython with its remotes, a throw-away key, a release.toml."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from plugins.model.durable import write_whole
from plugins.model.version import Level, Version
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.toy_cpython import make_toy

__all__ = ["make_world"]

_USER: Final = "rehearsal"

_DECLARATION: Final = """\
# A rehearsal: nothing outside this folder is touched.
version = "{version}"

[repository]
clone    = "world/cpython"
upstream = "./world/upstream.git"
fork     = "./world/fork.git"

[work]
folder    = "build"
rehearsal = true

[series]
phase = "{phase}"

[signing]
gpg_key    = "{key}"
gnupg_home = "{home}"

[tests]
source = "quick"

[docs]
formats = [{formats}]
"""


_WAIVER: Final = """
[[waivers]]
rule   = "tools.compiler"
reason = "the toy is built without a compiler"
by     = "the rehearsal"
until  = 2999-12-31
"""


def make_world(folder: Path, version: Version) -> Path:
    """Make the world under ``folder`` unless it is there already; returns its release.toml.

    The toy stands one release before ``version``. What is there is kept as it is, so a
    rehearsal that was interrupted goes on where it stopped.
    """
    declaration = folder / "release.toml"
    if declaration.exists():
        return declaration
    world = folder / "world"
    if world.exists():  # left half made
        shutil.rmtree(world)
    # Four days of commits followed the last release, and the newest of them is not stale (Z05).
    released = datetime.now(UTC).date() - timedelta(days=9)  # noqa: TID251 - a world of its own
    make_toy(world, version=str(_before(version)), released=released)
    home = home_of(folder)
    key = _key(home)
    formats = ["html", "text", "epub", *(["texinfo"] if shutil.which("makeinfo") else [])]
    text = _DECLARATION.format(
        version=version,
        phase=_phase(version),
        key=key,
        home=home,
        formats=", ".join(f'"{each}"' for each in formats),
    )
    if shutil.which("cc") is None:
        text += _WAIVER
    write_whole(declaration, text.encode())
    return declaration


def home_of(folder: Path) -> Path:
    """Where the throw-away key is kept: a short path, for gpg-agent's socket has to fit in it."""
    name = sha256(str(folder.absolute()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"pep101-{name}"


def _key(folder: Path) -> str:
    """The fingerprint of the one key in the home, made if there is none."""
    folder.mkdir(mode=0o700, exist_ok=True)
    home = GnupgHome(folder)
    listed = home.gpg("--with-colons", "--list-secret-keys")
    found = [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")]
    return found[0] if found else home.key(_USER, expires="1y")


def _before(version: Version) -> Version:
    """A version after which this one is the next."""
    major, minor, micro = version.major, version.minor, version.micro
    if version.serial > 1:
        return Version(major, minor, micro, version.level, version.serial - 1)
    match version.level:
        case Level.ALPHA:
            return Version(major, minor, 0, Level.ALPHA, 0)
        case Level.BETA:
            return Version(major, minor, 0, Level.ALPHA, 7)
        case Level.CANDIDATE if not micro:
            return Version(major, minor, 0, Level.BETA, 4)
        case Level.FINAL if not micro:
            return Version(major, minor, 0, Level.CANDIDATE, 3)
        case _:
            return Version(major, minor, micro - 1)


def _phase(version: Version) -> str:
    if version.micro:
        return "bugfix"
    return "feature" if version.level is Level.ALPHA else "prerelease"
