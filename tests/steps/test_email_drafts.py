"""Emails to experts are written down, approved, and sent from what was approved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import StepFailed
from plugins.services.templates import PackagedTemplates
from plugins.steps import email_drafts, handover

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.email import Email
    from tests.conftest import Builds

SENDER, TO = "rm@example.org", ("we@example.org", "me@example.org")


@pytest.fixture
def release(a_release: Builds) -> Release:
    return a_release("3.13.6")


def warning(release: Release, day: str = "2026-12-01") -> Email:
    return handover.heads_up_email(release, PackagedTemplates(), SENDER, TO, day)


approved = email_drafts.as_approved("heads-up", warning)


def test_email_that_was_approved_is_the_one_that_is_sent(release: Release) -> None:
    facts = email_drafts.write(release, "heads-up", warning(release))
    assert facts["to"] == "we@example.org, me@example.org"
    assert approved(release) == warning(release)
    assert email_drafts.write(release, "heads-up", warning(release)) == facts


def test_email_that_would_be_another_one_is_not_sent(release: Release) -> None:
    """The remedy is followed: without the file it is written anew, and approved anew."""
    email_drafts.write(release, "heads-up", warning(release))
    with pytest.raises(StepFailed, match="differs from the approved one") as told:
        approved(release, "2026-12-02")
    assert "delete it" in told.value.remedy
    email_drafts.write(release, "heads-up", warning(release, "2026-12-02"))
    assert approved(release, "2026-12-02") == warning(release, "2026-12-02")


def test_file_shows_a_person_all_that_is_sent(release: Release) -> None:
    email = handover.windows_email(
        release, PackagedTemplates(), SENDER, TO[:1], "https://build.example/form",
        fork="git@github.com:me/cpython.git", commit="5" * 40,
    )  # fmt: skip
    email_drafts.write(release, "windows-build", email)
    lines = email_drafts.file_of(release.layout, "windows-build").read_text().splitlines()
    assert lines[:4] == [
        "From: rm@example.org",
        "To: we@example.org",
        "Subject: Python 3.13.6: please start the Windows build",
        "",
    ]


@pytest.mark.parametrize("content", [b"", b"\xff", b"From: a\n\ntext", b"To: a\nFrom: b\n\nx"])
def test_file_that_was_broken_is_one_line(release: Release, content: bytes) -> None:
    file = email_drafts.file_of(release.layout, "heads-up")
    with pytest.raises(StepFailed, match="does not exist"):
        approved(release)
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(StepFailed, match="was changed after it was written"):
        approved(release)
