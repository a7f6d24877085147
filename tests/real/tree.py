"""Tree of the real CPython 3.13.5, as the git repository that a release manager would have.

The source is upstream's unpacked archive. What only git has is made here: NEWS fragments,
``.github``, attributes, type-checking files. Every object id is the same on any machine.

    python tests/real/tree.py FOLDER SOURCE
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["EPOCH_S", "RELEASED", "make_real_clone"]

RELEASED: Final = "3.13.5"
EPOCH_S: Final = 1749656217
"""When 3.13.5 was committed: the time of every member of upstream's archives."""

_LATER_S: Final = EPOCH_S + 86_400

# Test data are bytes, not lines; the files that Windows programs read want CRLF.
_ATTRIBUTES: Final = """\
* text=auto eol=lf

# Read by programs of Windows that insist on their own line ends
*.bat text eol=crlf
*.filters text eol=crlf
*.proj text eol=crlf
*.props text eol=crlf
*.ps1 text eol=crlf
*.sln text eol=crlf
*.vcxproj text eol=crlf
PC/classicAppCompat.* text eol=crlf
PC/classicAppCompat.can.xml -text
PC/classicAppCompat.cat -text
PC/readme.txt text eol=crlf
PCbuild/readme.txt text eol=crlf

# Bytes that tests and tools compare
[attr]bytes -text -diff
*.abi bytes
*.decTest bytes
*.dll bytes
*.exe bytes
*.gif bytes
*.icns bytes
*.ico bytes
*.jpg bytes
*.pck bytes
*.pdf bytes
*.png bytes
*.psd bytes
*.whl bytes
*.zip bytes
Lib/test/*data/** bytes
Lib/test/test_*/**/*data/** bytes
Lib/test/test_email/data/** bytes
Modules/_xxtestfuzz/*_corpus/** bytes
"""

_IGNORED: Final = """\
*.o
*.py[co]
__pycache__/
/Doc/build/
/Doc/dist/
/Doc/venv/
/Makefile
/Misc/NEWS
/build/
/config.log
/config.status
/python
"""

_ONLY_IN_GIT: Final = {
    ".gitattributes": _ATTRIBUTES,
    ".gitignore": _IGNORED,
    ".azure-pipelines/ci.yml": "steps:\n- script: make test\n",
    ".github/CODEOWNERS": "* @release-managers\n",
    ".github/workflows/build.yml": (
        "name: Tests\non: [push]\njobs:\n  build:\n    runs-on: ubuntu-latest\n"
        "    steps:\n    - run: ./configure && make test\n"
    ),
    "Misc/mypy/README.md": "Which modules of the standard library are checked for types.\n",
    "Misc/mypy/typed-stdlib.txt": "_colorize\n",
    "Misc/NEWS.d/next/Library/README.rst": "Entries for the library go here.\n",
    "Misc/NEWS.d/next/Core_and_Builtins/README.rst": "Entries for the interpreter go here.\n",
}

_OLD_NEWS: Final = (
    ("3.13.4", "2025-06-03", (("Windows", 130727, "A race in a call into WMI is gone."),)),
    (
        "3.13.5",
        "2025-06-11",
        (
            ("Windows", 135151, "The installer's :file:`pyconfig.h` is not modified any more."),
            ("Tests", 135120, "There is a helper for subtests, :func:`!subTests`."),
            ("Library", 133967, "The name of the locale ``C.UTF-8`` stays as it is."),
            ("C API", 134989, "Two macros are right again in the limited C API."),
        ),
    ),
)

_NEXT_NEWS: Final = (
    ("Library", 136001, "aBcD1e", "A list of :mod:`json` numbers keeps its order."),
    ("Core_and_Builtins", 136002, "fGhI2j", "A crash at exit with two interpreters is fixed."),
    ("Documentation", 136003, "kLmN3o", "The tutorial explains ``match`` with guards."),
)


