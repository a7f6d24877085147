"""A disk that takes no more while a toy CPython is exported: one line, and nothing half written."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from doit_receipts.durable import PARTIAL
from tests.export.test_killing_export import LOOK_AGAIN, assert_same
from tests.moments import chosen, kind_of_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ended import Ended
    from tests.export.toy import Toy
    from tests.export.walk import Stage, Walk

pytestmark = pytest.mark.slow

SHARES = 4
ALONE = ("unshare", "--mount", "--map-root-user")
# Beside its products, a whole toy export wants some 2 MB for its scratch.
FIRST_KB, MORE_KB = 100, 150
FULL = "that was all the room"
ARCHIVES = ("Python-3.13.6.tgz", "Python-3.13.6.tar.xz")


@pytest.mark.parametrize("share", range(SHARES))
def test_a_disk_that_is_full_from_any_write_on_is_one_clear_line(
    walk: Walk, share: int, count: Callable[[str, int], None]
) -> None:
    """The writes of each task, which runs by itself from a copy of the moment before it."""
    for stage in walk.stages:
        for instant in chosen(stage.growing, kind_of_write)[share::SHARES]:
            go_on_when_there_is_room(walk.toy, stage, instant)
            count("full disks at a write, each told in one line and gone on after", 1)


def go_on_when_there_is_room(toy: Toy, stage: Stage, instant: str) -> None:
    when = f"{stage.task}, full {instant}"
    toy.restore(stage.task)
    assert_clear(toy.quickly(f"--full={instant}", task=stage.task), when)
    half = [name for name, content in toy.files().items() if not stage.is_whole(name, content)]
    assert not half, (when, half)
    again = toy.quickly(task=stage.task)
    assert again.status == 0, (when, again)
    assert_same(toy.left(), stage.left, when)


def assert_clear(ended: Ended, when: str) -> None:
    assert ended.status == 1, (when, ended)
    assert "Traceback" not in ended.out, (when, ended)
    assert "bug" not in ended.out, (when, ended)
    told = ("no space left on device; see to the disk", "in tmpdir, then run the same command")
    assert any(each in ended.out.lower() for each in told), (when, ended)


def test_a_tarball_that_does_not_fit_is_not_there(walk: Walk) -> None:
    """The limit of a file's size stands for the disk: a write fails in the middle of the file."""
    toy, stage = walk.toy, walk.stage("build_tarballs")
    toy.restore("build_tarballs")
    blocks_of_512 = min(len(stage.left[f"src/{name}"]) for name in ARCHIVES) * 3 // 4 // 512
    limited = ("sh", "-c", f'ulimit -f {blocks_of_512}; exec "$@"', "sh")
    ended = toy.doit("build_tarballs", before=limited)
    assert ended.status == 1, ended
    assert "Traceback" not in ended.out
    assert "could not be written: File too large; see to the disk" in ended.out
    assert not list((toy.work / "src").iterdir())
    again = toy.doit("build_tarballs")
    assert again.status == 0, again
    assert_same(toy.left(), stage.left, "after a full disk")


def test_a_disk_without_room_for_the_tarballs_is_told_and_used_when_there_is_room(
    walk: Walk,
) -> None:
    """A real one, of 16 KB, that is mounted where the archives belong."""
    need_small_disks()
    toy, stage = walk.toy, walk.stage("build_tarballs")
    toy.restore("build_tarballs")
    source, taken = toy.work / "src", toy.folder / "taken"
    source.mkdir()
    shutil.rmtree(taken, ignore_errors=True)
    script = f"""
        mount -t tmpfs -o size=16k none '{source}' || exit 70
        "$@" && exit 71
        test $? = 1 || exit 72
        test -z "$(ls -A '{source}')" || exit 73
        mount -o remount,size=1m '{source}'
        "$@" || exit 74
        cp -a '{source}' '{taken}'
    """
    ended = toy.doit("build_tarballs", before=(*ALONE, "sh", "-c", script, "sh"))
    assert ended.status == 0, ended
    assert "Traceback" not in ended.out
    assert "could not be written: No space left on device; see to the disk" in ended.out
    for name in ARCHIVES:
        assert (taken / name).read_bytes() == stage.left[f"src/{name}"]


def test_an_export_whose_disk_grows_each_time_it_is_full_ends_as_an_undisturbed_one(
    walk: Walk, count: Callable[[str, int], None]
) -> None:
    """A real small disk for all that a release writes, also by git, Sphinx, and make."""
    need_small_disks()
    toy, taken = walk.toy, walk.toy.folder / "taken"
    shutil.rmtree(taken, ignore_errors=True)
    toy.restore()
    script = f"""
        size={FIRST_KB}
        mount -t tmpfs -o size=${{size}}k none '{toy.work}' || exit 70
        ln -s '{toy.tools}' '{toy.work}/'
        until "$@"; do
            test $? = 1 || exit 71
            find '{toy.work}' -name '*{PARTIAL}' | grep . && exit 72
            echo '{FULL}'
            size=$((size + {MORE_KB}))
            test $size -lt 20000 || exit 73
            mount -o remount,size=${{size}}k '{toy.work}' || exit 74
        done
        rm '{toy.work}/{toy.tools.name}'
        cp -a '{toy.work}' '{taken}'
    """
    ended = toy.doit("export", before=(*ALONE, "sh", "-c", script, "sh"))
    assert ended.status == 0, ended
    *refused, last = ended.out.split(FULL)
    assert len(refused) > 5
    assert "nothing remains" in last
    for each in refused:
        assert "this is a bug" not in each
        assert re.search(r"no space left on device|out of diskspace", each, re.IGNORECASE), each
    toy.take(taken)
    assert_same(toy.left(), walk.stages[-1].left, "on a disk that grew")
    ran = toy.ran()
    assert {task for task in ran if ran.count(task) > 1} <= LOOK_AGAIN
    count("real disks that were full, each gone on after on a larger one", len(refused))


def need_small_disks() -> None:
    if subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
