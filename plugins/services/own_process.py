"""Our own process: not to be read by others of the same user.

It holds secrets for as long as it uses them, and its environment may name more.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

__all__ = ["hide_memory"]

_PR_SET_DUMPABLE: Final = 4


@cache
def hide_memory() -> None:
    """No other process of this user can trace ours, read its memory, environment or open files.

    Source: prctl(2) and proc(5). It leaves no core dump either. Root reads it all the same, and so
    does nobody on macOS, where only a debugger's entitlement allows it.
    """
    if sys.platform != "linux":
        return
    import ctypes  # 8 ms, and only where programs are run

    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
