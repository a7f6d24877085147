"""The pages of the documentation on the docs host, and the link to the newest archives."""

from __future__ import annotations

import shutil
import stat
import zipfile
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest

from doit_receipts.artifact import Artifact, sha256_of
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.probe import RemoteState
from plugins.model.remote_layout import RemoteLayout
from plugins.model.version import Version
from plugins.steps.docs_hosting import (
    host_docs,
    look_current,
    look_docs_hosted,
    point_current,
)
from plugins.steps.staging_folders import reserve
from tests.host_world import ROOT, a_host, a_rehearsed_host
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.host import Entry, Host
    from tests.conftest import Builds
    from tests.host_world import Standing

BERTH = RemoteLayout(Version.parse("3.13.6")).docs
TOP = "python-3.13.6-docs-html"
PAGES = {"index.html": b"<p>", "library/spam.html": b"<b>", "_static/a.css": b"a{}"}


@pytest.fixture
def there(there: Standing) -> Standing:
    if there.kind == "openssh" and shutil.which("unzip") is None:
        pytest.skip("there is no unzip here")
    return there


@pytest.fixture
def archive(tmp_path: Path) -> Artifact:
    path = tmp_path / f"{TOP}.zip"
    with zipfile.ZipFile(path, "w") as opened:
        for name, page in PAGES.items():
            opened.writestr(f"{TOP}/{name}", page)
    return Artifact(path, path.stat().st_size, sha256_of(path))


def test_pages_are_shown_whole_and_are_the_groups(there: Standing, archive: Artifact) -> None:
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.ABSENT
    host_docs(archive, BERTH, there.host, Quiet())
    probe = look_docs_hosted(archive, BERTH, there.host)
    assert probe.state is RemoteState.IDENTICAL
    assert probe.facts["pages"] == "3"
    folder = there.files / BERTH.final
    assert {name: (folder / name).read_bytes() for name in PAGES} == PAGES
    modes = {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in (folder, *folder.rglob("*"))
    }
    assert modes == {
        **dict.fromkeys(PAGES, 0o644),
        **dict.fromkeys((".", "library", "_static"), 0o2775),
    }
    assert not (there.files / BERTH.staging).exists()


@pytest.mark.parametrize("change", ["edited", "missing", "too many"])
def test_other_pages_are_never_replaced(there: Standing, archive: Artifact, change: str) -> None:
    host_docs(archive, BERTH, there.host, Quiet())
    folder = there.files / BERTH.final
    if change == "edited":
        (folder / "index.html").write_bytes(b"<x>")
    elif change == "missing":
        (folder / "index.html").unlink()
    else:
        there.leave(f"{BERTH.final}/more.html", b"")
    probe = look_docs_hosted(archive, BERTH, there.host)
    assert probe.state is RemoteState.DIFFERENT
    assert "1 differ" in probe.problem
    assert "move that folder away" in probe.remedy
    folder.rename(there.files / "away")
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_what_a_killed_run_left_half_unpacked_is_finished(
    there: Standing, archive: Artifact
) -> None:
    for folder in ("release", BERTH.staging, f"{BERTH.staging}/{TOP}"):
        there.host.make_folders([folder], 0o2775)
    there.leave(f"{BERTH.staging}/{TOP}/index.html", b"<")
    there.leave(f"{BERTH.staging}/{TOP}.zip", b"half")
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_a_page_too_many_in_the_hidden_folder_is_not_shown(
    there: Standing, archive: Artifact
) -> None:
    for folder in ("release", BERTH.staging, f"{BERTH.staging}/{TOP}"):
        there.host.make_folders([folder], 0o2775)
    there.leave(f"{BERTH.staging}/{TOP}/stranger.html", b"<")
    with pytest.raises(StepFailed, match="1 page differs from the archive; remove that folder"):
        host_docs(archive, BERTH, there.host, Quiet())
    assert not (there.files / BERTH.final).exists()
    shutil.rmtree(there.files / BERTH.staging / TOP)
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_nobody_can_add_a_page_between_the_comparison_and_the_rename(
    there: Standing, archive: Artifact
) -> None:
    class Seen:
        modes: ClassVar[list[int]] = []

        def __getattr__(self, name: str) -> Any:
            return getattr(there.host, name)

        def listing(self, folder: str) -> tuple[Entry, ...]:
            if folder == f"{BERTH.staging}/{TOP}":
                (staging,) = there.host.look([BERTH.staging])
                self.modes.append(staging.mode if staging else 0)
            return there.host.listing(folder)

    host_docs(archive, BERTH, cast("Host", Seen()), Quiet())
    assert set(Seen.modes) == {0o2700}
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_nobody_can_plant_anything_from_the_beginning_of_the_unpacking(
    there: Standing, archive: Artifact
) -> None:
    modes = {}

    class Seen:
        def __getattr__(self, name: str) -> Any:
            (staging,) = there.host.look([BERTH.staging])
            modes[name] = staging.mode if staging else 0
            return getattr(there.host, name)

    host_docs(archive, BERTH, cast("Host", Seen()), Quiet())
    assert {modes[act] for act in ("put", "unzip", "rename")} == {0o2700}


