"""The plan of one release of every kind, for the pages and tests that are about all of them."""

from __future__ import annotations

import runpy
import sys
import tempfile
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from doit_receipts.plan import Plan

__all__ = ["SERIES", "TRAINS", "VERSIONS", "a_declaration", "every_plan", "plan_of"]

_PROJECT: Final = Path(__file__).resolve().parents[1]
VERSIONS: Final = {
    "3.15.0a3": "feature",
    "3.15.0b1": "feature",
    "3.15.0b2": "prerelease",
    "3.14.0rc1": "prerelease",
    "3.14.0rc2": "prerelease",
    "3.14.0": "prerelease",
    "3.13.6": "bugfix",
    "3.13.17": "bugfix",
    "3.12.12": "security",
}
"""A version of each kind whose tasks there are, and the phase of its branch."""
SERIES: Final = {
    "3.15": "begin-bugfix",
    "3.13": "begin-security-only",
    "3.12": "end-of-life",
}
"""A series for each kind that is about the phase of a branch, and what the kind is called."""
TRAINS: Final = {"3.13.6 leads": 0, "3.13.6 follows": 1}
"""A release of a train in each of its places."""
_BECOMES: Final = {"3.13.17": "security"}
"""What the branch becomes with the release, where that is declared."""
_EXPERTS: Final = ("windows", "macos", "docs")
_LISTS: Final = ("list", "announce", "dev", "committers")


def a_declaration(folder: Path, version: str = "3.13.6", *, bare: bool = False) -> Path:
    """A release.toml that is right in itself; its clone is not there.

    A ``bare`` one names nobody and nothing that it need not name.
    """
    file = folder / "release.toml"
    kind = SERIES.get(version)
    words = [
        f'version = "{version}"\n'
        + (f'kind = "{kind}"\n' if kind else "")
        + '[repository]\nclone = "cpython"\n',
        "" if kind else f'[series]\nphase = "{VERSIONS[version]}"\n',
        '[signing]\ngpg_key = "0123456789ABCDEF0123456789ABCDEF01234567"\n',
    ]
    if VERSIONS.get(version) == "feature" and "a" in version and not bare:
        words.append('[next_series]\nmanager = "Nina Next"\nlogin = "nina"\npep = 845\n')
    if version in _BECOMES:
        words[1] += f'becomes = "{_BECOMES[version]}"\n'
    if kind:
        words.append('[announce]\nsender = "rm@example.org"\n')
    elif not bare:
        words[0] += "copyright_years = true\n"
        words.append('[docs]\nlock = "docs-tools.lock"\n')
        words.append(
            '[farm]\nengine = "github"\nsteps = ["test_source", "build_docs", "build_tarballs"]\n'
            'workers = ["ssh://alice@example.org/"]\nattested = ["source"]\n'
        )
        words.append('[rebuilds]\nledger = "rebuilds"\n')
        words.append('[announce]\nsender = "rm@example.org"\nheads_up = true\n')
        words += [f'{name} = "{name}@example.org"\n' for name in _LISTS]
        words += [
            f'[experts.{role}]\nname = "{role}"\nmail = "{role}@example.org"\n'
            'keys = ["0123456789ABCDEF0123456789ABCDEF01234567"]\n'
            for role in _EXPERTS
        ]
    file.write_text("".join(words), encoding="utf-8")
    return file


def plan_of(declaration: Path) -> Plan:
    """The plan of dodo.py for this release."""
    if str(_PROJECT) not in sys.path:
        sys.path.insert(0, str(_PROJECT))
    from plugins.command.release_file import RELEASE_FILE  # noqa: PLC0415 - the path is known now

    def read() -> Plan:
        RELEASE_FILE.set(declaration)
        return cast("Plan", runpy.run_path(str(_PROJECT / "dodo.py"))["plan"])

    return copy_context().run(read)


def _in_train(declaration: Path, place: int) -> None:
    """The release is in this place of a train of two."""
    names = ['"other.toml"']
    names.insert(place, f'"{declaration.name}"')
    train = declaration.with_name("train.toml")
    train.write_text(f"releases = [{', '.join(names)}]\n", encoding="utf-8")
    text = declaration.read_text(encoding="utf-8")
    declaration.write_text(f'train = "train.toml"\n{text}', encoding="utf-8")


def every_plan(*, bare: bool = False) -> dict[str, Plan]:
    """The plan of a release of each kind, by version or series, and of those of a train.

    Nothing of it stays on the disk.
    """
    found = {}
    for name in (*VERSIONS, *TRAINS, *SERIES):
        version = name.partition(" ")[0]
        with tempfile.TemporaryDirectory() as folder:
            declaration = a_declaration(Path(folder), version, bare=bare)
            if name in TRAINS:
                _in_train(declaration, TRAINS[name])
            found[name] = plan_of(declaration)
    return found
