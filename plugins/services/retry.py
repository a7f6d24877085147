"""Retry: what asks again after a failure, a few times, and says nothing while it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["quiet_stamina", "retried"]

_Answer = TypeVar("_Answer")


def retried(
    act: Callable[[], _Answer],
    on: Callable[[Exception], bool | float] | type[Exception],
    *,
    attempts: int = 4,
    longest_wait_s: float = 5.0,
) -> _Answer:
    """What the act returns, done again after errors that are worth it.

    ``on`` judges an error: False is for good, a number is for how many seconds to wait. The last
    error is raised as it was.
    """
    return quiet_stamina().retry(  # type: ignore[no-any-return]
        on=on, attempts=attempts, timeout=None,
        wait_initial=0.2, wait_max=longest_wait_s, wait_jitter=0.2,
    )(act)()  # fmt: skip


def quiet_stamina() -> ModuleType:
    """stamina, which from now on writes no line of its own among those of the command."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])
    return stamina
