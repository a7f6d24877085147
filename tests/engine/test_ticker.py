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


REST = "2 min 05 s to go, until 23:14 UTC: build → test"


def shown(
    rest: str, *tasks: str, words: str = "last words of {}", out: Terminal | None = None
) -> str:
    """What a terminal gets first of these tasks, which run at once."""
    out = out or Terminal()
    ticker = Ticker(out, words.format, is_called=True)
    for each in tasks:
        ticker.watch(each)

    def is_shown() -> str:
        ticker.tick(lambda: rest)
        return out.getvalue()

    wait_until(is_shown, "what runs for two seconds is shown", look_s=0.05)
    shown = out.getvalue().removeprefix("\r\x1b[2K")
    assert max(map(width, shown.splitlines())) < out.columns
    # A busy machine shows it later.
    return re.sub(r"… \d+ s", "… 2 s", shown)


def test_all_that_run_are_shown_and_when_the_longest_chain_is_through() -> None:
    told = "  3 run: build … 2 s, test … 2 s, look … 2 s  last words of build"
    assert shown(REST, "build", "test", "look") == f"{told}\n  {REST}"


def test_a_rest_that_nothing_is_known_of_takes_no_line() -> None:
    assert shown("", "build") == "  build … 2 s  last words of build"


def test_of_one_task_at_a_time_it_tells_the_rest_by_itself() -> None:
    out = Terminal()
    ticker = Ticker(out, "last words of {}".format, lambda: REST)
    ticker.watch("build")
    wait_until(out.getvalue, "what runs for two seconds is shown")
    ticker.stop()
    said = out.getvalue().removeprefix("\r\x1b[2K").partition("\r")[0]
    assert re.sub(r"… \d+ s", "… 2 s", said) == f"  build … 2 s  last words of build\n  {REST}"


def test_what_waits_for_what_runs_has_a_line_of_its_own() -> None:
    waits = "test waits for memory, 3 GiB, build has it"
    told = "  build … 2 s  last words of build"
    assert shown(f"{waits}\n{REST}", "build") == f"{told}\n  {waits}\n  {REST}"
    assert shown(waits, "build") == f"{told}\n  {waits}"


def test_tasks_with_long_names_take_more_lines_and_wide_letters_two_columns() -> None:
    long = [f"await_something_far_{each}" for each in "abcd"]
    assert shown("", *long).splitlines() == [
        "  4 run: await_something_far_a … 2 s, await_something_far_b … 2 s,",
        "    await_something_far_c … 2 s, await_something_far_d … 2 s  last words of aw…",
    ]
    assert shown("", "build", words="語" * 50) == f"  build … 2 s  {'語' * 31}…"


def test_more_than_a_few_lines_are_never_taken() -> None:
    many = [f"await_something_far_{each}" for each in range(20)]
    lines = shown(REST, *many).splitlines()
    assert len(lines) == 5
    assert re.search(r" and \d+ more  last", lines[3]), lines


def test_all_its_lines_are_taken_back_before_anything_else_is_said() -> None:
    out = Terminal()
    shown(REST, "build", "test", out=out)
    ticker = Ticker(out, "".format, is_called=True)
    ticker.watch("build")
    begun = out.tell()

    def is_shown() -> bool:
        ticker.tick(lambda: REST)
        return out.tell() > begun

    wait_until(is_shown, "it is shown", look_s=0.05)
    begun = out.tell()
    ticker.clear()
    assert out.getvalue()[begun:] == "\r\x1b[2K\x1b[A\x1b[2K"
    ticker.clear()
    assert out.getvalue()[begun:] == "\r\x1b[2K\x1b[A\x1b[2K"


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
