"""Tests of acts in forks of this process: done at once, told apart, warm from the second on."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from plugins.rehearsal.machine import forked

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def act(name: str, status: int) -> int:
    os.write(1, f"{name} says\n".encode())
    return status


def test_each_act_has_its_status_and_its_words() -> None:
    ended = forked([partial(act, "one", 0), partial(act, "two", 4)])
    assert ended == [(0, "one says\n"), (4, "two says\n")]


def test_act_that_breaks_or_is_killed_is_told_and_the_others_go_on() -> None:
    def kill() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    broken, killed, well = forked([lambda: 1 // 0, kill, partial(act, "last", 0)])
    assert broken[0] == 2
    assert "ZeroDivisionError" in broken[1]
    assert killed == (-signal.SIGKILL, "")
    assert well == (0, "last says\n")


def test_what_a_fork_imported_is_there_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "imported_by_a_fork.py").write_text("")
    name = "imported_by_a_fork"
    assert forked([lambda: 0 * bool(__import__(name))]) == [(0, "")]
    assert forked([lambda: int(name not in sys.modules)]) == [(0, "")]
    del sys.modules[name]
