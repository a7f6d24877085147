"""Releases that lead to the same X.Y.Z share a folder, and none is the other's stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks.published_set import belongs_to_another, sizes_fit
from doit_receipts.finding import Severity
from plugins.model.content import Content, NamedFile
from plugins.model.promise import contract_of

if TYPE_CHECKING:
    from tests.conftest import Builds


@pytest.mark.parametrize(
    "name",
    [
        "Python-3.14.0b4.tgz",
        "Python-3.14.0a1.tar.xz",
        "python-3.14.0rc1-amd64.exe",
        "python-3.14.0-amd64.exe",
        "python-3.14.0b2-aarch64-linux-android.tar.gz",
        "windows-3.14.0b4.json",
        "amd64b4/core.msi",
        "amd64/core.msi",
    ],
)
def test_a_file_of_another_release_of_the_folder_belongs_there(
    name: str, a_release: Builds
) -> None:
    assert belongs_to_another(f"3.14.0/{name}", a_release("3.14.0rc2"))


@pytest.mark.parametrize(
    "name",
    [
        "Python-3.13.0b4.tgz",
        "Python-3.14.1.tgz",
        "Python-3.14.0b4.tar.bz2",
        "Python-3.14.0rc100.tgz",
        "python-3.14.0x1-amd64.exe",
        "amd64b4/evil.exe",
        "evil.exe",
        "Python-3.14.0b4.tgz.old",
    ],
)
def test_a_file_that_no_release_of_the_folder_has_belongs_to_nothing(
    name: str, a_release: Builds
) -> None:
    assert not belongs_to_another(f"3.14.0/{name}", a_release("3.14.0rc2"))


def test_file_that_was_cut_short_is_found_before_it_is_published(a_release: Builds) -> None:
    release = a_release("3.14.9")
    whole = Content(30 << 20, "a" * 64)
    cut = Content(20_000, "b" * 64)
    phones, emulator = (
        "python-3.14.9-aarch64-linux-android.tar.gz",
        "python-3.14.9-x86_64-linux-android.tar.gz",
    )
    files = [NamedFile(phones, whole), NamedFile(emulator, cut)]
    (finding,) = sizes_fit(release, contract_of(release), files)
    assert (finding.rule, finding.severity) == ("file.size", Severity.BLOCK)
    assert finding.where == f"3.14.9/{emulator}"
    assert "20,000 bytes" in finding.message
