"""Each of the ten kinds of release, rehearsed from nothing to its end by the command itself.

Each does as many tasks at once as the command does by itself.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.schedule import SCHEDULE_FILE, read_schedule
from plugins.rehearsal import blog as loader
from plugins.rehearsal import peps
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.store import Store
from plugins.rehearsal.world import home_of
from tests.export.toy import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

KINDS: Final = {
    "alpha": ("--version", "3.16.0a1"),
    "new branch": ("--version", "3.15.0b1"),
    "beta": ("--version", "3.15.0b2"),
    "release candidate": ("--version", "3.14.0rc1"),
    "final": ("--version", "3.14.0"),
    "bugfix release": ("--version", "3.13.6"),
    "security release": ("--version", "3.13.17"),
    "begin bugfix": ("--version", "3.15", "--kind", "begin-bugfix"),
    "begin security-only": ("--version", "3.13", "--kind", "begin-security-only"),
    "end of life": ("--version", "3.12", "--kind", "end-of-life"),
}
"""Every kind that PEP 101 names under "Types of Releases", and the two of its X.Y.Z.

An alpha of 3.16 ships neither documentation nor an installer of Windows, and 3.13.17 no binaries.
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_of_this_kind_is_rehearsed_to_its_end(kind: str, tmp_path: Path) -> None:
    """Experts put their files straight before users."""
    words = [sys.executable, "-m", "doit", "rehearse", *KINDS[kind], "--folder", str(tmp_path)]
    try:
        ended = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    finally:
        for folder in tmp_path.iterdir():
            _end_agents(folder)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "nothing remains" in ended.stdout
    name = "-".join(each for each in KINDS[kind] if not each.startswith("--"))
    assert f"Python {name}" in ended.stdout
    assert_repositories_take_what_is_proposed(tmp_path / name)


def assert_repositories_take_what_is_proposed(folder: Path) -> None:
    """The checks of each pull request are green, the schedule is one, and the blog has a post."""
    hub = Store(folder / "world" / "state").load("github", {})
    assert {pull["verdict"] for pull in hub["pulls"]} == {""}
    proposed = {
        pull["repository"]: hub["branches"][
            f"{pull['repository']}:{pull['head'].partition(':')[2]}"
        ]
        for pull in hub["pulls"]
    }
    assert read_schedule(proposed[peps.REPOSITORY][SCHEDULE_FILE]).stages
    if loader.REPOSITORY in proposed:
        assert loader.verdict({}, proposed[loader.REPOSITORY]) == ""


def _end_agents(folder: Path) -> None:
    """No agent of a keyring outlives the test that started it."""
    home = home_of(folder)
    for each in (home / "experts", home):
        if each.is_dir():
            GnupgHome(each).stop()
    shutil.rmtree(home, ignore_errors=True)