def test_folders_of_a_killed_run_are_closed_to_whoever_is_still_in_one(
    there: Standing, archive: Artifact
) -> None:
    inner = f"{BERTH.staging}/{TOP}/library"
    there.host.make_folders(["release", BERTH.staging, f"{BERTH.staging}/{TOP}", inner], 0o2775)
    modes: list[int] = []

    class Seen:
        def __getattr__(self, name: str) -> Any:
            return getattr(there.host, name)

        def unzip(self, archive: str, folder: str) -> None:
            modes.extend(entry.mode for entry in there.host.look([inner]) if entry)
            there.host.unzip(archive, folder)

    host_docs(archive, BERTH, cast("Host", Seen()), Quiet())
    assert modes == [0o2700]
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_folder_that_users_see_is_not_closed_through_a_link_that_comes_meanwhile(
    there: Standing, archive: Artifact
) -> None:
    top, public = f"{BERTH.staging}/{TOP}", "release/3.13.5/library/deep"
    there.host.make_folders(["release", "release/3.13.5", public[:-5], public], 0o2775)
    library = f"{top}/library"
    there.host.make_folders([BERTH.staging, top, library, f"{library}/deep"], 0o2775)

    class Planted:
        def __getattr__(self, name: str) -> Any:
            return getattr(there.host, name)

        def change(self, paths: Sequence[str], mode: int) -> None:
            """Who is in a folder that is still open swaps what is in it, after the host's look."""
            if top in paths:
                (there.files / library).rename(there.files / "away")
                there.plant(library, "../../3.13.5/library")
            for path in paths:
                if not (there.files / path).is_symlink():
                    there.host.change([path], mode)

    with pytest.raises(StepFailed, match=r"is a link of \w+, where only your own"):
        host_docs(archive, BERTH, cast("Host", Planted()), Quiet())
    (entry,) = there.host.look([public])
    assert entry is not None
    assert entry.mode == 0o2775


