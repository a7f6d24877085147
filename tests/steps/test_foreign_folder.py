"""A folder that foreign code wrote to, when it is removed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.ports.foreign_folder import foreign_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOBODY = 65534


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of somebody for whom modes count, as whom the test runs."""
    made = Path(tempfile.mkdtemp(dir="/tmp"))
    was = os.geteuid()
    try:
        if was == 0:
            os.chown(made, _NOBODY, -1)
            os.seteuid(_NOBODY)
        yield made
    finally:
        os.seteuid(was)
        shutil.rmtree(made, ignore_errors=True)


def test_what_a_link_leads_to_keeps_its_mode(place: Path) -> None:
    canary = place / "canary"
    canary.mkdir(mode=0o500)
    with foreign_folder(below=place) as room:
        locked = room / "locked"
        locked.mkdir()
        (locked / "link").symlink_to(canary)
        locked.chmod(0o500)
    assert stat.S_IMODE(canary.stat().st_mode) == 0o500


def test_nothing_is_left_where_all_can_be_removed(place: Path) -> None:
    with foreign_folder(below=place) as room:
        (room / "a").mkdir()
        (room / "a" / "link").symlink_to(place)
    assert list(place.iterdir()) == []
