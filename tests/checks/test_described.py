"""Tests of what the install manager's manifest says of packages, compared with the release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.described import faults_of_manifest
from plugins.model.content import Content, NamedFile

if TYPE_CHECKING:
    from tests.conftest import Builds

PATH = "3.14.5/python-3.14.5t-arm64.zip"
PACKAGE = Content.of(b"a package")


def _entry(**changes: Any) -> dict[str, Any]:
    """As PC/layout/support/pymanager.py of CPython 3.14 writes one, without what repeats itself."""
    return {
        "schema": 1,
        "id": "pythoncore-3.14t-arm64",
        "sort-version": "3.14.5",
        "company": "PythonCore",
        "tag": "3.14.5t-arm64",
        "install-for": ["3.14.5t", "3.14.5t-arm64", "3.14t", "3.14t-arm64", "3t", "3t-arm64"],
        "run-for": [{"target": "python3.14t.exe", "tag": "3.14.5t-arm64"}],
        "alias": [{"name": "python3.14t-arm64.exe", "target": "python3.14t.exe"}],
        "shortcuts": [
            {
                "kind": "pep514",
                "DisplayName": "Python 3.14.5 (ARM64, freethreaded)",
                "SysVersion": "3.14",
                "Version": "3.14.5",
                "Help": {"Online Python Documentation": {"": "https://docs.python.org/3.14/"}},
            }
        ],
        "display-name": "Python 3.14.5 (ARM64, freethreaded)",
        "executable": ".\\python3.14t.exe",
        "url": f"https://www.python.org/ftp/python/{PATH}",
        "hash": {"sha256": PACKAGE.sha256},
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ""),
        ({"display-name": "Python 3.14.4 (ARM64, freethreaded)"}, "3.14.4 as display-name"),
        ({"tag": "3.14.5rc1t-arm64"}, "3.14.5rc1 as tag"),
        ({"install-for": ["3.14.5t", "3.13t"]}, "3.13 as install-for"),
        ({"executable": ".\\python3.13t.exe"}, "3.13 as executable"),
        ({"shortcuts": [{"SysVersion": "3.15"}]}, "3.15 as SysVersion"),
    ],
)
def test_what_users_are_shown_of_a_package_names_this_version(
    a_release: Builds, changes: dict[str, Any], told: str
) -> None:
    files = {PATH: NamedFile(PATH, PACKAGE)}
    found = list(faults_of_manifest({"versions": [_entry(**changes)]}, files, a_release("3.14.5")))
    assert [told in each for each in found] == ([True] if told else [])
