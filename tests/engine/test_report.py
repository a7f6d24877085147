"""`doit report`: one file, whole or as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.engine.conftest import Project


def test_the_report_is_one_file_in_the_work_folder(chain: Project) -> None:
    assert chain.doit("export").status == 0
    ended = chain.doit("report")
    path = chain.work / "report.html"
    assert (ended.status, ended.out) == (0, f"{path}\n")
    assert "all 3 done" in path.read_text()
    assert not path.with_name("report.html.partial").exists()


def test_it_is_written_where_it_is_wanted(chain: Project) -> None:
    ended = chain.doit("report", "--output", "public/index.html")
    assert ended.status == 0, ended
    assert "0 of 3 tasks are done" in (chain.folder / "public" / "index.html").read_text()


def test_a_place_that_takes_no_file_is_one_line_and_nothing_is_lost(chain: Project) -> None:
    chain.write("file", "kept")
    ended = chain.doit("report", "--output", "file/index.html")
    assert ended.status == 1
    assert len(ended.err.splitlines()) == 1
    assert (chain.folder / "file").read_text() == "kept"


def test_it_takes_no_task(chain: Project) -> None:
    ended = chain.doit("report", "copy_a")
    assert (ended.status, ended.out) == (3, "")
    assert "doit report takes no task" in ended.err


def test_it_follows_what_is_done_until_it_is_stopped(chain: Project) -> None:
    chain.doit("report")
    report = chain.work / "report.html"
    with subprocess.Popen(
        [sys.executable, "-m", "doit", "report", "--follow"],
        cwd=chain.folder, stdout=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        try:
            assert following.stdout is not None
            assert following.stdout.readline() == f"{report}\n"
            assert chain.doit("export").status == 0
            wait_until(lambda: "3 of 3 tasks are done" in report.read_text(), "it is written again")
        finally:
            following.send_signal(signal.SIGINT)
            status = following.wait(timeout=60)
    assert status == 0
