"""Tests of the world of a rehearsal: its release can be made without a warning that is not true."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.world import home_of, make_world
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    home = GnupgHome(home_of(tmp_path))
    home.stop()
    shutil.rmtree(home.folder, ignore_errors=True)


def test_newest_commit_of_the_world_is_of_this_week_for_days_to_come(folder: Path) -> None:
    make_world(folder, Version.parse("3.13.6"))
    told = git(folder / "world" / "cpython", "log", "-1", "--format=%ct", "upstream/3.13")
    made = datetime.fromtimestamp(int(told), UTC)
    assert timedelta(0) < datetime.now(UTC) - made < timedelta(days=6)
