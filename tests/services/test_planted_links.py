"""Links that one of the group plants under names of ours: nothing is done through them."""

from __future__ import annotations

import io
import shutil
import stat
import zipfile
from typing import TYPE_CHECKING, Final, cast

import pytest

from doit_receipts.errors import ServiceFailed
from plugins.services import sftp_requests
from plugins.services.sftp import Lost
from plugins.services.sftp_requests import Refused
from tests.host_world import GROUP, ROOT, Standing, a_host, a_rehearsed_host, an_upload
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plugins.services.sftp import Sftp
    from plugins.services.ssh_host import SshHost

_KEYS: Final = b"ssh-ed25519 of the release manager"
_MOVED: Final = r"; ask \w+ or the host's administrators what it is, and to move it away; then run"


@pytest.fixture(params=["rehearsed", "openssh", "folder"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Standing]:
    (tmp_path / "world").mkdir()
    with a_host(request.param, tmp_path / "world") as standing:
        yield standing


@pytest.fixture
def victim(there: Standing) -> Path:
    """A file of ours that nobody else can write to."""
    there.leave("victim", _KEYS)
    (there.files / "victim").chmod(0o600)
    return there.files / "victim"


@pytest.fixture
def private(there: Standing) -> Path:
    """A folder of ours that nobody else gets into."""
    folder = there.files / "private"
    folder.mkdir()
    folder.chmod(0o700)
    if there.disk is not None:
        there.disk.own(f"{ROOT}/private", "rm", GROUP)
    return folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _sftp(there: Standing) -> Sftp:
    if there.kind == "folder":
        pytest.skip("what is compared is what ssh servers do")
    return cast("SshHost", there.host)._opened().sftp


def _place(there: Standing, path: str) -> str:
    return f"{ROOT if there.disk else there.files}/{path}"


def test_folder_is_not_used_where_a_link_has_its_name(there: Standing, private: Path) -> None:
    there.plant(".inbox", "private")
    with pytest.raises(ServiceFailed, match=r"\.inbox: is a link of \w+, wanted a folder" + _MOVED):
        there.host.make_folders([".inbox"], 0o2770)
    assert _mode(private) == 0o700
    (there.files / ".inbox").rename(there.files / "away")
    there.host.make_folders([".inbox"], 0o2770)
    assert _mode(there.files / ".inbox") == 0o2770


def test_file_of_ours_in_the_place_of_a_folder_keeps_its_mode(
    there: Standing, victim: Path
) -> None:
    with pytest.raises(ServiceFailed, match=r"victim: is a file of \w+, wanted a folder" + _MOVED):
        there.host.make_folders(["victim"], 0o2770)
    assert _mode(victim) == 0o600


@pytest.mark.parametrize("target", ["victim", "private"])
def test_no_mode_is_changed_through_a_link(
    there: Standing, victim: Path, private: Path, target: str
) -> None:
    there.plant("doc/a", f"../{target}")
    with pytest.raises(
        ServiceFailed, match=r"doc/a: is a link of \w+, wanted a file or a folder" + _MOVED
    ):
        there.host.change(["doc/a"], 0o2775)
    assert (_mode(victim), _mode(private)) == (0o600, 0o700)


def test_link_that_is_planted_after_the_look_gives_its_target_no_other_mode(
    there: Standing, private: Path
) -> None:
    there.plant(".inbox", "private")
    there.host.login()
    place = _place(there, ".inbox")
    (answer,) = _sftp(there).ask([sftp_requests.chmod(place, 0o2770)])
    assert isinstance(answer, Refused)
    assert _mode(private) == 0o700


def test_server_that_cannot_leave_links_alone_is_asked_for_folders_and_not_for_links(
    tmp_path: Path,
) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        world.server.has_lsetstat = False
        there = Standing("rehearsed", world.host(), world.files, world.server.disk)
        there.host.make_folders(["new"], 0o2770)
        assert _mode(there.files / "new") == 0o2770
        there.host.put([an_upload(tmp_path / "a", "new/a", b"abc")], Quiet())
        there.host.change(["new/a"], 0o600)
        assert _mode(there.files / "new/a") == 0o600
        there.plant("link", "new")
        with pytest.raises(ServiceFailed, match="link: is a link of steve"):
            there.host.change(["link"], 0o2775)
        assert _mode(there.files / "new") == 0o2770


def test_upload_writes_nothing_through_a_link(
    there: Standing, victim: Path, tmp_path: Path
) -> None:
    there.plant("doc/a.partial", "../victim")
    upload = an_upload(tmp_path / "a", "doc/a", b"the release")
    told = r"doc/a\.partial: is a link of \w+, wanted a partial upload of yours" + _MOVED
    with pytest.raises(ServiceFailed, match=told):
        there.host.put([upload], Quiet())
    assert (victim.read_bytes(), _mode(victim)) == (_KEYS, 0o600)
    assert not (there.files / "doc/a").exists()
    (there.files / "doc/a.partial").rename(there.files / "away")
    there.host.put([upload], Quiet())
    assert (there.files / "doc/a").read_bytes() == b"the release"


@pytest.mark.parametrize("planted", ["nothing there", "victim"])
def test_link_that_is_planted_before_the_file_is_opened_stops_the_upload(
    there: Standing, victim: Path, planted: str
) -> None:
    there.plant("a.partial", planted)
    there.host.login()
    place = _place(there, "a.partial")
    new = io.BytesIO(bytes(len(_KEYS)) + b"evil")
    for start, stopped in ((0, Refused), (len(_KEYS), (Refused, Lost))):
        with pytest.raises(stopped):
            _sftp(there).write(
                place, new, start=start, size_bytes=len(_KEYS) + 4,
                finish=[sftp_requests.chmod(place, 0o644)], sent=lambda _: None,
            )  # fmt: skip
    assert (victim.read_bytes(), _mode(victim)) == (_KEYS, 0o600)
    assert not (there.files / "nothing there").exists()


@pytest.mark.parametrize("kept", [b"public and never replaced", b""])
def test_upload_leaves_a_file_alone_that_has_its_name_besides_another(
    there: Standing, tmp_path: Path, kept: bytes
) -> None:
    there.leave("public", kept)
    (there.files / "a.partial").hardlink_to(there.files / "public")
    if there.disk is not None:
        there.disk.own(f"{ROOT}/a.partial", "rm", GROUP)
    there.host.put([an_upload(tmp_path / "a", "a", b"the release")], Quiet())
    assert (there.files / "public").read_bytes() == kept
    assert (there.files / "a").read_bytes() == b"the release"


def test_partial_of_a_colleague_is_moved_away_as_told(tmp_path: Path) -> None:
    with a_rehearsed_host(tmp_path / "world") as world:
        (world.files / "a.partial").write_bytes(b"the")
        world.server.disk.own(f"{ROOT}/a.partial", "steve", GROUP)
        (world.files / "a.partial").chmod(0o664)
        upload = an_upload(tmp_path / "a", "a", b"the release")
        with pytest.raises(
            ServiceFailed, match="is a file of steve, wanted a partial" + ".*" + _MOVED
        ):
            world.host().put([upload], Quiet())
        assert (world.files / "a.partial").read_bytes() == b"the"
        world.server.disk.rename("rm", f"{ROOT}/a.partial", f"{ROOT}/away")
        world.host().put([upload], Quiet())
        assert (world.files / "a").read_bytes() == b"the release"


def test_link_in_the_place_of_a_folder_lists_nothing(there: Standing, private: Path) -> None:
    (private / "of another").write_bytes(b"")
    there.plant("3.13.6", "private")
    assert there.host.listing("3.13.6") == ()


def test_upload_into_a_link_to_a_folder_is_refused(
    there: Standing, private: Path, tmp_path: Path
) -> None:
    there.plant("staging", "private")
    with pytest.raises(ServiceFailed, match=r"staging: is a link of \w+, wanted a folder" + _MOVED):
        there.host.put([an_upload(tmp_path / "a", "staging/a", b"abc")], Quiet())
    assert list(private.iterdir()) == []


@pytest.mark.parametrize("target", ["victim", "private"])
def test_copy_writes_nothing_through_a_link(
    there: Standing, victim: Path, private: Path, target: str, tmp_path: Path
) -> None:
    there.host.put([an_upload(tmp_path / "a", "a", b"abc")], Quiet())
    there.plant("b.partial", target)
    there.host.copy([("a", "b")])
    assert (there.files / "b").read_bytes() == b"abc"
    assert victim.read_bytes() == _KEYS
    assert list(private.iterdir()) == []


@pytest.mark.parametrize("is_link", [True, False])
def test_archive_replaces_names_and_not_the_files_that_have_others(
    there: Standing, victim: Path, tmp_path: Path, *, is_link: bool
) -> None:
    if there.kind == "openssh" and shutil.which("unzip") is None:
        pytest.skip("there is no unzip here")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr("a", "page")
    content = (tmp_path / "d.zip").read_bytes()
    there.host.put([an_upload(tmp_path / "e.zip", "doc/d.zip", content)], Quiet())
    if is_link:
        there.plant("doc/a", "../victim")
    else:
        (there.files / "doc/a").hardlink_to(victim)
    there.host.unzip("doc/d.zip", "doc")
    assert victim.read_bytes() == _KEYS
    assert (there.files / "doc/a").read_bytes() == b"page"
