"""Waiting for what another process does, never for ever and with a word of what did not come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

__all__ = ["comes_true", "wait_until"]

# A busy machine is no failure; who waits longer than this waits for something that hangs.
_LONGEST_S: Final = 120


def comes_true(
    is_so: Callable[[], object], *, within_s: float = _LONGEST_S, look_s: float = 0.01
) -> bool:
    """Whether it is so before the time is over; looked at once at least."""
    until_s = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until_s:
            return False
        time.sleep(look_s)
    return True


def wait_until(
    is_so: Callable[[], object],
    what: str,
    *,
    of: subprocess.Popen[Any] | None = None,
    said: Callable[[], object] = str,
    within_s: float = _LONGEST_S,
    look_s: float = 0.01,
) -> None:
    """It is so; AssertionError says ``what`` was waited for in vain.

    With the process ``of`` which it is awaited, its end is the end of waiting too; ``said`` is
    what it leaves to read then.
    """

    def is_over() -> bool:
        if is_so():
            return True
        status = None if of is None else of.poll()
        assert status is None, f"ended with {status} before {what}: {said()}"
        return False

    assert comes_true(is_over, within_s=within_s, look_s=look_s), f"not in {within_s:g} s: {what}"
