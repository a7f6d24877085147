from __future__ import annotations

from typing import TYPE_CHECKING
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from checks import hosted_docs
from checks.built_docs import archives_complete, no_unreleased
from checks.hosted_docs import pages_are_the_archives
from doit_receipts.finding import Finding, Severity
from plugins.model.content import Content
from plugins.model.docs_pages import pages_in
from plugins.model.layout import Layout
from plugins.model.release import Release, ReleaseType
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.steps.docs_archives import write_tar_bz2, write_zip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGES = {"index.html": "Welcome.", "library/os.html": "New in version 3.13.6."}


@pytest.fixture
def built(tmp_path: Path) -> Callable[..., Release]:
    """A release whose html and epub archives hold the pages."""

    def make(pages: dict[str, str] | None = None) -> Release:
        folder = tmp_path / "html"
        for name, text in (PAGES if pages is None else pages).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        folder.mkdir(exist_ok=True)
        version = Version.parse("3.13.6")
        release = Release(
            version, ReleaseType.BUGFIX_FINAL, series_of(version), Layout(tmp_path, version)
        )
        tar, packed = release.layout.docs_archives("html")
        write_tar_bz2(folder, packed.stem, tar, 0)
        write_zip(folder, packed.stem, packed, 0)
        write_zip(folder, "EPUB", release.layout.docs_archives("epub")[0], 0)
        return release

    return make


def a_broken_zip(archive: Path, method: int) -> None:
    """One page whose packed bytes were overwritten; only who unpacks it can tell."""
    with ZipFile(archive, "w", method) as opened:
        opened.writestr("docs/index.html", "".join(map(str, range(5000))))
    content = bytearray(archive.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = b"\xff" * 20
    archive.write_bytes(content)


def rules(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    assert all(finding.severity is Severity.BLOCK for finding in findings)
    return [(finding.rule, finding.where) for finding in findings]


def test_whole_archives_without_unreleased_pass(built: Callable[..., Release]) -> None:
    release = built()
    assert archives_complete(release, ["html", "epub"]) == ()
    assert no_unreleased(release, ["html", "epub"]) == ()


def test_archives_that_are_not_wanted_are_not_missed(built: Callable[..., Release]) -> None:
    assert archives_complete(built(), []) == ()


def test_missing_archive_blocks(built: Callable[..., Release]) -> None:
    """docs.missing: both archives of every wanted format are there."""
    release = built()
    release.layout.docs_archives("html")[0].unlink()
    assert rules(archives_complete(release, ["html", "text"])) == [
        ("docs.missing", "python-3.13.6-docs-html.tar.bz2"),
        ("docs.missing", "python-3.13.6-docs-text.tar.bz2"),
        ("docs.missing", "python-3.13.6-docs-text.zip"),
    ]


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped"])
def test_archive_that_cannot_be_read_to_its_end_blocks(
    built: Callable[..., Release], which: int, damage: str
) -> None:
    """docs.unreadable: every byte of an archive can be had back."""
    release = built({"index.html": "".join(map(str, range(5000)))})
    archive = release.layout.docs_archives("html")[which]
    content = bytearray(archive.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content[: {"cut": len(content) // 2, "empty": 0}.get(damage)])
    assert rules(archives_complete(release, ["html"])) == [("docs.unreadable", archive.name)]


@pytest.mark.parametrize("method", [ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_zip_with_broken_content_blocks_however_it_was_packed(
    built: Callable[..., Release], method: int
) -> None:
    release = built()
    archive = release.layout.docs_archives("html")[1]
    a_broken_zip(archive, method)
    assert rules(archives_complete(release, ["html"])) == [("docs.unreadable", archive.name)]
    (finding,) = no_unreleased(release, ["html"])
    assert finding.message.startswith("cannot look: ")
    assert pages_in(archive) is None


@pytest.mark.parametrize("place", [0, 6, 8, 10, 12, 14, 18, 22, 26, 31])
def test_zip_that_tells_of_a_file_in_two_ways_blocks(
    built: Callable[..., Release], place: int
) -> None:
    """Who unpacks in a stream would get something else than who reads the directory first."""
    release = built()
    archive = release.layout.docs_archives("html")[1]
    assert rules(archives_complete(release, ["html"])) == []
    with ZipFile(archive) as opened:
        start = next(each for each in opened.infolist() if not each.is_dir()).header_offset
    content = bytearray(archive.read_bytes())
    content[start + place] ^= 1
    archive.write_bytes(content)
    assert rules(archives_complete(release, ["html"])) == [("docs.unreadable", archive.name)]


def test_a_page_that_the_archive_lacks_is_not_passed_over() -> None:
    wanted = dict.fromkeys(hosted_docs.PAGES, Content(1, "0" * 64))
    assert pages_are_the_archives(wanted, {}) == ()
    del wanted["genindex.html"]
    (finding,) = pages_are_the_archives(wanted, {})
    assert (finding.rule, finding.where) == ("docs.hosted", "genindex.html")
    assert len(pages_are_the_archives({}, {})) == len(hosted_docs.PAGES)
    # That nothing of it can be read is told by another rule.
    assert pages_are_the_archives(None, {}) == ()


def test_archive_without_pages_blocks(built: Callable[..., Release]) -> None:
    release = built({"style.css": "body {}"})
    assert {rule for rule, _ in rules(archives_complete(release, ["epub", "html"]))} == {
        "docs.unreadable"
    }


def test_zip_that_holds_other_pages_than_the_tar_blocks(
    built: Callable[..., Release], tmp_path: Path
) -> None:
    """docs.different: what people unpack does not depend on the archive that they chose."""
    release = built()
    packed = release.layout.docs_archives("html")[1]
    (tmp_path / "html" / "index.html").write_text("Welcome back.")
    write_zip(tmp_path / "html", packed.stem, packed, 0)
    (finding,) = archives_complete(release, ["html"])
    assert finding.rule == "docs.different"
    assert "in 1 file, first python-3.13.6-docs-html/index.html" in finding.message


def test_pages_that_say_unreleased_block_and_are_named(built: Callable[..., Release]) -> None:
    """docs.unreleased: `next` was replaced everywhere (Z08)."""
    page = "New in version 3.13.6 (unreleased)."
    release = built({f"library/m{number}.html": page for number in range(7)})
    (finding,) = no_unreleased(release, ["html"])
    assert rules((finding,)) == [("docs.unreleased", "python-3.13.6-docs-html.zip")]
    assert "7 pages say (unreleased)" in finding.message
    assert finding.message.endswith("m4.html and 2 more")
    assert "next" in finding.remedy


def test_unreleased_cannot_look_without_the_archive_and_blocks(
    built: Callable[..., Release],
) -> None:
    release = built()
    for archive in release.layout.docs_archives("html"):
        archive.unlink()
    release.layout.docs_archives("epub")[0].write_bytes(b"no zip")
    findings = no_unreleased(release, ["epub", "html"])
    assert rules(findings) == [
        ("docs.unreleased", "python-3.13.6-docs.epub"),
        ("docs.unreleased", "python-3.13.6-docs-html.zip"),
    ]
    assert all(finding.message.startswith("cannot look") for finding in findings)
