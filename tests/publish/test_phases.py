"""The three kinds that make no files: killed at their writes, there and here, and 500 issues.

A branch enters its bugfix phase, gets security fixes only, or reaches its end of life.
"""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, cast

import pytest

from checks.archived import judge
from plugins.model.closing_archive import ClosingArchive
from plugins.model.release import ReleaseType
from plugins.model.settings import read_settings, release_of
from plugins.rehearsal import phases
from plugins.services.archived_keys import archived_keyring
from plugins.services.sigstore_client import SigstoreClient
from tests.export.toy import PROJECT
from tests.export.walk import fatal, growing
from tests.moments import EVERY, fatal_records
from tests.progress import Quiet
from tests.publish.conftest import a_walk
from tests.publish.day import DONE, FAILED, WAITING, Day
from tests.publish.evening import acts, world_of
from tests.publish.test_killed_here import (
    assert_goes_on_after_full_disk,
    assert_goes_on_after_kill,
    points,
)
from tests.publish.test_killed_publish import assert_finished, assert_same, killed
from tests.publish.walk import EXPORTED
from tests.source_world import git
from tests.verify.test_archived import altered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from checks.verify_context import Clients
    from tests.publish.walk import Walk

    Counts = Callable[[str, int], None]

pytestmark = pytest.mark.slow

KINDS: Final = {
    "3.15": ReleaseType.BEGIN_BUGFIX,
    "3.13": ReleaseType.BEGIN_SECURITY,
    "3.12": ReleaseType.END_OF_LIFE,
}
ISSUES: Final = 500
BURST: Final = 120
KILLS: Final = 40 if EVERY else 4


@pytest.fixture(scope="module", params=KINDS)
def phase_walk(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Walk]:
    """An undisturbed change of phase, and the moment before each of its tasks."""
    series = request.param
    with a_walk(tmp_path_factory, series, "manifests", KINDS[series]) as made:
        yield made


def test_killed_after_any_record_it_goes_on_as_if_nothing_had_been(phase_walk: Walk) -> None:
    """Each write is done once, and world and receipts are those of an undisturbed day."""
    count = 0
    for stage in phase_walk.heard:
        for number in fatal_records(stage):
            if killed(phase_walk.day, stage, number, stage.task):
                count += 1
                assert_finished(phase_walk.day, stage, f"{stage.task}, killed after {number}")
    assert count >= 3