def make_real_clone(folder: Path, source: Path) -> Path:
    """A clone of "CPython" stands at ``folder/cpython``, with its fork at ``folder/fork.git``.

    The clone is on branch 3.13. Its tag ``v3.13.5`` names the commit whose export is upstream's
    archive, Misc/NEWS aside; behind it stands one commit that begins the work on 3.13.6 (its
    patchlevel says ``3.13.5+``) and brings three NEWS entries. The remote ``origin`` is the
    fork, which has all of it. ``source`` is only read. Returns the clone's folder.
    """
    clone = folder / "cpython"
    shutil.copytree(source, clone, symlinks=True)
    git = _Git(clone)
    git("init", "--quiet", "--template=", "--initial-branch=3.13")
    git("config", "user.name", "A Release Manager")
    git("config", "user.email", "rm@example.org")
    git("config", "core.looseCompression", "1")
    _write_what_only_git_has(clone)
    (clone / "Misc/NEWS").unlink()  # blurb makes it when a release is exported
    git.commit("Python 3.13.5", EPOCH_S)
    git("tag", "--annotate", "-m", "Python 3.13.5", f"v{RELEASED}", epoch_s=EPOCH_S)
    _begin_next(clone)
    git.commit("Post 3.13.5", _LATER_S)
    git("repack", "-adq", "--window=0")
    git("prune-packed", "--quiet")
    fork = folder / "fork.git"
    git("clone", "--quiet", "--bare", "--template=", ".", str(fork))
    git("remote", "add", "origin", str(fork))
    git("fetch", "--quiet", "origin")
    git("branch", "--quiet", "--set-upstream-to=origin/3.13")
    return clone


class _Git:
    """git in one clone, deaf to the configuration of person and system."""

    def __init__(self, clone: Path) -> None:
        self._clone = clone

    def __call__(self, *words: str, epoch_s: int = _LATER_S) -> None:
        date = f"{epoch_s} +0000"
        subprocess.run(
            ("git", *words),
            cwd=self._clone,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.devnull,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_AUTHOR_DATE": date,
                "GIT_COMMITTER_DATE": date,
            },
        )

    def commit(self, message: str, epoch_s: int) -> None:
        # forced: the tree ships files that its own nested ignore files name
        self("add", "--all", "--force")
        self("commit", "--quiet", "--no-verify", "-m", message, epoch_s=epoch_s)


def _write_what_only_git_has(clone: Path) -> None:
    for name, text in _ONLY_IN_GIT.items():
        _write(clone / name, text)
    (clone / "Misc/mypy/_colorize.py").symlink_to("../../Lib/_colorize.py")
    for version, day, entries in _OLD_NEWS:
        blurbs = [
            _blurb(section, issue, f"n{issue}", text, day if first else "")
            for first, (section, issue, text) in zip(
                (True, *[False] * len(entries)), entries, strict=False
            )
        ]
        _write(clone / f"Misc/NEWS.d/{version}.rst", "..\n\n".join(blurbs))


def _begin_next(clone: Path) -> None:
    """What the work on the next version changes first: its patchlevel and some news."""
    header = clone / "Include/patchlevel.h"
    text = header.read_text()
    _write(header, re.sub(r'(PY_VERSION\s+)"3\.13\.5"', r'\1"3.13.5+"', text))
    for number, (section, issue, nonce, sentence) in enumerate(_NEXT_NEWS):
        name = f"2025-06-12-10-00-0{number}.gh-issue-{issue}.{nonce}.rst"
        _write(clone / "Misc/NEWS.d/next" / section / name, f"{sentence}\n")


def _blurb(section: str, issue: int, nonce: str, sentence: str, released: str) -> str:
    head = (
        (".. date: 2025-06-01-10-00-00",)
        + (f".. gh-issue: {issue}", f".. nonce: {nonce}")
        + ((f".. release date: {released}",) if released else ())
        + (f".. section: {section}",)
    )
    return "\n".join((*head, "", sentence, "", ""))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    print(make_real_clone(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
