"""Days of experts as most of them work: files straight before users, and approvals by digest alone.

The last release of 3.13 with installers, which has signatures by OpenPGP, and the first of 3.16,
which has no installer of Windows, no documentation and a branch of its own yet to come. A few
moments of each are tried; with PEP101_EVERY_MOMENT=1 it is every write and every fault, and of
3.13.17 too, which by its schedule is source only.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from plugins.model.version import Version
from plugins.rehearsal import experts, windows_files
from plugins.rehearsal.store import ALWAYS
from tests.export.toy import PROJECT
from tests.moments import EVERY, fatal_records
from tests.publish.cases import assert_nothing_told, assert_told
from tests.publish.conftest import a_walk
from tests.publish.day import DONE, FAILED, WAITING
from tests.publish.evening import acts, differences, world_of
from tests.publish.test_faults_each import EACH, meet
from tests.publish.test_killed_publish import assert_finished, assert_same, go_on, killed
from tests.publish.test_second_operator import FIRST, finish
from tests.publish.test_secrets import canaries, written
from tests.source_world import git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.ended import Ended
    from tests.publish.cases import Observed
    from tests.publish.day import Day
    from tests.publish.walk import Stage, Walk

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

DAYS: Final = ("3.13.16", "3.16.0a1", *(("3.13.17",) if EVERY else ()))
SOURCE_ONLY: Final = "3.13.17"
SHARES: Final = 8 if EVERY else 1
DECISIVE: Final = (
    "start_windows", "stage_files", "stage_bundles", "switch_files", "push_upstream",
    "list_files", "publish_page", "flip_blockers",
)  # fmt: skip
"""Tasks whose middle record stands for all others."""
ONLY_HERE: Final = "propose_series"
"""No other day of these tests has it, so each kind of its records is tried."""
TRIES: Final = 50


@pytest.fixture(scope="module", params=DAYS)
def uploads(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Walk]:
    """An undisturbed day of such experts, and the moment before each of its tasks."""
    with a_walk(tmp_path_factory, request.param, "uploads") as made:
        yield made


@pytest.fixture
def built(uploads: Walk) -> Walk:
    """The same, where there is something that experts build."""
    if "await_macos" not in uploads.stages:
        pytest.skip("source only: no expert builds anything")
    return uploads


def points(walk: Walk) -> list[tuple[Stage, int]]:
    if EVERY:
        return [(stage, number) for stage in walk.heard for number in fatal_records(stage)]
    stages = [walk.stages[task] for task in DECISIVE if task in walk.stages]
    found = [(each, middle(each)) for each in stages if each.events]
    own = [walk.stages[ONLY_HERE]] if ONLY_HERE in walk.stages else []
    return found + [(each, number) for each in own for number in fatal_records(each)]


def middle(stage: Stage) -> int:
    found = fatal_records(stage)
    return found[len(found) // 2]


def test_experts_sign_nothing_but_what_they_approve(built: Walk) -> None:
    """Nobody wrote a manifest, and each approval is of the digests that were shown to them."""
    day = built.day
    assert not list(day.downloads.rglob("MANIFEST*"))
    assert not list(day.work.joinpath("experts").rglob("MANIFEST*"))
    signed = {path.name for path in (day.work / "approvals").glob("*.json.asc")}
    assert {"approve_windows.json.asc", "approve_macos.json.asc"} <= signed
    names = {path.name for path in day.downloads.rglob("*") if path.is_file()}
    installers = {name for name in names if name.endswith(".exe")}
    assert bool(installers) == (day.version == "3.13.16")
    signatures = {name for name in names if name.endswith((".exe.asc", ".pkg.asc", ".zip.asc"))}
    assert bool(signatures) == (day.version == "3.13.16")


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_a_write_it_goes_on_as_if_nothing_had_been(
    uploads: Walk, share: int, count: Counts
) -> None:
    for stage, number in points(uploads)[share::SHARES]:
        if killed(uploads.day, stage, number, stage.task):
            assert_finished(uploads.day, stage, f"{stage.task}, killed after record {number}")
            count("kills on days of uploads, each gone on to the same bytes", 1)


def test_a_colleague_goes_on_with_the_proposal_of_the_next_series(
    uploads: Walk, count: Counts
) -> None:
    """Whoever dies after whichever record, there is one branch, one pull request, and all of it."""
    if ONLY_HERE not in uploads.stages:
        pytest.skip(f"a release of this kind has no {ONLY_HERE}")
    stage = uploads.stages[ONLY_HERE]
    for number in fatal_records(stage):
        assert killed(uploads.day, stage, number, stage.task)
        uploads.day.save_work(FIRST)
        for who in (stage.task, FIRST):
            uploads.day.take_work(who)
            finish(uploads.day, stage, f"{stage.task}, killed after record {number}", set())
            count("proposals of the next series that a colleague went on with", 1)


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_while_users_see_half_of_it_the_day_ends_as_any_other(
    uploads: Walk, share: int, count: Counts
) -> None:
    """With every moment: from the middle of each task that the world hears of."""
    stages = [each for each in uploads.heard if fatal_records(each)]
    if not EVERY:
        stages = [uploads.stages["switch_files"]]
    for stage in stages[share::SHARES]:
        when = f"publish from {stage.task}, killed after record {middle(stage)}"
        if killed(uploads.day, stage, middle(stage), "publish"):
            ended = go_on(uploads.day)
            assert ended.status == DONE, (when, ended)
            assert_same(uploads.day, uploads.world, uploads.acts, when)
            count("days of uploads that were killed and went on to the announcement", 1)


def test_no_secret_is_found_anywhere_but_in_its_own_file(uploads: Walk, count: Counts) -> None:
    day = uploads.day
    day.restore(list(uploads.stages)[-1])
    planted = canaries(day)
    texts = {**written(day, "the end"), "said": day.doit("list", "--status").said.encode()}
    leaks = {
        name: [file for file, words in planted.items() if any(word in text for word in words)]
        for name, text in texts.items()
    }
    assert not {name: files for name, files in leaks.items() if files}
    count("texts and files searched for canary secrets, none found", len(texts))


# ── faults that only such a day meets ──────────────────────────────────────────────────────


def go_to(walk: Walk, first: str, last: str) -> Ended:
    """All tasks from the one to the other, until nobody is waited for; people act meanwhile."""
    day, names = walk.day, list(walk.stages)
    between = names[names.index(first) : names.index(last) + 1]
    ended = day.doit("run", *between)
    for _ in range(TRIES):
        if ended.status != WAITING:
            break
        day.wait_for_experts()
        day.let_people_act()
        ended = day.doit("run", *between)
    return ended


def assert_over(walk: Walk, first: str, last: str) -> None:
    """What was in the way is gone: up to this task the day is as an undisturbed one."""
    walk.day.store.save("faults", {})
    ended = go_to(walk, first, last)
    assert ended.status == DONE, ended
    stage = walk.stages[last]
    found = differences(world_of(walk.day), stage.world)
    assert not found, found
    assert acts(walk.day) == stage.acts


def upload_again(day: Day) -> None:
    """The macOS expert uploads once more, rightly."""
    commit = git(day.work / "clone", "rev-parse", f"v{day.version}^{{commit}}").strip()
    folder = Version.parse(day.version).folder
    name = f"{folder}/python-{day.version}-macos11.pkg"
    experts.upload(day.store, "macos", day.version, commit, [name])


@pytest.mark.parametrize(
    ("fault", "word"),
    [("wrong_mode", "mode 600, wanted 644"), ("half", "cut short"), ("never", "0 of 1 file")],
)
def test_macos_expert_who_uploads_wrongly(
    built: Walk, observed: Observed, fault: str, word: str
) -> None:
    day = built.day
    day.restore("tell_experts")
    day.order(f"experts.{fault}", "macos", times=ALWAYS)
    assert day.doit("run", "tell_experts").status == DONE
    day.wait_for_experts()
    ended = day.doit("run", "await_macos")
    # The gate that looks at the host's folders may come to a wrong mode first.
    (task,) = ended.not_done
    assert task in ("await_macos", "check_access")
    line = assert_told(ended, task, word, status=ended.status)
    assert ended.status == (WAITING if task == "await_macos" else FAILED)
    assert_nothing_told(day)
    day.store.save("faults", {})
    if fault != "never":
        upload_again(day)
    assert_over(built, "tell_experts", "await_macos")
    observed(f"experts.{fault}, uploads of {day.version}", line)


def run_of(day: Day) -> dict[str, str]:
    """The parameters of this release's run of the pipeline."""
    given: dict[str, str] = day.store.load("azure", {})["runs"][-1]["given"]
    return given


