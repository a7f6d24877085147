"""What every host does: a rehearsed one, a real OpenSSH server and a folder, by the same tests."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ServiceFailed
from plugins.ports.host import Kind
from plugins.services.folder_host import FolderHost
from tests.host_world import ROOT, Standing, a_host, an_upload
from tests.progress import Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = ("rehearsed", "openssh", "folder")


@pytest.fixture(params=KINDS)
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Standing]:
    with a_host(request.param, tmp_path / "world") as standing:
        yield standing


@pytest.fixture(autouse=True)
def _room(tmp_path: Path) -> None:
    (tmp_path / "world").mkdir()


def test_a_login_tells_who_we_are_and_that_the_clock_is_right(there: Standing) -> None:
    login = there.host.login()
    assert login.user
    assert not there.host.group or there.host.group in login.groups
    assert abs(login.ahead_s) <= 2


def test_a_look_tells_what_stands_there_and_what_does_not(there: Standing) -> None:
    there.host.put([an_upload(there.files.parent / "a", "doc/a", b"abc")], Quiet())
    folder, file, nothing, below_nothing = there.host.look(["doc", "doc/a", "b", "b/c"])
    assert folder is not None
    assert folder.kind is Kind.FOLDER
    assert file is not None
    assert (file.kind, file.size_bytes, file.mode) == (Kind.FILE, 3, 0o644)
    assert nothing is None
    assert below_nothing is None


def test_uploaded_files_have_their_bytes_modes_and_group(there: Standing, tmp_path: Path) -> None:
    contents = {f"f{number}": bytes([number]) * number * 70_001 for number in range(8)}
    uploads = [an_upload(tmp_path / name, name, made) for name, made in contents.items()]
    there.host.put(uploads, Quiet())
    assert {name: (there.files / name).read_bytes() for name in contents} == contents
    found = there.host.look(list(contents))
    assert {entry and entry.mode for entry in found} == {0o644}
    if there.host.group:
        assert {entry and entry.group for entry in found} == {there.host.group}


def test_digests_are_computed_there(there: Standing, tmp_path: Path) -> None:
    uploads = [an_upload(tmp_path / f"f{n}", f"f{n}", b"x" * n) for n in range(40)]
    there.host.put(uploads, Quiet())
    entries = [entry for entry in there.host.listing("") if entry.kind is Kind.FILE]
    assert there.host.digests(entries) == {
        upload.path: sha256_of(upload.source) for upload in uploads
    }


def test_a_file_that_was_changed_is_read_again(there: Standing, tmp_path: Path) -> None:
    there.host.put([an_upload(tmp_path / "a", "a", b"right")], Quiet())
    assert there.host.digests(there.host.listing(""))["a"] == sha256(b"right").hexdigest()
    (there.files / "a").write_bytes(b"wrong")
    assert there.host.digests(there.host.listing(""))["a"] == sha256(b"wrong").hexdigest()


def test_a_file_that_is_gone_meanwhile_has_no_digest(there: Standing, tmp_path: Path) -> None:
    there.host.put([an_upload(tmp_path / name, name, b"a") for name in "ab"], Quiet())
    entries = [entry for entry in there.host.listing("") if entry.kind is Kind.FILE]
    there.host.remove(["b"])
    assert list(there.host.digests(entries)) == ["a"]


@pytest.mark.parametrize("name", [b"a\tb", b"a\nb", b"a\xff", b"a\\b"])
def test_a_name_that_could_be_taken_for_another_is_one_line(there: Standing, name: bytes) -> None:
    """Whoever may write there chooses names: ``a`` and a tab was read as ``a``."""
    (there.files / "a").write_bytes(b"a")
    (there.files / os.fsdecode(name)).write_bytes(name)
    with pytest.raises(ServiceFailed, match="is not the name of a file below the root") as failed:
        there.host.listing("")
    assert str(failed.value).isprintable()
    assert ascii(os.fsdecode(name)) in str(failed.value)


def test_names_are_those_of_one_folder_with_their_kinds(there: Standing, tmp_path: Path) -> None:
    there.host.make_folders(["x", "x/y"], 0o2775)
    there.host.put([an_upload(tmp_path / name, name, b"a") for name in ("x/a", "x/y/b")], Quiet())
    there.plant("x/link", "a")
    kinds = {"x/a": Kind.FILE, "x/y": Kind.FOLDER, "x/link": Kind.LINK}
    assert there.host.names("x") == kinds
    assert there.host.names("x/y") == {"x/y/b": Kind.FILE}
    assert there.host.names("nothing") is None
    if there.disk is not None:
        for mode, found in ((0o2745, {"x/y/b": Kind.FILE}), (0o2715, None)):
            there.disk.prepare(f"{ROOT}/x/y", "steve", "downloads", mode)
            assert there.host.names("x/y") == found


def test_a_listing_goes_to_any_depth_and_tells_links(there: Standing, tmp_path: Path) -> None:
    there.host.make_folders(["x", "x/y"], 0o2775)
    there.host.put([an_upload(tmp_path / "f", "x/y/f", b"1")], Quiet())
    there.host.point("x/link", "y")
    found = {entry.path: entry for entry in there.host.listing("x")}
    assert list(found) == ["x/link", "x/y", "x/y/f"]
    assert (found["x/link"].kind, found["x/link"].target) == (Kind.LINK, "y")
    assert there.host.listing("nothing") == ()


def test_a_folder_is_made_with_its_mode_and_made_right(there: Standing) -> None:
    there.host.make_folders(["new"], 0o2770)
    assert stat.S_IMODE((there.files / "new").stat().st_mode) == 0o2770
    there.host.make_folders(["new"], 0o2775)
    assert stat.S_IMODE((there.files / "new").stat().st_mode) == 0o2775


def test_a_rename_never_overwrites(there: Standing, tmp_path: Path) -> None:
    there.host.put([an_upload(tmp_path / name, name, name.encode()) for name in "ab"], Quiet())
    there.host.make_folders(["x", "y", "y/z"], 0o2775)
    with pytest.raises(ServiceFailed, match="exists already, and nothing is overwritten"):
        there.host.rename([("a", "b")])
    with pytest.raises(ServiceFailed, match="exists already, and nothing is overwritten"):
        there.host.rename([("x", "y")])
    there.host.rename([("a", "c"), ("y", "w")])
    assert sorted(path.name for path in there.files.iterdir()) == ["b", "c", "doc", "w", "x"]
    assert (there.files / "b").read_bytes() == b"b"


def test_a_copy_is_a_file_of_its_own_whatever_other_names_the_first_has(
    there: Standing, tmp_path: Path
) -> None:
    """Who has a hard link to what they brought, or holds it open, does not reach the copy."""
    there.host.make_folders(["inbox", "staged"], 0o2775)
    content = bytes(range(250)) * 40
    there.host.put([an_upload(tmp_path / "a b", "inbox/a b", content)], Quiet())
    original, copy = there.files / "inbox/a b", there.files / "staged/a b"
    (there.files / "kept").hardlink_to(original)
    there.leave("staged/a b.partial", b"of a run that was killed")
    with original.open("r+b") as held:
        there.host.copy([("inbox/a b", "staged/a b")])
        (there.files / "kept").write_bytes(b"other")
        held.write(b"other")
    assert copy.read_bytes() == content
    assert copy.stat().st_nlink == 1
    assert not (there.files / "staged/a b.partial").exists()
    with pytest.raises(ServiceFailed, match="exists already, and nothing is overwritten"):
        there.host.copy([("inbox/a b", "staged/a b")])
    assert copy.read_bytes() == content


def test_a_copy_of_a_link_brings_nothing_that_it_leads_to(there: Standing, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the release manager")
    there.host.make_folders(["inbox"], 0o2775)
    (there.files / "inbox/a").symlink_to(secret)
    with suppress(ServiceFailed):
        there.host.copy([("inbox/a", "b")])
    (found,) = there.host.look(["b"])
    assert found is None or found.kind is Kind.LINK


def test_an_upload_never_overwrites(there: Standing, tmp_path: Path) -> None:
    there.host.put([an_upload(tmp_path / "a", "a", b"first")], Quiet())
    with pytest.raises(ServiceFailed, match="exists already, and nothing is overwritten"):
        there.host.put([an_upload(tmp_path / "b", "a", b"second")], Quiet())
    assert (there.files / "a").read_bytes() == b"first"


@pytest.mark.parametrize("there_already", [0, 1, 200_000, 400_000])
def test_a_half_upload_is_continued(there: Standing, tmp_path: Path, there_already: int) -> None:
    content = bytes(range(250)) * 1600
    there.leave("a.partial", content[:there_already])
    there.host.put([an_upload(tmp_path / "a", "a", content)], Quiet())
    assert (there.files / "a").read_bytes() == content
    assert not (there.files / "a.partial").exists()


@pytest.mark.parametrize("half", [b"other bytes", b"x" * 500_000])
def test_a_half_upload_of_other_bytes_is_begun_again(
    there: Standing, tmp_path: Path, half: bytes
) -> None:
    content = bytes(range(250)) * 1600
    there.leave("a.partial", half)
    there.host.put([an_upload(tmp_path / "a", "a", content)], Quiet())
    assert (there.files / "a").read_bytes() == content


def test_a_link_is_switched_in_one_step(there: Standing) -> None:
    there.host.make_folders(["doc/3.13.5", "doc/3.13.6"], 0o2775)
    (there.files / "doc/current.partial").symlink_to("left by a killed run")
    for version in ("3.13.5", "3.13.6"):
        there.host.point("doc/current", version)
        assert str((there.files / "doc/current").readlink()) == version


def test_what_is_removed_is_gone_and_what_was_not_there_is_no_error(
    there: Standing, tmp_path: Path
) -> None:
    there.host.make_folders(["x"], 0o2775)
    there.host.put([an_upload(tmp_path / "a", "x/a", b"")], Quiet())
    there.host.remove(["x/a", "x/b", "x"])
    assert not (there.files / "x").exists()
    (there.files / "doc/f").write_bytes(b"")
    with pytest.raises(ServiceFailed, match="remove"):
        there.host.remove(["doc"])


def test_an_archive_is_unpacked_there_and_may_be_again(there: Standing, tmp_path: Path) -> None:
    if there.kind == "openssh" and shutil.which("unzip") is None:
        pytest.skip("there is no unzip here")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.mkdir("top")
        archive.writestr("top/index.html", "<p>")
        archive.writestr("top/library/spam.html", "<b>")
    content = (tmp_path / "d.zip").read_bytes()
    there.host.put([an_upload(tmp_path / "e.zip", "doc/d.zip", content)], Quiet())
    for _ in range(2):
        there.host.unzip("doc/d.zip", "doc")
    assert (there.files / "doc/top/library/spam.html").read_bytes() == b"<b>"


def test_archive_that_is_none_is_made_again_as_a_folder_host_says(tmp_path: Path) -> None:
    host = FolderHost(tmp_path)
    (tmp_path / "d.zip").write_bytes(b"no archive")
    with pytest.raises(
        ServiceFailed, match=r"unpack d.zip: .*have the task that makes it run again"
    ):
        host.unzip("d.zip", "")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as made:
        made.writestr("a", "a")
    host.unzip("d.zip", "")
    assert (tmp_path / "a").read_text() == "a"


def test_folder_that_is_not_there_is_made_as_a_folder_host_says(tmp_path: Path) -> None:
    host = FolderHost(tmp_path)
    upload = an_upload(tmp_path / "source", "new/a", b"abc")
    with pytest.raises(ServiceFailed, match="see that the folders above it exist"):
        host.put([upload], Quiet())
    host.make_folders(["new"], 0o2775)
    host.put([upload], Quiet())
    assert (tmp_path / "new/a").read_bytes() == b"abc"


def test_room_is_told(there: Standing) -> None:
    assert there.host.free_bytes("doc") > 1_000_000


@pytest.mark.parametrize("path", ["../a", "/etc/passwd", "a//b", "a/./b", "a\nb", "a\\b", "."])
def test_a_path_that_leaves_the_root_is_refused(there: Standing, path: str) -> None:
    with pytest.raises(ServiceFailed, match="is not the name of a file below the root; rename"):
        there.host.look([path])


def test_a_name_that_no_program_should_get_is_renamed_as_told(there: Standing) -> None:
    odd = there.files / "doc" / "a\nb"
    odd.parent.mkdir(exist_ok=True)
    odd.write_bytes(b"abc")
    with pytest.raises(ServiceFailed, match="rename or remove it there"):
        there.host.digests(there.host.listing("doc"))
    odd.rename(odd.with_name("b"))
    assert list(there.host.digests(there.host.listing("doc"))) == ["doc/b"]


@pytest.mark.parametrize("name", ["a b", "a'b", 'a"b', "$(touch x)", "a;b", "-rf", "a*", "ä"])
def test_a_name_means_nothing_to_a_shell(there: Standing, tmp_path: Path, name: str) -> None:
    there.host.make_folders([f"f {name}"], 0o2775)
    path = f"f {name}/{name}"
    there.host.put([an_upload(tmp_path / "source", path, b"abc")], Quiet())
    (entry,) = there.host.listing(f"f {name}")
    assert entry.path == path
    assert there.host.digests([entry]) == {path: sha256(b"abc").hexdigest()}


def test_what_a_host_tells_of_itself_is_the_same_everywhere(there: Standing) -> None:
    told = repr(there.host)
    assert "0x" not in told
    assert "key" not in told
