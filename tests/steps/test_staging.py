"""Staging and the switch, on a rehearsed host, a real OpenSSH server and a folder."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.content import Content, NamedFile
from plugins.model.remote_layout import RemoteLayout
from plugins.model.version import Version
from plugins.rehearsal.places import served
from plugins.rehearsal.store import ALWAYS
from plugins.steps.staging import (
    look_staged,
    look_switched,
    stage,
    switch,
)
from plugins.steps.staging_folders import look_reserved, reserve
from tests.host_world import ROOT, Standing, a_rehearsed_host, an_upload
from tests.progress import Quiet
from tests.staged import BERTH, NAMES, a_file_of_steve, everything, released, seen, some_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.host import Host


def test_a_release_is_reserved_staged_and_shown(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    assert look_reserved(BERTH, there.host).state is RemoteState.ABSENT
    reserve(BERTH, there.host)
    assert look_reserved(BERTH, there.host).state is RemoteState.IDENTICAL
    assert look_staged(files, BERTH, there.host).state is RemoteState.ABSENT
    stage(files, BERTH, there.host, Quiet())
    staged = look_staged(files, BERTH, there.host)
    assert staged.state is RemoteState.IDENTICAL
    assert not (there.files / BERTH.final).exists()
    assert look_switched(files, BERTH, there.host).state is RemoteState.ABSENT
    switch(files, BERTH, there.host, Quiet())
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL
    assert seen(there) == everything(files)
    assert stat.S_IMODE((there.files / BERTH.final).stat().st_mode) == 0o2775
    assert not (there.files / BERTH.staging).exists()
    assert look_staged(files, BERTH, there.host) == staged


def test_nobody_but_the_group_sees_what_is_staged(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    """A web server asked for what is hidden says 403: no cache can learn it before it is final."""
    stage(files, BERTH, there.host, Quiet())
    assert stat.S_IMODE((there.files / BERTH.staging).stat().st_mode) == 0o2770
    for path in (f"{BERTH.staging}/", *(f"{BERTH.staging}/{file.name}" for file in files)):
        assert served(there.files, path, "/ftp/python/").status_code == 403


def test_files_join_those_that_stand_there_and_touch_none_of_them(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    there.host.make_folders([BERTH.final], 0o2775)
    there.leave(f"{BERTH.final}/python-3.13.6-amd64.exe", b"an expert's")
    released(files, there)
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL
    expected = everything(files)
    found = seen(there)
    assert found.pop("python-3.13.6-amd64.exe")[1] == b"an expert's"
    assert found == expected
    assert not (there.files / BERTH.staging).exists()


def test_a_file_that_stands_there_already_is_adopted(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    there.host.make_folders([BERTH.final], 0o2775)
    assert files[0].source is not None
    there.leave(f"{BERTH.final}/{files[0].name}", files[0].source.read_bytes())
    released(files, there)
    assert seen(there) == everything(files)
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL


def test_other_bytes_in_the_final_folder_are_never_replaced(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    there.host.make_folders([BERTH.final], 0o2775)
    there.leave(f"{BERTH.final}/{files[0].name}", b"x" * files[0].content.size_bytes)
    for probe in (look_staged(files, BERTH, there.host), look_switched(files, BERTH, there.host)):
        assert probe.state is RemoteState.DIFFERENT
        assert "files with other content exist there" in probe.problem
        assert "it is never replaced" in probe.remedy
        assert any(files[0].content.sha256 in line for line in probe.details)
        assert any("found: " in line for line in probe.details)
    stage(files[1:], BERTH, there.host, Quiet())
    with pytest.raises(StepFailed, match="files with other content exist there"):
        switch(files, BERTH, there.host, Quiet())
    assert (there.files / BERTH.final / files[0].name).read_bytes() == b"x" * files[
        0
    ].content.size_bytes


def test_a_staged_file_that_was_replaced_stops_the_switch(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files, BERTH, there.host, Quiet())
    assert look_staged(files, BERTH, there.host).state is RemoteState.IDENTICAL
    place = there.files / BERTH.staging / files[2].name
    place.write_bytes(place.read_bytes()[::-1])
    probe = look_staged(files, BERTH, there.host)
    assert probe.state is RemoteState.DIFFERENT
    assert files[2].name in probe.problem
    with pytest.raises(StepFailed, match="find out who replaced it"):
        switch(files, BERTH, there.host, Quiet())
    assert not (there.files / BERTH.final).exists()
    place.unlink()
    released(files, there)
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL


def test_what_does_not_belong_to_the_release_is_not_shown(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files, BERTH, there.host, Quiet())
    there.leave(f"{BERTH.staging}/notes.txt", b"secret")
    probe = look_switched(files, BERTH, there.host)
    assert probe.state is RemoteState.DIFFERENT
    assert "also contains notes.txt" in probe.problem
    with pytest.raises(StepFailed, match=r"also contains notes.txt"):
        switch(files, BERTH, there.host, Quiet())
    assert not (there.files / BERTH.final).exists()


def test_an_experts_file_that_was_put_into_the_hidden_folder_is_shown_with_the_others(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files[1:], BERTH, there.host, Quiet())
    assert files[0].source is not None
    there.leave(f"{BERTH.staging}/{files[0].name}", files[0].source.read_bytes())
    theirs = (replace(files[0], source=None), *files[1:])
    stage(theirs, BERTH, there.host, Quiet())
    switch(theirs, BERTH, there.host, Quiet())
    assert seen(there) == everything(files)


@pytest.mark.parametrize("final_is_there", [False, True])
def test_parts_of_an_installer_are_shown_in_a_folder_of_their_own(
    there: Standing, files: tuple[NamedFile, ...], tmp_path: Path, *, final_is_there: bool
) -> None:
    """Windows fetches 3.13.6/amd64/core.msi while it installs."""
    part = "amd64/core.msi"
    if final_is_there:
        there.host.make_folders([BERTH.final], 0o2775)
    stage(files, BERTH, there.host, Quiet())
    there.host.make_folders([f"{BERTH.staging}/amd64"], 0o2775)
    there.host.put([an_upload(tmp_path / "core.msi", f"{BERTH.staging}/{part}", b"part")], Quiet())
    whole = (*files, NamedFile(part, Content(4, sha256_of(tmp_path / "core.msi"))))
    switch(whole, BERTH, there.host, Quiet())
    assert look_switched(whole, BERTH, there.host).state is RemoteState.IDENTICAL
    assert (there.files / BERTH.final / part).read_bytes() == b"part"
    assert stat.S_IMODE((there.files / BERTH.final / "amd64").stat().st_mode) == 0o2775
    assert not (there.files / BERTH.staging).exists()


def test_a_file_that_nobody_brought_stops_the_switch(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    theirs = (replace(files[0], source=None), *files[1:])
    stage(theirs, BERTH, there.host, Quiet())
    assert look_staged(theirs, BERTH, there.host).state is RemoteState.ABSENT
    with pytest.raises(StepFailed, match="not staged; stage them first"):
        switch(theirs, BERTH, there.host, Quiet())
    stage(files, BERTH, there.host, Quiet())
    switch(files, BERTH, there.host, Quiet())
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL


def test_a_wrong_mode_is_put_right(there: Standing, files: tuple[NamedFile, ...]) -> None:
    stage(files, BERTH, there.host, Quiet())
    (there.files / BERTH.staging / files[0].name).chmod(0o600)
    assert look_staged(files, BERTH, there.host).state is RemoteState.ABSENT
    stage(files, BERTH, there.host, Quiet())
    assert look_staged(files, BERTH, there.host).state is RemoteState.IDENTICAL


def test_the_mode_of_a_file_is_left_to_its_owner_who_is_named(tmp_path: Path) -> None:
    """Incidents of 3.14.4 and 3.15.0b2: chmod of a colleague's file stopped the release."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        path = a_file_of_steve(world, files[0], 0o640)
        with pytest.raises(StepFailed, match="belongs to steve and has mode 640, wanted 644"):
            stage(files, BERTH, host, Quiet())
        probe = look_staged(files, BERTH, host)
        assert probe.state is RemoteState.DIFFERENT
        assert "only their owners can change the modes" in probe.problem
        assert f"ask steve for `chmod 644 {ROOT}/{path}`" in probe.remedy
        with pytest.raises(StepFailed, match="belongs to steve"):
            switch(files, BERTH, host, Quiet())
        assert not (world.files / BERTH.final).exists()
        world.server.disk.change_mode("steve", f"{ROOT}/{path}", 0o644)
        assert look_staged(files, BERTH, host).state is RemoteState.IDENTICAL
        switch(files, BERTH, host, Quiet())
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL


def test_a_file_of_a_colleague_that_users_can_read_is_as_good_as_ours(tmp_path: Path) -> None:
    """Its group may lack the right to write, as an upload with the usual umask leaves it."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        path = a_file_of_steve(world, files[0], 0o644)
        stage(files, BERTH, host, Quiet())
        assert look_staged(files, BERTH, host).state is RemoteState.IDENTICAL
        switch(files, BERTH, host, Quiet())
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL
        assert f"mode /{path}" not in [each.partition(" to ")[0] for each in world.events()]


def test_copy_that_somebody_changes_before_it_is_shown_stops_the_switch(tmp_path: Path) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        a_file_of_steve(world, files[0], 0o644)
        stage(files, BERTH, host, Quiet())

        class Meddling:
            def __getattr__(self, name: str) -> Any:
                return getattr(host, name)

            def copy(self, pairs: Sequence[tuple[str, str]]) -> None:
                host.copy(pairs)
                for _, copy in pairs:
                    (world.files / copy).write_bytes(b"other")

        with pytest.raises(StepFailed, match="was changed meanwhile; find out who changed it;"):
            switch(files, BERTH, cast("Host", Meddling()), Quiet())
        assert not (world.files / BERTH.final).exists()
        switch(files, BERTH, host, Quiet())
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL


def test_a_half_upload_of_a_file_that_is_whole_is_taken_away(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files, BERTH, there.host, Quiet())
    there.leave(f"{BERTH.staging}/{files[0].name}.partial", b"half")
    assert look_staged(files, BERTH, there.host).state is RemoteState.ABSENT
    stage(files, BERTH, there.host, Quiet())
    assert look_staged(files, BERTH, there.host).state is RemoteState.IDENTICAL


def test_signatures_and_checksums_are_seen_before_what_they_speak_of(tmp_path: Path) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        host.make_folders([BERTH.final], 0o2775)
        stage(files, BERTH, host, Quiet())
        before = len(world.events())
        switch(files, BERTH, host, Quiet())
        shown = [each.rpartition("/")[2] for each in world.events()[before:] if "rename" in each]
        archives = [name for name in shown if name.endswith((".tgz", ".xz"))]
        assert set(shown) == set(NAMES)
        assert shown[-len(archives) :] == archives


def test_the_folder_appears_in_one_rename(tmp_path: Path) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        stage(files, BERTH, host, Quiet())
        before = len(world.events())
        switch(files, BERTH, host, Quiet())
        renames = [each for each in world.events()[before:] if each.startswith("rename")]
        assert renames == [f"rename /{BERTH.final}"]


@pytest.mark.parametrize(
    ("group", "mode"), [("hugo", 0o2775), ("downloads", 0o755), ("hugo", 0o755)]
)
def test_a_folder_that_another_release_manager_made_for_themselves_is_told_at_once(
    tmp_path: Path, group: str, mode: int
) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        world.server.disk.prepare(f"{ROOT}/{BERTH.final}", "hugo", group, mode)
        probe = look_reserved(BERTH, world.host())
        assert probe.state is RemoteState.DIFFERENT
        assert "was made by hugo" in probe.problem
        assert "ask hugo" in probe.remedy
        assert "chgrp downloads" in probe.remedy


@pytest.mark.parametrize("group", ["downloads", ""])
@pytest.mark.parametrize("kind", ["file", "link"])
@pytest.mark.parametrize("place", ["final", "staging", "parent"])
def test_what_is_no_folder_in_the_place_of_one_is_moved_away_as_told(
    tmp_path: Path, place: str, kind: str, group: str
) -> None:
    area = RemoteLayout(Version.parse("3.13.6")).docs
    path = {"final": area.final, "staging": area.staging, "parent": "release"}[place]
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(group), world.server.disk
        if place != "parent":
            disk.prepare(f"{ROOT}/release", "root", "downloads", 0o2775)
        if kind == "file":
            (world.files / path).write_bytes(b"")
            (world.files / path).chmod(0o700)
        else:
            (world.files / path).symlink_to("elsewhere")
        disk.own(f"{ROOT}/{path}", "hugo", "hugo")
        probe = look_reserved(area, host)
        assert probe.state is RemoteState.DIFFERENT
        assert f"is a {kind}, wanted a folder" in probe.problem
        assert probe.remedy == (
            f"ask hugo or the host's administrators what {ROOT}/{path} is, and to move it away"
        )
        (world.files / path).rename(world.files / "away")
        assert look_reserved(area, host).state is RemoteState.ABSENT
        reserve(area, host)
        assert look_reserved(area, host).state is RemoteState.IDENTICAL


def test_a_parent_that_is_missing_is_made(tmp_path: Path) -> None:
    area = RemoteLayout(Version.parse("3.14.0rc1")).docs
    with a_rehearsed_host(tmp_path / "world") as world:
        reserve(area, world.host())
        assert look_reserved(area, world.host()).state is RemoteState.IDENTICAL
        parent, staging = world.host().look(["release", area.staging])
        assert (parent and parent.mode, staging and staging.mode) == (0o2775, 0o2770)


@pytest.mark.parametrize("shown", range(len(NAMES)))
def test_a_disk_that_fills_while_files_are_shown_is_one_line_and_nothing_is_undescribed(
    tmp_path: Path, shown: int
) -> None:
    """What is public by then has its bytes, and no archive is without its signature."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        there = Standing("rehearsed", host, world.files)
        reserve(BERTH, host, shared=True)
        stage(files, BERTH, host, Quiet())
        world.store.order_fault("ssh.names_full", times=ALWAYS, argument=str(shown))
        with pytest.raises(ServiceFailed) as caught:
            switch(files, BERTH, host, Quiet())
        public = seen(there)
        assert len(public) == shown
        assert public.items() <= everything(files).items()
        archives = [name for name in public if name.endswith((".tgz", ".xz"))]
        assert all(f"{name}.asc" in public for name in archives)
        assert look_switched(files, BERTH, host).state is RemoteState.ABSENT
        assert caught.value.problem.endswith(": the host refused: Failure")
        assert caught.value.remedy == (
            "see there whether the disk or its inodes (df -h, df -i) or your quota (quota) are used"
            " up, then run the same command again; what was done is not done again"
        )
        # The remedy is followed.
        world.store.save("faults", {})
        switch(files, BERTH, host, Quiet())
        assert seen(there) == everything(files)
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL


def test_public_file_that_a_colleague_of_the_group_changes_is_never_taken_for_ours(
    tmp_path: Path,
) -> None:
    """PEP 101 lets the group write; size and time may be as before, the digest is not."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        released(files, Standing("rehearsed", host, world.files))
        path = world.files / BERTH.final / "Python-3.13.6.tgz"
        before, right = path.stat(), path.read_bytes()
        path.write_bytes(right[:-1] + b"!")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        probe = look_switched(files, BERTH, host)
        assert probe.state is RemoteState.DIFFERENT
        assert "files with other content exist there" in probe.problem
        assert "never replaced" in probe.remedy
        with pytest.raises(StepFailed, match="other content"):
            switch(files, BERTH, host, Quiet())
        path.write_bytes(right)
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL


def test_a_taken_name_at_the_last_moment_is_not_overwritten(tmp_path: Path) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        stage(files, BERTH, host, Quiet())
        world.server.disk.prepare(f"{ROOT}/{BERTH.final}", "hugo", "hugo", 0o755)
        with pytest.raises(ServiceFailed, match=r"permission denied: /srv/ftp/3.13.6 is hugo"):
            switch(files, BERTH, host, Quiet())
        assert list((world.files / BERTH.final).iterdir()) == []


def test_a_second_run_sends_nothing(tmp_path: Path) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        stage(files, BERTH, world.host(), Quiet())
        before = world.bytes_sent()
        stage(files, BERTH, world.host(), Quiet())
        switch(files, BERTH, world.host(), Quiet())
        stage(files, BERTH, world.host(), Quiet())
        assert world.bytes_sent() == before


def test_a_candidate_goes_to_the_folder_of_its_final() -> None:
    layout = RemoteLayout(Version.parse("3.14.0rc2"))
    assert layout.downloads.final == "3.14.0"
    assert layout.downloads.staging == ".3.14.0.staging-3.14.0rc2"
    assert layout.docs_archives.final == "doc/3.14.0rc2"
    assert layout.docs.final == "release/3.14.0rc2"
