"""The published set: exactly what python.org has for each kind of release."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plugins.model.binaries import BINARIES
from plugins.model.layout import Layout
from plugins.model.promise import bundle_paths, contract_of, local_path
from plugins.model.published_file import Kind, Origin
from plugins.model.release import Phase, Release, ReleaseType, type_of
from plugins.model.series import series_of
from plugins.model.version import Version

if TYPE_CHECKING:
    from plugins.model.contract import Contract

WORK = Path("/work")

EVERY_TYPE = [
    ("3.16.0a1", None),
    ("3.15.0a1", None),
    ("3.15.0b1", None),
    ("3.15.0b2", None),
    ("3.14.0rc1", None),
    ("3.14.0rc2", None),
    ("3.14.0", None),
    ("3.13.5", None),
    ("3.12.11", Phase.SECURITY),
    ("3.10.18", Phase.SECURITY),
]


def a_release(version: str, phase: Phase | None = None) -> Release:
    parsed = Version.parse(version)
    return Release(parsed, type_of(parsed, phase), series_of(parsed), Layout(WORK, parsed))


def a_contract(version: str, phase: Phase | None = None) -> Contract:
    return contract_of(a_release(version, phase))


def names(contract: Contract, *origins: Origin) -> set[str]:
    return {file.name for file in contract.by_origin(*(origins or Origin))}


def test_a_bugfix_release_publishes_what_python_org_has() -> None:
    """The folder of 3.13.5 on python.org, apart from parts of installers."""
    contract = a_contract("3.13.5")
    assert names(contract, Origin.WINDOWS) == {
        "python-3.13.5.exe",
        "python-3.13.5-amd64.exe",
        "python-3.13.5-arm64.exe",
        "python-3.13.5-embed-win32.zip",
        "python-3.13.5-embed-amd64.zip",
        "python-3.13.5-embed-arm64.zip",
        "windows-3.13.5.json",
    }
    assert names(contract, Origin.MACOS) == {"python-3.13.5-macos11.pkg"}
    assert names(contract, Origin.CI) == set()
    assert names(contract, Origin.EXPORT) == {
        "Python-3.13.5.tgz",
        "Python-3.13.5.tgz.asc",
        "Python-3.13.5.tgz.spdx.json",
        "Python-3.13.5.tar.xz",
        "Python-3.13.5.tar.xz.asc",
        "Python-3.13.5.tar.xz.spdx.json",
        "python-3.13.5-docs-html.tar.bz2",
        "python-3.13.5-docs-html.zip",
        "python-3.13.5-docs-text.tar.bz2",
        "python-3.13.5-docs-text.zip",
        "python-3.13.5-docs-texinfo.tar.bz2",
        "python-3.13.5-docs-texinfo.zip",
        "python-3.13.5-docs.epub",
    }


def test_a_file_is_where_users_look_for_it() -> None:
    contract = a_contract("3.14.0rc2")
    (pkg,) = contract.by_origin(Origin.MACOS)
    assert pkg.url == "https://www.python.org/ftp/python/3.14.0/python-3.14.0rc2-macos11.pkg"
    epub = next(file for file in contract.files if file.name.endswith(".epub"))
    assert epub.remote == "doc/3.14.0rc2/python-3.14.0rc2-docs.epub"
    assert contract.folders == ("3.14.0", "doc/3.14.0rc2")


def test_a_release_is_named_as_the_site_names_it() -> None:
    page = a_contract("3.14.0rc2").page
    assert (page.name, page.slug, page.pre_release) == ("Python 3.14.0rc2", "python-3140rc2", True)
    assert page.url == "https://www.python.org/downloads/release/python-3140rc2/"
    assert not a_contract("3.14.0").page.pre_release


def test_rows_are_named_as_the_site_names_them() -> None:
    rows = {
        file.name: (file.row.name, file.row.slug, file.row.description)
        for file in a_contract("3.14.0rc2").listed
        if file.row
    }
    assert rows["Python-3.14.0rc2.tgz"] == (
        "Gzipped source tarball", "3140-rc2-Gzipped-source-tarball", "",
    )  # fmt: skip
    assert rows["python-3.14.0rc2-amd64.exe"] == (
        "Windows installer (64-bit)", "3140-rc2-Windows-installer-64-bit", "Recommended",
    )  # fmt: skip
    assert rows["python-3.14.0rc2-macos11.pkg"] == (
        "macOS installer", "3140-rc2-macOS-installer", "for macOS 10.15 and later",
    )  # fmt: skip
    assert rows["windows-3.14.0rc2.json"] == (
        "Windows release manifest", "3140-rc2-Windows-release-manifest",
        "Install with 'py install 3.14'",
    )  # fmt: skip


@pytest.mark.parametrize(("version", "phase"), EVERY_TYPE)
def test_each_system_has_one_button_at_most_and_it_comes_last(
    version: str, phase: Phase | None
) -> None:
    """The site's API refuses every further row of a system whose button stands."""
    rows = [file.row for file in a_contract(version, phase).listed if file.row]
    buttons = Counter(row.os for row in rows if row.download_button)
    assert set(buttons.values()) == {1}
    for system in buttons:
        assert [row.download_button for row in rows if row.os == system][-1]
    assert not any(row.os in ("android", "ios") for row in rows if row.download_button)


