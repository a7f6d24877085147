"""What a gate finds out about a host, long before anything is put there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.hosts import (
    files_of_others_are_readable,
    host_has_room,
    host_is_reached,
    rights_are_usable,
)
from doit_receipts.finding import Severity
from plugins.model.layout import Layout
from plugins.model.promise import contract_of
from plugins.model.published_file import Kind, Origin, PublishedFile, SizeClass
from plugins.model.release import Release, type_of
from plugins.model.remote_layout import RemoteLayout
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal.store import ALWAYS
from plugins.steps.staging_folders import reserve
from tests.host_world import ROOT, Rehearsed, Standing, a_host, a_rehearsed_host

RC2 = Version.parse("3.14.0rc2")
RELEASE = Release(RC2, type_of(RC2), series_of(RC2), Layout(Path("nowhere"), RC2))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plugins.model.contract import Contract


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Rehearsed]:
    with a_rehearsed_host(tmp_path / "world", room_bytes=10_000_000) as rehearsed:
        yield rehearsed


@pytest.mark.parametrize("kind", ["rehearsed", "openssh", "folder"])
def test_a_host_in_order_has_no_findings_and_is_left_as_it_was(kind: str, tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()
    with a_host(kind, tmp_path / "world") as there:
        assert _all(there) == []
        assert [path.name for path in there.files.rglob("*")] == ["doc"]


def _all(there: Standing) -> list[object]:
    return [
        *host_is_reached(there.host),
        *rights_are_usable(there.host, ["", "doc", "3.13.6"]),
        *host_has_room(there.host, "3.13.6", files("a")),
    ]


def test_a_host_that_cannot_be_reached_blocks(world: Rehearsed) -> None:
    world.store.order_fault("ssh.host_key_changed", times=ALWAYS)
    host = world.host()
    for rule, findings in {
        "hosts.login": host_is_reached(host),
        "hosts.rights": rights_are_usable(host, [""]),
        "hosts.space": host_has_room(host, "", files("a")),
    }.items():
        (finding,) = findings
        assert (finding.rule, finding.severity) == (rule, Severity.BLOCK)
        assert "another key than the known one" in finding.message


def test_a_user_that_is_not_of_the_group_blocks(world: Rehearsed) -> None:
    (finding,) = host_is_reached(world.host(group="docs"))
    assert (finding.rule, finding.severity) == ("hosts.group", Severity.BLOCK)
    assert "rm is not a member of group docs" in finding.message


@pytest.mark.parametrize(("seconds", "way"), [("900", "ahead of"), ("-900", "behind")])
def test_a_clock_that_is_off_is_warned_about(world: Rehearsed, seconds: str, way: str) -> None:
    world.store.order_fault("ssh.clock_skew", argument=seconds)
    (finding,) = host_is_reached(world.host())
    assert (finding.rule, finding.severity) == ("hosts.clock", Severity.WARN)
    assert way in finding.message


def test_a_small_difference_of_clocks_is_none(world: Rehearsed) -> None:
    world.store.order_fault("ssh.clock_skew", argument="60")
    assert host_is_reached(world.host()) == ()


@pytest.mark.parametrize(
    ("owner", "group", "mode"),
    [("hugo", "hugo", 0o2775), ("hugo", "downloads", 0o755), ("hugo", "hugo", 0o755)],
)
def test_a_folder_that_another_release_manager_made_blocks(
    world: Rehearsed, owner: str, group: str, mode: int
) -> None:
    """Incident 7: the folder of 3.14.4 was found to be another's in the middle of a release."""
    world.store.order_fault("ssh.foreign_folder", argument=f"{ROOT}/3.13.6")
    host = world.host()
    host.login()
    world.server.disk.prepare(f"{ROOT}/3.13.6", owner, group, mode)
    (finding,) = rights_are_usable(host, ["3.13.6", "doc"])
    assert (finding.rule, finding.severity) == ("hosts.rights", Severity.BLOCK)
    assert "hugo" in finding.message
    assert "ask hugo" in finding.remedy


def test_a_folder_of_ours_that_a_killed_run_left_does_not_block_its_repair(
    world: Rehearsed,
) -> None:
    """It was made, and not given to the group yet: the step that does so comes after the check."""
    world.server.disk.prepare(f"{ROOT}/3.13.6", "rm", "rm", 0o755)
    assert rights_are_usable(world.host(), ["3.13.6"]) == ()
    area = RemoteLayout(Version.parse("3.13.6")).downloads
    reserve(area, world.host(), shared=True)
    (entry,) = world.host().look([area.final])
    assert entry is not None
    assert (entry.group, entry.mode) == ("downloads", 0o2775)


def test_a_root_where_we_may_not_write_blocks_until_its_group_may(world: Rehearsed) -> None:
    world.server.disk.prepare(ROOT, "root", "root", 0o755)
    host = world.host(group="")
    (finding,) = rights_are_usable(host, ["3.13.6"])
    assert (finding.rule, finding.severity) == ("hosts.rights", Severity.BLOCK)
    assert "cannot write there: it belongs to root, group root, mode 755" in finding.message
    assert "rm (groups: " in finding.message
    world.server.disk.prepare(ROOT, "root", "downloads", 0o2775)
    assert rights_are_usable(host, ["3.13.6"]) == ()


