"""SBOMs and signatures beside what experts made: demanded before users get any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from checks.beside import experts_brought_sidecars
from doit_receipts.finding import Severity
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import Manifest
from plugins.model.promise import contract_of
from plugins.rehearsal import windows_files
from plugins.rehearsal.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from plugins.model.release import Release
    from tests.conftest import Builds

COMMIT: Final = "5" * 40


def brought(release: Release, role: str, names: Iterable[str]) -> None:
    """The expert's files were adopted, with these names."""
    folder = release.version.folder
    listed = [NamedFile(f"{folder}/{each}", Content.of(each.encode())) for each in names]
    file = release.layout.adopted(role)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(Manifest.of(str(release.version), role, COMMIT, listed).to_bytes())


def lacking(release: Release, *roles: str) -> list[tuple[str, str]]:
    found = experts_brought_sidecars(release, contract_of(release), roles)
    assert {(each.rule, each.severity) for each in found} <= {("brought.lacks", Severity.BLOCK)}
    return [(each.where, each.message) for each in found]


def of_pipeline(release: Release, tmp_path: Path) -> list[str]:
    """What today's pipeline leaves in the public folder."""
    given = {"SourceCommit": COMMIT, "DoMSI": str(release.version.minor <= 15),
             "DoGPG": str(release.version.minor <= 13)}  # fmt: skip
    made = windows_files.made(release.version, given)
    return list(windows_files.signed(Store(tmp_path / "state"), made, given))


@pytest.mark.parametrize("version", ["3.12.9", "3.13.6", "3.15.0rc1", "3.16.0a1"])
def test_what_the_pipeline_leaves_is_all_that_is_wanted(
    a_release: Builds, tmp_path: Path, version: str
) -> None:
    release = a_release(version)
    brought(release, "windows", of_pipeline(release, tmp_path))
    assert lacking(release, "windows") == []


@pytest.mark.parametrize("version", ["3.13.6", "3.15.0rc1", "3.16.0a1"])
def test_every_archive_and_installer_of_windows_needs_its_sbom(
    a_release: Builds, tmp_path: Path, version: str
) -> None:
    """The pipeline only warns if it cannot upload one."""
    release = a_release(version)
    names = of_pipeline(release, tmp_path)
    for name in [each for each in names if each.endswith((".exe", ".zip"))]:
        brought(release, "windows", set(names) - {f"{name}.spdx.json"})
        assert lacking(release, "windows") == [("windows", f"no SBOM is beside {name}")]


def test_series_without_sboms_needs_none(a_release: Builds) -> None:
    """The first with SBOMs is 3.12.2."""
    release = a_release("3.12.1")
    brought(release, "windows", ["python-3.12.1-amd64.exe", "python-3.12.1-amd64.exe.asc"])
    assert lacking(release, "windows") == []


def test_signature_that_is_not_beside_the_macos_installer_is_missed_up_to_3_13(
    a_release: Builds,
) -> None:
    for version, missed in (("3.13.6", True), ("3.14.0rc1", False)):
        release = a_release(version)
        name = f"python-{version}-macos11.pkg"
        brought(release, "macos", [name])
        wanted = [("macos", f"no OpenPGP signature is beside {name}")] if missed else []
        assert lacking(release, "macos") == wanted
        brought(release, "macos", [name, *([f"{name}.asc"] if missed else [])])
        assert lacking(release, "macos") == []


def test_several_are_one_finding_that_tells_how_to_go_on(a_release: Builds) -> None:
    release = a_release("3.13.6")
    brought(release, "windows", ["python-3.13.6-amd64.exe", "python-3.13.6-embed-amd64.zip"])
    found = experts_brought_sidecars(release, contract_of(release), ["windows"])
    assert [each.message for each in found] == [
        "no SBOM is beside python-3.13.6-amd64.exe and 1 more",
        "no OpenPGP signature is beside python-3.13.6-amd64.exe and 1 more",
    ]
    assert all("doit forget await_windows" in each.remedy for each in found)


def test_files_that_are_not_known_yet_block(a_release: Builds) -> None:
    found = experts_brought_sidecars(
        a_release("3.13.6"), contract_of(a_release("3.13.6")), ["macos"]
    )
    assert [(each.rule, each.severity) for each in found] == [("brought.unseen", Severity.BLOCK)]
