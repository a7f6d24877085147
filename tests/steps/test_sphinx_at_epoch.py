from __future__ import annotations

import subprocess
import sys

START = "from plugins.steps.sphinx_at_epoch import end_with_parent, stop_the_clock\n"


def says(code: str) -> list[str]:
    """The lines that the code prints in a process of its own."""
    words = [sys.executable, "-c", START + code]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()


def test_whoever_asks_for_the_time_is_told_the_epoch() -> None:
    assert says(
        "stop_the_clock(2_222_222_222)\n"
        "import time\n"
        "from time import asctime\n"
        "print(asctime())\n"
        "print(time.ctime())\n"
        "print(time.strftime('%Y-%m-%d'))\n"
        "print(time.localtime().tm_hour, time.gmtime().tm_hour)\n"
    ) == ["Sat Jun  2 03:57:02 2040", "Sat Jun  2 03:57:02 2040", "2040-06-02", "3 3"]


def test_times_that_are_given_are_told_as_they_are() -> None:
    assert says(
        "stop_the_clock(2_222_222_222)\n"
        "import time\n"
        "print(time.strftime('%Y', time.gmtime(0)), time.asctime(time.gmtime(0)))\n"
    ) == ["1970 Thu Jan  1 00:00:00 1970"]


def test_age_of_files_is_told_by_the_true_clock() -> None:
    assert says(
        "import time\n"
        "before = time.time()\n"
        "stop_the_clock(2_222_222_222)\n"
        "print(before <= time.time() < before + 1000, time.time_ns() > 0)\n"
    ) == ["True True"]


def test_process_ends_when_the_one_that_started_it_was_killed() -> None:
    child = (
        f"{START}import time\nend_with_parent()\nprint('works', flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    parent = (
        f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "while True: time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"works\n"
        started.kill()
        # The child holds the pipe open for as long as it lives.
        assert started.stdout.read() == b""