@pytest.mark.parametrize("place", [TOP, f"{TOP}/library", f"{TOP}/index.html"])
def test_what_another_planted_in_the_hidden_folder_is_moved_away_as_told(
    there: Standing, archive: Artifact, place: str
) -> None:
    """A link in place of a folder had the pages of another version overwritten."""
    host = there.host
    host.make_folders(["release", "release/3.13.5", "release/3.13.5/library"], 0o2775)
    pages = [f"release/3.13.5/{name}" for name in ("index.html", "library/spam.html")]
    for page in pages:
        there.leave(page, b"3.13.5")
    host.make_folders([BERTH.staging], 0o2770)
    if place != TOP:
        host.make_folders([f"{BERTH.staging}/{TOP}"], 0o2775)
    inner = place.removeprefix(TOP)
    up = "/".join([".."] * (1 + inner.count("/")))
    there.plant(f"{BERTH.staging}/{place}", f"{up}/3.13.5{inner}")
    with pytest.raises(StepFailed, match=r"is a link of \w+, where only your own.*move it away"):
        host_docs(archive, BERTH, host, Quiet())
    assert [(there.files / page).read_bytes() for page in pages] == [b"3.13.5"] * 2
    (there.files / BERTH.staging / place).rename(there.files / "away")
    host_docs(archive, BERTH, host, Quiet())
    assert look_docs_hosted(archive, BERTH, host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    ("leads_to", "version", "expected"),
    [
        ("", "3.13.6", "3.13.6"),
        ("3.13.5", "3.13.6", "3.13.6"),
        ("3.13.6", "3.13.6", "3.13.6"),
        ("3.13.9", "3.14.0", "3.14.0"),
        ("3.14.0", "3.13.6", "3.14.0"),
        ("3.14.0", "3.12.12", "3.14.0"),
        ("3.13.5", "3.14.0rc1", "3.13.5"),
        ("3.13.10", "3.13.9", "3.13.10"),
    ],
)
def test_current_leads_to_the_newest_final(
    tmp_path: Path, a_release: Builds, leads_to: str, version: str, expected: str
) -> None:
    """U10 and U11: only a final moves the link, and only forwards."""
    release = a_release(version)
    layout = RemoteLayout(release.version)
    (tmp_path / "world").mkdir()
    with a_host("folder", tmp_path / "world") as there:
        there.host.make_folders([layout.docs_archives.final], 0o2775)
        if leads_to:
            there.host.point(layout.current_docs, leads_to)
        if look_current(release, layout, there.host).state is RemoteState.ABSENT:
            point_current(release, layout, there.host)
        assert look_current(release, layout, there.host).state is RemoteState.IDENTICAL
        assert str((there.files / "doc/current").readlink()) == expected


def test_a_link_that_leads_to_no_version_is_left_to_a_person(
    there: Standing, a_release: Builds
) -> None:
    release = a_release("3.13.6")
    layout = RemoteLayout(release.version)
    there.host.point(layout.current_docs, "somewhere")
    probe = look_current(release, layout, there.host)
    assert probe.state is RemoteState.UNKNOWN
    assert "point the link to it by hand" in probe.remedy
    there.host.point(layout.current_docs, "3.13.6")
    assert look_current(release, layout, there.host).state is RemoteState.IDENTICAL


def test_folder_in_the_place_of_the_link_is_taken_away_by_the_administrators(
    there: Standing, a_release: Builds
) -> None:
    release = a_release("3.13.6")
    layout = RemoteLayout(release.version)
    folder = there.files / layout.current_docs
    folder.mkdir(parents=True)
    probe = look_current(release, layout, there.host)
    assert probe.state is RemoteState.DIFFERENT
    assert "ask the host's administrators what it is" in probe.remedy
    folder.rmdir()
    there.host.point(layout.current_docs, "3.13.6")
    assert look_current(release, layout, there.host).state is RemoteState.IDENTICAL


def test_archive_of_two_folders_is_refused_until_it_is_made_again(
    there: Standing, archive: Artifact
) -> None:
    right = archive.path.read_bytes()
    with zipfile.ZipFile(archive.path, "a") as opened:
        opened.writestr("another/index.html", b"<p>")
    other = Artifact(archive.path, archive.path.stat().st_size, sha256_of(archive.path))
    with pytest.raises(StepFailed, match=r"2 top-level folders.*it is made again"):
        host_docs(other, BERTH, there.host, Quiet())
    archive.path.write_bytes(right)
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


