"""Every kind of release, rehearsed from nothing to its announcement by the command itself."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.export.toy import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", ["3.15.0a3", "3.15.0b1", "3.14.0rc1", "3.12.12"])
def test_a_release_of_this_kind_is_rehearsed_to_its_announcement(
    version: str, tmp_path: Path
) -> None:
    """An alpha ships no documentation, a first beta makes a branch, 3.12 ships no binaries."""
    words = [sys.executable, "-m", "doit", "rehearse", "--version", version]
    words += ["--folder", str(tmp_path)]
    ended = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "nothing remains" in ended.stdout
