"""Tests of what the releases of one day know of each other: sealed receipts, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from docs.every_kind import a_declaration
from doit_receipts.errors import SettingsError, StepFailed, Waiting
from doit_receipts.receipt import BrokenReceipt, Receipt
from plugins.model.release import Phase
from plugins.model.settings import read_settings, release_of, train_at
from plugins.model.version import Version
from plugins.steps import train as trains
from plugins.steps.announcement_draft import DRAFT, SETTLED, settle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plugins.model.release import Release
    from plugins.model.train import Member

VERSIONS = ("3.13.6", "3.12.12")


@pytest.fixture
def members(tmp_path: Path) -> tuple[Member, ...]:
    """A bugfix release, which leads, and a security release."""
    for version in VERSIONS:
        a_declaration(tmp_path, version).rename(tmp_path / f"{version}.toml")
    (tmp_path / "train.toml").write_text('releases = ["3.13.6.toml", "3.12.12.toml"]\n')
    return train_at(tmp_path / "train.toml").releases


def of(member: Member) -> Release:
    return release_of(read_settings(member.file))


def leave(
    member: Member,
    task: str,
    files: Mapping[str, str] | None = None,
    inputs: Mapping[str, str] | None = None,
    /,
    **facts: str,
) -> str:
    """The task is done in that release, with these files and these facts; gives its result."""
    release = of(member)
    outputs = {}
    for name, text in (files or {}).items():
        file = release.layout.made / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        outputs[f"made/{name}"] = hashlib.sha256(text.encode()).hexdigest()
    receipt = Receipt(
        task, str(release.version), dict(inputs or {}), outputs, facts, project="Python"
    )
    path = release.layout.receipt(task)
    path.parent.mkdir(parents=True, exist_ok=True)
    receipt.write(path)
    return receipt.result


def a_draft(version: str, word: str) -> str:
    return (
        f"# Python {version} is now available\n\n{word}\n\n## What has changed\n\nMuch.\n\n"
        "## Thank you\n\nThanks.\n\nRita\n"
    )


# ── waiting ────────────────────────────────────────────────────────────────────────────────


def test_another_release_is_waited_for_by_name_and_by_task(members: tuple[Member, ...]) -> None:
    _, other = members
    with pytest.raises(Waiting) as caught:
        trains.await_each([other], "check_before_switch", "approve_merge")
    assert caught.value.who == "3.12.12"
    assert "check_before_switch is not done there" in str(caught.value)
    leave(other, "check_before_switch")
    with pytest.raises(Waiting, match="approve_merge"):
        trains.await_each([other], "check_before_switch", "approve_merge")
    leave(other, "approve_merge")
    assert trains.await_each([other], "check_before_switch", "approve_merge") == {
        "releases": "3.12.12"
    }


@pytest.mark.parametrize(
    "other",
    [
        {"version": "3.12.11"},
        {"step": "approve_release"},
        {"project": "Other"},
        {"rehearsal": True},
    ],
)
def test_receipt_of_another_release_is_refused(
    members: tuple[Member, ...], other: Mapping[str, Any]
) -> None:
    """It has a true seal: somebody gave two releases one folder, or copied it there."""
    _, member = members
    leave(member, "approve_merge")
    path = of(member).layout.receipt("approve_merge")
    receipt = Receipt.read(path)
    assert receipt is not None
    replace(receipt, **other).write(path)
    with pytest.raises(
        StepFailed, match=r"wanted approve_merge of Python 3\.12\.12 in a real"
    ) as caught:
        trains.await_each([member], "approve_merge")
    assert caught.value.where == "3.12.12: receipts/approve_merge.json"
    before = trains.results([member], "approve_merge")
    path.unlink()
    assert trains.results([member], "approve_merge") == before


def make_ready(member: Member, commit: str = "aaa") -> None:
    """Its tasks up to ``tell_ready`` are done, from its release file as it is now."""
    built = leave(member, "build_source", commit=commit)
    checked = leave(member, "check_before_switch", None, {"after build_source": built})
    approved = leave(member, "approve_merge", None, {"after build_source": built}, subject=built)
    leave(
        member,
        "tell_ready",
        None,
        {
            "after check_before_switch": checked,
            "after approve_merge": approved,
            "input declaration": trains.declared(member.file),
        },
    )


def test_release_that_was_ready_and_was_begun_anew_is_waited_for(
    members: tuple[Member, ...],
) -> None:
    """Its old receipts are still there, down to that of the last step."""
    _, other = members
    with pytest.raises(Waiting, match="tell_ready is not done there"):
        trains.await_ready([other])
    make_ready(other)
    assert trains.await_ready([other]) == {}
    leave(other, "build_source", commit="bbb")
    with pytest.raises(Waiting, match="build_source was done again there, and"):
        trains.await_ready([other])
    make_ready(other, "bbb")
    assert trains.await_ready([other]) == {}


def test_release_whose_file_was_edited_after_it_was_ready_is_waited_for(
    members: tuple[Member, ...],
) -> None:
    """Nothing was done again there yet, so its receipts alone tell nothing of it."""
    _, other = members
    make_ready(other)
    other.file.write_text(f"{other.file.read_text()}\n# another commit\n")
    with pytest.raises(Waiting, match=r"3\.12\.12\.toml was edited after"):
        trains.await_ready([other])
    make_ready(other)
    assert trains.await_ready([other]) == {}


def test_windows_build_of_a_release_begins_after_those_before_it(
    members: tuple[Member, ...],
) -> None:
    """A security release has none, and is not waited for."""
    lead, other = members
    assert trains.await_builds([other]) == {"releases": ""}
    with pytest.raises(Waiting, match="await_windows_build"):
        trains.await_builds([lead, other])
    leave(lead, "await_windows_build")
    assert trains.await_builds([lead, other]) == {"releases": "3.13.6"}


def test_receipt_that_was_edited_is_refused(members: tuple[Member, ...]) -> None:
    _, other = members
    leave(other, "tell_lead", day="2026-11-29")
    path = of(other).layout.receipt("tell_lead")
    path.write_text(path.read_text().replace("2026-11-29", "2026-11-30"))
    with pytest.raises(BrokenReceipt, match=r"^3\.12\.12: receipts/tell_lead\.json: edited after"):
        trains.await_each([other], "tell_lead")


def test_another_result_there_is_another_input_here(members: tuple[Member, ...]) -> None:
    _, other = members
    nothing = trains.results([other], "tell_lead")
    leave(other, "tell_lead", day="2026-11-29")
    once = trains.results([other], "tell_lead")
    leave(other, "tell_lead", day="2026-11-30")
    assert len({nothing, once, trains.results([other], "tell_lead")}) == 3


# ── the announcement ───────────────────────────────────────────────────────────────────────


def test_announcement_of_all_has_a_section_for_each_version(members: tuple[Member, ...]) -> None:
    lead, other = members
    leave(lead, "draft_announcement", {DRAFT: a_draft("3.13.6", "Fixed bugs.")})
    with pytest.raises(Waiting, match="draft_announcement"):
        trains.join(of(lead), [other])
    leave(other, "draft_announcement", {DRAFT: a_draft("3.12.12", "Fixed holes.")})
    facts = trains.join(of(lead), [other])
    text = (of(lead).layout.made / "announcement.train.md").read_text()
    assert facts["releases"] == "3.13.6 3.12.12"
    assert text == (
        "# Python 3.13.6 and 3.12.12 are now available\n\n"
        "## Python 3.13.6\n\nFixed bugs.\n\n### What has changed\n\nMuch.\n\n"
        "## Python 3.12.12\n\nFixed holes.\n\n### What has changed\n\nMuch.\n\n"
        "## Thank you\n\nThanks.\n\nRita\n"
    )


def test_draft_that_is_not_as_its_release_left_it_is_not_taken(
    members: tuple[Member, ...],
) -> None:
    lead, other = members
    leave(lead, "draft_announcement", {DRAFT: a_draft("3.13.6", "Fixed bugs.")})
    leave(other, "draft_announcement", {DRAFT: a_draft("3.12.12", "Fixed holes.")})
    (of(other).layout.made / DRAFT).write_text("# Anything\n")
    wrong = r"^3\.12\.12: made/.* is not as draft_announcement left it"
    with pytest.raises(StepFailed, match=wrong):
        trains.join(of(lead), [other])
    (of(other).layout.made / DRAFT).unlink()
    with pytest.raises(StepFailed, match=wrong):
        trains.join(of(lead), [other])


def test_settled_text_of_the_lead_is_that_of_all(members: tuple[Member, ...]) -> None:
    lead, other = members
    with pytest.raises(Waiting, match="settle_announcement"):
        trains.take_settled(of(other), lead)
    leave(lead, "make_announcement", {"announcement.train.md": a_draft("3.13.6", "x")})
    settle(of(lead), "announcement.train.md")
    leave(lead, "settle_announcement", {SETTLED: (of(lead).layout.made / SETTLED).read_text()})
    of(other).layout.made.mkdir(parents=True, exist_ok=True)
    trains.take_settled(of(other), lead)
    ours, theirs = (of(each).layout.made / SETTLED for each in members)
    assert ours.read_bytes() == theirs.read_bytes()


# ── what is told ───────────────────────────────────────────────────────────────────────────


def told(**changes: str) -> dict[str, str]:
    facts = trains.tell("2026-11-29", None, announcement="aaa", is_unplanned=False)
    return {**facts, **changes}


def test_lead_announces_only_what_all_have_approved(members: tuple[Member, ...]) -> None:
    _, other = members
    with pytest.raises(Waiting, match="tell_lead is not done"):
        trains.await_told([other], "aaa")
    leave(other, "tell_lead", None, **told(announcement="bbb"))
    with pytest.raises(Waiting, match="another text of the announcement was approved there"):
        trains.await_told([other], "aaa")
    leave(other, "tell_lead", None, **told())
    assert trains.await_told([other], "aaa") == {"releases": "3.12.12"}


def test_schedule_gets_each_release_as_it_was_told(members: tuple[Member, ...]) -> None:
    lead, other = members
    leave(other, "tell_lead", None, **told(unplanned="yes"))
    leave(lead, "tell_lead", None, **told(becomes="security"))
    of_lead, of_other = trains.besides(members)
    assert (of_lead.version, of_lead.enters) == (Version.parse("3.13.6"), Phase.SECURITY)
    assert (of_other.day, of_other.is_unplanned) == (date(2026, 11, 29), True)


def test_what_exists_once_is_taken_over_from_the_lead(members: tuple[Member, ...]) -> None:
    lead, _ = members
    once = ("mail_list", "mail_announce", "mail_dev", "mail_committers", "post_forum", "open_blog")
    for task in once:
        leave(lead, task, url=f"https://example.org/{task}")
    with pytest.raises(Waiting, match="date_pep"):
        trains.take_over(lead)
    leave(lead, "date_pep", None, **{"pull request": "17"})
    facts = trains.take_over(lead)
    assert facts["pull request"] == "17"
    assert facts["post_forum url"] == "https://example.org/post_forum"


def test_message_names_the_file_that_the_lead_edits(members: tuple[Member, ...]) -> None:
    lead, _ = members
    assert trains.edited_at(lead).startswith("3.13.6/texts/announcement.md")


def test_mistake_in_the_file_of_another_release_names_that_one(tmp_path: Path) -> None:
    """Each may be called release.toml, in a folder of its own."""
    for version in VERSIONS:
        (tmp_path / version).mkdir()
        a_declaration(tmp_path / version, version)
    (tmp_path / "train.toml").write_text(
        'releases = ["3.13.6/release.toml", "3.12.12/release.toml"]\n'
    )
    _, other = train_at(tmp_path / "train.toml").releases
    with other.file.open("a") as stream:
        stream.write("[nothing]\n[another]\n")
    with pytest.raises(SettingsError, match=r"^3\.12\.12/release\.toml: \[nothing\]") as caught:
        trains.await_each([other], "tell_lead")
    assert [each.partition(": ")[0] for each in caught.value.details] == ["3.12.12/release.toml"]
