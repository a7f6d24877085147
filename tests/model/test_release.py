from __future__ import annotations

from pathlib import Path

import pytest

from doit_receipts.errors import SettingsError
from plugins.model.layout import Layout
from plugins.model.release import Phase, Release, ReleaseType, known_phase, type_of
from plugins.model.series import series_of
from plugins.model.version import Version


def a_release(text: str, phase: Phase | None = None) -> Release:
    version = Version.parse(text)
    return Release(
        version, type_of(version, phase), series_of(version), Layout(Path("/w") / text, version)
    )


@pytest.mark.parametrize(
    ("version", "phase", "kind"),
    [
        ("3.15.0a1", None, ReleaseType.ALPHA),
        ("3.15.0a7", Phase.FEATURE, ReleaseType.ALPHA),
        ("3.15.0b1", None, ReleaseType.NEW_BRANCH),
        ("3.15.0b2", None, ReleaseType.BETA),
        ("3.15.0rc1", None, ReleaseType.FIRST_CANDIDATE),
        ("3.15.0rc2", Phase.PRERELEASE, ReleaseType.CANDIDATE),
        ("3.15.0", None, ReleaseType.FEATURE_FINAL),
        ("3.14.1", None, ReleaseType.BUGFIX_FINAL),
        ("3.14.1", Phase.BUGFIX, ReleaseType.BUGFIX_FINAL),
        ("3.14.5rc1", Phase.BUGFIX, ReleaseType.CANDIDATE),
        ("3.14.5rc1", None, ReleaseType.CANDIDATE),
        ("3.12.14rc1", Phase.SECURITY, ReleaseType.SECURITY_CANDIDATE),
        ("3.9.25", Phase.SECURITY, ReleaseType.SECURITY_FINAL),
        ("3.9.25", Phase.END_OF_LIFE, ReleaseType.SECURITY_FINAL),
    ],
)
def test_type_follows_from_version_and_phase(
    version: str, phase: Phase | None, kind: ReleaseType
) -> None:
    assert type_of(Version.parse(version), phase) is kind


@pytest.mark.parametrize(
    ("version", "phase"),
    [
        ("3.15.0a1", Phase.SECURITY),
        ("3.15.0b2", Phase.FEATURE),
        ("3.15.0rc1", Phase.BUGFIX),
        ("3.15.0", Phase.SECURITY),
        ("3.14.1", Phase.PRERELEASE),
        ("3.14.1rc1", Phase.PRERELEASE),
    ],
)
def test_phase_that_contradicts_the_version_is_told_with_those_that_fit(
    version: str, phase: Phase
) -> None:
    with pytest.raises(SettingsError, match="write '") as raised:
        type_of(Version.parse(version), phase)
    assert raised.value.where == "[series] phase"


def test_version_of_a_new_main_branch_is_never_released() -> None:
    with pytest.raises(SettingsError, match=r"the first alpha is 3\.15\.0a1"):
        type_of(Version.parse("3.15.0a0"))


@pytest.mark.parametrize(
    ("version", "branch"),
    [
        ("3.15.0a3", "main"),
        ("3.15.0b1", "main"),
        ("3.15.0b2", "3.15"),
        ("3.15.0", "3.15"),
        ("3.14.3", "3.14"),
    ],
)
def test_branch_is_main_until_the_first_beta(version: str, branch: str) -> None:
    assert a_release(version).branch == branch


def test_finals_are_final_and_nothing_else_is() -> None:
    finals = {kind for kind in ReleaseType if kind.is_final}
    assert finals == {
        ReleaseType.FEATURE_FINAL,
        ReleaseType.BUGFIX_FINAL,
        ReleaseType.SECURITY_FINAL,
    }


def test_paths_are_named_as_python_org_names_them() -> None:
    layout = a_release("3.13.6").layout
    assert [path.name for path in layout.tarballs] == ["Python-3.13.6.tgz", "Python-3.13.6.tar.xz"]
    assert layout.checksums == Path("/w/3.13.6/src/SHA256SUMS")
    assert [path.name for path in layout.docs_archives("html")] == [
        "python-3.13.6-docs-html.tar.bz2",
        "python-3.13.6-docs-html.zip",
    ]
    assert [path.name for path in layout.docs_archives("epub")] == ["python-3.13.6-docs.epub"]


@pytest.mark.parametrize(
    ("version", "phase"),
    [
        ("3.10.21", Phase.SECURITY),
        ("3.12.14rc1", Phase.SECURITY),
        ("3.13.16", Phase.BUGFIX),
        ("3.13.17", Phase.SECURITY),
        ("3.14.5rc1", Phase.BUGFIX),
        ("3.15.3", Phase.BUGFIX),
        ("3.15.0rc1", None),
        ("3.16.0a1", None),
    ],
)
def test_phase_is_known_from_the_schedule(version: str, phase: Phase | None) -> None:
    parsed = Version.parse(version)
    assert known_phase(parsed, series_of(parsed)) is phase