def upload_by_hand(day: Day) -> None:
    """Somebody brings what the pipeline made and did not upload."""
    version, given = Version.parse(day.version), run_of(day)
    files = windows_files.signed(day.store, windows_files.made(version, given), given)
    windows_files.upload(day.store, version, files)


def test_pipeline_that_ends_without_an_upload(built: Walk, observed: Observed) -> None:
    day = built.day
    day.restore("await_windows_build")
    day.order("azure.never_uploads", times=ALWAYS)
    ended = day.doit("run", "await_windows")
    for _ in range(TRIES):
        if "await_windows" in ended.not_done:
            break
        ended = day.doit("run", "await_windows")
    line = assert_told(ended, "await_windows", "Wanda Windows", "0 of ", status=WAITING)
    assert_nothing_told(day)
    upload_by_hand(day)
    assert_over(built, "await_windows_build", "await_windows")
    observed(f"azure.never_uploads, {day.version}", line)


def part_folders(day: Day) -> list[Path]:
    """Where the pipeline put the parts of its installers."""
    return sorted({each.parent for each in day.downloads.rglob("*.msi")})


def test_upload_that_is_closed_to_its_group_waits_for_nobody(built: Walk) -> None:
    """The pipeline ends with ``chmod g-x``; who releases is of that group, and not the owner."""
    day = built.day
    day.restore("check_brought")
    folders = part_folders(day)
    assert {each.stat().st_mode & 0o777 for each in folders} == ({0o745} if folders else set())
    assert day.doit("run", "check_brought").status == DONE
    found = (day.work / "receipts" / "check_brought.json").read_text()
    assert found.count("belongs to root and has mode 2745") == len(folders), found


