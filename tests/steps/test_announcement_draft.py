"""The announcement: drafted for each kind of release, settled as the release manager wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.announcement import announcement_is_ready, security_content_is_true
from checks.site import text_is_ready
from doit_receipts.artifact import Artifact
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Severity
from plugins.model.promise import contract_of
from plugins.model.release import Phase
from plugins.services.templates import PackagedTemplates
from plugins.steps import announcement_draft, drafts
from tests.news_world import an_entry, news_repository
from tests.site_world import a_release as a_phased_release

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

COMMIT = "5" * 40
NEWS = {
    "3.13.5": [an_entry("Security", 111, "Of the release before.")],
    "3.13.6": [
        an_entry("Library", 222, "Fix :func:`spam.eggs`."),
        an_entry("Security", 333, "Refuse ``../`` in :meth:`~tarfile.TarFile.extract`.\n"
                 "This addresses :cve:`2026-2297`."),
    ],
    "3.12.12": [an_entry("Security", 444, "Reject control characters.")],
    "3.14.5rc1": [an_entry("Security", 555, "Mended in the candidate.")],
    "3.14.5": [an_entry("Security", 666, "Mended after it.")],
}  # fmt: skip
KINDS = [
    ("3.15.0a3", None, "is an alpha release of Python 3.15"),
    ("3.15.0b1", None, "is a beta release of Python 3.15"),
    ("3.14.0b2", None, "is a beta release of Python 3.14"),
    ("3.14.0rc1", None, "is a release candidate of Python 3.14."),
    ("3.14.0", None, "is the first stable release of Python 3.14"),
    ("3.14.5rc1", None, "is a release candidate of Python 3.14.5, the next maintenance release"),
    ("3.13.6", None, "is a maintenance release of Python 3.13, with bug fixes"),
    ("3.12.12", Phase.SECURITY, "is a security release of Python 3.12"),
]


def drafted(release: Release, folder: Path, notes: Sequence[str] = ()) -> str:
    """The draft over the NEWS above, as it is settled."""
    clone, commit = news_repository(folder, NEWS)
    announcement_draft.draft(
        release,
        contract_of(release),
        PackagedTemplates(),
        clone,
        commit=commit,
        changes="120",
        digests={file.path.name: file.sha256 for file in files_of(release)},
        author="Rita Manager",
        notes=notes,
    )
    announcement_draft.settle(release)
    file = release.layout.made / announcement_draft.SETTLED
    found = announcement_is_ready(
        contract_of(release), file, notes, files=files_of(release), commit=commit
    )
    assert [str(each) for each in found if each.severity is Severity.BLOCK] == []
    assert security_content_is_true(release, clone, file, commit=commit) == ()
    return file.read_text()


def files_of(release: Release) -> list[Artifact]:
    tgz, xz = release.layout.tarballs
    return [Artifact(tgz, 1000, "a" * 64), Artifact(xz, 900, "b" * 64)]


@pytest.mark.parametrize(("version", "phase", "words"), KINDS)
def test_every_kind_of_release_has_a_draft_that_its_own_gate_takes(
    tmp_path: Path, version: str, phase: Phase | None, words: str
) -> None:
    release = a_phased_release(tmp_path / "build", version, phase)
    text = drafted(release, tmp_path)
    assert words in " ".join(text.split())
    assert ("not recommended for production" in text) is release.version.is_prerelease
    assert ("there are no installers" in text) is (phase is Phase.SECURITY)
    assert "Rita Manager" in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize(("version", "phase", "words"), KINDS)
def test_page_of_every_kind_says_what_the_announcement_says(
    tmp_path: Path, version: str, phase: Phase | None, words: str
) -> None:
    release = a_phased_release(tmp_path / "build", version, phase)
    contract = contract_of(release)
    drafts.draft_page(release, contract, PackagedTemplates())
    text = drafts.page_text(release).read_text()
    assert words in " ".join(text.split())
    assert "Verifying your download" in text
    assert ("OpenPGP" in text) is release.signs_with_gpg
    found = text_is_ready(contract, drafts.page_text(release), files=files_of(release))
    assert [str(each) for each in found] == []


def test_draft_tells_what_is_known_and_what_comes_later(a_release: Builds, tmp_path: Path) -> None:
    note = "macOS binaries will be provided shortly."
    text = drafted(a_release("3.13.6"), tmp_path, [note])
    for part in ("Python 3.13.6", f"**{note}**", "a" * 64, "lists 120 changes", "PEP 719",
                 "since 3.13.5", "`v3.13.6`"):  # fmt: skip
        assert part in text


def test_security_entries_of_this_version_alone_are_listed(
    a_release: Builds, tmp_path: Path
) -> None:
    text = drafted(a_release("3.13.6"), tmp_path)
    listed = [line for line in text.splitlines() if "gh-" in line]
    entry = (
        "- [gh-333](https://github.com/python/cpython/issues/333): Refuse `../` in"
        " `extract()`. This addresses"
        " [CVE-2026-2297](https://www.cve.org/CVERecord?id=CVE-2026-2297)."
    )
    assert listed == [entry]


def test_final_release_has_the_security_content_of_its_candidates(
    a_release: Builds, tmp_path: Path
) -> None:
    text = drafted(a_release("3.14.5"), tmp_path)
    assert "lists 120 changes since 3.14.5rc1" in text
    assert "gh-555" in text
    assert "gh-666" in text


def test_same_release_has_the_same_draft(a_release: Builds, tmp_path: Path) -> None:
    release = a_release("3.13.6")
    first = drafted(release, tmp_path)
    (tmp_path / "again").mkdir()
    assert drafted(release, tmp_path / "again").replace(COMMIT, "") == first.replace(COMMIT, "")


def test_edited_text_is_what_is_settled(a_release: Builds, tmp_path: Path) -> None:
    release = a_release("3.13.6")
    drafted(release, tmp_path)
    assert announcement_draft.edited_digest(release.layout) == ""
    release.layout.texts.mkdir(parents=True)
    mine = release.layout.texts / announcement_draft.DRAFT
    mine.write_bytes("\ufeff# Python 3.13.6: the one with eggs\r\n\r\nHave some.\r\n".encode())
    assert announcement_draft.edited_digest(release.layout)
    assert announcement_draft.settle(release)["by"] == "release manager"
    assert announcement_draft.text_of(release) == "Have some.\n"
    assert announcement_draft.subject_of(release) == "Python 3.13.6: the one with eggs"


def test_text_that_is_not_utf8_is_one_line(a_release: Builds) -> None:
    release = a_release("3.13.6")
    release.layout.texts.mkdir(parents=True)
    (release.layout.texts / announcement_draft.DRAFT).write_bytes(b"# Python 3.13.6 \xff\n")
    with pytest.raises(StepFailed, match="is not UTF-8 at byte 16") as told:
        announcement_draft.settle(release)
    assert "\n" not in str(told.value)
