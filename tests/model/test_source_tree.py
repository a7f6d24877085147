"""What of a tag's tree the source archives hold."""

from __future__ import annotations

import pytest

from plugins.model.source_tree import LEFT_OUT, MADE, is_left_out


@pytest.mark.parametrize(
    "path",
    [
        ".gitattributes",
        ".gitignore",
        ".github/workflows/build.yml",
        ".azure-pipelines",
        "Misc/NEWS.d/next/Library/x.rst",
        "Misc/mypy",
        "Doc/venv/bin/python",
        "Lib/__pycache__",
        "Lib/test/__pycache__/x.txt",
        "Lib/old.pyc",
        "Lib/old.pyo",
    ],
)
def test_what_only_developers_need_is_left_out(path: str) -> None:
    assert is_left_out(path)


@pytest.mark.parametrize(
    "path",
    [
        ".editorconfig",
        ".github.md",
        "Android/testbed/.gitignore",
        "Doc/tools/venv/x",
        "Doc/buildbots.rst",
        "Lib/x.py",
        "Lib/x.pyco",
        "Misc/NEWS",
        "Misc/mypy.ini",
        "Tools/.github/x",
    ],
)
def test_what_is_only_named_like_it_stays(path: str) -> None:
    assert not is_left_out(path)


def test_nothing_is_both_made_and_left_out() -> None:
    assert not any(is_left_out(name) for name in MADE)
    assert all(is_left_out(name) for name in LEFT_OUT)
