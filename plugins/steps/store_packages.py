"""Store packages: whether they were brought to the Microsoft Store, which no pipeline does.

Source: windows-release/README.md of python/release-tools (a25ec43). Who may see whether it was done
is the Windows expert alone, so they are asked; the release itself waits for nothing of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plugins.steps.afterwards import not_yet

if TYPE_CHECKING:
    from datetime import datetime

    from plugins.ports.clock import Clock

__all__ = ["DAYS", "await_told"]

DAYS: Final = 7
"""How long after the day of the release nobody is reported for it."""


def await_told(clock: Clock, *, approved: bool, until: datetime, who: str) -> dict[str, str]:
    """The Windows expert has said that the Store has the packages (X17).

    ``approved``: whether they gave approve_store. Raises Waiting up to ``until``, and StepFailed
    with whom to ask from then on.
    """
    if not approved:
        not_yet(
            "nobody has said yet that the packages are in the Microsoft Store",
            "partner.microsoft.com",
            clock,
            until=until,
            who=who,
            remedy="upload the msixupload artifacts there and run doit approve approve_store, with"
            " the digest that doit next shows",
            by_hand=True,
        )
    return {"store": "has the packages"}
