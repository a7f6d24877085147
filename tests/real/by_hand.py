"""History of one release, made by hand: 3.13.5 as upstream published it, on top of its parent.

The archive of a release holds what its commit left; the parent is that with the few places of
3.13.4 put back, and each entry of the published NEWS as a file of its own again.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["VERSION", "news_of", "small_history"]

VERSION: Final = "3.13.5"
_BEFORE: Final = "3.13.4"
_SECTION: Final = re.compile(r"^(?P<name>[A-Z][A-Za-z/ ]*)\n-+$", flags=re.MULTILINE)
_ENTRY: Final = re.compile(
    r"^- gh-(?P<issue>\d+): (?P<text>.*(?:\n(?:  .*)?)*)", flags=re.MULTILINE
)
_DAY_BEFORE: Final = "2025-06-10T12:00:00Z"
_DAY: Final = "2025-06-11T15:36:57Z"


def small_history(source: Path, folder: Path) -> Path:
    """A repository at ``folder`` whose tag ``v3.13.5`` has the tree that the archive was made of.

    Its parent is the tree before upstream's release commit. What no archive holds, such as the
    NEWS of older releases, is in neither. ``source`` is the unpacked archive, only read.
    """
    shutil.copytree(source, folder, symlinks=True)
    published = news_of((folder / "Misc/NEWS").read_text())
    (folder / "Misc/NEWS").unlink()
    entries = _entries(published)
    _git(folder, "init", "--quiet", "--template=", "--initial-branch=3.13")
    header, readme = folder / "Include/patchlevel.h", folder / "README.rst"
    released = header.read_text(), readme.read_text()
    header.write_text(
        re.sub(r"(PY_MICRO_VERSION\s+)5", r"\g<1>4", released[0])
        .replace(f'"{VERSION}"', f'"{_BEFORE}+"')
    )  # fmt: skip
    readme.write_text(released[1].replace(f"version {VERSION}\n", f"version {_BEFORE}\n", 1))
    for number, (section, issue, text) in enumerate(entries):
        name = f"2025-06-09-12-00-{59 - number:02}.gh-issue-{issue}.{number:06}.rst"
        file = folder / "Misc/NEWS.d/next" / re.sub("[ /]", "_", section) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    _commit(folder, "What 3.13.5 was made from", _DAY_BEFORE)
    header.write_text(released[0])
    readme.write_text(released[1])
    shutil.rmtree(folder / "Misc/NEWS.d/next")
    blurbs = [
        f".. date: 2025-06-09-12-00-{59 - number:02}\n.. gh-issue: {issue}\n.. nonce: {number:06}\n"
        + ("" if number else ".. release date: 2025-06-11\n")
        + f".. section: {section}\n\n{text}\n"
        for number, (section, issue, text) in enumerate(entries)
    ]
    (folder / f"Misc/NEWS.d/{VERSION}.rst").write_text("..\n\n".join(blurbs))
    _commit(folder, f"Python {VERSION}", _DAY)
    _git(folder, "tag", f"v{VERSION}")
    return folder


def news_of(text: str) -> str:
    """What Misc/NEWS says of 3.13.5 alone."""
    start = text.index(f"What's New in Python {VERSION} final?")
    return text[start : text.index(f"What's New in Python {_BEFORE} final?")]


def _entries(news: str) -> list[tuple[str, str, str]]:
    """Section, issue and text of each entry, the last of a section first, as files are sorted."""
    found = []
    _, *parts = re.split(_SECTION, news)
    for section, text in zip(parts[::2], parts[1::2], strict=True):
        for entry in re.finditer(_ENTRY, text):
            lines = entry["text"].rstrip().splitlines()
            found.append(
                (
                    section,
                    entry["issue"],
                    "\n".join(line.removeprefix("  ") for line in lines) + "\n",
                )
            )
    return found


def _commit(folder: Path, message: str, when: str) -> None:
    _git(folder, "add", "--all", "--force")
    _git(folder, "commit", "--quiet", "--no-verify", "-m", message, when=when)


def _git(folder: Path, *words: str, when: str = _DAY) -> None:
    settings = ("-c", "user.name=A Release Manager", "-c", "user.email=rm@example.org")
    subprocess.run(
        ("git", *settings, "-c", "core.autocrlf=false", "-c", "core.looseCompression=1", *words),
        cwd=folder, check=True, capture_output=True,
        env={
            "PATH": os.environ["PATH"], "HOME": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when,
        },
    )  # fmt: skip
