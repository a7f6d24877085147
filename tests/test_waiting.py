"""Waiting in tests: what does not come ends the wait, and is reported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.waiting import comes_true, wait_until


def test_what_is_so_is_not_waited_for() -> None:
    wait_until(lambda: True, "nothing", within_s=0)
    assert comes_true(lambda: True, within_s=0)


def test_what_does_not_come_in_time_is_told() -> None:
    assert not comes_true(lambda: False, within_s=0)
    with pytest.raises(AssertionError, match=r"not in 0 s: the file is there"):
        wait_until(lambda: False, "the file is there", within_s=0)


def test_a_process_that_ended_before_is_told_with_what_it_said() -> None:
    words = [sys.executable, "-c", "import sys; print('no room'); sys.exit(3)"]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process,
        pytest.raises(AssertionError, match=r"ended with 3 before it works: \('no room"),
    ):
        wait_until(lambda: False, "it works", of=process, said=process.communicate)