def test_a_folder_that_does_not_hand_down_its_group_is_warned_about(world: Rehearsed) -> None:
    world.server.disk.prepare(f"{ROOT}/3.13.6", "hugo", "downloads", 0o775)
    (finding,) = rights_are_usable(world.host(), ["3.13.6"])
    assert finding.severity is Severity.WARN
    assert finding.remedy == "ask hugo to run `chmod g+s` on it"


def test_what_is_no_folder_blocks(world: Rehearsed) -> None:
    (world.files / "3.13.6").touch()
    (finding,) = rights_are_usable(world.host(), ["3.13.6"])
    assert finding.message == "is a file, wanted a folder"


def test_an_access_list_that_lets_us_write_is_a_note(world: Rehearsed) -> None:
    """The mode says no, the system says yes: nobody can see what colleagues may."""
    world.server.disk.prepare(ROOT, "root", "root", 0o755)
    world.server.disk.grant(ROOT, "rm")
    (finding,) = rights_are_usable(world.host(), [""])
    assert (finding.rule, finding.severity) == ("hosts.rights", Severity.NOTE)
    assert "only an access list allows writing there" in finding.message


def test_nothing_is_written_to_judge_rights(world: Rehearsed) -> None:
    rights_are_usable(world.host(), ["", "doc", "3.13.6"])
    files_of_others_are_readable(world.host(), ["", "doc"])
    assert world.events() == []


def test_a_file_of_another_that_users_could_not_read_names_its_owner(world: Rehearsed) -> None:
    """Incidents of 3.14.4 and 3.15.0b2: only the owner of a file can change its mode."""
    (world.files / "3.13.6").mkdir()
    for name, owner, mode in (("a.msi", "steve", 0o640), ("b.msi", "steve", 0o644), ("c", "rm", 0)):
        (world.files / "3.13.6" / name).touch()
        (world.files / "3.13.6" / name).chmod(mode)
        world.server.disk.own(f"{ROOT}/3.13.6/{name}", owner, "downloads")
    (finding,) = files_of_others_are_readable(world.host(), ["3.13.6"])
    assert (finding.rule, finding.severity) == ("hosts.other_owner", Severity.BLOCK)
    assert finding.where.endswith("3.13.6/a.msi")
    assert finding.message == "belongs to steve and has mode 640, wanted 644"
    assert "run `chmod 644` on it" in finding.remedy
    world.server.disk.change_mode("steve", f"{ROOT}/3.13.6/a.msi", 0o664)
    assert files_of_others_are_readable(world.host(), ["3.13.6"]) == ()


def files(*names: str, size: SizeClass = SizeClass.NOTE) -> Contract:
    """A release of these files, all in one folder: of about 1 KB each, or of 32 MiB."""
    made = [PublishedFile("3.14.0", name, Kind.SOURCE, Origin.EXPORT, size) for name in names]
    return replace(contract_of(RELEASE), files=tuple(made))


def archives(count: int) -> Contract:
    return files(*(f"{number}.tgz" for number in range(count)), size=SizeClass.ARCHIVE)


def test_a_host_without_room_blocks(world: Rehearsed) -> None:
    assert host_has_room(world.host(), "", files("a", "b")) == ()
    (finding,) = host_has_room(world.host(), "3.13.6", archives(1))
    assert (finding.rule, finding.severity) == ("hosts.space", Severity.BLOCK)
    assert finding.message.endswith("9 MB are free, but 33 MB will be uploaded")


def test_what_colleagues_have_staged_needs_room_for_a_copy(tmp_path: Path) -> None:
    with a_rehearsed_host(tmp_path / "world", room_bytes=9_000_000) as world:
        staged = world.files / ".3.14.0rc2.staging"
        staged.mkdir()
        (staged / "a.exe").write_bytes(b"x" * 5_000_000)
        asked = world.host(), "", files("a"), [".3.14.0rc2.staging"]
        disk = world.server.disk
        disk.own(f"{ROOT}/.3.14.0rc2.staging/a.exe", "rm", "downloads")
        assert host_has_room(*asked) == ()
        disk.own(f"{ROOT}/.3.14.0rc2.staging/a.exe", "steve", "downloads")
        (finding,) = host_has_room(*asked)
        assert finding.message.endswith("5 MB will be uploaded or copied")


def test_what_is_there_of_this_release_needs_no_room_and_what_others_have_there_does(
    tmp_path: Path,
) -> None:
    """The candidates of one final share its folder: what stands in it may be of another."""
    gathered = [".3.14.0rc2.staging", ".3.14.0rc2.incoming"]
    with a_rehearsed_host(tmp_path / "world", room_bytes=400_000_000) as world:

        def put(folder: str, *names: str) -> None:
            (world.files / folder).mkdir(parents=True, exist_ok=True)
            for name in names:
                (world.files / folder / name).touch()

        host, wanted = world.host(), archives(12)  # 10 of them would have room
        put("3.14.0", "0.zip", "1.zip", "2.zip")
        put(".3.14.0rc2.incoming/windows", "0.msi", "1.msi", "2.msi")
        assert host_has_room(host, "", wanted, gathered)
        for folder in ("3.14.0", ".3.14.0rc2.staging", ".3.14.0rc2.incoming/windows"):
            put(folder, "0.tgz")
            assert host_has_room(host, "", wanted, gathered)
            put(folder, "0.tgz", "1.tgz")
            assert host_has_room(host, "", wanted, gathered) == ()
            for each in (world.files / folder).glob("*.tgz"):
                each.unlink()
