"""The hidden folder while it is switched: closed to all others, and open again whatever happens."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ReleaseError, ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.content import Content, NamedFile
from plugins.rehearsal.places import served
from plugins.steps.staging import (
    look_switched,
    stage,
    switch,
)
from plugins.steps.staging_folders import look_reserved, reserve
from tests.host_world import ROOT, Rehearsed, Standing, a_rehearsed_host, an_upload
from tests.progress import Quiet
from tests.staged import BERTH, a_file_of_steve, everything, seen, some_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from plugins.ports.host import Host


class Racing:
    """A host where somebody does something right before the first rename."""

    def __init__(self, host: Host, do: Callable[[], None]) -> None:
        self._host, self._do = host, do

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        do, self._do = self._do, lambda: None
        do()
        self._host.rename(moves)


@pytest.mark.parametrize("final_is_there", [False, True])
@pytest.mark.parametrize("place", ["late.exe", "amd64/late.msi"])
def test_nobody_can_add_a_file_between_the_last_look_and_the_switch(
    tmp_path: Path, place: str, *, final_is_there: bool
) -> None:
    """Whatever is in the hidden folder would be public; the group may write to it until then."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(), world.server.disk
        if final_is_there:
            host.make_folders([BERTH.final], 0o2775)
        stage(files, BERTH, host, Quiet())
        path = f"{ROOT}/{BERTH.staging}/{place}"
        host.make_folders([f"{BERTH.staging}/amd64"], 0o2775)
        part = an_upload(tmp_path / "core.msi", f"{BERTH.staging}/amd64/core.msi", b"part")
        host.put([part], Quiet())
        core = Content(4, sha256_of(tmp_path / "core.msi"))
        whole = (*files, NamedFile("amd64/core.msi", core))
        refused = []

        def add() -> None:
            try:
                disk.create("steve", path)
            except PermissionError as error:
                refused.append(error)

        switch(whole, BERTH, cast("Host", Racing(host, add)), Quiet())
        assert refused
        assert look_switched(whole, BERTH, host).state is RemoteState.IDENTICAL
        assert not (world.files / BERTH.final / place).exists()
        assert stat.S_IMODE((world.files / BERTH.final / "amd64").stat().st_mode) == 0o2775


def test_a_file_that_is_put_there_while_the_folder_is_closed_stops_the_switch(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files, BERTH, there.host, Quiet())

    class Late(Racing):
        def change(self, paths: Sequence[str], mode: int) -> None:
            if mode == 0o2700:
                there.leave(f"{BERTH.staging}/late.exe", b"evil")
            there.host.change(paths, mode)

    with pytest.raises(StepFailed, match=r"also contains late\.exe"):
        switch(files, BERTH, cast("Host", Late(there.host, lambda: None)), Quiet())
    assert not (there.files / BERTH.final).exists()
    assert stat.S_IMODE((there.files / BERTH.staging).stat().st_mode) == 0o2770


