"""Tests of the Microsoft Store: only the Windows expert knows, and is asked for a week."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed, Waiting
from plugins.model.windows_build import makes_store_packages
from plugins.steps.store_packages import await_told

if TYPE_CHECKING:
    from tests.conftest import Builds

LAST = datetime(2026, 12, 9, tzinfo=UTC)


class At:
    """A clock on a day of that month."""

    def __init__(self, day: int) -> None:
        self.day = day

    def now(self) -> datetime:
        return datetime(2026, 12, self.day, 12, tzinfo=UTC)


def test_expert_is_waited_for_and_then_named_with_what_to_do() -> None:
    with pytest.raises(Waiting, match="in the Microsoft Store") as waiting:
        await_told(At(8), approved=False, until=LAST, who="Wanda Windows")
    assert waiting.value.who == "Wanda Windows"
    asked = "ask Wanda Windows to upload the msixupload artifacts there and run doit approve"
    shown = "doit approve approve_store, with the digest that doit next shows"
    assert asked in waiting.value.remedy
    assert shown in waiting.value.remedy
    with pytest.raises(StepFailed, match="due on 2026-12-09") as failed:
        await_told(At(10), approved=False, until=LAST, who="Wanda Windows")
    assert asked in failed.value.remedy
    # its remedy, even after the last day
    told = await_told(At(10), approved=True, until=LAST, who="Wanda Windows")
    assert told == {"store": "has the packages"}


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("3.13.6", "brings"), ("3.13.0rc1", ""), ("3.14.2", ""), ("3.16.0a1", "")],
)
def test_packages_are_brought_for_finals_up_to_3_13(
    a_release: Builds, version: str, wanted: str
) -> None:
    assert makes_store_packages(a_release(version)) is bool(wanted)
