"""A release that nobody touched: nothing is found, in any situation, on any machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from plugins.model.contract import Kind
from plugins.model.report import Situation

if TYPE_CHECKING:
    from tests.released import Released

pytestmark = pytest.mark.slow


def test_an_untouched_release_has_no_finding(world: Released) -> None:
    report = world.look(fresh=True)
    assert (report.situation, report.findings) == (Situation.PUBLISHED, ())
    assert report.holds
    assert len(report.judgements) == 9
    # What no signature and no comparison covers is named, so that nobody believes it unseen.
    unsigned = {each.partition(" ")[0] for each in report.not_known if "no signature" in each}
    kinds = {each.kind for each in world.contract.files if each.remote in unsigned}
    assert {each.remote for each in world.contract.files if each.kind is Kind.DOCS} <= unsigned
    assert not kinds & {Kind.SOURCE, Kind.INSTALLER, Kind.SBOM}
    assert "words, date and links" in "".join(report.not_known)


def test_a_second_look_fetches_no_file_again_and_finds_nothing(world: Released) -> None:
    world.look(fresh=True)
    kept = world.stranger.work / "verify" / "src" / "Python-3.13.6.tgz"
    before = kept.stat().st_ino
    assert world.look().findings == ()
    assert kept.stat().st_ino == before
    assert world.look(fresh=True).findings == ()
    assert kept.stat().st_ino != before


def test_an_export_is_recognised_and_has_no_finding(world: Released) -> None:
    world.export()
    report = world.look("local")
    assert report.findings == ()
    assert [each.subject for each in report.judgements] == [
        "files", "signatures", "tag", "source archives", "SBOM", "documentation",
    ]  # fmt: skip


def test_staged_files_have_no_finding(world: Released) -> None:
    world.stage()
    assert world.look("staged").findings == ()


def test_the_archives_made_again_from_the_tag_are_the_published_ones(world: Released) -> None:
    report = world.look(rebuild=True)
    assert report.findings == ()
    assert "rebuild" in [each.subject for each in report.judgements]
