"""Tests of the packages for Android and iOS: real archives, as CI leaves them and otherwise."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.mobile_packages import mobile_packages_are_of_this_version
from doit_receipts.finding import Severity
from plugins.model.promise import contract_of
from plugins.model.version import Version
from plugins.rehearsal import ci_packages

if TYPE_CHECKING:
    from doit_receipts.finding import Finding
    from plugins.model.release import Release
    from tests.conftest import Builds

ANDROID = "python-3.15.0rc1-aarch64-linux-android.tar.gz"
IOS = "python-3.15.0rc1-iOS-XCframework.tar.gz"


@pytest.fixture
def release(a_release: Builds, tmp_path: Path) -> Release:
    release = a_release("3.15.0rc1")
    for artifact, files in ci_packages.write(tmp_path / "made", release.version).items():
        (release.layout.ci / artifact).mkdir(parents=True)
        for each in files:
            shutil.copy(each, release.layout.ci / artifact / Path(each).name)
    return release


def _judged(release: Release) -> tuple[Finding, ...]:
    return mobile_packages_are_of_this_version(release, contract_of(release))


def test_packages_of_this_version_pass(release: Release) -> None:
    assert _judged(release) == ()


def test_series_without_mobile_packages_has_nothing_to_judge(a_release: Builds) -> None:
    assert _judged(a_release("3.13.6")) == ()


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ({}, "has no patchlevel.h"),
        ({"lib/libpython3.15.so": "x"}, "has no patchlevel.h"),
        ({"a/patchlevel.h": "nothing"}, "patchlevel.h PY_MAJOR_VERSION is defined nowhere"),
        ({"a/patchlevel.h": "3.15.0b4", "lib/libpython3.15.so": "x"}, "is of 3.15.0b4, wanted"),
        ({"a/patchlevel.h": "3.15.0rc1"}, "has no lib/libpython3.15.so"),
        (
            {
                "a/patchlevel.h": "3.15.0rc1",
                "b/patchlevel.h": "3.14.0",
                "x/lib/libpython3.15.so": "",
            },
            "is of 3.14.0, wanted 3.15.0rc1",
        ),
    ],
)
def test_package_that_is_empty_or_of_another_version_blocks(
    release: Release, inside: dict[str, str], problem: str
) -> None:
    texts = {
        name: ci_packages.header(Version.parse(text)) if text.startswith("3.") else text
        for name, text in inside.items()
    }
    ci_packages.package(release.layout.ci / "android" / ANDROID, texts)
    (finding,) = _judged(release)
    assert (finding.rule, finding.severity, finding.where) == (
        "ci.package",
        Severity.BLOCK,
        ANDROID,
    )
    assert finding.message.startswith(problem)


def test_package_built_after_the_release_blocks(release: Release) -> None:
    text = ci_packages.header(release.version, "+")
    ci_packages.package(release.layout.ci / "ios" / IOS, {"h/patchlevel.h": text})
    (finding,) = _judged(release)
    assert finding.message == "is of 3.15.0rc1+, wanted 3.15.0rc1"


def test_package_that_is_cut_short_blocks(release: Release) -> None:
    file = release.layout.ci / "ios" / IOS
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    (finding,) = _judged(release)
    assert (finding.rule, finding.where) == ("ci.package", IOS)
    # its remedy: built again, and fetched again
    assert "have it built again" in finding.remedy
    assert "run doit forget fetch_build, then the same command again" in finding.remedy
    file.write_bytes(whole)
    assert _judged(release) == ()


def test_package_that_was_not_fetched_cannot_be_judged_and_blocks(release: Release) -> None:
    (release.layout.ci / "ios" / IOS).unlink()
    (finding,) = _judged(release)
    assert (finding.rule, finding.severity) == ("ci.missing", Severity.BLOCK)


def test_package_of_a_system_that_nobody_knows_how_to_open_blocks(release: Release) -> None:
    """A new line of the table would otherwise be published unopened, and no test would notice."""
    contract = contract_of(release)
    file = next(each for each in contract.files if each.name == ANDROID)
    assert file.row is not None
    wasm = replace(file, row=replace(file.row, os="wasi"))
    files = tuple(wasm if each is file else each for each in contract.files)
    (finding,) = mobile_packages_are_of_this_version(release, replace(contract, files=files))
    assert (finding.rule, finding.severity) == ("ci.package", Severity.BLOCK)
    assert finding.where == ANDROID