def test_current_is_not_moved_to_archives_that_are_not_there(
    there: Standing, a_release: Builds
) -> None:
    release = a_release("3.13.6")
    layout = RemoteLayout(release.version)
    with pytest.raises(StepFailed, match="run doit switch_docs"):
        point_current(release, layout, there.host)
    there.host.make_folders([layout.docs_archives.final], 0o2775)
    point_current(release, layout, there.host)
    assert look_current(release, layout, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize(
    "error",
    [ServiceFailed(service="host", action="rename", problem="no"), KeyboardInterrupt()],
    ids=["refused", "Ctrl-C"],
)
@pytest.mark.parametrize("act", ["rename", "digests", "remove"])
def test_hosting_that_stops_leaves_the_hidden_folder_open_to_the_group(
    there: Standing, archive: Artifact, act: str, error: BaseException
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            (staging,) = there.host.look([BERTH.staging])
            if name == act and staging is not None and staging.mode == 0o2700:
                raise error
            return getattr(there.host, name)

    with pytest.raises(type(error)):
        host_docs(archive, BERTH, cast("Host", Broken()), Quiet())
    assert (there.files / BERTH.final).exists() == (act == "remove")
    assert stat.S_IMODE((there.files / BERTH.staging).stat().st_mode) == 0o2770
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL


@pytest.mark.parametrize("mode", [0o2700, 0o2770], ids=oct)
def test_hidden_folder_that_a_colleagues_run_left_is_removed_as_told(
    tmp_path: Path, archive: Artifact, mode: int
) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(), world.server.disk
        reserve(BERTH, host)
        disk.prepare(f"{ROOT}/{BERTH.staging}", "hugo", "downloads", mode)
        with pytest.raises(StepFailed, match="left by a run of hugo that did not end") as caught:
            host_docs(archive, BERTH, host, Quiet())
        assert f"`rm -r {ROOT}/{BERTH.staging}`" in caught.value.remedy
        disk.real(f"{ROOT}/{BERTH.staging}").rmdir()
        host_docs(archive, BERTH, host, Quiet())
        assert look_docs_hosted(archive, BERTH, host).state is RemoteState.IDENTICAL


def test_hidden_folder_that_a_colleagues_run_left_closed_behind_shown_pages_is_removed_as_told(
    tmp_path: Path, archive: Artifact
) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        host, disk = world.host(), world.server.disk
        host_docs(archive, BERTH, host, Quiet())
        disk.prepare(f"{ROOT}/{BERTH.staging}", "hugo", "downloads", 0o2700)
        with pytest.raises(StepFailed, match="left by a run of hugo that did not end") as caught:
            host_docs(archive, BERTH, host, Quiet())
        assert f"`rm -r {ROOT}/{BERTH.staging}`" in caught.value.remedy
        disk.real(f"{ROOT}/{BERTH.staging}").rmdir()
        assert look_docs_hosted(archive, BERTH, host).state is RemoteState.IDENTICAL


def test_open_hidden_folder_that_a_colleagues_run_left_behind_shown_pages_is_removed(
    tmp_path: Path, archive: Artifact
) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        host = world.host()
        host_docs(archive, BERTH, host, Quiet())
        world.server.disk.prepare(f"{ROOT}/{BERTH.staging}", "hugo", "downloads", 0o2770)
        assert look_docs_hosted(archive, BERTH, host).state is RemoteState.ABSENT
        host_docs(archive, BERTH, host, Quiet())
        assert look_docs_hosted(archive, BERTH, host).state is RemoteState.IDENTICAL


def test_archive_that_arrives_otherwise_is_removed_on_the_host_as_told(
    there: Standing, archive: Artifact
) -> None:
    arrived = there.files / BERTH.staging / f"{TOP}.zip"

    class Damaging:
        def __getattr__(self, name: str) -> Any:
            return getattr(there.host, name)

        def put(self, *arguments: Any) -> None:
            there.host.put(*arguments)
            arrived.write_bytes(b"x" * arrived.stat().st_size)

    with pytest.raises(StepFailed, match="differs from the archive that was sent") as caught:
        host_docs(archive, BERTH, cast("Host", Damaging()), Quiet())
    assert caught.value.remedy == "remove it on the host, then run the same command again"
    assert caught.value.where.endswith(f"/{BERTH.staging}/{TOP}.zip")
    arrived.unlink()
    host_docs(archive, BERTH, there.host, Quiet())
    assert look_docs_hosted(archive, BERTH, there.host).state is RemoteState.IDENTICAL
