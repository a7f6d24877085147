"""The sender tells what it is given, and says of what it could not whether it may have told it."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from doit_receipts.sender import Message, Sender
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


def telling(file: Path) -> Callable[[str, str], Iterable[str]]:
    """Who writes down what is told; "hang" hangs, whatever asks it to end, and "die" dies."""

    def tell(subject: str, _text: str) -> Iterable[str]:
        with file.open("a") as stream:
            stream.write(f"{subject}\n")
        if "hang" in subject:
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            time.sleep(600)
        if "die" in subject:
            os.kill(os.getpid(), signal.SIGKILL)
        return [f"lost {subject}"] if "lose" in subject else []

    return tell


def give(sender: Sender, file: Path, head: str) -> None:
    """And wait until somebody is at it, so that it is told alone."""
    sender.give(Message(head, f"{head}: why"))
    wait_until(lambda: file.exists() and head in file.read_text(), f"{head} is begun")


def test_what_takes_too_long_is_given_up_and_the_next_is_told(tmp_path: Path) -> None:
    file = tmp_path / "told"
    sender = Sender("Thing", telling(file), longest_s=3)
    for head in ("hang", "die", "lose", "last"):
        give(sender, file, head)
        assert sender.is_there()
    assert sender.finish() == [
        (
            "Thing: hang: it is not known who was notified: that took longer than 3 s and was"
            " stopped; doit list --status shows what waits"
        ),
        (
            "Thing: die: it is not known who was notified: what notifies them was ended;"
            " doit list --status shows what waits"
        ),
        "lost Thing: lose",
    ]
    assert file.read_text() == "Thing: hang\nThing: die\nThing: lose\nThing: last\n"


def test_one_that_was_ended_is_not_there_and_says_what_it_had(tmp_path: Path) -> None:
    sender = Sender("Thing", telling(tmp_path / "told"))
    assert sender.is_there()
    os.kill(sender._number, signal.SIGKILL)
    wait_until(lambda: not sender.is_there(), "it is gone")
    sender.give(Message("late", "late: why"))
    assert sender.finish() == [
        (
            "Thing: late: it is not known who was notified: what notifies them was ended;"
            " doit list --status shows what waits"
        )
    ]
