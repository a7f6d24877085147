"""Page and announcement are judged before they are approved: findings of one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.announcement import announcement_is_ready, security_content_is_true
from checks.site import text_is_ready
from doit_receipts.artifact import Artifact
from doit_receipts.finding import Severity
from plugins.model.promise import contract_of
from plugins.model.published_file import Origin
from plugins.model.release import Phase
from tests.news_world import an_entry, news_repository
from tests.site_world import a_release

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from doit_receipts.finding import Finding

PAGE = "https://www.python.org/downloads/release/python-3136/"
GOOD = f"# Python 3.13.6 is now available\n\nGet it from {PAGE} today.\n"


def judged(folder: Path, text: str | bytes, notes: Sequence[str] = ()) -> list[Finding]:
    release = a_release(folder)
    file = release.layout.made / "announcement.settled.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    tgz, xz = release.layout.tarballs
    found = announcement_is_ready(
        contract_of(release),
        file,
        notes,
        files=[Artifact(tgz, 1000, "a" * 64), Artifact(xz, 900, "b" * 64)],
        commit="5" * 40,
        versions=("3.14.7",),
    )
    assert all("\n" not in str(each) for each in found)
    return list(found)


def told(found: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(each.rule, each.message) for each in found]


def test_announcement_of_this_release_passes(tmp_path: Path) -> None:
    assert judged(tmp_path, GOOD) == []
    assert judged(tmp_path, GOOD.encode("utf-8-sig")) == []


@pytest.mark.parametrize(
    ("text", "rule", "problem"),
    [
        (
            GOOD.replace("3.13.6", "3.13.5"),
            "announcement.text",
            "its first line is not a title that names",
        ),
        (GOOD.replace("# ", ""), "announcement.text", "its first line is not a title that names"),
        ("# Python 3.13.6 is now available\n\n \n", "announcement.text", "is empty below"),
        (GOOD.replace(" is now available", ""), "announcement.text", "its title has 13 characters"),
        (GOOD.replace("available", "x" * 300), "announcement.text", "its title has 32"),
        (GOOD.replace(PAGE, "there"), "announcement.text", f"has no link to {PAGE}"),
        (f"{GOOD}\nPython 3.13.5 has it.\n", "text.version", "names Python 3.13.5, and is about"),
        (f"{GOOD}\n{'c' * 64}\n", "text.digest", "has a digest of no file of this release"),
        (f"{GOOD}\nPython-3.13.6.tgz {'b' * 64}\n", "text.digest", "gives Python-3.13.6.tgz the"),
        (f"{GOOD}\n{PAGE.replace('3136', '3135')}\n", "text.address", "page of another release"),
        (f"{GOOD}\nTODO\n", "text.leftover", "has a place left open: TODO"),
        (f"{GOOD}\nby \u202eeve\n", "text.leftover", "has U+202E (right-to-left override) in line"),
        (f"{GOOD}\n<script>x</script>\n", "text.leftover", "has HTML, which is not shown as it is"),
        (f"{GOOD}\n- \n", "text.gap", "has an empty item of a list"),
        (b"# Python 3.13.6 is now \xff\n", "announcement.text", "is not UTF-8 in line 1"),
    ],
)
def test_what_is_wrong_blocks_before_the_approval(
    tmp_path: Path, text: str | bytes, rule: str, problem: str
) -> None:
    found = judged(tmp_path, text)
    hits = [each for each in found if each.rule == rule and problem in each.message]
    assert hits, told(found)
    assert {each.severity for each in found} == {Severity.BLOCK}


def test_text_that_does_not_exist_blocks(tmp_path: Path) -> None:
    release = a_release(tmp_path)
    (found,) = announcement_is_ready(contract_of(release), tmp_path / "announcement.settled.md")
    assert (found.rule, found.message) == ("announcement.text", "does not exist")


def test_remedy_for_a_version_that_belongs_there_is_followed(tmp_path: Path) -> None:
    """What the finding tells to write into release.toml lets the text pass."""
    (found,) = judged(tmp_path, f"{GOOD}\nPython 3.14.6 is out as well.\n")
    assert "write it under [announce] versions in release.toml" in found.remedy
    assert judged(tmp_path, f"{GOOD}\nPython 3.14.7 is out as well.\n") == []


def test_notes_have_to_be_told(tmp_path: Path) -> None:
    note = "macOS binaries will be provided shortly."
    assert told(judged(tmp_path, GOOD, [note])) == [("announcement.text", f"does not say: {note}")]
    assert judged(tmp_path, f"{GOOD}\n**{note}**\n", [note]) == []


@settings(max_examples=150, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.binary() | st.text().map(lambda text: f"{GOOD}{text}".encode("utf-8", "replace")))
def test_any_file_is_judged_without_a_traceback(tmp_path: Path, content: bytes) -> None:
    judged(tmp_path, content)


# ── the page ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "good"),
    [
        ("There are no installers.", True),
        ("There are no\nbinary installers for it.", True),
        ("It is a source-only release.", True),
        ("Installers are no longer provided.", True),
        ("Get the installer below.", False),
        ("", False),
    ],
)
def test_source_only_page_says_that_there_are_no_installers(
    tmp_path: Path,
    words: str,
    good: bool,  # noqa: FBT001 - a column of the table
) -> None:
    release = a_release(tmp_path, "3.12.12", Phase.SECURITY)
    file = tmp_path / "page.md"
    file.write_text(f"Python 3.12.12 is out. {words}\n")
    found = text_is_ready(contract_of(release), file)
    wanted = [] if good else [("site.text", "does not say that there are no installers")]
    assert told(found) == wanted


def test_page_whose_installers_come_later_says_that_instead(tmp_path: Path) -> None:
    note = "Windows and macOS binaries will be provided shortly."
    contract = contract_of(a_release(tmp_path)).without(Origin.WINDOWS, Origin.MACOS)
    file = tmp_path / "page.md"
    file.write_text(f"Python 3.13.6. {note}\n")
    assert text_is_ready(contract, file, [note]) == ()


def test_page_with_another_release_in_it_blocks(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f'Python 3.13.6, not 3.13.5. <span id="text-{"0" * 32}"></span>\n')
    found = text_is_ready(contract_of(a_release(tmp_path)), file)
    assert {each.rule for each in found} == {"text.version", "text.leftover"}


def test_page_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_bytes(b"Python 3.13.6\n\xff\n")
    (found,) = text_is_ready(contract_of(a_release(tmp_path)), file)
    assert (found.rule, found.message) == ("site.text", "is not UTF-8 in line 2")


# ── security content ───────────────────────────────────────────────────────────────────────

NEWS = {
    "3.13.5": [an_entry("Security", 111, "Of the release before.")],
    "3.13.6": [
        an_entry("Library", 222, "A bug."),
        an_entry("Security", 333, "This addresses :cve:`2026-2297`."),
        an_entry("Security", 334, "Completes the fix for CVE-2021-4189."),
    ],
}
SECURITY = "\n## Security content in this release\n\n"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (f"{SECURITY}- gh-333: x\n- gh-334: y\n", []),
        (f"{SECURITY}- gh-333\n- gh-334\n\nCVE-2026-2297, CVE-2021-4189\n\n## On\n\ngh-2\n", []),
        (f"{SECURITY}- gh-333\n- gh-334\n- gh-111\n",
         ["lists gh-111, which the NEWS of this version does not have"]),
        (f"{SECURITY}### Details\n\n- gh-222\n- gh-333\n- gh-334\n",
         ["lists gh-222, which NEWS has in section Library"]),
        (f"{SECURITY}- gh-222\n- gh-999\n- gh-333\n- gh-334\n",
         ["lists gh-222, which NEWS has in section Library",
          "lists gh-999, which the NEWS of this version does not have"]),
        (f"{SECURITY}- https://github.com/python/cpython/issues/999\n- gh-333\n- gh-334\n",
         ["lists gh-999, which the NEWS of this version does not have"]),
        ("\nThis mends CVE-2026-9999.\n",
         ["names CVE-2026-9999, which no security entry of NEWS does"]),
        (f"{SECURITY}- gh-333\n", ["does not list gh-334 of section Security"]),
        ("\nSee gh-142516.\n", []),
    ],
)  # fmt: skip
def test_security_content_is_that_of_the_news(
    tmp_path: Path, text: str, problems: list[str]
) -> None:
    release = a_release(tmp_path)
    clone, commit = news_repository(tmp_path, NEWS)
    file = tmp_path / "announcement.settled.md"
    file.write_text(f"{GOOD}{text}")
    found = security_content_is_true(release, clone, file, commit=commit)
    assert [each.message for each in found] == problems
    milder = ("does not list", "lists gh-222, which NEWS has")
    assert all(
        (each.severity is Severity.WARN) is each.message.startswith(milder) for each in found
    )


def test_security_release_has_to_list_its_entries(tmp_path: Path) -> None:
    release = a_release(tmp_path, "3.13.6", Phase.SECURITY)
    clone, commit = news_repository(tmp_path, NEWS)
    file = tmp_path / "announcement.settled.md"
    file.write_text(GOOD)
    found = security_content_is_true(release, clone, file, commit=commit)
    assert [each.rule for each in found] == ["text.security_missing"] * 2


def test_each_release_of_a_train_judges_its_own_section(tmp_path: Path) -> None:
    """What went into another release is told in that one's section, and nowhere else."""
    release = a_release(tmp_path)
    clone, commit = news_repository(tmp_path, NEWS)
    file = tmp_path / "announcement.settled.md"
    head = f"# Python 3.14.7 and 3.13.6 are now available\n\n{PAGE}\n"
    ours = f"\n## Python 3.13.6\n\n{SECURITY.replace('##', '###')}- gh-333\n- gh-334\n"
    theirs = f"\n## Python 3.14.7\n\n{SECURITY.replace('##', '###')}- gh-999\n"
    edited = "3.14.7/texts/announcement.md"
    file.write_text(head + theirs + ours)
    assert (
        security_content_is_true(
            release, clone, file, commit=commit, others=["3.14.7"], edited=edited
        )
        == ()
    )
    assert (
        announcement_is_ready(
            contract_of(release), file, commit=commit, others=["3.14.7"], edited=edited
        )
        == ()
    )
    file.write_text(head + theirs.replace("gh-999", "gh-333") + ours.replace("gh-333", "gh-999"))
    (wrong, *_) = security_content_is_true(
        release, clone, file, commit=commit, others=["3.14.7"], edited=edited
    )
    assert wrong.message == "lists gh-999, which the NEWS of this version does not have"
    assert wrong.remedy == f"edit {edited}, then run doit train publish"
    file.write_text(head + theirs)
    found = announcement_is_ready(
        contract_of(release), file, commit=commit, others=["3.14.7"], edited=edited
    )
    assert "has no section '## Python 3.13.6'" in [each.message for each in found]


