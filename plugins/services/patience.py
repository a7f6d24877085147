"""Patience: what asks again after a failure, and says nothing while it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["quiet_stamina"]


def quiet_stamina() -> ModuleType:
    """stamina, which from now on writes no line of its own among those of the command."""
    import stamina
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([])
    return stamina
