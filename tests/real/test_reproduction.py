"""The archive writer held to the real thing: what upstream published of 3.13.5."""

from __future__ import annotations

import lzma
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import pytest

from doit_receipts.artifact import sha256_of
from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.services.programs import MachinePrograms
from plugins.steps import tarball
from tests.packing import members_of
from tests.progress import Quiet
from tests.real.tree import EPOCH_S, RELEASED, make_real_clone

if TYPE_CHECKING:
    from pathlib import Path

    from plugins.ports.git import Clone
    from tests.real.conftest import Upstream

pytestmark = pytest.mark.real

_VERSION = Version.parse(RELEASED)
# As the download page of 3.13.5 has it; the other one lies beside the signature.
_TGZ_SHA256 = "e6190f52699b534ee203d9f417bdbca05a92f23e35c19c691a50ed2942835385"


@dataclass(frozen=True, slots=True)
class _Repository:
    """As much of the release clone as the step asks for."""

    folder: Path

    def resolve(self, revision: str) -> str:
        argv = ("git", "rev-parse", "--quiet", "--verify", revision)
        ended = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)
        return ended.stdout.strip()


@pytest.fixture(scope="module")
def rewritten(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both archives, made from upstream's unpacked source and its time."""
    folder = tmp_path_factory.mktemp("rewritten")
    one_stream = replace(series_of(_VERSION), xz_threads=1)
    tgz, txz = folder / "Python.tgz", folder / "Python.tar.xz"
    tarball.pack(
        members_of(upstream.source, f"Python-{RELEASED}"),
        EPOCH_S,
        {tgz: tarball.gzip_compressor(), txz: tarball.xz_compressor(one_stream, cores=2)},
        MachinePrograms(),
        Quiet(),
    )
    return tgz, txz


@pytest.mark.slow
def test_archives_of_upstreams_source_are_upstreams_to_the_bit(
    upstream: Upstream, rewritten: tuple[Path, Path]
) -> None:
    tgz, txz = rewritten
    assert sha256_of(txz) == sha256_of(upstream.archive)
    assert sha256_of(tgz) == _TGZ_SHA256


@pytest.mark.slow
def test_upstreams_signature_is_good_for_our_bytes(
    upstream: Upstream, rewritten: tuple[Path, Path], tmp_path: Path
) -> None:
    """The key has expired since; it is asked as on the day after the release."""
    with tarfile.open(upstream.packaging) as packaging:
        key = packaging.extractfile("debian/upstream/signing-key.asc")
        assert key is not None
        (tmp_path / "key.asc").write_bytes(key.read())
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    gpg = ("gpg", "--homedir", home, "--batch", "--no-autostart", "--status-fd", "1")
    day_after = ("--faked-system-time", "20250612T000000!")
    subprocess.run((*gpg, "--import", tmp_path / "key.asc"), check=True, capture_output=True)
    verified = subprocess.run(
        (*gpg, *day_after, "--verify", upstream.signature, rewritten[1]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stderr
    assert "[GNUPG:] GOODSIG A821E680E5FA6305 Thomas Wouters" in verified.stdout


def test_stream_from_the_tag_is_upstreams_but_for_the_news(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """git, attributes, what is left out and the order agree with a staging tree and GNU tar."""
    clone = make_real_clone(tmp_path, upstream.source)
    hasty = _hasty_compressors(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{hasty}:/usr/bin:/bin")
    release = Release(
        _VERSION, type_of(_VERSION), series_of(_VERSION), Layout(tmp_path / "work", _VERSION)
    )
    facts = tarball.build(release, cast("Clone", _Repository(clone)), MachinePrograms(), Quiet())
    ours = release.layout.tarball(".tar.xz").read_bytes()
    theirs = lzma.decompress(upstream.archive.read_bytes())
    assert facts["epoch_s"] == str(EPOCH_S)
    assert facts["members"] == "5214"
    assert _without_news(ours) == _without_news(theirs)
    assert b"What's New in Python 3.13.5 final?" in _news(ours)


def _hasty_compressors(folder: Path) -> Path:
    """Programs of the compressors' names that hand on what they read, to save a minute."""
    folder.mkdir()
    for name in ("gzip", "xz"):
        real = shutil.which(name)
        script = f'#!/bin/sh\n[ "$1" = --version ] && exec {real} --version\nexec cat\n'
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return folder


def _news(stream: bytes) -> bytes:
    start, end = _place_of_news(stream)
    return stream[start:end]


def _without_news(stream: bytes) -> bytes:
    start, end = _place_of_news(stream)
    return stream[:start] + stream[end:].rstrip(b"\0")


def _place_of_news(stream: bytes) -> tuple[int, int]:
    name = f"Python-{RELEASED}/Misc/NEWS".encode().ljust(100, b"\0")
    start = stream.index(name)
    after = stream.index(f"Python-{RELEASED}/Misc/".encode(), start + 100)
    return start, after
