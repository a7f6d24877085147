"""Links that one of the group plants in the place of a folder of the release, on every host."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ReleaseError, ServiceFailed
from doit_receipts.probe import RemoteState
from plugins.model.remote_layout import RemoteLayout
from plugins.model.version import Version
from plugins.steps import experts
from plugins.steps.staging import look_staged, look_switched, stage, switch
from plugins.steps.staging_folders import look_reserved, reserve
from tests.host_world import GROUP, ROOT, Standing, a_host
from tests.progress import Quiet
from tests.staged import BERTH, everything, seen, some_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plugins.model.content import NamedFile
    from tests.conftest import Builds

ROLES = ("windows", "macos")


@pytest.fixture(params=["rehearsed", "openssh", "folder"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Standing]:
    (tmp_path / "world").mkdir()
    with a_host(request.param, tmp_path / "world") as standing:
        yield standing


@pytest.fixture
def private(there: Standing) -> Path:
    """A folder of ours that nobody else gets into."""
    folder = there.files / "private"
    folder.mkdir()
    folder.chmod(0o700)
    if there.disk is not None:
        there.disk.own(f"{ROOT}/private", "rm", GROUP)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> tuple[NamedFile, ...]:
    return some_files(tmp_path / "src")


def _refused(there: Standing, path: str, kind: str, *acts: Callable[[], object]) -> None:
    """Each says the same; what it says to do is done then."""
    for act in acts:
        with pytest.raises(ServiceFailed) as caught:
            act()
        assert f": is a {kind} of " in caught.value.problem
        assert caught.value.problem.endswith(", wanted a folder")
        assert "to move it away; then run the same command again" in caught.value.remedy
    (there.files / path).rename(there.files / "away")


def test_hidden_folder_that_is_a_link_is_neither_used_nor_opened(
    there: Standing, private: Path, files: tuple[NamedFile, ...]
) -> None:
    there.plant(BERTH.staging, "private")
    host = there.host
    assert look_reserved(BERTH, host).state is RemoteState.DIFFERENT
    _refused(
        there, BERTH.staging, "link",
        lambda: reserve(BERTH, host), lambda: look_staged(files, BERTH, host),
        lambda: stage(files, BERTH, host, Quiet()), lambda: look_switched(files, BERTH, host),
        lambda: switch(files, BERTH, host, Quiet()),
    )  # fmt: skip
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert list(private.iterdir()) == []
    stage(files, BERTH, host, Quiet())
    switch(files, BERTH, host, Quiet())
    assert seen(there) == everything(files)


def test_public_folder_that_is_a_link_gets_no_file(
    there: Standing, private: Path, files: tuple[NamedFile, ...]
) -> None:
    host = there.host
    stage(files, BERTH, host, Quiet())
    there.plant(BERTH.final, "private")
    _refused(
        there, BERTH.final, "link",
        lambda: reserve(BERTH, host, shared=True), lambda: look_switched(files, BERTH, host),
        lambda: switch(files, BERTH, host, Quiet()),
    )  # fmt: skip
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert list(private.iterdir()) == []
    switch(files, BERTH, host, Quiet())
    assert seen(there) == everything(files)


@pytest.mark.parametrize("place", ["staging", "final", "parent"])
def test_file_of_ours_in_the_place_of_a_folder_is_refused_and_keeps_its_mode(
    there: Standing, place: str
) -> None:
    area = RemoteLayout(Version.parse("3.13.6")).docs
    path = {"staging": area.staging, "final": area.final, "parent": "release"}[place]
    if place != "parent":
        there.host.make_folders(["release"], 0o2775)
    there.leave(path, b"notes")
    (there.files / path).chmod(0o600)
    _refused(there, path, "file", lambda: reserve(area, there.host))
    away = there.files / "away"
    assert (stat.S_IMODE(away.stat().st_mode), away.read_bytes()) == (0o600, b"notes")
    reserve(area, there.host)
    assert look_reserved(area, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("inner", ["", "/3.13.6"])
def test_inbox_that_is_a_link_is_not_opened(
    there: Standing, private: Path, a_release: Builds, inner: str
) -> None:
    release, host = a_release("3.13.6"), there.host
    path = f"{RemoteLayout(release.version).inbox('windows')}{inner}"
    above = path.split("/")[:-1]
    folders = ["/".join(above[: count + 1]) for count in range(len(above))]
    host.make_folders(folders, 0o2770)
    there.plant(path, "/".join([*[".."] * len(above), "private"]))
    _refused(
        there, path, "link",
        lambda: experts.look_inboxes(release, host, ROLES),
        lambda: experts.open_inboxes(release, host, ROLES),
    )  # fmt: skip
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    experts.open_inboxes(release, host, ROLES)
    assert experts.look_inboxes(release, host, ROLES).state is RemoteState.IDENTICAL


def test_link_under_the_name_of_a_partial_upload_stops_the_step(
    there: Standing, files: tuple[NamedFile, ...]
) -> None:
    there.leave("victim", b"ssh-ed25519 of the release manager")
    (there.files / "victim").chmod(0o600)
    reserve(BERTH, there.host)
    planted = f"{BERTH.staging}/{files[0].name}.partial"
    there.plant(planted, "../victim")
    with pytest.raises(ReleaseError, match="wanted a partial upload of yours; ask"):
        stage(files, BERTH, there.host, Quiet())
    victim = there.files / "victim"
    assert victim.read_bytes() == b"ssh-ed25519 of the release manager"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600
    (there.files / planted).rename(there.files / "away")
    stage(files, BERTH, there.host, Quiet())
    assert look_staged(files, BERTH, there.host).state is RemoteState.IDENTICAL