@pytest.mark.parametrize(("version", "phase"), EVERY_TYPE)
def test_nothing_of_a_contract_stands_twice(version: str, phase: Phase | None) -> None:
    contract = a_contract(version, phase)
    slugs = [file.row.slug for file in contract.listed if file.row]
    for these in (contract.files, [f.url for f in contract.files], slugs, contract.file_purges):
        assert len(set(these)) == len(these)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,200}", slug) for slug in slugs)


@pytest.mark.parametrize(("version", "phase"), EVERY_TYPE)
def test_every_file_and_its_folder_are_purged(version: str, phase: Phase | None) -> None:
    """release-tools#156: the list by hand left out installers and the listing."""
    contract = a_contract(version, phase)
    purged = {each.url for each in contract.file_purges}
    for file in contract.files:
        assert {file.url, file.url.rpartition("/")[0] + "/"} <= purged


@pytest.mark.parametrize(
    ("version", "kinds", "systems"),
    [
        (
            "3.16.0a1",
            {Kind.PACKAGE, Kind.MANIFEST},
            {"source", "windows", "macos", "android", "ios"},
        ),
        ("3.15.0a1", {Kind.SOURCE, Kind.BUNDLE}, {"source", "windows", "macos", "android", "ios"}),
        ("3.14.0", {Kind.DOCS, Kind.BUNDLE}, {"source", "windows", "macos", "android"}),
        ("3.13.5", {Kind.DOCS, Kind.SIGNATURE}, {"source", "windows", "macos"}),
        ("3.12.1", {Kind.DOCS, Kind.SIGNATURE}, {"source", "windows", "macos"}),
    ],
)
def test_a_series_ships_what_its_pep_says(
    version: str, kinds: set[Kind], systems: set[str]
) -> None:
    contract = a_contract(version)
    assert kinds <= {file.kind for file in contract.files}
    assert {file.row.os for file in contract.files if file.row} == systems


def test_an_alpha_has_no_documentation_archives() -> None:
    assert Kind.DOCS not in {file.kind for file in a_contract("3.15.0a1").files}


def test_openpgp_ends_with_3_13_and_sigstore_goes_on() -> None:
    """PEP 761: no OpenPGP signatures from 3.14 on."""
    old, new = a_contract("3.13.5"), a_contract("3.14.1")
    assert {Kind.SIGNATURE, Kind.BUNDLE} <= {file.kind for file in old.files}
    assert {Kind.SIGNATURE, Kind.BUNDLE} & {file.kind for file in new.files} == {Kind.BUNDLE}
    for contract in (old, new):
        assert all(".sigstore" in contract.sidecars(file) for file in contract.listed)


def test_what_came_out_before_there_were_bundles_may_have_them() -> None:
    old, new = a_contract("3.10.11"), a_contract("3.10.12")
    bundle = "3.10.11/Python-3.10.11.tgz.sigstore"
    assert Kind.BUNDLE not in {file.kind for file in old.files}
    assert Kind.BUNDLE in {file.kind for file in new.files}
    found = old.with_extras([bundle]).find(bundle)
    assert found is not None
    assert found.kind is Kind.BUNDLE
    assert new.with_extras(["3.10.12/Python-3.10.12.tar.sigstore"]) == new


