"""A release that nobody touched: nothing is found, in any situation, on any machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.finding import Severity
from plugins.model.content import Content
from plugins.model.promise import record_paths
from plugins.model.published_file import Kind
from plugins.model.release_manifest import Entry, EntryKind, ReleaseManifest
from plugins.model.report import Situation

if TYPE_CHECKING:
    from tests.released import Released

pytestmark = pytest.mark.slow


def test_an_untouched_release_has_no_finding(world: Released) -> None:
    report = world.look(fresh=True)
    assert (report.situation, report.findings) == (Situation.PUBLISHED, ())
    assert report.holds
    assert len(report.judgements) == 11
    # The manifest proves every file, row and page; what nobody can look at is still named.
    assert not any("no signature" in each for each in report.not_known)
    assert not any("words, date and links" in each for each in report.not_known)
    assert any("caches that [hosts] cdn_edges does not name" in each for each in report.not_known)
    # A server that is asked by the mark of what is here can say that nothing changed, and lie.
    assert not any("were not sent again" in each for each in report.not_known)
    assert any("files that were not sent again" in each for each in world.look().not_known)


def without_manifest(world: Released) -> None:
    """A release as they were made before there were manifests."""
    for path in record_paths(world.release):
        (world.root / path).unlink()
    world.purge()


def test_a_release_without_a_manifest_is_judged_as_before_and_says_so(world: Released) -> None:
    without_manifest(world)
    report = world.look(fresh=True)
    (note,) = report.findings
    assert (note.rule, note.severity) == ("manifest.missing", Severity.NOTE)
    assert report.holds
    # What no signature and no comparison covers is named, so that nobody believes it unseen.
    unsigned = {each.partition(" ")[0] for each in report.not_known if "no signature" in each}
    kinds = {each.kind for each in world.contract.files if each.remote in unsigned}
    assert {each.remote for each in world.contract.files if each.kind is Kind.DOCS} <= unsigned
    assert not kinds & {Kind.SOURCE, Kind.INSTALLER, Kind.SBOM}
    assert "words, date and links" in "".join(report.not_known)


def test_a_manifest_that_only_the_list_hides_is_found_all_the_same(world: Released) -> None:
    """Or whoever holds the server could make any release one that has none."""
    folder = world.root / "3.13.6"
    names = sorted(each.name + "/" * each.is_dir() for each in folder.iterdir())
    links = (f'<a href="{name}">{name}</a>' for name in names if "manifest" not in name)
    (folder / "index.html").write_text("<html>" + "\n".join(links))
    world.purge()
    hidden = [each.where for each in world.look().findings if each.rule == "file.unlisted"]
    assert hidden == sorted(record_paths(world.release))


def test_of_a_manifest_that_nobody_signed_no_entry_is_followed(world: Released) -> None:
    """What it lists would be asked for; the findings are about its signatures alone."""
    place, *beside = record_paths(world.release)
    made = ReleaseManifest.from_bytes((world.root / place).read_bytes(), place)
    evil = Entry(EntryKind.FILE, "3.13.6/evil.exe", Content(1, "ab" * 32))
    planted = ReleaseManifest.of(made.release, [*made.entries, evil])
    (world.root / place).write_bytes(planted.to_bytes())
    world.purge()
    findings = world.look(fresh=True).findings
    assert {each.where for each in findings} == set(beside)
    assert {each.rule for each in findings} == {"signature.bytes", "bundle.bytes"}


def test_a_newer_release_that_is_out_makes_nothing_wrong(world: Released) -> None:
    """Boxes, redirects, doc/current and the flag of the latest are the newer one's by then."""

    def newer(tables: dict[str, Any]) -> None:
        ((number, ours),) = tables["release"].items()
        later = {"name": "Python 3.13.7", "slug": "python-3137", "is_published": True}
        moved = {**ours, **later, "release_date": "2099-01-01T12:00:00Z"}
        tables["release"] = {number: {**ours, "is_latest": False}, "999": moved}
        tables["boxes"] = {name: text.replace("3.13.6", "3.13.7").replace("3136", "3137")
                           for name, text in tables["boxes"].items()}  # fmt: skip

    world.site(newer)
    docs = world.root / "doc"
    (docs / "3.13.7").mkdir()
    for path in (docs / "3.13.6").iterdir():
        (docs / "3.13.7" / path.name.replace("3.13.6", "3.13.7")).write_bytes(b"newer\n")
    (docs / "current").unlink()
    (docs / "current").symlink_to("3.13.7")
    world.purge()
    assert world.look(fresh=True).findings == ()


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
    assert [(each.rule, each.severity) for each in report.findings] == [
        ("rebuild.few", Severity.NOTE)  # nobody else has
    ]
    assert {"rebuild", "rebuild by others"} <= {each.subject for each in report.judgements}
