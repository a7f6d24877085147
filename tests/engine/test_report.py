"""`doit report`: one file, whole or as it was."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

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


def test_a_disk_that_is_full_leaves_the_report_of_before(chain: Project) -> None:
    """The limit of a file's size stands for the disk."""
    assert chain.doit("report").status == 0
    before = (chain.work / "report.html").read_bytes()
    assert chain.doit("copy_a").status == 0
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", sys.executable, "-m", "doit", "report"],
        cwd=chain.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "report.html: cannot be written: file too large; make room there" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert (chain.work / "report.html").read_bytes() == before
    assert not list(chain.work.glob("report.html*.partial"))


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


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system limits no other process")
def test_a_disk_that_is_full_is_told_once_while_it_follows_and_tried_again(chain: Project) -> None:
    chain.doit("report")
    report = chain.work / "report.html"
    with subprocess.Popen(
        [sys.executable, "-m", "doit", "report", "--follow"],
        cwd=chain.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as following:  # fmt: skip
        try:
            assert following.stdout is not None
            assert following.stderr is not None
            assert following.stdout.readline() == f"{report}\n"
            before = resource.prlimit(following.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(following.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
            assert chain.doit("export").status == 0
            assert "cannot be written: file too large" in following.stderr.readline()
            assert "0 of 3 tasks are done" in report.read_text()
            resource.prlimit(following.pid, resource.RLIMIT_FSIZE, before)
            wait_until(lambda: "3 of 3 tasks are done" in report.read_text(), "it is written again")
        finally:
            following.send_signal(signal.SIGINT)
            out, err = following.communicate(timeout=60)
    assert (following.returncode, out, err) == (0, "", "")
