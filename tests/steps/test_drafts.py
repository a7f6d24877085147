"""Drafts are proposals: made anew as often as needed, and never over what a person wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import site as site_checks
from doit_receipts.errors import ServiceFailed
from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.release import Phase, Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.services.templates import PackagedTemplates
from plugins.steps import drafts
from tests.site_world import a_release

if TYPE_CHECKING:
    from pathlib import Path

NOTE = "Windows binaries will be provided shortly."


def test_the_page_says_what_comes_later(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    contract = contract_of(release)
    drafts.draft_page(release, contract, PackagedTemplates(), [NOTE])
    file = drafts.page_text(release)
    assert f"**{NOTE}**" in file.read_text()
    assert site_checks.text_is_ready(contract, file, [NOTE]) == ()


def test_the_page_of_a_security_candidate_passes_its_own_gate(tmp_path: Path) -> None:
    version = Version.parse("3.12.14rc1")
    kind = type_of(version, Phase.SECURITY)
    layout = Layout(tmp_path / "build" / str(version), version)
    release = Release(version, kind, series_of(version), layout)
    contract = contract_of(release)
    drafts.draft_page(release, contract, PackagedTemplates())
    file = drafts.page_text(release)
    assert site_checks.text_is_ready(contract, file) == ()
    text = file.read_text()
    assert "the next security release of Python 3.12" in text
    assert "there are no installers" in text
    assert "not recommended for production" in text


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
        ("Python 3.13", "does not name 3.13.6"),
        ("Python 3.13.60", "does not name 3.13.6"),
        ("Python 3.13.6", f"does not say: {NOTE}"),
    ],
)
def test_a_text_that_is_not_ready_blocks(tmp_path: Path, text: str, problem: str) -> None:
    release = a_release(tmp_path)
    file = tmp_path / "page.md"
    file.write_text(f"{text}\n" if NOTE in problem else f"{text}\n{NOTE}\n")
    found = site_checks.text_is_ready(contract_of(release), file, [NOTE])
    assert [each.message for each in found if each.rule == "site.text"] == [problem]


def test_a_text_that_is_not_there_blocks(tmp_path: Path) -> None:
    (finding,) = site_checks.text_is_ready(contract_of(a_release(tmp_path)), tmp_path / "page.md")
    assert (finding.rule, finding.message) == ("site.text", "does not exist")


def test_a_word_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(ServiceFailed, match=r"templates: fill page\.md: '\w+' is undefined"):
        PackagedTemplates().fill("page.md", {})
