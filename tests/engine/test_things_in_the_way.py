"""A work folder in which something stands where it does not belong: told, and never written over.

A person who tidied up, a backup that was played back, a disk that was mounted: it is in the way of
one task, and neither a bug of the tool nor a reason to stop looking.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.engine.conftest import CHAIN, RELEASE, Project
from tests.engine.test_approve import APPROVAL

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.rehearsal.gnupg_home import GnupgHome
    from tests.ended import Ended


@pytest.fixture
def done(chain: Project) -> Project:
    """The chain, done."""
    assert chain.doit().status == 0
    chain.ran()
    return chain


def assert_one_line(ended: Ended, path: Path) -> None:
    """The run says what is in the way and what to do, and that it is no bug."""
    assert ended.status == 1, ended
    assert "Traceback" not in ended.out + ended.err
    (line,) = [each for each in (ended.out + ended.err).splitlines() if each.startswith("x ")]
    assert f"{path}: " in line
    assert "move it away, then run the same command again" in line


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "of a person").touch()


def put_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("of a person")


def put_link_to_nowhere(path: Path) -> None:
    shutil.rmtree(path)
    path.symlink_to("/nowhere/at/all")


def test_a_folder_in_place_of_a_receipt_is_told_and_kept(done: Project) -> None:
    receipt = done.work / "receipts" / "copy_a.json"
    put_folder(receipt)
    assert "stale" in done.standing("copy_a")
    assert "not a file" in done.doit("why", "copy_a").out
    assert_one_line(done.doit(), receipt)
    assert (receipt / "of a person").exists()
    shutil.rmtree(receipt)
    assert done.doit().status == 0
    assert done.ran().count("a") == 2


def test_a_folder_in_place_of_a_product_is_told_and_kept(done: Project) -> None:
    product = done.work / "src" / "a"
    put_folder(product)
    assert "src/a was edited" in done.standing("copy_a")
    assert_one_line(done.doit(), product)
    assert (product / "of a person").exists()
    assert not product.with_name("a.partial").exists()


@pytest.mark.parametrize("name", ["receipts", "src", "logs"])
@pytest.mark.parametrize("put", [put_file, put_link_to_nowhere])
def test_something_in_place_of_a_folder_is_told(done: Project, name: str, put: object) -> None:
    folder = done.work / name
    assert callable(put)
    put(folder)
    (done.work / "receipts" / "copy_a.json").unlink() if name == "logs" else None
    assert done.doit("list", "--status").status == 0
    assert_one_line(done.doit(), folder)
    folder.unlink()
    assert done.doit().status == 0


def test_a_folder_in_place_of_the_journal_is_told(done: Project) -> None:
    (done.work / "receipts" / "copy_a.json").unlink()
    put_folder(done.work / "journal.jsonl")
    assert_one_line(done.doit(), done.work / "journal.jsonl")


def test_a_pipe_in_place_of_the_journal_is_told(done: Project) -> None:
    """It would take lines, and keep none."""
    (done.work / "receipts" / "copy_a.json").unlink()
    (done.work / "journal.jsonl").unlink()
    os.mkfifo(done.work / "journal.jsonl")
    assert_one_line(done.doit(), done.work / "journal.jsonl")


def test_a_receipt_that_is_a_link_to_itself_is_made_again(done: Project) -> None:
    receipt = done.work / "receipts" / "copy_a.json"
    receipt.unlink()
    receipt.symlink_to(receipt.name)
    assert done.doit("list", "--status").status == 0
    assert done.doit().status == 0
    assert done.ran() == ["a"]
    assert not receipt.is_symlink()


@pytest.mark.parametrize("name", ["src/a", "receipts/copy_a.json"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(done: Project, name: str) -> None:
    """Whoever opens one to read waits until somebody writes."""
    (done.work / name).unlink()
    os.mkfifo(done.work / name)
    assert "stale" in done.standing("copy_a")
    assert done.doit().status == 0
    assert done.ran() == ["a"]
    assert (done.work / name).is_file()


@pytest.mark.parametrize("name", ["approve_a.json", "approve_a.json.asc"])
def test_a_pipe_in_place_of_an_approval_is_told(
    project: Project, keyring: GnupgHome, name: str
) -> None:
    project.declare(
        APPROVAL,
        RELEASE.replace("0123456789" * 4, keyring.key(project.folder.name))
        + f'gnupg_home = "{keyring.folder}"\n',
    )
    assert project.doit().status == 4
    assert project.doit("approve", "approve_a").status == 0
    place = project.work / "approvals" / name
    place.unlink()
    os.mkfifo(place)
    assert project.doit("list", "--status").status == 0
    assert_one_line(project.doit(), place)
    place.unlink()
    assert "Traceback" not in project.doit().out


def test_a_folder_that_closed_itself_to_us_is_one_line_for_whoever_asks(done: Project) -> None:
    if not os.getuid():
        pytest.skip("nothing is closed to root")
    (done.work / "receipts").chmod(0)
    for words in (("list", "--status"), ("why", "copy_a")):
        ended = done.doit(*words)
        assert (ended.status, ended.out) == (1, ""), ended
        (line,) = ended.err.splitlines()
        assert f"{done.work / 'receipts'}" in line
    (done.work / "receipts").chmod(0o755)


def test_a_file_in_place_of_the_approvals_is_one_line(project: Project, keyring: GnupgHome) -> None:
    project.declare(
        APPROVAL,
        RELEASE.replace("0123456789" * 4, keyring.key(project.folder.name))
        + f'gnupg_home = "{keyring.folder}"\n',
    )
    assert project.doit().status == 4
    (project.work / "approvals").write_text("of a person")
    ended = project.doit("approve", "approve_a")
    assert (ended.status, ended.out) == (1, ""), ended
    (line,) = ended.err.splitlines()
    assert line.startswith(f"{project.work / 'approvals'}")
    assert "move it away" in line


LEAVING = '''
def leave(status):
    raise SystemExit(status)

@plan.step(reads=[HERE / "input"])
def task_leave_it():
    """Leave the program."""
    return call(leave, STATUS)

@plan.group(of=[task_leave_it])
def task_export():
    """Everything local."""
'''


@pytest.mark.parametrize("status", ['"done"', "0"])
def test_a_step_that_leaves_the_program_is_a_bug_and_not_a_success(
    project: Project, status: str
) -> None:
    project.declare(LEAVING.replace("STATUS", status))
    ended = project.doit()
    assert ended.status == 2, ended
    assert "this is a bug in the tool or in dodo.py" in ended.out + ended.err
    assert "SystemExit" in ended.out + ended.err
    assert not (project.work / "receipts" / "leave_it.json").exists()


def test_something_in_the_way_elsewhere_is_a_bug_of_the_step(project: Project) -> None:
    """What a step asks of folders that are not the release's has to be right."""
    project.declare(CHAIN.replace('copy, HERE / "input", at.src / "a"', 'copy, HERE, at.src / "a"'))
    ended = project.doit()
    assert ended.status == 2, ended
    assert "IsADirectoryError" in ended.out
