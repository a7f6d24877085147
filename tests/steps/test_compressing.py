"""One stream through several programs: all files or none, and a clear word about what failed."""

from __future__ import annotations

import gzip
import hashlib
import random
import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.model.content import Content
from plugins.services.programs import MachinePrograms
from plugins.steps.compressing import Compressor, compress
from tests.processes import lives
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CAT = Compressor(("cat",))
_PIECE = random.Random(1).randbytes(100_000)
_PIECES = (_PIECE,) * 30


def _script(text: str) -> Compressor:
    return Compressor(("sh", "-c", text))


@contextmanager
def _largest_file(size_bytes: int) -> Iterator[None]:
    """Files may not grow beyond this, as if the disk were full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_file_holds_the_stream_as_its_program_gives_it(tmp_path: Path) -> None:
    plain, packed = tmp_path / "new" / "plain", tmp_path / "packed"
    made = compress(
        iter(_PIECES),
        {plain: _CAT, packed: Compressor(("gzip", "-9", "-n"))},
        MachinePrograms(),
    )
    stream = b"".join(_PIECES)
    assert plain.read_bytes() == gzip.decompress(packed.read_bytes()) == stream
    assert made.stream == Content.of(stream)
    for artifact, path in zip(made.artifacts, (plain, packed), strict=True):
        content = path.read_bytes()
        assert artifact.path == path
        assert artifact.size_bytes == len(content)
        assert artifact.sha256 == hashlib.sha256(content).hexdigest()
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_program_gets_the_environment_that_it_needs(tmp_path: Path) -> None:
    told = Compressor(("sh", "-c", "cat >/dev/null; echo $TOLD"), (("TOLD", "yes"),))
    compress((), {tmp_path / "file": told}, MachinePrograms())
    assert (tmp_path / "file").read_text() == "yes\n"


@pytest.mark.parametrize("slot", [0, 1])
def test_a_program_that_is_killed_leaves_no_file_and_those_of_before_stay(
    tmp_path: Path, slot: int
) -> None:
    dying = _script("echo no more room in memory >&2; head -c 5000; kill -9 $$")
    compressors = [_CAT, _CAT]
    compressors[slot] = dying
    (tmp_path / "b").write_text("of before")
    wanted = dict(zip((tmp_path / "a", tmp_path / "b"), compressors, strict=True))
    with pytest.raises(ServiceFailed, match="SIGKILL") as caught:
        compress(iter(_PIECES), wanted, MachinePrograms())
    assert caught.value.details == ("no more room in memory",)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_text() == "of before"


@pytest.mark.parametrize("slot", [0, 1])
def test_a_program_that_fails_after_it_has_read_everything_leaves_no_file(
    tmp_path: Path, slot: int
) -> None:
    compressors = [_CAT, _CAT]
    compressors[slot] = _script("cat; exit 7")
    wanted = dict(zip((tmp_path / "a", tmp_path / "b"), compressors, strict=True))
    with pytest.raises(ServiceFailed, match="status 7"):
        compress(iter(_PIECES), wanted, MachinePrograms())
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_stops_reading_is_not_believed(tmp_path: Path) -> None:
    wanted = {tmp_path / "a": _CAT, tmp_path / "b": _script("head -c 5000")}
    with pytest.raises(
        StepFailed, match="b: sh exited with status 0 before it had read all its input"
    ):
        compress(iter(_PIECES), wanted, MachinePrograms())
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    wanted = {tmp_path / "a": _CAT, tmp_path / "b": Compressor(("no-such-compressor",))}
    with pytest.raises(ServiceFailed, match="no-such-compressor: start: not found on PATH"):
        compress(iter(_PIECES), wanted, MachinePrograms())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("largest", [1_000_000, len(_PIECE) * len(_PIECES) - 10])
def test_a_full_disk_is_told_as_such_and_leaves_no_file(tmp_path: Path, largest: int) -> None:
    wanted = {tmp_path / "packed": Compressor(("gzip", "-1")), tmp_path / "plain": _CAT}
    pieces = (bytes(len(_PIECE)),) * len(_PIECES)  # small when packed, large as it is
    with _largest_file(largest), pytest.raises(StepFailed) as caught:
        compress(pieces, wanted, MachinePrograms())
    assert caught.value.where == "plain"
    assert "could not be written: File too large" in str(caught.value)
    assert str(tmp_path) in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "src").write_text("a file, where a folder belongs")
    with pytest.raises(StepFailed, match="archive: could not be written: Not a directory"):
        compress(_PIECES, {tmp_path / "src" / "archive": _CAT}, MachinePrograms())


@pytest.mark.parametrize("error", [OSError("source is gone"), KeyboardInterrupt()])
def test_an_error_of_the_stream_stops_the_programs_and_leaves_no_file(
    tmp_path: Path, error: BaseException
) -> None:
    pid = tmp_path / "pid"

    def pieces() -> Iterator[bytes]:
        yield _PIECE
        wait_until(lambda: pid.is_file() and pid.read_text(), "the program to begin")
        raise error

    wanted = {tmp_path / "a": _script("echo $$ > pid; exec cat"), tmp_path / "b": _CAT}
    with pytest.raises(type(error)) as caught:
        compress(pieces(), wanted, MachinePrograms())
    assert caught.value is error
    assert not lives(int(pid.read_text()))
    assert list(tmp_path.iterdir()) == [pid]
