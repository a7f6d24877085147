"""Tests of the toy CPython: it is what the rest of the tests take it for."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from plugins.rehearsal.toy_cpython import make_toy

if TYPE_CHECKING:
    from pathlib import Path


def output(folder: Path, *words: str) -> str:
    ended = subprocess.run(words, cwd=folder, check=True, capture_output=True, text=True)
    return ended.stdout.strip()


def test_same_arguments_give_the_same_history(tmp_path: Path) -> None:
    first, second = make_toy(tmp_path / "a"), make_toy(tmp_path / "b")
    refs = ("git", "for-each-ref", "--format=%(refname) %(objectname)")
    assert output(first, *refs) == output(second, *refs)


def test_checked_out_tree_is_clean_and_has_all_kinds_of_files(tmp_path: Path) -> None:
    toy = make_toy(tmp_path)
    assert output(toy, "git", "status", "--porcelain") == ""
    names = output(toy, "git", "ls-files").splitlines()
    assert any(len(f"Python-3.13.6/{name}") > 100 for name in names)
    assert (toy / "Misc/python3.man").is_symlink()
    assert os.access(toy / "configure", os.X_OK)
    assert b"\r\n" in (toy / "PCbuild/build.bat").read_bytes()
    assert b"\r\n" not in subprocess.check_output(
        ["git", "show", "HEAD:PCbuild/build.bat"], cwd=toy
    )
    assert ".github/CODEOWNERS" in names
    assert not any(name.endswith(".toy") or "dot-" in name for name in names)
    assert "{{" not in "".join((toy / name).read_text() for name in names if name[-4:] == ".rst")


@pytest.mark.parametrize(
    ("version", "branches", "title", "py_version"),
    [
        ("3.13.5", "3.13 main", "3.13.5", "3.13.5+"),
        ("3.15.0a2", "main", "3.15.0 alpha 2", "3.15.0a2+"),
        ("3.14.0b1", "3.14 main", "3.14.0 beta 1", "3.14.0b1+"),
        ("3.14.0rc2", "3.14 main", "3.14.0 release candidate 2", "3.14.0rc2+"),
        ("3.14.0", "3.14 main", "3.14.0", "3.14.0+"),
    ],
)
def test_any_version_can_be_the_last_one(
    tmp_path: Path, version: str, branches: str, title: str, py_version: str
) -> None:
    toy = make_toy(tmp_path, version=version)
    upstream = tmp_path / "upstream.git"
    found = output(upstream, "git", "for-each-ref", "--format=%(refname:short)", "refs/heads")
    assert found.split() == branches.split()
    assert (toy / "README.rst").read_text().startswith(f"This is Python version {title}\n===")
    assert f'"{py_version}"' in (toy / "Include/patchlevel.h").read_text()
    assert f"v{version}" in output(toy, "git", "tag").split()


def test_tree_configures_builds_and_tests_itself_in_another_folder(tmp_path: Path) -> None:
    toy = make_toy(tmp_path)
    build = tmp_path / "build"
    build.mkdir()
    output(build, str(toy / "configure"), f"--prefix={tmp_path}/installed")
    assert "Result: SUCCESS" in output(build, "make", "-s", "test")
    assert output(build, "./python", "-V") == "Python 3.13.5+"
    output(build, "make", "-s", "distclean")
    assert not list(build.iterdir())
    assert output(toy, "git", "status", "--porcelain", "--ignored") == ""
