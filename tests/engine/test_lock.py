"""One writer at a time, and what is said of one that died."""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from doit_receipts.lock import holding

if TYPE_CHECKING:
    from pathlib import Path


def leave(path: Path, **holder: object) -> None:
    mine = {"host": socket.gethostname(), "pid": 1, "boot": "another"}
    path.write_text(json.dumps(mine | holder))


def test_a_lock_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with holding(tmp_path / "new" / "lock") as left:
            assert left == ""


def test_a_second_holder_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    with (
        holding(tmp_path / "lock"),
        pytest.raises(StepFailed, match=f"process {os.getpid()} on"),
        holding(tmp_path / "lock"),
    ):
        pass


def test_a_holder_of_this_machine_that_died_is_explained_and_followed(tmp_path: Path) -> None:
    leave(tmp_path / "lock", pid=4242)
    with holding(tmp_path / "lock") as left:
        assert "process 4242" in left
        assert "before this machine started" in left


def test_a_lock_of_another_machine_is_not_guessed_away(tmp_path: Path) -> None:
    """Nobody here can know whether a process there still runs."""
    leave(tmp_path / "lock", host="rm-laptop", pid=7)
    with (
        pytest.raises(StepFailed, match="process 7 on rm-laptop") as caught,
        holding(tmp_path / "lock"),
    ):
        pass
    assert "delete the file" in str(caught.value)
    assert json.loads((tmp_path / "lock").read_text())["pid"] == 7


@pytest.mark.parametrize("content", ["", "{", "[1]", "null", "\x00"])
def test_a_lock_with_nonsense_in_it_is_free(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with holding(tmp_path / "lock") as left:
        assert left == ""
