"""Accidents of a release day: the hosts. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal.store import ALWAYS
from plugins.steps.host_modes import FOLDER_MODE
from tests.publish.cases import (
    ARCHIVE,
    assert_alike,
    assert_nothing_shown,
    assert_nothing_told,
    assert_told,
    ends_alike,
)
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow

FTP = "/srv/www.python.org/ftp/python"


def test_connection_dropped_at_each_tenth_of_an_upload(walk: Walk, observed: Observed) -> None:
    day, stage = walk.day, walk.stages["stage_files"]
    size = sum(path.stat().st_size for path in (day.work / "src").glob("Python-*"))
    for tenth in range(10):
        day.restore("stage_files")
        day.order("ssh.drop", str(size * tenth // 10))
        ended = day.doit("run", "stage_files")
        assert ended.status == DONE, (tenth, ended)
        assert any(each["event"] == "ssh.drop" for each in day.store.happened("faults")), tenth
        assert differences(world_of(day), stage.world) == {}, tenth
    ends_alike(walk)
    observed("connection dropped during upload", "10 of 10 tenths: goes on by itself, same bytes")


def test_connection_that_always_drops(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("stage_files")
    day.order("ssh.drop", "0", times=ALWAYS)
    line = assert_told(day.publish(), "stage_files", "x ")
    assert_nothing_shown(day)
    ends_alike(walk)
    observed("connection that always drops", line)


def test_host_disk_full(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("stage_files")
    day.order("ssh.disk_full", times=ALWAYS)
    ended = day.publish()
    line = assert_told(ended, "stage_files", "full")
    assert_nothing_shown(day)
    assert_nothing_told(day)
    ends_alike(walk)
    observed("host disk full", line)


OTHERS = {
    "check_access": f"{FTP}/3.13.6",
    "reserve_folder": f"{FTP}/.3.13.6.staging-3.13.6",
    "stage_docs": f"{FTP}/doc/.3.13.6.staging",
    "switch_files": f"{FTP}/3.13.6",
    "switch_docs": f"{FTP}/doc/3.13.6",
}


@pytest.mark.parametrize("task", OTHERS)
def test_folder_that_another_release_manager_made_for_themselves(
    walk: Walk, observed: Observed, task: str
) -> None:
    day = walk.day
    day.restore(task)
    foreign(day, OTHERS[task])
    line = assert_told(day.publish(), task, "hugo")
    if task == "check_access":
        assert not acts(day)
    assert_nothing_told(day)
    foreign(day, OTHERS[task], there=False)
    ends_alike(walk)
    observed(f"permission: another RM's folder, {task}", line)


def test_folder_that_another_release_manager_makes_while_we_log_in(
    walk: Walk, observed: Observed
) -> None:
    day = walk.day
    day.restore("check_access")
    day.order("ssh.foreign_folder", f"{FTP}/3.13.6")
    line = assert_told(day.publish(), "check_access", "hugo")
    assert not acts(day)
    foreign(day, f"{FTP}/3.13.6", there=False)
    ends_alike(walk)
    observed("ssh.foreign_folder, check_access", line)


def foreign(day: Day, folder: str, *, there: bool = True) -> None:
    """The folder is another release manager's and only they may write there, or is as before."""
    day.stop_world()
    place = day.world / "hosts" / "downloads" / folder.lstrip("/")
    told: dict[str, str] = {"path": folder, "owner": "hugo", "group": "hugo"}
    if folder in made_before(day):  # for the experts, who upload into it before the switch
        told = told if there else {"path": folder, "owner": "rm", "group": "downloads"}
        place.chmod(0o755 if there else FOLDER_MODE)
    elif there:
        place.mkdir(mode=0o755)
    else:
        told = {"gone": folder}
        place.rmdir()
    with (day.store.folder / "downloads.owners").open("a") as log:
        log.write(json.dumps(told) + "\n")
    day.start_world()


def made_before(day: Day) -> set[str]:
    """The folders on the host that the release has made by now."""
    commands = day.store.happened("ssh.downloads")
    return {each["path"] for each in commands if each["event"] == "mkdir"}


@pytest.mark.parametrize(
    ("task", "teller"), [("check_access", "check_access"), ("switch_files", "check_brought")]
)
def test_host_key_changed(walk: Walk, observed: Observed, task: str, teller: str) -> None:
    """The first that asks the host tells; before the switch, the gate looks there once more."""
    day = walk.day
    day.restore(task)
    before = len(list(day.store.happened("ssh.downloads")))
    day.order("ssh.host_key_changed", times=ALWAYS)
    ended = day.publish()
    line = assert_told(ended, teller, "key")
    assert "SHA256:" in ended.said
    assert task not in ended.done
    assert len(list(day.store.happened("ssh.downloads"))) == before
    assert_nothing_told(day)
    ends_alike(walk)
    observed(f"host key changed, {task}", line)


def test_clock_skew(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("check_access")
    day.order("ssh.clock_skew", times=ALWAYS)
    ended = day.publish()
    assert ended.status == WAITING, ended
    (line, *_) = [line for line in ended.out.splitlines() if "hosts.clock" in line]
    assert "s ahead of ours" in line
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert_alike(walk)
    observed("clock skew of an hour", f"told, and goes on: {line.strip()}")


def test_file_replaced_while_it_is_staged(walk: Walk, observed: Observed) -> None:
    """Before the switch the file is hidden; whoever put other bytes there is not shown."""
    day = walk.day
    day.restore("switch_files")
    file = day.downloads / ".3.13.6.staging-3.13.6" / ARCHIVE
    right = file.read_bytes()
    file.write_bytes(right[:-1] + b"!")
    line = assert_told(day.publish(), "switch_files", ARCHIVE)
    assert_nothing_shown(day)
    assert_nothing_told(day)
    file.write_bytes(right)
    ends_alike(walk)
    observed("file replaced on the host, hidden", line)


def test_file_replaced_in_the_moment_of_the_comparison(walk: Walk, observed: Observed) -> None:
    """What is not published yet may be removed, as the message says, and is uploaded again."""
    day = walk.day
    day.restore("stage_files")
    day.order("ssh.replaced", ARCHIVE)
    line = assert_told(day.publish(), "stage_files", ARCHIVE)
    assert_nothing_shown(day)
    assert_nothing_told(day)
    (day.downloads / ".3.13.6.staging-3.13.6" / ARCHIVE).unlink()
    ends_alike(walk)
    observed("file replaced when digests are compared", line)


@pytest.mark.parametrize("task", ["purge_files", "test_downloads", "list_files", "check_site"])
def test_file_replaced_after_users_saw_it(walk: Walk, observed: Observed, task: str) -> None:
    day = walk.day
    day.restore(task)
    file = day.downloads / "3.13.6" / ARCHIVE
    right = file.read_bytes()
    file.write_bytes(right[:-1] + b"!")
    ended = day.publish()
    assert ended.status == FAILED, ended
    assert "Traceback" not in ended.said
    if task != "check_site":
        assert_nothing_told(day)
    assert not [each for each in day.store.load("mail", []) if "available" in each["subject"]]
    file.write_bytes(right)
    ends_alike(walk)
    first = ended.failed[0]
    observed(f"file replaced on the host, {task}", ended.line_of(first))