def test_a_switch_that_was_killed_before_the_folder_is_open_is_finished(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    stage(files, BERTH, there.host, Quiet())
    there.host.change([BERTH.staging], 0o2700)
    there.host.rename([(BERTH.staging, BERTH.final)])
    assert look_switched(files, BERTH, there.host).state is RemoteState.ABSENT
    switch(files, BERTH, there.host, Quiet())
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL
    assert stat.S_IMODE((there.files / BERTH.final).stat().st_mode) == 0o2775


def test_what_a_colleague_can_still_write_to_is_copied_and_not_shown_itself(
    tmp_path: Path,
) -> None:
    """Who has a file open, or another name of it, changes it whatever its mode is."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        path = a_file_of_steve(world, files[0], 0o664)
        stage(files, BERTH, host, Quiet())
        with (world.files / path).open("r+b") as held:
            switch(files, BERTH, host, Quiet())
            held.write(b"evil")
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL
        assert {entry.owner for entry in host.listing(BERTH.final)} == {"rm"}
        assert {entry.mode for entry in host.listing(BERTH.final)} == {0o644}


class Broken:
    """A host on which one kind of change ends in an error, before or after it is made."""

    def __init__(self, host: Host, act: str, error: BaseException, *, late: bool = False) -> None:
        self._host, self._act, self._error, self._late = host, act, error, late

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._host, name)
        if name != self._act:
            return real

        def broken(*words: Any) -> None:
            if self._late:
                real(*words)
            raise self._error

        return broken


_REFUSED: Final = ServiceFailed(service="host", action="ask", problem="no space left")


@pytest.mark.parametrize("error", [_REFUSED, KeyboardInterrupt()], ids=["refused", "Ctrl-C"])
@pytest.mark.parametrize(
    ("act", "late"),
    [("rename", False), ("make_folders", False), ("copy", False), ("copy", True),
     ("digests", False)],
)  # fmt: skip
def test_a_switch_that_stops_leaves_the_folder_open_and_no_copy(
    tmp_path: Path, act: str, error: BaseException, *, late: bool
) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        a_file_of_steve(world, files[0], 0o664)
        stage(files, BERTH, host, Quiet())
        before = host.listing(BERTH.staging)
        broken = cast("Host", Broken(host, act, error, late=late))
        with pytest.raises(type(error)):
            switch(files, BERTH, broken, Quiet())
        assert [each.path for each in host.listing(BERTH.staging)] == [each.path for each in before]
        assert stat.S_IMODE((world.files / BERTH.staging).stat().st_mode) == 0o2770
        switch(files, BERTH, host, Quiet())
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("name", [".copied", ".copied.partial"])
@pytest.mark.parametrize("is_theirs", [True, False])
def test_what_a_killed_run_left_of_a_copy_is_no_stranger_and_is_never_shown(
    tmp_path: Path, name: str, *, is_theirs: bool
) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        path = f"{BERTH.staging}/{files[0].name}"
        if is_theirs:
            a_file_of_steve(world, files[0], 0o664)
        stage(files, BERTH, host, Quiet())
        there = Standing("rehearsed", host, world.files)
        there.leave(f"{path}{name}", b"half of it")
        host.change([BERTH.staging], 0o2700)
        probe = look_switched(files, BERTH, host)
        assert probe.state is RemoteState.ABSENT
        assert "to the group: the same command, run again, opens it" in probe.problem
        switch(files, BERTH, host, Quiet())
        assert look_switched(files, BERTH, host).state is RemoteState.IDENTICAL
        assert seen(there) == everything(files)


def test_a_folder_that_a_colleagues_killed_run_left_closed_names_who_opens_it(
    tmp_path: Path,
) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        reserve(BERTH, host)
        world.server.disk.prepare(f"{ROOT}/{BERTH.staging}", "hugo", "downloads", 0o2700)
        probe = look_reserved(BERTH, host)
        assert probe.state is RemoteState.DIFFERENT
        assert "a run that did not end has closed" in probe.problem
        assert probe.remedy.startswith("ask hugo to run the same command again")
        with pytest.raises(ServiceFailed, match="a run of hugo that did not end") as caught:
            look_switched(files, BERTH, host)
        assert caught.value.remedy.startswith("ask hugo to run the same command again")


def _with_inner(files: tuple[NamedFile, ...], folder: Path, host: Host) -> tuple[NamedFile, ...]:
    """They are staged, with a part of an installer in a folder within theirs."""
    host.make_folders([f"{BERTH.staging}/amd64"], 0o2775)
    part = an_upload(folder / "core.msi", f"{BERTH.staging}/amd64/core.msi", b"part")
    host.put([part], Quiet())
    return (*files, NamedFile("amd64/core.msi", Content(4, sha256_of(folder / "core.msi"))))


def _modes(there: Standing, folder: str = BERTH.final) -> list[int]:
    places = (there.files / folder, there.files / folder / "amd64")
    return [stat.S_IMODE(each.stat().st_mode) for each in places]


class Dead:
    """A host to which nothing gets through any more once a rename is made."""

    def __init__(self, host: Host) -> None:
        self._host, self._is_dead = host, False

    def __getattr__(self, name: str) -> Any:
        if self._is_dead:
            raise _REFUSED
        return getattr(self._host, name)

    def rename(self, moves: Sequence[tuple[str, str]]) -> None:
        self._host.rename(moves)
        self._is_dead = True


def test_users_can_read_the_folder_from_the_moment_it_is_public(
    tmp_path: Path, there: Standing, files: tuple[NamedFile, ...]
) -> None:
    """A run that is killed right after the one rename leaves nothing that users are refused."""
    stage(files, BERTH, there.host, Quiet())
    whole = _with_inner(files, tmp_path, there.host)
    with pytest.raises(ServiceFailed):
        switch(whole, BERTH, cast("Host", Dead(there.host)), Quiet())
    assert _modes(there) == [0o2755, 0o2755]
    for file in whole:
        assert served(there.files, f"{BERTH.final}/{file.name}", "/ftp/python/").status_code == 200
    assert look_switched(whole, BERTH, there.host).state is RemoteState.ABSENT
    switch(whole, BERTH, there.host, Quiet())
    assert look_switched(whole, BERTH, there.host).state is RemoteState.IDENTICAL
    assert _modes(there) == [0o2775, 0o2775]


def test_hidden_folder_that_users_could_read_when_a_run_was_killed_is_told_and_shown(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    class Killed(Dead):
        def rename(self, moves: Sequence[tuple[str, str]]) -> None:  # noqa: ARG002
            self._is_dead = True
            raise _REFUSED

    stage(files, BERTH, there.host, Quiet())
    with pytest.raises(ServiceFailed):
        switch(files, BERTH, cast("Host", Killed(there.host)), Quiet())
    assert stat.S_IMODE((there.files / BERTH.staging).stat().st_mode) == 0o2755
    probe = look_switched(files, BERTH, there.host)
    assert probe.state is RemoteState.ABSENT
    assert "users can read" in probe.problem
    assert "the same command, run again, " in probe.problem
    switch(files, BERTH, there.host, Quiet())
    assert look_switched(files, BERTH, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("error", [_REFUSED, KeyboardInterrupt()], ids=["refused", "Ctrl-C"])
@pytest.mark.parametrize("act", ["rename", "change"])
def test_a_switch_that_stops_after_the_rename_opens_the_public_folder(
    tmp_path: Path, there: Standing, files: tuple[NamedFile, ...], act: str, error: BaseException
) -> None:
    """The group can add to it, without anybody running the command again."""
    stage(files, BERTH, there.host, Quiet())
    whole = _with_inner(files, tmp_path, there.host)

    class Once(Racing):
        def rename(self, moves: Sequence[tuple[str, str]]) -> None:
            there.host.rename(moves)
            if act == "rename":
                raise error

        def change(self, paths: Sequence[str], mode: int) -> None:
            do, self._do = self._do, (lambda: None) if BERTH.final in paths else self._do
            if do is not self._do:
                do()
            there.host.change(paths, mode)

    def fail() -> None:
        if act == "change":
            raise error

    with pytest.raises(type(error)):
        switch(whole, BERTH, cast("Host", Once(there.host, fail)), Quiet())
    assert _modes(there) == [0o2775, 0o2775]
    assert look_switched(whole, BERTH, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("mode", [0o2700, 0o2770, 0o2755], ids=oct)
@pytest.mark.parametrize("inner", ["", "/amd64"])
def test_public_folder_that_users_cannot_read_is_not_done_and_is_opened(
    tmp_path: Path, there: Standing, files: tuple[NamedFile, ...], mode: int, inner: str
) -> None:
    stage(files, BERTH, there.host, Quiet())
    whole = _with_inner(files, tmp_path, there.host)
    switch(whole, BERTH, there.host, Quiet())
    there.host.change([f"{BERTH.final}{inner}"], mode)
    probe = look_switched(whole, BERTH, there.host)
    assert probe.state is RemoteState.ABSENT
    assert "of 1 folder are wrong" in probe.problem
    switch(whole, BERTH, there.host, Quiet())
    assert _modes(there) == [0o2775, 0o2775]
    assert look_switched(whole, BERTH, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("group", ["downloads", "hugo"])
@pytest.mark.parametrize("mode", [0o2700, 0o2770, 0o2750, 0o750], ids=oct)
@pytest.mark.parametrize("folder", [BERTH.final, f"{BERTH.final}/amd64"])
def test_public_folder_of_a_colleague_that_users_cannot_read_is_opened_as_told(
    tmp_path: Path, folder: str, mode: int, group: str
) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(), world.server.disk
        stage(files, BERTH, host, Quiet())
        whole = _with_inner(files, tmp_path, host)
        switch(whole, BERTH, host, Quiet())
        disk.own(f"{ROOT}/{folder}", "hugo", group)
        (world.files / folder).chmod(mode)
        problem = _stopped(whole, host)
        assert "ask hugo " in problem
        assert ("chgrp downloads" in problem) == (group == "hugo")
        _follow(problem, world)
        assert look_switched(whole, BERTH, host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    ("closed", "mode"),
    [
        (("",), 0o2700), (("", "/amd64"), 0o2700), (("/amd64",), 0o2700),
        (("",), 0o2755), (("", "/amd64"), 0o2755),
    ],
    ids=str,
)  # fmt: skip
def test_hidden_folder_that_a_colleagues_killed_run_left_closed_is_opened_as_told(
    tmp_path: Path, closed: Sequence[str], mode: int
) -> None:
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(), world.server.disk
        stage(files, BERTH, host, Quiet())
        whole = _with_inner(files, tmp_path, host)
        for each in closed:
            disk.own(f"{ROOT}/{BERTH.staging}{each}", "hugo", "downloads")
            (world.files / f"{BERTH.staging}{each}").chmod(mode)
        problem = _stopped(whole, host)
        assert "a run of hugo that did not end" in problem
        assert ("users can read" in problem) == (mode == 0o2755)
        _follow(problem, world)
        assert _modes(Standing("", host, world.files), BERTH.staging)[0] == 0o2770
        probe = look_switched(whole, BERTH, host)
        assert (probe.state, probe.problem[:6]) == (RemoteState.ABSENT, "0 of 7")
        if "" in closed:
            disk.own(f"{ROOT}/{BERTH.staging}", "hugo", "downloads")
            (world.files / BERTH.staging).chmod(mode)
            _follow(look_reserved(BERTH, host).remedy, world)
            assert look_reserved(BERTH, host).state is RemoteState.IDENTICAL


def test_folder_of_a_colleague_within_the_hidden_one_that_all_may_read_is_shown(
    tmp_path: Path,
) -> None:
    """Nobody gets into it who does not get into the hidden one."""
    files = some_files(tmp_path / "src")
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        stage(files, BERTH, host, Quiet())
        whole = _with_inner(files, tmp_path, host)
        world.server.disk.prepare(f"{ROOT}/{BERTH.staging}/amd64", "steve", "downloads", 0o2755)
        switch(whole, BERTH, host, Quiet())
        assert look_switched(whole, BERTH, host).state is RemoteState.IDENTICAL


def _stopped(files: Sequence[NamedFile], host: Host) -> str:
    """What the look says; the switch says it too, and changes nothing."""
    with pytest.raises(ReleaseError) as caught:
        switch(files, BERTH, host, Quiet())
    assert "`" in str(caught.value)
    try:
        probe = look_switched(files, BERTH, host)
    except ServiceFailed as failed:
        return str(failed)
    assert probe.state is RemoteState.DIFFERENT
    return " ".join((probe.problem, probe.remedy, *probe.details))


def _follow(told: str, world: Rehearsed) -> None:
    """The command that is told is run on the host's disk, whose groups are not this machine's."""
    (command,) = re.findall("`(.*?)`", told)
    if chgrp := re.search(r"^find (\S+) .*(-exec chgrp (\w+) {} \+ )", command):
        command = command.replace(chgrp[2], "")
        world.server.disk.own(chgrp[1], "hugo", chgrp[3])
    words = [
        str(world.server.disk.real(word)) if word.startswith("/") else word
        for word in shlex.split(command)
    ]
    subprocess.run(words, check=True)
