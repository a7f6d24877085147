"""``--wait``: a run goes on by itself once somebody approved, and gives up after its hours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from doit_receipts.command.waiting_run import (
    approvals_now,
    run_until_nobody_is_awaited,
    typed_again,
)
from doit_receipts.lock import holding
from doit_receipts.opening import open_plan
from doit_receipts.project import Release
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home
from tests.engine.conftest import RELEASE
from tests.waiting import wait_until
from tests.warm_doit import python

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.engine.conftest import Project

STEPS: Final = '''
@plan.step(reads=[HERE / "input"], writes=[at.src / "a"])
def task_copy_a():
    """Copy the input to a."""
    return call(copy, HERE / "input", at.src / "a")

@plan.approval(of=[task_copy_a], who="RM")
def approve_a():
    """Approve a."""

@plan.step(after=[approve_a], writes=[at.src / "b"])
def task_copy_b():
    """Copy a to b."""
    return call(copy, at.src / "a", at.src / "b")

@plan.group(of=[task_copy_b])
def task_export():
    """Everything local."""
'''

FAILS: Final = '''
def fail():
    raise StepFailed(problem="away")

@plan.step(writes=[at.src / "c"])
def task_write_c():
    """Write c, which fails."""
    return call(fail)
'''


@pytest.fixture
def keyring() -> Iterator[GnupgHome]:
    with gnupg_home() as home:
        yield home


@contextmanager
def waiting(project: Project, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run that waits for the approval while the block runs, and has ended behind it."""
    err = project.folder / "err"
    with err.open("wb") as stream:
        run = subprocess.Popen(
            [sys.executable, "-m", "doit", *words], cwd=project.folder, stderr=stream,
            stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        wait_until(lambda: b"waiting for " in err.read_bytes(), "it waits")
        yield run
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
        run.wait(timeout=120)


def test_it_goes_on_once_somebody_approved(project: Project, keyring: GnupgHome) -> None:
    key = keyring.key("rm")
    release = RELEASE.replace("0123456789012345678901234567890123456789", key)
    project.declare(STEPS, release + f'gnupg_home = "{keyring.folder}"\n')
    with waiting(project, "export", "--wait") as run:
        assert not (project.work / "src" / "b").exists()
        given = project.doit("approve", "approve_a")
        assert given.status == 0, given.err + given.out
        assert run.wait(timeout=120) == 0
    assert (project.work / "src" / "b").read_text() == "hello"


def test_it_gives_up_after_its_hours(project: Project) -> None:
    project.declare(STEPS)
    ended = project.doit("export", "--wait", "--wait-hours", "0.0001")
    assert ended.status == 4
    assert ended.err.splitlines()[-1] == (
        "still waiting after 0 s; run the same command again later"
    )


def test_it_waits_for_nobody_where_nobody_is_awaited(project: Project) -> None:
    project.declare(STEPS)
    (project.folder / "input").unlink()
    ended = project.doit("export", "--wait")
    assert ended.status == 1
    assert "waiting for " not in ended.err
    assert project.doit("copy_a", "--wait").status == 1


class Watch:
    """The clock of who waits, whom somebody may do something while it pauses."""

    def __init__(self, *meanwhile: Callable[[], object]) -> None:
        self.now_s = 0.0
        self._meanwhile = list(meanwhile)

    def __call__(self) -> float:
        return self.now_s

    def pause(self, _seconds: float) -> None:
        self.now_s += 100.0
        if self._meanwhile:
            self._meanwhile.pop(0)()


@pytest.fixture
def again(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[[Watch], int]:
    """Waits an hour at most for ``doit copy_a``; gives the status."""
    project.declare(STEPS)
    monkeypatch.chdir(project.folder)

    def wait(watch: Watch) -> int:
        plan = open_plan(Release("Thing", "3.13.6", project.work))
        try:
            seen = approvals_now(plan.folder)
            return run_until_nobody_is_awaited(
                plan, seen, ["copy_a"], 1.0, pause=watch.pause, now_s=watch
            )
        finally:
            plan.state.close()

    return wait


def test_it_waits_while_somebody_else_works(
    project: Project, again: Callable[[Watch], int]
) -> None:
    """The try of every five minutes is not spent on a lock that somebody has."""
    work = ExitStack()
    lock = project.work / "lock"

    def begin() -> None:
        work.enter_context(holding(lock))

    watch = Watch(begin, *[lambda: None] * 9, work.close)
    with work:
        assert again(watch) == 0
    assert watch.now_s == 1100
    assert project.ran() == ["a"]


def test_one_failure_is_tried_once_more(
    project: Project, again: Callable[[Watch], int], capfd: pytest.CaptureFixture[str]
) -> None:
    """A service that is away for a moment does not end a night; what fails twice does."""
    (project.folder / "input").unlink()
    watch = Watch(*[lambda: None] * 4, lambda: project.write("input", "hello"))
    assert again(watch) == 0
    assert watch.now_s == 600
    assert "failed; is tried once more in 5 min" in capfd.readouterr().err
    (project.folder / "input").unlink()
    (project.work / "src" / "a").unlink()
    watch = Watch()
    assert again(watch) == 1
    assert watch.now_s == 600


APPROVED_MEANWHILE: Final = """
def copy(source, target):
    ran(target.name)
    given = release.work / "approvals" / "approve_a.json"
    if not given.exists():
        # As ``doit approve`` does it: beside the run, without its lock.
        given.parent.mkdir(exist_ok=True)
        given.touch()
        raise {how}
    write_whole(target, source.read_bytes())
    return {{}}
"""
NOT_YET: Final = 'Waiting(who="RM", problem="not approved yet")'


@pytest.mark.parametrize(("how", "ends_s"), [(NOT_YET, 300), ('StepFailed(problem="away")', 600)])
def test_what_was_approved_while_a_run_was_at_work_is_noticed_when_it_has_ended(
    project: Project, again: Callable[[Watch], int], how: str, ends_s: float
) -> None:
    """The task may have had its turn before, and the run go on with others for an hour.

    The first try is after 300 seconds and the next one at once; of one that failed it is as late
    as ever, so that a service that is away has its time.
    """
    project.declare(APPROVED_MEANWHILE.format(how=how) + STEPS)
    watch = Watch()
    assert again(watch) == 0
    assert watch.now_s == ends_s
    assert project.ran() == ["a", "a"]


def test_so_is_what_was_approved_during_the_run_that_begins_to_wait(project: Project) -> None:
    project.declare(APPROVED_MEANWHILE.format(how=NOT_YET) + STEPS)
    ended = project.doit("copy_a", "--wait", "--wait-hours", "0.001")
    assert ended.status == 0, ended
    assert project.ran() == ["a", "a"]


STOPPED: Final = """
import os, signal, subprocess
from pathlib import Path

from doit_receipts.command.waiting_run import approvals_now, run_until_nobody_is_awaited
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

class Started(subprocess.Popen):
    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        os.kill(os.getpid(), signal.SIGTERM)

subprocess.Popen = Started
signal.signal(signal.SIGTERM, signal.{handler})
plan = open_plan(Release("Thing", "3.13.6", Path("build/3.13.6").absolute()))
raise SystemExit(
    run_until_nobody_is_awaited(plan, None, ["copy_a"], 1.0, pause=print, now_s=lambda: 0.0)
)
"""


def test_sigterm_ends_the_run_below_from_the_moment_that_it_is_there(project: Project) -> None:
    """Else it would go on and publish, and nobody would see it."""
    project.declare(STEPS)
    project.write("stopped.py", STOPPED.format(handler="SIG_DFL"))
    ended = python(project.folder / "stopped.py", folder=project.folder, env=os.environ)
    assert ended.status == 128 + signal.SIGTERM, ended
    assert not project.ran()


def test_sigterm_ends_no_run_whose_caller_has_it_ignored(project: Project) -> None:
    project.declare(STEPS)
    project.write("stopped.py", STOPPED.format(handler="SIG_IGN"))
    ended = python(project.folder / "stopped.py", folder=project.folder, env=os.environ)
    assert ended.status == 0, ended
    assert project.ran() == ["a"]


ENDED: Final = """
import os, signal, subprocess
from pathlib import Path

from doit_receipts.command.waiting_run import run_until_nobody_is_awaited
from doit_receipts.opening import open_plan
from doit_receipts.project import Release

class Ended(subprocess.Popen):
    def wait(self, *words, **options):
        status = super().wait(*words, **options)
        os.kill(os.getpid(), signal.{number})
        return status

subprocess.Popen = Ended
plan = open_plan(Release("Thing", "3.13.6", Path("build/3.13.6").absolute()))
times = iter((0.0, 0.0, *[400.0 * number for number in range(1, 90)]))
raise SystemExit(
    run_until_nobody_is_awaited(plan, None, ["{task}"], 5.0, pause=print, now_s=times.__next__)
)
"""


@pytest.mark.parametrize(
    ("task", "number", "status"),
    [
        ("copy_b", signal.SIGTERM, 143), ("copy_b", signal.SIGINT, 130),
        ("write_c", signal.SIGTERM, 143), ("copy_a", signal.SIGTERM, 0),
    ],
    ids=["somebody is awaited", "Ctrl-C", "failed", "done"],
)  # fmt: skip
def test_a_stop_as_a_run_has_just_ended_ends_the_waiting(
    project: Project, task: str, number: signal.Signals, status: int
) -> None:
    """What is done is done; else nobody would wait for the rest, and this would for hours."""
    project.declare(STEPS + FAILS)
    project.write("stopped.py", ENDED.format(task=task, number=number.name))
    ended = python(project.folder / "stopped.py", folder=project.folder, env=os.environ)
    assert ended.status == status, ended
    assert "still waiting" not in ended.err
    assert "is tried once more" not in ended.err


def test_a_night_of_sleep_counts(project: Project, again: Callable[[Watch], int]) -> None:
    watch = Watch()
    watch.pause = lambda _seconds: setattr(watch, "now_s", 3601.0)  # type: ignore[method-assign]
    assert again(watch) == 4
    assert not project.ran()


def test_nobody_hears_that_nothing_goes_on_while_somebody_works(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What that run comes to, it tells itself."""
    monkeypatch.chdir(project.folder)
    plan = open_plan(Release("Thing", "3.13.6", project.work))
    told = project.folder / "told"

    def tell(subject: str, _text: str) -> tuple[str, ...]:
        told.write_text(subject)
        return ()

    plan.context.notify = tell
    watch = Watch()
    with holding(project.work / "lock"):
        status = run_until_nobody_is_awaited(
            plan, approvals_now(plan.folder), ["copy_a"], 1.0, pause=watch.pause, now_s=watch
        )
    plan.state.close()
    assert (status, told.exists()) == (4, False)


def test_ctrl_c_ends_the_waiting(project: Project) -> None:
    project.declare(STEPS)
    with waiting(project, "export", "--wait") as run:
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=120) == 130


@pytest.mark.parametrize("hours", ["0", "-1", "nan", "soon", "1e9"])
def test_what_is_no_time_is_refused_in_one_line(project: Project, hours: str) -> None:
    project.declare(STEPS)
    ended = project.doit("export", "--wait", f"--wait-hours={hours}")
    assert (ended.status, ended.out) == (3, "")
    assert "hours" in ended.err
    assert "Traceback" not in ended.err
    assert not project.ran()


def test_the_command_is_the_one_that_was_typed() -> None:
    words = ["--wait", "--wait-hours=3", "--release=x.toml", "--", "export"]
    assert typed_again(words)[1:] == ["-m", "doit", "run", "--release=x.toml", "--", "export"]
    assert typed_again([])[0] == sys.executable
