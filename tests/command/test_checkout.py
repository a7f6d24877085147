"""A checkout that another checkout's environment runs is refused by name."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from plugins.command.checkout import foreign_environment

PROJECT: Final = Path(__file__).resolve().parents[2]


def checkout_in(folder: Path) -> Path:
    """A folder that looks like a checkout, with an engine of its own."""
    (folder / "doit_receipts").mkdir(parents=True)
    (folder / "dodo.py").touch()
    return folder


def environment_of(owner: Path | None, folder: Path) -> Path:
    folder.mkdir(parents=True)
    if owner is not None:
        (folder / "ready").write_text(f"{owner}\n")
    return folder


def test_its_own_environment_is_nobodys_elses(tmp_path: Path) -> None:
    here = checkout_in(tmp_path / "here")
    prefix = environment_of(here, here / ".venv")
    assert foreign_environment(here, prefix, here / "doit_receipts") == ""


def test_the_environment_of_another_checkout_is_named(tmp_path: Path) -> None:
    here, other = checkout_in(tmp_path / "here"), checkout_in(tmp_path / "an other")
    prefix = environment_of(other, other / ".venv")
    assert foreign_environment(here, prefix, other / "doit_receipts") == str(other)
    assert foreign_environment(here, prefix, here / "doit_receipts") == str(other)


def test_the_engine_of_another_checkout_is_named(tmp_path: Path) -> None:
    here, other = checkout_in(tmp_path / "here"), checkout_in(tmp_path / "other")
    prefix = environment_of(None, tmp_path / "venv")
    assert foreign_environment(here, prefix, other / "doit_receipts") == str(other)


def test_an_engine_that_was_installed_as_a_package_belongs_to_nobody(tmp_path: Path) -> None:
    here = checkout_in(tmp_path / "here")
    prefix = environment_of(None, tmp_path / "venv")
    engine = prefix / "lib/python3.11/site-packages/doit_receipts"
    engine.mkdir(parents=True)
    assert foreign_environment(here, prefix, engine) == ""


@pytest.mark.parametrize("words", [("list",), ("list", "--status"), ("publish",), ("why", "x")])
def test_every_command_refuses_and_says_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    """The files of this checkout, copied, run by this checkout's environment."""
    if not (Path(sys.prefix) / "ready").is_file():
        pytest.skip("this environment was not made by make setup")
    copy = tmp_path / "a copy"
    for name in ("doit_receipts", "plugins", "chapters", "checks"):
        shutil.copytree(
            PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "toy")
        )
    for name in ("dodo.py", "pyproject.toml", "release.toml"):
        shutil.copy(PROJECT / name, copy / name)
    environment = {name: each for name, each in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        [Path(sys.prefix) / "bin" / "doit", *words],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    owner = (Path(sys.prefix) / "ready").read_text().strip()
    assert line == (
        f"ERROR: {copy}: this doit belongs to the checkout {owner}; run `make setup` here, then"
        f" '{copy}/.venv/bin/doit'"
    )
    assert not (copy / "build").exists()
