"""Accidents of a release day: the pipeline of Windows. What a person reads, and what is so.

In none is anything lost, doubled or announced wrongly: when it is over, the next ``doit publish``
ends as a day without it, to the byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plugins.model.version import Version
from plugins.rehearsal import windows_files
from plugins.rehearsal.store import ALWAYS
from tests.publish.cases import assert_alike, assert_nothing_told, assert_told, ends_alike
from tests.publish.day import DONE

if TYPE_CHECKING:
    from tests.publish.cases import Observed
    from tests.publish.day import Day
    from tests.publish.walk import Walk

pytestmark = pytest.mark.slow


def run_of(day: Day) -> dict[str, Any]:
    """The run of this release, as Azure has it."""
    found: dict[str, Any] = day.store.load("azure", {})["runs"][-1]
    return found


def change_run(day: Day, **fields: object) -> None:
    """Somebody did this to the run."""
    known = day.store.load("azure", {})
    known["runs"][-1] |= fields
    day.store.save("azure", known)


@pytest.mark.parametrize("stage", ["Build", "Sign", "Test"])
def test_stage_of_the_pipeline_that_fails(walk: Walk, observed: Observed, stage: str) -> None:
    """Its jobs are run again over there, and the same run goes on."""
    day = walk.day
    day.restore("await_windows_build")
    day.order("azure.fails", stage)
    ended = day.go_on(until=lambda _: bool(run_of(day)["failed"]))
    ended = day.publish()
    line = assert_told(ended, "await_windows_build", stage, "run the failed jobs again")
    assert_nothing_told(day)
    change_run(day, failed="")
    ends_alike(walk)
    observed(f"azure.fails, stage {stage}", line)


def test_list_of_runs_that_does_not_name_their_parameters(walk: Walk, observed: Observed) -> None:
    day = walk.day
    day.restore("start_windows")
    day.order("azure.forgets_parameters", times=ALWAYS)
    day.doit("run", "start_windows")
    assert [each["name"] for each in day.store.load("azure", {})["runs"]].count(
        run_of(day)["name"]
    ) == 1
    ends_alike(walk)
    observed("azure.forgets_parameters, start_windows", "asks for each run by its number")


def test_digests_of_the_pipeline_that_have_expired(walk: Walk, observed: Observed) -> None:
    """The expert's signed manifest proves the files by itself."""
    day = walk.day
    day.restore("fetch_windows_digests")
    day.order("azure.expired_artifact", times=ALWAYS)
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert_alike(walk, but=("azure",))
    observed(
        "azure.expired_artifact, fetch_windows_digests",
        "the expert's signed manifest proves the files",
    )


def test_digests_of_the_pipeline_that_contradict_the_signed_manifest(
    walk: Walk, observed: Observed
) -> None:
    """One of the two is wrong, and nothing here can know which: people have to find out.

    The simulated run keeps what it reported, so this day does not go on.
    """
    day = walk.day
    day.restore("await_windows_build")
    day.order("azure.other_bytes", times=ALWAYS)
    ended = day.go_on()
    line = assert_told(
        ended, "await_windows", "does not match the digest of the pipeline that built it",
        "doit forget fetch_windows_digests",
    )  # fmt: skip
    assert_nothing_told(day)
    observed("azure.other_bytes, await_windows_build", line)


@pytest.mark.parametrize("fault", ["azure.no_feed", "azure.feed_other_bytes"])
def test_feed_that_the_pipeline_did_not_write_rightly(
    walk: Walk, observed: Observed, fault: str
) -> None:
    """The release itself is out by then; who wrote the feed is told, and puts it right."""
    day = walk.day
    day.restore("await_windows_build")
    day.order(fault)
    ended = day.go_on()
    line = assert_told(ended, "await_feed", "index-windows.json", "report it to")
    version = Version.parse("3.13.6")
    files = windows_files.made(version, run_of(day)["given"])
    windows_files.write_feed(day.store, version, files)
    # A list of the folder that caches keep is older than a file that somebody else brings late.
    ends_alike(walk, but=("stale caches",))
    observed(f"{fault}, await_feed", line)
