"""The start of Sphinx with its clock stopped: a program for the Python of the docs tools.

``sphinx_at_epoch.py EPOCH WORD...`` is ``sphinx-build WORD...`` for which it is always EPOCH
(seconds, UTC). SOURCE_DATE_EPOCH alone is not enough: the pydoc-topics builder of the tree
and conf.py files before 3.13 ask for the time themselves, and Sphinx corrects the year of a
copyright only while the machine's clock is past the epoch. What determines the age of files is not
touched. Runs without this project: it imports the standard library and Sphinx only.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["end_with_parent", "main", "stop_the_clock"]

_LOOK_S = 2.0


def stop_the_clock(epoch_s: int) -> None:
    """Each function of ``time`` that formats "now" by default formats the epoch, in UTC."""
    moment = time.gmtime(epoch_s)
    time.asctime = _with_default(time.asctime, moment)
    time.ctime = _with_default(time.ctime, epoch_s)
    time.gmtime = _with_default(time.gmtime, epoch_s)
    time.localtime = _with_default(time.localtime, epoch_s)
    format_time = time.strftime
    time.strftime = lambda form, *when: format_time(form, *(when or (moment,)))


def _with_default(function: Callable[[Any], Any], default: object) -> Callable[..., Any]:
    def frozen(when: object = None) -> Any:
        return function(default if when is None else when)

    return frozen


def end_with_parent() -> None:
    """When the process that started this one is gone, this one goes within seconds.

    Otherwise a release that was killed and started again would share the machine with the
    builders of its former life.
    """
    parent = os.getppid()

    def look(_signal: int, _frame: object) -> None:
        if os.getppid() != parent:
            os._exit(1)

    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)


def main(words: list[str]) -> None:
    """Run Sphinx; what it says on either stream goes to standard output, in order."""
    os.dup2(sys.stdout.fileno(), sys.stderr.fileno())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    end_with_parent()
    stop_the_clock(int(words[0]))
    # Doctrees are millions of objects that live long: with Python's own thresholds a fifth of
    # a build goes into looking through them for garbage.
    gc.set_threshold(200_000, 20, 100)
    # The folder of this file holds modules that Sphinx must not import.
    del sys.path[0]
    sys.argv = ["sphinx-build", *words[1:]]
    try:
        runpy.run_module("sphinx", run_name="__main__")
    finally:
        # While Python winds up it hands signals back to the system, for which this one is deadly.
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
