from __future__ import annotations

import pytest

from plugins.model.archive_rules import MADE, is_left_out


@pytest.mark.parametrize(
    "path",
    [
        ".gitattributes",
        ".gitignore",
        ".github/workflows/build.yml",
        ".azure-pipelines/ci.yml",
        "Misc/NEWS.d/next/Library/x.rst",
        "Misc/mypy/typed-stdlib.txt",
        "Doc/build/html/index.html",
        "Lib/__pycache__/a.cpython-313.pyc",
        "Lib/test/x.pyo",
    ],
)
def test_path_that_no_published_archive_holds_is_left_out(path: str) -> None:
    assert is_left_out(path)


@pytest.mark.parametrize(
    "path",
    [
        ".editorconfig",
        ".mailmap",
        "Misc/NEWS",
        "Misc/NEWS.dx",
        "Doc/building.rst",
        "Lib/test/.gitignore",
        "Tools/.github",
        "Lib/py_compile.py",
    ],
)
def test_path_that_only_resembles_one_left_out_is_kept(path: str) -> None:
    assert not is_left_out(path)


def test_made_files_are_not_left_out() -> None:
    assert not any(is_left_out(path) for path in MADE)
