"""The summary shows all that the last approval is about, and is another one when any of it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from doit_receipts.finding import Waiver
from doit_receipts.on_record import OnRecord
from doit_receipts.task import Kind
from plugins.model.content import Content, NamedFile
from plugins.model.outside_settings import Announce
from plugins.model.promise import contract_of
from plugins.steps import announcement_draft, drafts, summary

if TYPE_CHECKING:
    from plugins.model.release import Release
    from tests.conftest import Builds

ANNOUNCE = Announce(sender="rm@example.org", list="list@example.org", committers="core@example.org")
FILES = (NamedFile("Python-3.13.6.tgz", Content(29_000_000, "a" * 64)),)
DOCS = (NamedFile("python-3.13.6-docs-html.zip", Content(9_000, "b" * 64)),)
PUSHED = summary.Pushed("git@github.com:python/cpython.git", {"3.13": ("c" * 40, "d" * 40)},
                        "e" * 40, "f" * 40)  # fmt: skip
WAIVERS = (Waiver("experts.macos", "the machine is broken", "rm", date(2026, 12, 1)),)
RECORD = (
    OnRecord("await_windows", Kind.STEP, {"evidence": "16 of 37 digests are the pipeline's"}),
    OnRecord("await_macos", Kind.STEP, {"manifest": "9" * 64, "key": "8" * 40}),
    OnRecord("approve_commit", Kind.APPROVAL, {"by": "RM", "key": "7" * 40, "note": "read it"}),
    OnRecord("check_tools", Kind.GATE, {}, ("tools.old WARN: tar is old", "tools.x NOTE: a note")),
)


@pytest.fixture
def release(a_release: Builds) -> Release:
    made = a_release("3.13.6")
    folder = made.layout.made
    folder.mkdir(parents=True)
    (folder / drafts.PAGE).write_text("Have some.\n")
    settled = "# Python 3.13.6 is now available\n\nHave some.\n"
    (folder / announcement_draft.SETTLED).write_text(settled)
    return made


def digest(release: Release, **other: Any) -> str:
    given: dict[str, Any] = {
        "announce": ANNOUNCE, "waivers": WAIVERS, "files": FILES, "docs": DOCS, "pushed": PUSHED,
        "record": RECORD, **other,
    }  # fmt: skip
    return summary.sum_up(release, contract_of(release), **given)["sha256"]


def test_everything_that_users_will_see_is_shown_at_once(release: Release) -> None:
    digest(release)
    text = (release.layout.made / summary.SUMMARY).read_text()
    for wanted in (
        f"3.13: {'c' * 40} -> {'d' * 40}",
        f"v3.13.6: new tag {'e' * 40} on {'f' * 40}",
        "https://www.python.org/downloads/release/python-3136/",
        "Python 3.13.6 is now available",
        "forum: category 23, tagged release",
        "blog: a pull request to python/python-insider-blog",
        "email to list@example.org: Python 3.13.6 is now available",
        "email to core@example.org: Python 3.13.6 is now available",
        "windows: 16 of 37 digests are the pipeline's",
        f"macos: by the manifest {'9' * 64}, signed by {'8' * 40}",
        "experts.macos: the machine is broken (by rm until 2026-12-01)",
        "check_tools\n    tools.old WARN: tar is old\n",
        f"approve_commit by RM, key {'7' * 40}: read it",
        "3.13.6/: 1 file, 29,000,000 bytes",
        f"Python-3.13.6.tgz    29,000,000  {'a' * 64}",
        "doc/3.13.6/: 1 file, 9,000 bytes",
    ):
        assert wanted in text, wanted
    assert "a note" not in text


@pytest.mark.parametrize(
    "other",
    [
        {"files": (replace(FILES[0], content=Content(29_000_000, "0" * 64)),)},
        {"docs": ()},
        {"pushed": replace(PUSHED, branches={"3.13": ("0" * 40, "d" * 40)})},
        {"announce": replace(ANNOUNCE, forum_category=4)},
        {"announce": replace(ANNOUNCE, dev="dev@example.org")},
        {"waivers": ()},
        {"record": RECORD[1:]},
        {"record": (*RECORD[:3], OnRecord("check_tools", Kind.GATE, {}, ("tools.new WARN: x",)))},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_part_makes_another_summary(release: Release, other: dict[str, Any]) -> None:
    before = digest(release)
    assert digest(release) == before
    assert digest(release, **other) != before


def test_other_texts_make_another_summary(release: Release) -> None:
    before = digest(release)
    (release.layout.made / drafts.PAGE).write_text("Have none.\n")
    assert digest(release) != before


def test_notes_of_gates_do_not_ask_for_the_approval_again() -> None:
    """They are about what nobody can change, and come and go."""
    gate = OnRecord("check_brought", Kind.GATE, {}, ("brought.approved_only NOTE: windows",))
    without = OnRecord("check_brought", Kind.GATE, {})
    warned = OnRecord("check_brought", Kind.GATE, {}, ("builders.red WARN: tier 3",))
    assert summary.findings_digest([gate]) == summary.findings_digest([without])
    assert summary.findings_digest([warned]) != summary.findings_digest([without])
