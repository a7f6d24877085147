"""Tests that folders in memory are used while there is room, and that none stays for good."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import in_memory
from tests.in_memory import folder_in_memory

PROJECT: Final = Path(__file__).resolve().parents[1]
MAKES: Final = """\
import sys
from pathlib import Path
from tests import in_memory
in_memory._MEMORY, in_memory._ROOM_MB = Path(sys.argv[1]), 0
print(in_memory.folder_in_memory("day"), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(in_memory, "_MEMORY", folder)
    monkeypatch.setattr(in_memory, "_ROOM_MB", 1)
    return folder


def test_what_a_killed_process_left_is_removed_and_what_another_uses_is_kept(memory: Path) -> None:
    words = [sys.executable, "-c", MAKES, str(memory)]
    with (
        subprocess.Popen(
            words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as killed,
        subprocess.Popen(
            words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as working,
    ):
        assert killed.stdout is not None
        assert working.stdout is not None
        left, used = (Path(each.readline().strip()) for each in (killed.stdout, working.stdout))
        (left / "many").write_bytes(bytes(10))
        killed.kill()
        killed.wait()
        mine = folder_in_memory("day")
        assert set(memory.iterdir()) == {used, mine}
        working.communicate("")


def test_what_is_in_the_way_is_left_where_it_is(memory: Path) -> None:
    (memory / "pep101-file").write_text("")
    (memory / "pep101-link").symlink_to("nowhere")
    made = folder_in_memory("day")
    assert made.parent == memory
    assert len(list(memory.iterdir())) == 3


@pytest.mark.parametrize(
    ("disk_mb", "free_mb", "where"),
    [(900, 900, "memory"), (700, 900, "disk"), (900, 700, "disk"), (900, None, "memory")],
)
def test_a_memory_that_is_nearly_full_is_left_alone(
    memory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    disk_mb: int,
    free_mb: int | None,
    where: str,
) -> None:
    monkeypatch.setattr(in_memory, "_ROOM_MB", 400)
    monkeypatch.setenv("PYTEST_XDIST_WORKER_COUNT", "2")
    monkeypatch.setattr(in_memory, "free_memory_mb", lambda: free_mb)
    usage = shutil.disk_usage(tmp_path)._replace(free=disk_mb << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    made = folder_in_memory("day", tmp_path)
    assert made.parent == (memory if where == "memory" else tmp_path)
    assert os.access(made, os.W_OK)