def test_every_listed_file_has_a_bundle_in_one_folder_here() -> None:
    release = a_release("3.13.5")
    contract = contract_of(release)
    paths = bundle_paths(contract, release)
    assert set(paths) == set(contract.listed)
    assert {path.parent for path in paths.values()} == {release.layout.bundles}
    assert len(set(paths.values())) == len(paths)


def test_a_security_release_is_source_and_docs_only() -> None:
    contract = a_contract("3.12.11", Phase.SECURITY)
    assert {file.origin for file in contract.files} == {Origin.EXPORT, Origin.SIGSTORE}
    # Nobody may bring anything; evidence and manifest come behind the rest.
    assert {origin for origin, _ in contract.extras} == {Origin.SIGSTORE, Origin.RECORD}
    evidence = contract.brought("3.12.11/Python-3.12.11.intoto.jsonl")
    assert evidence is not None
    assert evidence.kind is Kind.EVIDENCE
    old = a_contract("3.10.18", Phase.SECURITY)
    assert Kind.SBOM not in {file.kind for file in old.files}


@pytest.mark.parametrize("kind", [ReleaseType.BEGIN_SECURITY, ReleaseType.END_OF_LIFE])
def test_the_last_release_of_a_phase_is_source_only(kind: ReleaseType) -> None:
    version = Version.parse("3.10.19")
    release = Release(version, kind, series_of(version), Layout(WORK, version))
    assert {file.origin for file in contract_of(release).files} == {Origin.EXPORT, Origin.SIGSTORE}


def test_no_docs_are_promised_that_release_toml_leaves_out() -> None:
    contract = contract_of(a_release("3.13.5"), ())
    assert Kind.DOCS not in {file.kind for file in contract.files}


def test_an_expert_may_bring_parts_and_sidecars_and_nothing_else() -> None:
    contract = a_contract("3.13.5")
    part = contract.brought("3.13.5/amd64/core.msi")
    assert part is not None
    assert (part.kind, part.origin) == (Kind.PART, Origin.WINDOWS)
    beside = contract.brought("3.13.5/python-3.13.5-macos11.pkg.asc")
    assert beside is not None
    assert (beside.kind, beside.beside) == (Kind.SIGNATURE, "3.13.5/python-3.13.5-macos11.pkg")
    for other in (
        "3.13.5/amd64/../core.msi",
        "3.13.5/amd64/core.exe",
        "3.13.4/amd64/core.msi",
        "3.13.5/Python-3.13.5.tgz.sig",
        "3.13.5/python-3.13.5.exe.txt",
        "3.13.5/evil.exe",
    ):
        assert contract.brought(other) is None
    assert a_contract("3.14.0rc1").brought("3.14.0/amd64/core.msi") is None
    assert a_contract("3.14.0rc1").brought("3.14.0/amd64rc1/core.msi") is not None


def test_what_an_expert_brought_is_part_of_the_contract_in_any_order() -> None:
    contract = a_contract("3.13.5")
    brought = ["3.13.5/amd64/core.msi", "3.13.5/python-3.13.5.exe.asc", "3.13.5/evil.exe"]
    grown = contract.with_extras(brought)
    assert grown == contract.with_extras(reversed(brought)) == grown.with_extras(brought)
    assert len(grown.files) == len(contract.files) + 2
    exe = grown.find("3.13.5/python-3.13.5.exe")
    assert exe is not None
    assert set(grown.sidecars(exe)) == {".asc", ".sigstore"}
    assert "https://www.python.org/ftp/python/3.13.5/amd64/" in {
        each.url for each in grown.file_purges
    }


def test_what_the_export_makes_is_found_where_it_leaves_it() -> None:
    release = a_release("3.13.5")
    contract = contract_of(release)
    ours = {local_path(file, release) for file in contract.by_origin(Origin.EXPORT)}
    assert {*release.layout.tarballs, WORK / "docs" / "python-3.13.5-docs.epub"} <= ours
    assert {local_path(file, release) for file in contract.by_origin(Origin.WINDOWS)} == {None}


def test_listings_are_told_by_what_they_have_to_hold() -> None:
    contract = a_contract("3.13.5")
    tells = {each.url: each.tells for each in contract.file_purges}
    assert "Python-3.13.5.tgz" in tells["https://www.python.org/ftp/python/3.13.5/"]