def test_upload_into_folders_that_users_cannot_read_waits_for_their_owner(
    built: Walk, observed: Observed
) -> None:
    day = built.day
    day.restore("await_windows_build")
    day.order("azure.shuts_folders", times=ALWAYS)
    ended = day.doit("run", "await_windows")
    for _ in range(TRIES):
        if "await_windows" in ended.not_done:
            break
        ended = day.doit("run", "await_windows")
    if not (folders := part_folders(day)):
        pytest.skip("no installer, no parts")
    line = assert_told(ended, "await_windows", "ask root for `chmod g+rwx", status=WAITING)
    assert_nothing_told(day)
    for each in folders:
        each.chmod(0o2745)
    assert_over(built, "await_windows_build", "await_windows")
    observed(f"azure.shuts_folders, uploads of {day.version}", line)


def test_pipeline_whose_digests_are_not_those_of_its_files(built: Walk, observed: Observed) -> None:
    day = built.day
    day.restore("await_windows_build")
    day.order("azure.other_bytes", times=ALWAYS)
    ended = go_to(built, "await_windows_build", "await_windows")
    line = assert_told(ended, "await_windows", "does not match the digest of the pipeline")
    assert_nothing_told(day)
    observed(f"azure.other_bytes, uploads of {day.version}", line)


def test_files_that_no_digest_of_the_pipeline_proves_need_a_waiver(
    built: Walk, observed: Observed
) -> None:
    """The artifacts expired, and experts who sign no manifest have only their approval to give."""
    day = built.day
    day.restore("fetch_windows_digests")
    day.order("azure.expired_artifact", times=ALWAYS)
    ended = go_to(built, "fetch_windows_digests", "check_brought")
    line = assert_told(ended, "check_brought", "brought.unproved")
    assert_nothing_told(day)
    text = day.declaration.read_text()
    until = f"{day.toy.now:%Y-%m-%d}"
    day.declaration.write_text(
        f'{text}\n[[waivers]]\nrule = "brought.unproved"\nreason = "the run was kept too short"\n'
        f'by = "rm"\nuntil = {until}\n'
    )
    assert go_to(built, "fetch_windows_digests", "check_brought").status == DONE
    observed(f"azure.expired_artifact, uploads of {day.version}", line)


@pytest.mark.parametrize("suffix", [".spdx.json", ".pkg.asc"])
def test_file_that_lacks_what_belongs_beside_it(
    built: Walk, observed: Observed, suffix: str
) -> None:
    """Its remedy: it is brought, and who was waited for is looked at anew."""
    day = built.day
    day.restore("await_windows" if suffix == ".spdx.json" else "await_macos")
    first = next(each for each in built.stages if each in ("await_windows", "await_macos"))
    beside = sorted(day.downloads.rglob(f"python-{day.version}*{suffix}"))
    if not beside:
        pytest.skip(f"{day.version} has no {suffix}")
    content = beside[0].read_bytes()
    beside[0].unlink()
    ended = go_to(built, first, "check_brought")
    role = "windows" if suffix == ".spdx.json" else "macos"
    remedy = f"run doit forget await_{role} --release "
    line = assert_told(ended, "check_brought", "brought.lacks", remedy)
    assert_nothing_told(day)
    beside[0].write_bytes(content)
    beside[0].chmod(0o644)
    words = "doit", "forget", f"await_{role}", "--release", day.declaration
    assert " ".join(map(str, words)) in line
    subprocess.run([sys.executable, "-m", *words], cwd=PROJECT, check=True, capture_output=True)
    assert_over(built, first, "check_brought")
    observed(f"{suffix} missing, uploads of {day.version}", line)


@pytest.mark.skipif(not EVERY, reason="with PEP101_EVERY_MOMENT=1")
@pytest.mark.parametrize(("fault", "task", "argument"), EACH if EVERY else [])
def test_fault_that_is_over_leaves_the_day_as_it_was(
    uploads: Walk, observed: Observed, fault: str, task: str, argument: str
) -> None:
    if task not in uploads.stages:
        pytest.skip(f"a release of this kind has no {task}")
    if fault == "github.advisories" and uploads.day.version == "3.16.0a1":
        pytest.skip("nobody counts advisories for an alpha")
    meet(uploads, observed, fault, task, argument)