def test_section_of_a_release_names_no_other_release_of_the_train(tmp_path: Path) -> None:
    """The text of all announces both; the other's page in a section is a slip of copy and paste."""
    release = a_release(tmp_path)
    file = tmp_path / "announcement.settled.md"
    head = f"# Python 3.14.7 and 3.13.6 are now available\n\n{PAGE}\n"
    theirs = "\n## Python 3.14.7\n\nhttps://www.python.org/downloads/release/python-3147/\n"
    ours = "\n## Python 3.13.6\n\nGet Python 3.14.7 from"
    slip = " https://www.python.org/downloads/release/python-3147/\n"
    wanted = "https://www.python.org/downloads/release/python-3136/"

    def judged(text: str, *versions: str) -> list[str]:
        file.write_text(text)
        found = announcement_is_ready(
            contract_of(release), file, others=["3.14.7"], versions=versions, edited="a.md"
        )
        return [f"{each.rule} {each.message}" for each in found]

    assert (
        judged(f"{head}Get Python 3.14.7 or 3.13.6.\n{theirs}\n## Python 3.13.6\n\nBugs.\n") == []
    )
    assert judged(f"{head}{theirs}{ours}{slip}") == [
        "text.version names Python 3.14.7, and is about 3.13.6",
        f"text.address links to the page of another release:{slip.rstrip()}, wanted {wanted}",
    ]
    assert judged(f"{head}{theirs}{ours}{slip}", "3.14.7") == []
