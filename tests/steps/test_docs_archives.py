from __future__ import annotations

import io
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doit_receipts.errors import StepFailed
from plugins.steps.docs_archives import compressors, write_epub, write_tar_bz2, write_zip

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=60,
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.binary(max_size=300), max_size=6
)
EPOCHS = st.integers(0, 4_000_000_000)


def put(folder: Path, files: dict[str, bytes], order: int = 1) -> dict[str, bytes]:
    """Write what fits (a name may be a folder of another); what was written is returned."""
    written = {}
    for name, content in list(files.items())[::order]:
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError:
            continue
        written[name] = content
    return written


@settings(max_examples=60, deadline=None)
@given(TREES, EPOCHS)
def test_archives_give_back_every_file_and_the_same_bytes_for_a_copy(
    files: dict[str, bytes], epoch_s: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        (room / "one").mkdir()
        (room / "two").mkdir()
        written = put(room / "one", files)
        put(room / "two", written, order=-1)
        for path in (room / "two").rglob("*"):
            path.chmod(0o700)
            os.utime(path, (1, 1))
        for write in (write_tar_bz2, write_zip):
            write(room / "one", "top", room / "first", epoch_s)
            write(room / "two", "top", room / "second", epoch_s)
            assert (room / "first").read_bytes() == (room / "second").read_bytes()
            found = {name.removeprefix("top/"): content for name, content in read(room / "first")}
            assert found == written


def read(archive: Path) -> list[tuple[str, bytes]]:
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            files = ((member.name, tar.extractfile(member)) for member in tar)
            return [(name, content.read()) for name, content in files if content]
    with zipfile.ZipFile(archive) as opened:
        return [(name, opened.read(name)) for name in opened.namelist() if name[-1] != "/"]


def test_epub_begins_with_its_type_as_readers_expect(tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("b.xhtml", "b")
        archive.writestr("a.xhtml", "a")
    (tmp_path / "made.epub").write_bytes(made.getvalue())
    write_epub(tmp_path / "made.epub", tmp_path / "out.epub", 1_700_000_000)
    content = (tmp_path / "out.epub").read_bytes()
    assert content[30:58] == b"mimetypeapplication/epub+zip"
    with zipfile.ZipFile(tmp_path / "out.epub") as archive:
        assert archive.namelist() == ["mimetype", "META-INF/container.xml", "b.xhtml", "a.xhtml"]
        assert {info.date_time for info in archive.infolist()} == {(2023, 11, 14, 22, 13, 20)}


@pytest.mark.parametrize("write", [write_tar_bz2, write_zip])
def test_link_in_the_pages_is_refused_and_no_archive_is_left(
    tmp_path: Path, write: type[object]
) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "secret.html").symlink_to("/etc/passwd")
    with pytest.raises(StepFailed, match=r"top/secret\.html: is neither a file nor a folder"):
        write(pages, "top", tmp_path / "archive", 0)  # type: ignore[call-arg]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages"]


def test_compressors_tell_their_versions() -> None:
    assert compressors()["zlib"][0].isdigit()
    assert set(compressors()) == {"bzip2", "zlib"}
