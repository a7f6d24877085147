"""A whole rehearsed day with two tasks at once: everything is done, and in public once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal.gnupg_home import GnupgHome
from plugins.rehearsal.world import home_of
from tests.export.toy import PROJECT, VERSION

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def test_a_day_with_two_at_once_is_rehearsed_to_its_end(tmp_path: Path) -> None:
    words = ["-m", "doit", "rehearse", "-n2", "--version", VERSION, "--folder", str(tmp_path)]
    try:
        ended = subprocess.run(
            [sys.executable, *words], cwd=PROJECT, capture_output=True, text=True, check=False
        )
    finally:
        home = home_of(tmp_path / VERSION)
        for each in (home / "experts", home):
            if each.is_dir():
                GnupgHome(each).stop()
        shutil.rmtree(home, ignore_errors=True)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "nothing remains" in ended.stdout
    journal = tmp_path / VERSION / "build" / VERSION / "journal.jsonl"
    entries = [json.loads(line) for line in journal.read_text().splitlines()]
    begun = Counter(each["task"] for each in entries if each["event"] == "intent")
    assert len(begun) > 20
    assert max(begun.values()) == 1
    assert "failed" not in {each["event"] for each in entries}
