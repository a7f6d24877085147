"""The line that shows what runs while nothing else is said."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
from io import StringIO

import pytest

from doit_receipts.command.ticker import Ticker
from doit_receipts.printable import cut, width
from tests.waiting import wait_until


class Terminal(StringIO):
    columns = 80

    def isatty(self) -> bool:
        return True


def shown(
    left_s: float | None, *tasks: str, words: str = "last words of {}", out: Terminal | None = None
) -> str:
    """The first line that a terminal gets of these tasks, which run at once."""
    out = out or Terminal()
    ticker = Ticker(out, words.format, is_called=True)
    for each in tasks:
        ticker.watch(each)

    def is_shown() -> str:
        ticker.tick(lambda: left_s)
        return out.getvalue()

    wait_until(is_shown, "what runs for two seconds is shown", look_s=0.05)
    line = out.getvalue().removeprefix("\r\x1b[2K")
    assert width(line) < out.columns
    # A busy machine shows it later.
    return re.sub(r"… \d+ s", "… 2 s", line)


def test_all_that_run_are_on_one_line_with_how_long_the_rest_takes() -> None:
    line = shown(125, "build", "test", "look")
    # What is behind the times is cut where they are long.
    assert line.startswith("  3 run, 2 min 05 s to go: build … 2 s, test … 2 s, look … 2 s  ")


@pytest.mark.parametrize("left_s", [None, 4.0])
def test_a_rest_that_is_short_or_unknown_is_not_shown(left_s: float | None) -> None:
    assert shown(left_s, "build") == "  build … 2 s  last words of build"


def test_what_does_not_fit_is_counted_and_wide_letters_take_two_columns() -> None:
    long = [f"await_something_far_{each}" for each in "abcd"]
    line = shown(125, *long)
    words = "  4 run, 2 min 05 s to go: await_something_far_a … 2 s and 3 more  last words of a"
    assert line == cut(words, 79)
    assert shown(None, "build", words="語" * 50) == f"  build … 2 s  {'語' * 31}…"


@pytest.mark.parametrize(
    ("text", "columns", "wanted"),
    [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("語語", 4, "語語"), ("語語語", 4, "語…"),
        ("語語語", 5, "語語…"), ("e\u0301e\u0301", 2, "e\u0301e\u0301"), ("ééé", 2, "é…"),
    ],
)  # fmt: skip
def test_text_is_cut_by_the_columns_that_it_takes(text: str, columns: int, wanted: str) -> None:
    assert cut(text, columns) == wanted


def test_the_line_is_as_wide_as_the_terminal_is_now() -> None:
    """A line that goes on in the next one could not be written again in place."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as out:
        ticker = Ticker(out, lambda _task: "x" * 300, is_called=True)
        ticker.watch("build")
        for columns in (40, 132):
            fcntl.ioctl(out, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            said = b""
            while not said:
                ticker.tick()
                if select.select([ours], [], [], 0.05)[0]:
                    said = os.read(ours, 4096)
            assert width(said.decode().removeprefix("\r\x1b[2K")) == columns - 1
    os.close(ours)
