"""Tests of the room that a release has on this machine's disk."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from checks.disk import work_folder_has_room
from doit_receipts.finding import Severity

if TYPE_CHECKING:
    from plugins.model.release import Release
    from tests.conftest import Builds

HUGE = 1 << 60


def _real(a_release: Builds) -> Release:
    return replace(a_release("3.13.6"), rehearsal=False)


def test_disk_with_room_passes(a_release: Builds) -> None:
    assert work_folder_has_room(_real(a_release), 1, 1) == ()
    assert work_folder_has_room(replace(_real(a_release), rehearsal=True)) == ()


def test_disk_that_may_become_full_is_warned_of_in_the_morning(a_release: Builds) -> None:
    release = _real(a_release)
    assert not release.layout.work.exists()  # judged by the folder that will hold it
    (finding,) = work_folder_has_room(release, HUGE)
    assert (finding.rule, finding.severity) == ("work.space", Severity.WARN)
    assert "GiB free, and a release may take" in finding.message
    assert finding.remedy == "make room there, or write another [work] folder"


def test_disk_that_is_nearly_full_blocks(a_release: Builds) -> None:
    (finding,) = work_folder_has_room(_real(a_release), HUGE, HUGE)
    assert finding.severity is Severity.BLOCK
