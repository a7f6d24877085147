"""What cannot be looked at is a finding that blocks; nothing that nobody saw is called good."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from plugins.model.report import Situation
from plugins.rehearsal.store import ALWAYS, Store
from tests.released import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    # The page shows no size then, which the manifest tells.
    assert rules_of(world.look()) == {"row.unseen", "manifest.differs"}


def test_a_list_of_releases_that_cannot_be_read_hides_no_published_files(world: Released) -> None:
    """The files are public, whatever the list of the site is like: all of them are judged."""
    world.flag(version=None)
    report = world.look()
    assert report.situation is Situation.PUBLISHED
    assert rules_of(report) >= {"situation.unseen", "site.flags", "row.unseen"}


@pytest.fixture
def throttled(world: Released) -> Iterator[Store]:
    """The site answers every guest with 429 until it is told otherwise."""
    store = Store(world.world / "state")
    store.order_fault("site.429", times=ALWAYS, argument="7200")
    yield store
    store.save("faults", {})


def unpublish(world: Released) -> None:
    """Nothing of the release is at python.org or upstream."""
    shutil.rmtree(world.root / "3.13.6")
    shutil.rmtree(world.root / "doc" / "3.13.6")
    world.git("update-ref", "-d", "refs/tags/v3.13.6")
    world.flag(is_published=False)


def test_a_throttled_site_is_not_an_empty_one(world: Released, throttled: Store) -> None:
    """A guest may ask a hundred times a day; after that nothing is known, and it says when."""
    unpublish(world)
    report = world.look()
    assert rules_of(report) == {"situation.unseen"}
    (finding,) = report.findings
    assert re.search(r"accepts no more requests before (\S+ )?\d\d:\d\d UTC", finding.message)
    assert "run the same command again then" in finding.message
    throttled.save("faults", {})
    assert rules_of(world.look()) == {"situation.nothing"}


@pytest.mark.usefixtures("throttled")
def test_a_throttled_site_hides_no_published_files(world: Released) -> None:
    report = world.look()
    assert report.situation is Situation.PUBLISHED
    assert rules_of(report) == {"situation.unseen", "site.flags", "row.unseen"}
    assert not report.holds


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
    unpublish(world)
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