@pytest.mark.parametrize(
    ("formats", "hosted"), [(("html",), True), (("text", "epub"), False), ((), False)]
)
def test_the_documentation_is_read_back_only_if_its_pages_are_unpacked(
    formats: tuple[str, ...],
    hosted: bool,  # noqa: FBT001
) -> None:
    """Without the HTML there is no task that would put it there, and nothing to wait for."""
    contract = contract_of(a_release("3.13.5"), formats)
    urls = {each.url for each in contract.file_purges}
    assert ("https://docs.python.org/release/3.13.5/" in urls) is hosted


def test_an_expert_who_comes_later_leaves_nothing_behind_that_is_promised() -> None:
    """A bundle is ours, and without the installer there is nothing that it signs."""
    contract = a_contract("3.14.1").without(Origin.WINDOWS)
    assert not [file for file in contract.files if "amd64" in file.name or ".exe" in file.name]
    assert contract.brought("3.14.1/amd64/core.msi") is None
    assert contract.by_origin(Origin.MACOS)


def test_3_16_has_no_installer_of_windows_and_no_row_of_embeddable_packages() -> None:
    """PEP 773, and python/release-tools: "Produce EXE/MSI installer (3.15 and earlier)"."""
    contract = a_contract("3.16.0a1")
    assert names(contract, Origin.WINDOWS) == {
        "python-3.16.0a1-amd64.zip",
        "python-3.16.0a1-arm64.zip",
        "python-3.16.0a1-win32.zip",
        "python-3.16.0a1-embed-amd64.zip",
        "python-3.16.0a1-embed-arm64.zip",
        "python-3.16.0a1-embed-win32.zip",
        "windows-3.16.0a1.json",
    }
    listed = {file.name for file in contract.listed if file.origin is Origin.WINDOWS}
    assert listed == {"windows-3.16.0a1.json"}
    assert not [
        file for file in contract.files if file.kind is Kind.INSTALLER and "exe" in file.name
    ]
    bundles = {file.beside for file in contract.files if file.kind is Kind.BUNDLE}
    assert bundles == {file.remote for file in contract.listed}


def test_3_15_is_the_last_with_an_installer_of_windows() -> None:
    """Its embeddable packages have rows, and the 64-bit installer has the button."""
    rows = {file.name: file.row for file in a_contract("3.15.0rc2").listed}
    assert "python-3.15.0rc2-embed-arm64.zip" in rows
    (button,) = [
        name for name, row in rows.items() if row and row.os == "windows" and row.download_button
    ]
    assert button == "python-3.15.0rc2-amd64.exe"


@pytest.mark.parametrize(
    ("version", "phase", "windows", "macos", "ci"),
    [
        ("3.14.9", None, 7, 1, 2),
        ("3.13.17", None, 7, 1, 0),
        ("3.10.11", None, 4, 1, 0),
        ("3.10.21", Phase.SECURITY, 0, 0, 0),
        ("3.12.14", Phase.SECURITY, 0, 0, 0),
        ("3.15.0rc1", None, 7, 1, 3),
    ],
)
def test_each_series_promises_its_own_binaries(
    version: str, phase: Phase | None, windows: int, macos: int, ci: int
) -> None:
    contract = a_contract(version, phase)
    counted = [len(contract.by_origin(each)) for each in (Origin.WINDOWS, Origin.MACOS, Origin.CI)]
    assert counted == [windows, macos, ci]


def test_the_install_managers_packages_are_expected_of_every_series_that_has_it() -> None:
    contract = a_contract("3.14.9")
    for name in (
        "python-3.14.9-amd64.zip",
        "python-3.14.9t-arm64.zip",
        "python-3.14.9-test-win32.zip",
    ):
        found = contract.brought(f"3.14.9/{name}")
        assert found is not None
        assert found.origin is Origin.WINDOWS
    assert a_contract("3.10.21", Phase.SECURITY).brought("3.10.21/python-3.10.21-amd64.zip") is None


def test_each_line_of_the_table_is_a_kind_and_an_origin_of_the_contract() -> None:
    for each in BINARIES:
        Kind(each.kind), Origin(each.made_by)
        assert each.first <= each.last
