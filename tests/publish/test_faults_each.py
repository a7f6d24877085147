"""Every fault that the simulated environment knows, each at the task that meets it.

Those which ask more of a person than to run the same command again have a test of their own in the
other modules; here are all others: nothing is lost, doubled or announced, and once the fault is
over the task ends as on an undisturbed day, with its world and its receipts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from plugins.command.rehearsed import known_faults
from plugins.rehearsal.experts import MANNERS
from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import assert_nothing_told
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.test_killed_publish import assert_finished

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.walk import Walk

EACH: Final = [
    ("azure.500", "start_windows", ""),
    ("azure.500", "await_windows_build", ""),
    ("azure.500", "retain_windows_build", ""),
    ("azure.login", "start_windows", ""),
    ("azure.malformed", "start_windows", ""),
    ("azure.malformed", "fetch_windows_digests", ""),
    ("azure.endless", "fetch_windows_digests", ""),
    ("azure.deleted_run", "await_windows_build", ""),
    ("azure.deleted_run", "retain_windows_build", ""),
    ("azure.pending_approval", "await_windows_build", ""),
    ("blog.500", "await_post", ""),
    ("blog.late", "await_post", ""),
    ("blog.never_merged", "await_post", ""),
    ("blog.not_deployed", "await_post", ""),
    ("blog.old_page", "await_post", ""),
    ("blog.red", "await_post", "Build"),
    ("buildbots.500", "check_builders", ""),
    ("buildbots.exception", "check_builders", ""),
    ("buildbots.new_tier", "check_builders", ""),
    ("buildbots.offline", "check_builders", ""),
    ("buildbots.red", "check_builders", ""),
    ("buildbots.red_tier_3", "check_builders", ""),
    ("cdn.cuts_body", "purge_files", ""),
    ("cdn.cuts_body", "test_downloads", ""),
    ("cdn.purge_refused", "purge_files", ""),
    ("cdn.serves_503", "purge_files", ""),
    ("cdn.serves_503", "await_feed", ""),
    ("ci.base_red", "check_builders", "failure"),
    ("ci.base_running", "check_builders", ""),
    ("ci.base_untested", "check_builders", ""),
    ("ci.fails", "await_build", "build-source"),
    ("ci.never_ends", "await_build", ""),
    ("docs.500", "await_docs", ""),
    ("docs.late", "await_docs", ""),
    ("followers.late", "await_followers", "conda-forge/python-feedstock"),
    ("forum.500", "post_forum", ""),
    ("github.500", "start_build", ""),
    ("github.500", "date_pep", ""),
    ("github.500", "open_blog", ""),
    ("github.advisories", "check_blockers", "2"),
    ("github.artifact_other_bytes", "fetch_build", ""),
    ("github.rate_limited", "date_pep", ""),
    ("github.ruleset", "check_access", "update"),
    ("github.search_incomplete", "check_blockers", ""),
    ("nuget.500", "await_nuget", ""),
    ("nuget.late", "await_nuget", "python"),
    ("nuget.malformed", "await_nuget", ""),
    ("site.garbled", "list_files", ""),
    ("site.no_right", "save_text", ""),
    ("site.no_system", "check_access", "macos"),
    ("site.password_refused", "save_text", ""),
    ("ssh.names_full", "switch_files", "2"),
    ("ssh.names_full", "switch_docs", ""),
    ("ssh.slow", "stage_files", "5"),
    ("upstream.drops_after_push", "push_upstream", ""),
]
"""Which fault, at which task, and with what argument. It happens until it is taken back."""

_ATTESTED: Final = "of attestations that a release has to ask for: tests/steps/test_ci_attested.py"
_BLOG: Final = "it lasts, by what people did to the pull request: tests/steps/test_blog_site.py"
_FARM: Final = "of machines that a release has to declare: tests/steps/test_elsewhere.py"
ELSEWHERE: Final = {
    "azure.hangs": "waited for by the minute: tests/services/test_azure.py",
    "azure.never_uploads": "where experts bring no manifest: test_upload_days.py",
    "azure.shuts_folders": "where experts bring no manifest: test_upload_days.py",
    "azure.skips_tests": "it lasts, and asks for a waiver: tests/steps/test_windows_build.py",
    "blog.cancelled": _BLOG,
    "blog.closed": _BLOG,
    "blog.moved": _BLOG,
    "ci.falsely_attested": _ATTESTED,
    "ci.unattested": _ATTESTED,
    "docs.old_current": "where this series is the newest: tests/steps/test_docs_site.py",
    "github.late_read": "it is over in a moment: tests/services/test_github.py",
    "github.no_backports": "where a branch is new: tests/steps/test_branch_opened.py",
    "peps.other_day": "by hand, in schedule; as it is ordered: tests/rehearsal/test_peps.py",
    "experts.wrong_mode": "where experts bring no manifest: test_upload_days.py",
    "sigstore.certificate_ahead": _FARM,
    "site.no_cycle": "where a branch enters a phase: tests/steps/test_site_status.py",
    "site.old_cycle": "where a branch enters a phase: tests/steps/test_site_status.py",
    "steps.cancelled": _FARM,
    "steps.expired": _FARM,
    "steps.fails": _FARM,
    "steps.lost": _FARM,
    "steps.never": _FARM,
    "steps.other_action": _FARM,
    "steps.other_bytes": _FARM,
    "steps.other_repository": _FARM,
    "steps.other_trigger": _FARM,
    "steps.other_workflow": _FARM,
    "steps.queued": _FARM,
    "steps.self_hosted": _FARM,
    "steps.twice": _FARM,
    "steps.unlisted": _FARM,
}
"""Accidents that this day does not meet, and where they are tried."""


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "task", "argument"), EACH)
def test_accident_that_is_over_leaves_the_day_as_it_was(
    walk: Walk, observed: Observed, fault: str, task: str, argument: str
) -> None:
    meet(walk, observed, fault, task, argument)


def meet(walk: Walk, observed: Observed, fault: str, task: str, argument: str) -> None:
    """The fault happens at the task and is told; once it is over, so is all that it did."""
    day, stage = walk.day, walk.stages[task]
    day.restore(task)
    day.order(fault, argument, times=1 if fault == "cdn.cuts_body" else ALWAYS)
    ended = day.doit("run", task)
    assert ended.status in (DONE, FAILED, WAITING), ended
    assert "Traceback" not in ended.said, ended
    happened = [each["event"] for each in day.store.happened("faults")]
    assert fault in happened or fault == "ci.fails", ended  # the one that leaves no record
    if task not in AFTER_THE_PAGE:
        assert_nothing_told(day)
    day.store.save("faults", {})
    assert_finished(day, stage, f"{fault}, {task}")
    told = "goes on by itself" if ended.status == DONE else ended.line_of(ended.not_done[0])
    observed(f"{fault}, {task}", told)


AFTER_THE_PAGE: Final = (
    "await_docs", "await_feed", "await_followers", "await_nuget", "await_post", "date_pep",
    "open_blog", "post_forum",
)  # fmt: skip


def test_every_accident_has_a_case() -> None:
    folder = Path(__file__).parent
    text = "".join(path.read_text() for path in folder.glob("test_*.py"))
    wrongly = {f"experts.{how.replace(' ', '_')}" for how in MANNERS}  # by their manner, in people
    assert not {fault for fault in known_faults() if f'"{fault}"' not in text} - wrongly
