"""The line that shows what runs while nothing else is said."""

from __future__ import annotations

import re
from io import StringIO

import pytest

from doit_receipts.command.ticker import Ticker
from tests.waiting import wait_until


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def shown(left_s: float | None, *tasks: str) -> str:
    """The first line that a terminal gets of these tasks, which run at once."""
    out = Terminal()
    ticker = Ticker(out, lambda task: f"last words of {task}", is_called=True)
    for each in tasks:
        ticker.watch(each)

    def is_shown() -> str:
        ticker.tick(lambda: left_s)
        return out.getvalue()

    wait_until(is_shown, "what runs for two seconds is shown", look_s=0.05)
    line = out.getvalue().removeprefix("\r\x1b[2K")
    assert len(line) < 80
    # A busy machine shows it later.
    return re.sub(r"… \d+ s", "… 2 s", line)


def test_all_that_run_are_on_one_line_with_how_long_the_rest_takes() -> None:
    line = shown(125, "build", "test", "look")
    # What is behind the times is cut where they are long.
    assert line.startswith("  3 run, 2 min 05 s to go: build … 2 s, test … 2 s, look … 2 s  ")


@pytest.mark.parametrize("left_s", [None, 4.0])
def test_a_rest_that_is_short_or_unknown_is_not_shown(left_s: float | None) -> None:
    assert shown(left_s, "build") == "  build … 2 s  last words of build"
