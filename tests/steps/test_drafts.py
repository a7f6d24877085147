"""Drafts are proposals: made anew as often as needed, and never over what a person wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import site as site_checks
from doit_receipts.errors import ServiceFailed
from plugins.model.contract import contract_of
from plugins.model.release import Phase
from plugins.services.templates import PackagedTemplates
from plugins.steps import drafts
from tests.site_world import a_release

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "Windows binaries will be provided shortly."


@pytest.mark.parametrize(
    ("version", "phase", "words"),
    [
        ("3.15.0a3", None, "an alpha of Python 3.15"),
        ("3.15.0b1", None, "a beta of Python 3.15"),
        ("3.14.0rc1", None, "a release candidate of Python 3.14"),
        ("3.14.0", None, "the newest major release"),
        ("3.13.6", None, "a maintenance release of Python 3.13"),
        ("3.12.12", Phase.SECURITY, "a security release of Python 3.12"),
    ],
)
def test_the_page_of_every_kind_of_release_is_drafted(
    tmp_path: Path, version: str, phase: Phase | None, words: str
) -> None:
    release = a_release(tmp_path, version, phase)
    contract = contract_of(release)
    drafts.draft_page(release, contract, PackagedTemplates(), [NOTE])
    file = drafts.page_text(release)
    text = file.read_text()
    assert words in text
    assert f"**{NOTE}**" in text
    assert ("early preview" in text) is release.version.is_prerelease
    assert "\n\n\n" not in text
    assert site_checks.text_is_ready(contract, file, [NOTE]) == ()


def test_a_text_that_was_edited_stays_as_it_is(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    first = drafts.put_draft(release, "page.md", "first\n")
    file = drafts.page_text(release)
    assert drafts.put_draft(release, "page.md", "second\n") != first
    assert file.read_text() == "second\n"
    file.write_text("by a person\n")
    drafts.put_draft(release, "page.md", "third\n")
    assert file.read_text() == "by a person\n"
    assert file.with_name("page.draft.md").read_text() == "third\n"
    assert drafts.put_draft(release, "page.md", "first\n") == first


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Python 3.13.5", "does not name 3.13.6"),
        ("Python 3.13.6 TODO", "still holds TODO"),
        ("Python 3.13.6 {{ version }}", "still holds {{"),
        ("Python 3.13.6", f"does not tell: {NOTE}"),
    ],
)
def test_a_text_that_is_not_ready_blocks(tmp_path: Path, text: str, problem: str) -> None:
    release = a_release(tmp_path)
    file = tmp_path / "page.md"
    file.write_text(f"{text}\n" if NOTE in problem else f"{text}\n{NOTE}\n")
    (finding,) = site_checks.text_is_ready(contract_of(release), file, [NOTE])
    assert (finding.rule, finding.message) == ("site.text", problem)


def test_a_text_that_is_not_there_blocks(tmp_path: Path) -> None:
    (finding,) = site_checks.text_is_ready(contract_of(a_release(tmp_path)), tmp_path / "page.md")
    assert (finding.rule, finding.message) == ("site.text", "is not there")


def test_a_word_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(ServiceFailed, match=r"templates: fill page\.md: '\w+' is undefined"):
        PackagedTemplates().fill("page.md", {})
