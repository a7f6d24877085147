"""A small repository with the NEWS of releases, for whoever reads security entries from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugins.services.git_clone import GitClone
from plugins.services.programs import MachinePrograms
from tests.steps.conftest import commit_all, git, write_all

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["an_entry", "news_repository"]


def an_entry(section: str, issue: int, text: str) -> str:
    """One entry as blurb writes it into the file of a release."""
    return (
        f".. date: 2026-05-01-10-00-00\n.. gh-issue: {issue}\n.. nonce: n{issue}\n"
        f".. section: {section}\n\n{text}\n"
    )


def news_repository(folder: Path, files: dict[str, list[str]]) -> tuple[GitClone, str]:
    """The clone and its commit; ``files`` are lists of entries by version."""
    repository = folder / "news"
    repository.mkdir()
    git(repository, "init", "--quiet")
    write_all(
        repository,
        {
            "README": "a toy\n",
            "Misc/NEWS.d/next/Security/README.rst": "Entries of section Security.\n",
        }
        | {
            f"Misc/NEWS.d/{version}.rst": "\n..\n\n".join(entries)
            for version, entries in files.items()
        },
    )
    commit_all(repository)
    clone = GitClone(repository, MachinePrograms())
    return clone, clone.resolve("HEAD")
