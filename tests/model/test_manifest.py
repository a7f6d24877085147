"""Tests of the experts' manifest: one text, and nothing else is read as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.model.content import Content, NamedFile
from plugins.model.manifest import BrokenManifest, Manifest

ONE = NamedFile("3.13.6/a.exe", Content(7, "a" * 64))
TWO = NamedFile("3.13.6/amd64/core.msi", Content(0, "b" * 64))
MADE = Manifest.of("3.13.6", "windows", "5" * 40, [TWO, ONE])


def test_manifest_reads_back_equal() -> None:
    assert Manifest.from_bytes(MADE.to_bytes(), "here") == MADE
    assert MADE.files == (ONE, TWO)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"pep101 manifest 1", b"pep101 manifest 2"),
        (b"version ", b"Version "),
        (b"3.13.6/a.exe", b"../a.exe"),
        (b"3.13.6/a.exe", b"/etc/a.exe"),
        (b"3.13.6/a.exe", b"3.13.6/.hidden"),
        (b"3.13.6/a.exe", b"3.13.6/amd64/core.msi"),
        (b" 7 ", b" 07 "),
        (b" 7 ", b" -7 "),
        (b"a" * 64, b"A" * 64),
        (b"\n", b"\r\n"),
        (b"commit", b"\ncommit"),
    ],
)
def test_anything_else_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(BrokenManifest):
        Manifest.from_bytes(MADE.to_bytes().replace(old, new), "here")


@given(st.binary(max_size=300))
def test_noise_is_no_manifest(noise: bytes) -> None:
    with pytest.raises(BrokenManifest):
        Manifest.from_bytes(noise, "here")
    with pytest.raises(BrokenManifest):
        Manifest.from_bytes(MADE.to_bytes() + b"x" + noise, "here")
