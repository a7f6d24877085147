"""A toy export that is stopped, disturbed, or started twice: nothing is half done or done twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.export.test_killing_export import LOOK_AGAIN, assert_once, assert_same
from tests.processes import all_end, family
from tests.waiting import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.export.toy import Toy
    from tests.export.walk import Walk

pytestmark = pytest.mark.slow

# The first that comes to this is slow, and does what it was asked for only then.
SLOW_ONCE = """\
case " $* " in
*' {word} '*) if mv '{folder}/slow' '{folder}/slowed' 2>/dev/null; then sleep 3; fi ;;
esac
exec {program} "$@"
"""


def until(reached: Callable[[], bool], process: subprocess.Popen[bytes], toy: Toy) -> None:
    wait_until(reached, "the moment to disturb it", of=process, said=toy.out, look_s=0.005)


def names(toy: Toy) -> set[str]:
    """The files that stand among the products, whatever they hold."""
    return {
        str(path.relative_to(toy.work))
        for folder in ("receipts", "src", "docs", "made")
        for path in (toy.work / folder).rglob("*")
    }


@pytest.mark.parametrize("log", ["docs-read.log", "docs-html.log"])
@pytest.mark.parametrize(
    ("number", "everybody"),
    [(signal.SIGTERM, False), (signal.SIGINT, True), (signal.SIGHUP, True)],
    ids=["SIGTERM", "Ctrl-C", "hangup"],
)
def test_a_stop_while_sphinx_works_leaves_no_program_and_no_partial_file(
    walk: Walk,
    log: str,
    number: signal.Signals,
    everybody: bool,  # noqa: FBT001 - pytest hands it over
    count: Callable[[str, int], None],
) -> None:
    toy = walk.toy
    toy.restore("build_docs")
    before = names(toy)
    with toy.start("build_docs") as process:
        until((toy.work / "logs" / log).exists, process, toy)
        until(lambda: len(family(process.pid)) > 1, process, toy)
        programs = family(process.pid)[1:]
        (os.killpg if everybody else os.kill)(process.pid, number)
        assert process.wait(timeout=300) == 128 + number, toy.out()
    assert all_end(*programs)
    assert names(toy) == before
    told = toy.out()
    assert "Traceback" not in told
    assert "the same command continues with the one that was running" in told
    again = toy.doit("build_docs")
    assert again.status == 0, again.out
    assert_same(toy.left(), walk.stage("build_docs").left, "after a stop")
    count("stops by a signal, each gone on to the bytes of an undisturbed run", 1)


@pytest.mark.parametrize(
    ("task", "program", "word"),
    [
        ("make_clone", "git", "clone"),
        ("merge_news", "git", "checkout"),
        ("merge_news", "git", "clean"),
        ("merge_news", "git", "add"),
        ("set_years", "git", "checkout"),
        ("put_topics", "git", "update-ref"),
        ("commit_release", "git", "checkout"),
        ("build_tarballs", "xz", "-6"),
        ("build_topics", "make", "build"),
    ],
)
def test_a_slow_program_of_a_killed_run_cannot_spoil_the_next(
    walk: Walk, task: str, program: str, word: str, count: Callable[[str, int], None]
) -> None:
    """It is killed at work, the same command is given at once, and the old program wakes up."""
    toy = walk.toy
    toy.restore(task)
    real = shutil.which(program)
    assert real
    script = SLOW_ONCE.format(word=word, folder=toy.folder, program=real)
    with toy.instead(program, script):
        (toy.folder / "slow").touch()
        (toy.folder / "slowed").unlink(missing_ok=True)
        with toy.start(task) as process:
            until((toy.folder / "slowed").exists, process, toy)
            old = family(process.pid)[1:]
            process.kill()
        done, ran = toy.done(), len(toy.ran())
        again = toy.doit(task)
    assert again.status == 0, again.out
    assert "what it had left running was stopped" in again.out
    # Until they would have been done, had they been let.
    assert all_end(*old)
    assert_same(toy.left(), walk.stage(task).left, f"{task} with a slow {program} {word}")
    assert_once(toy, done, toy.ran()[ran:], task)
    count("programs that outlived a killed run, and spoiled nothing", 1)


def test_of_two_exports_at_once_one_is_refused_and_the_other_is_right(toy: Toy) -> None:
    toy.restore()
    assert toy.doit("export").status == 0
    wanted = toy.left()
    toy.restore()
    outs = [f"out {number}" for number in range(4)]
    running = [toy.start("export", out=out) for out in outs]
    statuses = [process.wait(timeout=300) for process in running]
    told = [toy.out(out) for out in outs]
    # Those that were too late to meet the first found everything done.
    refused = [each for status, each in zip(statuses, told, strict=True) if status == 1]
    assert set(statuses) <= {0, 1}, told
    assert 0 in statuses, told
    assert refused
    for each in refused:
        assert len(each.splitlines()) == 1, each
        assert "this release is being worked on by" in each
    assert_same(toy.left(), wanted, "two at once")
    ran = toy.ran()
    assert {task for task in ran if ran.count(task) > 1} <= LOOK_AGAIN


@pytest.mark.parametrize("how", ["deleted", "nonsense", "cut", "a flipped bit", "a folder"])
@pytest.mark.parametrize("moment", ["while it runs", "between two runs"])
def test_a_lost_or_damaged_cache_changes_nothing(
    walk: Walk, how: str, moment: str, count: Callable[[str, int], None]
) -> None:
    toy = walk.toy
    toy.restore("put_topics")
    damage(toy.work / "state.sqlite3", how)
    with toy.start("make_tag") as process:
        if moment == "while it runs":
            until((toy.work / "receipts" / "put_topics.json").exists, process, toy)
            damage(toy.work / "state.sqlite3", how)
        assert process.wait(timeout=120) == 0, toy.out()
    assert "Traceback" not in toy.out()
    done, ran = toy.done(), len(toy.ran())
    again = toy.doit("make_tag")
    assert again.status == 0, again.out
    assert "0 tasks run" in again.out
    assert_same(toy.left(), walk.stage("make_tag").left, f"state {how} {moment}")
    assert_once(toy, done, toy.ran()[ran:], how)
    count("caches that were lost or damaged, and changed nothing", 1)


def damage(state: Path, how: str) -> None:
    content = bytearray(state.read_bytes()) if state.is_file() else bytearray(64)
    match how:
        case "deleted":
            state.unlink(missing_ok=True)
        case "nonsense":
            state.write_bytes(random.Random(1).randbytes(len(content)))
        case "cut":
            state.write_bytes(content[: len(content) // 2])
        case "a flipped bit":
            content[len(content) // 2] ^= 16
            state.write_bytes(content)
        case _:
            for left in state.parent.glob("state.sqlite3*"):
                left.unlink() if left.is_file() else shutil.rmtree(left)
            state.mkdir()
