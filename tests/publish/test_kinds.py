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


@pytest.mark.parametrize("version", ["3.16.0a1", "3.15.0b1", "3.14.0rc1", "3.13.17"])
def test_a_release_of_this_kind_is_rehearsed_to_its_announcement(
    version: str, tmp_path: Path
) -> None:
    """An alpha of 3.16 ships neither documentation nor an installer of Windows, a first beta makes
    a branch, 3.13.17 ships no binaries. Experts put their files straight before users.
    """
    words = [sys.executable, "-m", "doit", "rehearse", "--version", version]
    words += ["--folder", str(tmp_path)]
    ended = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "nothing remains" in ended.stdout
