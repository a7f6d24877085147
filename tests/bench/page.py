"""What it costs to show a release: the page, an update of the board, and the graph.

``python tests/bench/page.py RELEASE.TOML``; the more of the release is done, the larger the page.
A figure is the least processor time of all rounds, that of programs included. A board asks what
is outside of the release, and for that runs programs, at most once in five seconds.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from doit_receipts.board import Board
from doit_receipts.drawing import drawing_of
from doit_receipts.page import Page
from doit_receipts.status import statuses
from plugins.command.release_file import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).resolve().parents[2]
ROUNDS = 15


def least_ms(act: Callable[[], object]) -> float:
    """The least processor time that it takes."""
    took = []
    for _ in range(ROUNDS):
        began = sum(os.times()[:4])
        began_here = time.process_time()
        act()
        here = time.process_time() - began_here
        took.append(max(here, sum(os.times()[:4]) - began))
    return min(took) * 1000


def main() -> None:
    release = Path(sys.argv[1]).absolute()
    os.chdir(PROJECT)
    RELEASE_FILE.set(release)
    plan = importlib.import_module("dodo").plan
    board = Board(plan)

    def updated() -> None:
        board.forget()
        board.now()

    def changed() -> None:
        board.forget()
        plan.folder.journal.touch()
        board.now()

    def asked() -> None:
        board._asked_s = 0.0
        changed()

    page = Page(plan)
    rows = [
        ("page, kB", len(page.text().encode()) / 1000, 200),
        ("page, ms", least_ms(lambda: Page(plan).text()), 100),
        ("board, asked again, ms", least_ms(updated), 20),
        ("board, after a change, ms", least_ms(changed), 20),
        ("board, programs asked too, ms", least_ms(asked), 100),
        ("graph, ms", least_ms(lambda: drawing_of(plan).svg(statuses(plan), alone=True)), 1000),
    ]
    for name, figure, bar in rows:
        print(f"{name:32}{figure:9.1f}{bar:6}")
    board._server.server_close()


if __name__ == "__main__":
    main()
