"""What cannot be looked at is a finding that blocks; nothing that nobody saw is called good."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from plugins.model.report import Situation
from tests.released import rules_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.released import Released

pytestmark = pytest.mark.slow


def test_no_upstream_is_told(world: Released) -> None:
    shutil.rmtree(world.world / "upstream.git")
    report = world.look()
    assert {"tag.unseen", "archive.tree", "sbom.unreadable"} <= rules_of(report)
    assert not report.holds


def test_no_keyring_is_told(world: Released, tmp_path: Path) -> None:
    world.keyring = tmp_path / "nowhere"
    assert rules_of(world.look()) == {"signature.unseen", "tag.unseen"}


def test_a_site_that_lists_nothing_that_can_be_read_is_told(world: Released) -> None:
    world.tell(world.file("Python-3.13.6.tgz"), filesize="many")
    assert rules_of(world.look()) == {"row.unseen"}


def test_a_python_org_that_cannot_be_read_is_told_and_the_export_judged(world: Released) -> None:
    world.export()
    world.flag(version=None)
    report = world.look("public")
    assert report.situation is Situation.LOCAL
    assert rules_of(report) == {"situation.unseen"}


def test_pages_that_break_are_told(world: Released) -> None:
    world.keep("a", "https://www.python.org/ftp/python/doc/", 503, b"", "text/html")
    assert rules_of(world.look()) == {"cache.unseen"}


def test_what_is_staged_elsewhere_and_not_here_is_told(world: Released) -> None:
    world.stage()
    shutil.rmtree(world.local.src)
    report = world.look("staged")
    assert "staged.unseen" in rules_of(report)
    assert not report.holds


def test_archives_that_cannot_be_made_again_are_told(world: Released) -> None:
    world.git("update-ref", "-d", "refs/tags/v3.13.6")
    assert "rebuild.failed" in rules_of(world.look(rebuild=True))


def test_nothing_anywhere_is_no_release(world: Released) -> None:
    shutil.rmtree(world.root / "3.13.6")
    shutil.rmtree(world.root / "doc" / "3.13.6")
    world.git("update-ref", "-d", "refs/tags/v3.13.6")
    world.flag(is_published=False)
    report = world.look()
    assert report.situation is Situation.NOTHING
    assert rules_of(report) == {"situation.nothing"}


def test_a_tag_alone_is_a_release_that_lacks_everything_else(world: Released) -> None:
    shutil.rmtree(world.root / "3.13.6")
    shutil.rmtree(world.root / "doc" / "3.13.6")
    world.flag(is_published=False)
    world.purge()
    report = world.look()
    assert report.situation is Situation.PUBLISHED
    missing = [each for each in report.findings if each.rule == "file.missing"]
    assert len(missing) == len(world.contract.files)