def test_killed_in_any_task_it_ends_as_on_an_undisturbed_day(phase_walk: Walk) -> None:
    day = phase_walk.day
    for stage in (each for each in phase_walk.heard if fatal_records(each)):
        points = fatal_records(stage)
        if not killed(day, stage, points[len(points) // 2], "publish"):
            continue
        ended = day.go_on()
        assert ended.status == DONE, (stage.task, ended)
        assert_same(day, phase_walk.world, phase_walk.acts, f"publish from {stage.task}")
        assert not day.lease.exists()


@pytest.mark.skipif(not EVERY, reason="only with PEP101_EVERY_MOMENT=1: it takes minutes")
def test_killed_at_any_write_here_it_goes_on_as_if_nothing_had_been(
    phase_walk: Walk, count: Counts
) -> None:
    for stage, instant in points(phase_walk, fatal):
        assert_goes_on_after_kill(phase_walk, stage, instant, count)


@pytest.mark.skipif(not EVERY, reason="only with PEP101_EVERY_MOMENT=1: it takes minutes")
def test_a_disk_that_is_full_from_any_write_on_is_one_clear_line(
    phase_walk: Walk, count: Counts
) -> None:
    for stage, instant in points(phase_walk, growing):
        assert_goes_on_after_full_disk(phase_walk, stage, instant, count)


PAGE: Final = PROJECT / "docs" / "how-to" / "change-a-phase.md"


def test_the_page_about_security_only_mode_works_as_it_is_typed(
    phase_walk: Walk, tmp_path: Path
) -> None:
    """Its declaration is right, and its commands lead from nothing to the end."""
    if "restrict_merges" not in phase_walk.stages:
        pytest.skip("of another kind")
    page = PAGE.read_text(encoding="utf-8")
    (declared,) = re.findall(r"```toml\n(.+?)```", page, re.DOTALL)
    file = tmp_path / "3.13.toml"
    file.write_text(declared.replace("FULL FINGERPRINT", "0123456789ABCDEF" * 2 + "01234567"))
    assert release_of(read_settings(file)).name == "3.13-begin-security-only"
    day = phase_walk.day
    day.restore(EXPORTED)
    shutil.rmtree(day.work)
    part = page.partition("## Do it")[2].partition("## Begin bugfix")[0]
    typed = [line for block in re.findall(r"```sh\n(.+?)```", part, re.DOTALL)
             for line in block.splitlines()]  # fmt: skip
    assert typed == [
        "doit export", "doit check", "doit publish", "doit approve approve_change", "doit publish",
    ]  # fmt: skip
    for line, status in zip(typed, (DONE, DONE, WAITING, DONE, DONE), strict=True):
        _, *words = line.split()
        ended = day.doit(*(["run", *words] if words[0] in ("export", "publish") else words))
        assert ended.status == status, (line, ended)
    assert day.go_on().status == DONE
    assert world_of(day)["protection"]["3.13"]["restrictions"]["teams"] == ["release-managers"]


def kept(walk: Walk, folder: Path) -> Path:
    """The closing archive after an undisturbed day, with its signatures, in a folder of its own."""
    walk.day.restore("sign_archive")
    assert walk.day.go_on().status == DONE
    for path in (walk.day.work / "closing").glob("*.tar*"):
        shutil.copy(path, folder)
    (file,) = folder.glob("*.tar")
    return file


def test_its_closing_archive_is_judged_by_the_command_and_without_the_folder(
    phase_walk: Walk, tmp_path: Path
) -> None:
    """The ended branch stays away, and the tag in its place."""
    day, file = phase_walk.day, kept(phase_walk, tmp_path)
    name = release_of(read_settings(day.declaration)).name
    assert file.name == f"python-{name}-closing.tar"
    archive = ClosingArchive.from_bytes(file.read_bytes(), file.name)
    receipts = archive.below("receipts", ".json")
    assert set(receipts) == set(phase_walk.receipts) - {"write_archive", "sign_archive"}
    shutil.rmtree(day.work)
    words = ("verify", "--archive", str(file))
    assert day.doit(*words).status == DONE
    if "push_end_tag" not in receipts:
        return
    for moved in ("refs/heads/3.12", "refs/tags/3.12"):
        git(day.upstream, "update-ref", moved, "refs/heads/main")
        judged = day.doit(*words)
        assert judged.status == FAILED, judged
        assert "archived.published" in judged.out
        assert moved in judged.out


def test_no_change_of_its_closing_archive_is_missed(
    phase_walk: Walk, tmp_path: Path, count: Counts
) -> None:
    """Of each folder in it one file, and the bytes of the archive and its signatures."""
    file, settings = kept(phase_walk, tmp_path), read_settings(phase_walk.day.declaration)
    clients = cast("Clients", SimpleNamespace(
        bundles=SigstoreClient(settings.signing.sigstore_trust), progress=Quiet(),
        history=phase_walk, public=phase_walk,  # which they are not: nobody may look there
    ))  # fmt: skip

    def holds() -> bool:
        with archived_keyring(file) as keyring:
            looking = cast("Clients", SimpleNamespace(**{**vars(clients), "verifier": keyring}))
            return judge(release_of(settings), looking, file).holds

    raw = file.read_bytes()
    archive = ClosingArchive.from_bytes(raw, file.name)
    shown = {name.partition("/")[0]: name for name in archive.members}
    rest = {name: text for name, text in archive.members.items() if name not in shown.values()}
    for said, changed in altered({name: archive.members[name] for name in shown.values()}):
        file.write_bytes(replace(archive, members={**rest, **changed}).to_bytes())
        assert not holds(), said
        count("closing archives of a change of phase altered by others, each found", 1)
    file.write_bytes(replace(archive, release="3.11-end-of-life").to_bytes())
    assert not holds()
    file.write_bytes(raw)
    for path in sorted(tmp_path.glob("*.tar*")):
        before = path.read_bytes()
        for spoiled in (b"", before[:-1], before + b"\n"):
            path.write_bytes(spoiled)
            assert not holds(), (path.name, len(spoiled))
        path.write_bytes(before)


@pytest.fixture
def old_branch() -> Iterator[Day]:
    """The end of life of a series with hundreds of open issues, approved, its branch deleted."""
    folder = Path(tempfile.mkdtemp(prefix="day-"))
    day = Day(folder, folder / "tools", "3.12", "manifests", ReleaseType.END_OF_LIFE)
    try:
        phases.file_issues(day.store, "3.12", ISSUES, 0)
        day.start_world()
        ended = day.publish()
        day.let_people_act()
        ended = day.doit("run", "delete_series_branch")
        assert ended.status == DONE, ended
        yield day
    finally:
        day.close()
        shutil.rmtree(folder)


def test_hundreds_of_issues_are_moved_once_each_through_kills_and_rate_limits(
    old_branch: Day,
) -> None:
    day = old_branch
    day.store.save("github_limit", {"burst": BURST, "done": 0})
    for _ in range(KILLS):
        ended = day.doit("run", "move_issues", records=7)
        assert ended.status == -signal.SIGKILL, ended
    ended = day.doit("run", "move_issues")
    assert ended.status == DONE, ended
    limits = [each for each in day.store.happened("faults") if each["event"] == "github_limit"]
    assert len(limits) >= 2
    issues = day.store.load("github", {})["issues"]
    ours = [each for each in issues if "3.12" in each["labels"] and "base" not in each]
    assert len(ours) >= ISSUES
    moved = [each for each in ours if "type-feature" not in each["labels"]]
    assert all("3.13" in each["labels"] for each in moved if each["state"] == "open")
    assert not [
        each for each in ours if "type-feature" in each["labels"] and "3.13" in each["labels"]
    ]
    done = {name: times for name, times in acts(day).items() if "/issues/" in name}
    assert {times for name, times in done.items() if name.endswith("/labels")} == {1}
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert "3.12 (EOL)" in day.store.load("github", {})["labels"]


def test_end_of_life_leaves_a_signed_tag_in_place_of_the_branch(phase_walk: Walk) -> None:
    if "push_end_tag" not in phase_walk.stages:
        pytest.skip("of another kind")
    day = phase_walk.day
    day.restore("push_end_tag")
    head = git(day.upstream, "rev-parse", "refs/heads/3.12").strip()
    ended = day.go_on()
    assert ended.status == DONE, ended
    assert not git(day.upstream, "for-each-ref", "refs/heads/3.12")
    assert git(day.upstream, "rev-parse", "refs/tags/3.12^{commit}").strip() == head
    said = git(day.upstream, "cat-file", "tag", "refs/tags/3.12")
    assert "Final head of the former 3.12 branch" in said
    assert "BEGIN PGP SIGNATURE" in said
    found = world_of(day)["github"]
    closed = [each for each in found["issues"] if each.get("base") == "3.12"]
    assert closed
    assert {each["state"] for each in closed} == {"closed"}
    assert all(len(found["comments"][str(each["number"])]) == 1 for each in closed)
