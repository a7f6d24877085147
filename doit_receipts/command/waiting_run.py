"""The run that goes on by itself: once somebody approved, and now and then for what is outside.

Each further run is a program of its own, as if a person had typed the command again: it reads
its declaration anew, holds the lock for as long as it works, and leaves it to others in between.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from doit_receipts.lock import is_worked_on
from doit_receipts.running import shown_time
from doit_receipts.typed import DODO, started_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from doit_receipts.plan import Plan
    from doit_receipts.work_folder import WorkFolder

__all__ = ["approvals_now", "run_until_nobody_is_awaited", "typed_again"]

_AWAITED: Final = 4
_FAILED: Final = 1
_LOOK_S: Final = 1.0
_AGAIN_S: Final = 300.0
"""So often it is tried again without an approval: files, builds and merges come by themselves."""


def _now_s() -> float:
    """Seconds that a machine counts while it sleeps as well, as a waiting person does."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def run_until_nobody_is_awaited(
    plan: Plan,
    seen: Any,
    words: Sequence[str],
    hours: float,
    *,
    asked: Sequence[str] = (),
    pause: Callable[[float], None] = time.sleep,
    now_s: Callable[[], float] = _now_s,
) -> int:
    """The exit status of the last run: 4 only if somebody is still waited for after so long.

    ``seen`` are the ``approvals_now`` of before the run that has just ended: what was given while
    it was at work may have come too late. ``words`` are the command's, as they were typed, and
    ``asked`` the tasks that it names. What fails is tried once more, for a service may be away for
    a moment; while somebody else works on the release nothing is tried. Ctrl-C ends the waiting,
    and the run below it. Who wants to hear of the release hears when the time is over.
    """
    ends_s = now_s() + hours * 3600
    command = typed_again(words)
    _say(f"waiting for {shown_time(hours * 3600)} at most; Ctrl-C ends it, and loses nothing")
    failed = False
    while True:
        if not _changed(plan, seen, ends_s, pause, now_s):
            _tell_of_end(plan, asked, shown_time(hours * 3600))
            return _FAILED if failed else _AWAITED
        seen = approvals_now(plan.folder)
        status = _ended(command)
        if status == _FAILED and is_worked_on(plan.folder.lock):
            continue  # somebody was first
        if status not in (_AWAITED, _FAILED) or (status == _FAILED and failed):
            return status if status >= 0 else 128 - status
        failed = status == _FAILED
        if failed:
            # Whatever came meanwhile: a service that is away has its time.
            seen = approvals_now(plan.folder)
            _say(f"failed; is tried once more in {shown_time(_AGAIN_S)}")


def _tell_of_end(plan: Plan, asked: Sequence[str], long: str) -> None:
    """Whoever watches the terminal knows that the time is over, and whoever wants to hear."""
    # Who works on it now tells of it.
    if plan.context.notify is not None and not is_worked_on(plan.folder.lock):
        # late: most releases tell nobody
        from doit_receipts.notifying import Notifications

        heard = Notifications(plan, plan.context.notify)
        heard.waited(asked, long)
        for line in heard.finish():
            _say(line)
        plan.state.close()
    _say(f"still waiting after {long}; run the same command again later")


def _ended(command: Sequence[str]) -> int:
    """The status of the run, which ends in good order where this process is asked to end.

    Where it had ended by then and there was more to wait for, 128 and the number of the signal.
    """
    run: subprocess.Popen[bytes] | None = None
    told: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    def pass_on(number: int, frame: FrameType | None) -> None:
        note(number, frame)
        if run is not None:
            run.send_signal(number)

    # SIGTERM may be for this process alone; to a run that got it as well it is the same one.
    # Where it is ignored, the run ignores it too, and would not once it was handled here.
    heard = [signal.SIGTERM] if signal.getsignal(signal.SIGTERM) != signal.SIG_IGN else []
    before = {each: signal.signal(each, pass_on) for each in heard}
    try:
        # The words are those of a person, for this very program, and no shell reads them.
        with subprocess.Popen(command, cwd=started_in()) as run:  # noqa: S603
            if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
                # The terminal tells both of us of Ctrl-C, and of its end.
                before[signal.SIGINT] = signal.signal(signal.SIGINT, note)
            for number in tuple(told):
                run.send_signal(number)
            status = run.wait()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    return 128 + told[-1] if told and status in (_AWAITED, _FAILED) else status


def _say(text: str) -> None:
    """A line for whoever watches the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def typed_again(words: Sequence[str]) -> list[str]:
    """The same command, which does not wait."""
    given = DODO.get()
    chosen = [] if given is None else ["-f", str(given[0])]
    kept = [word for word in words if not _is_ours(word)]
    return [sys.executable, "-m", "doit", *chosen, "run", *kept]


def _is_ours(word: str) -> bool:
    return word == "--wait" or word.startswith("--wait-hours=")


def _changed(
    plan: Plan,
    seen: Any,
    ends_s: float,
    pause: Callable[[float], None],
    now_s: Callable[[], float],
) -> bool:
    """Whether there is a reason to go on before the end, and nobody at work; waits for it."""
    tries_s = now_s() + _AGAIN_S
    while now_s() < ends_s:
        due = approvals_now(plan.folder) != seen or now_s() >= tries_s
        if due and not is_worked_on(plan.folder.lock):
            return True
        pause(_LOOK_S)
    return False


def approvals_now(folder: WorkFolder) -> Any:
    """How the approvals stand: another value once one is given, or its signature comes."""
    try:
        with os.scandir(folder.approvals) as found:
            return sorted(
                (each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in found
            )
    except OSError:
        return []
