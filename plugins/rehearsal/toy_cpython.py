"""Toy CPython: a git repository with the shape of CPython's, made in a fraction of a second.

It configures, builds, tests and documents itself without a compiler. Its files are under
``toy/``: there ``dot-`` at the start of a name means a dot, ``.toy`` at its end is dropped, and
``{{word}}`` is filled in. The history is written by one ``git fast-import``, so the same
arguments give the same commit ids.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.frozen import frozen
from plugins.model.series import series_of
from plugins.model.version import Level, Version
from plugins.rehearsal.machine import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["make_toy"]

_DATA: Final = Path(__file__).parent / "toy"
_EXECUTABLE: Final = (
    "configure",
    "install-sh",
    "Tools/spam/fry.sh",
    "Tools/build/regen-configure.sh",
)
_IMPORTER: Final = "Lib/importlib/_bootstrap_external.py"
_LONG: Final = "Lib/test/" + "a_folder_with_quite_a_long_name/" * 3 + "deep_down.txt"
_WORDS: Final = {Level.ALPHA: "alpha", Level.BETA: "beta", Level.CANDIDATE: "release candidate"}
_DEFINES: Final = {
    Level.ALPHA: "ALPHA",
    Level.BETA: "BETA",
    Level.CANDIDATE: "GAMMA",
    Level.FINAL: "FINAL",
}
_SPAM_WITH_NEXT: Final = """\

.. function:: serve_eggs()

   .. versionadded:: next

   .. deprecated-removed:: next 3.99
      Use :func:`serve`.
"""


@frozen
class _File:
    content: bytes
    mode: str = "100644"


@frozen
class _Entry:
    """A NEWS entry for the next release."""

    section: str
    issue: int
    text: str


_ENTRIES: Final = (
    _Entry("Library", 200001, "The module :mod:`spam` serves eggs as well."),
    _Entry("Core_and_Builtins", 200002, "Nothing is done a little faster."),
    _Entry("Documentation", 200003, "Say what spam is."),
    _Entry("Security", 200004, "Refuse spam from strangers."),
)


@frozen
class _State:
    """One tree of the history: its version, whether it is past that version, its NEWS."""

    version: Version
    year: int
    plus: bool = False
    on_main: bool = False
    news: Mapping[Version, date] | None = None
    entries: tuple[_Entry, ...] = ()
    next_markers: bool = False

    def words(self) -> dict[str, str]:
        version = self.version
        named = version.folder
        if version.level is not Level.FINAL:
            named = f"{named} {_WORDS[version.level]} {version.serial}"
        title = f"This is Python version {named}"
        series = series_of(version)
        first = Version(version.major, version.minor, 0)
        released = (self.news or {}).get(first)
        return {
            "title": title,
            "underline": "=" * len(title),
            "major": str(version.major),
            "minor": str(version.minor),
            "micro": str(version.micro),
            "level": f"PY_RELEASE_LEVEL_{_DEFINES[version.level]}",
            "serial": str(version.serial),
            "series": version.series,
            "py_version": f"{version}{'+' if self.plus else ''}",
            "branch": "main" if self.on_main else version.series,
            "year": str(self.year),
            "pep_link": _pep_link(version),
            # Source: the comments of the real table; from 3.11 on 3.n starts with 2900 + 50 n.
            "magic": str(2921 + 50 * version.minor),
            "magic_start": str(2900 + 50 * version.minor),
            "magic_end": str(2949 + 50 * version.minor),
            "next_series": f"{version.major}.{version.minor + 1}",
            "magic_next": str(2950 + 50 * version.minor),
            "autoconf": series.autoconf or "2.72",
            "released_line": (
                f"Python {version.series} was released on {released:%B} {released.day}, "
                f"{released.year}."
                if released
                else f"Python {version.series} will be released on October XX, {self.year}."
            ),
        }

    def files(self) -> dict[str, _File]:
        """All files of the tree."""
        words = self.words()
        raw = {_name(path): path.read_text(encoding="utf-8") for path in _sources()}
        tree = {name: _filled(text, words) for name, text in raw.items()}
        body = tree.pop("configure.sh")
        tree["configure.ac"] = tree["configure.ac"].replace(
            "CONFIGURE_BODY", body.removesuffix("\n")
        )
        tree["configure"] = _configure_head(words) + body
        whatsnew = tree.pop("Doc/whatsnew/whatsnew.rst.series")
        tree[f"Doc/whatsnew/{self.version.series}.rst"] = whatsnew
        header, importer = "Include/internal/pycore_magic_number.h", _IMPORTER
        if self.version.minor < 14:
            del tree[header]
        else:
            # from 3.14 on the importer asks the interpreter for it
            tree[importer] = re.sub(r"(?m)^(?:#.*|MAGIC_NUMBER = .*)\n", "", tree[importer])
        if self.next_markers:
            tree["Doc/library/spam.rst"] += _SPAM_WITH_NEXT
        tree |= self._news()
        tree = {name: _digests_filled(text, tree) for name, text in tree.items()}
        files = {
            name: _File(text.encode(), "100755" if name in _EXECUTABLE else "100644")
            for name, text in tree.items()
        }
        files["Lib/test/crlf.txt"] = _File(b"one\r\ntwo\r\n")
        files["Doc/_static/dot.png"] = _File(b"\x89PNG\r\n\x1a\n\x00\xff")
        files["Misc/python3.man"] = _File(b"python.man", "120000")
        files["Misc/mypy/spam.py"] = _File(b"../../Lib/spam.py", "120000")
        files[_LONG] = _File(b"A path of more than 100 characters.\n")
        return files

    def _news(self) -> dict[str, str]:
        top = "Misc/NEWS.d"
        news = {
            f"{top}/{version}.rst": (
                f".. date: {day}-12-00-00\n.. gh-issue: {100000 + number}\n.. nonce: T0y{number}\n"
                f".. release date: {day}\n.. section: Library\n\n"
                f"What :mod:`spam` does in {version} is better.\n"
            )
            for number, (version, day) in enumerate((self.news or {}).items())
        }
        for number, entry in enumerate(self.entries):
            name = f"2024-01-{number + 1:02}-10-00-00.gh-issue-{entry.issue}.T0y{number}x.rst"
            news[f"{top}/next/{entry.section}/{name}"] = f"{entry.text}\n"
        for section in ("Library", "Core_and_Builtins", "Documentation", "Security", "Tests"):
            news[f"{top}/next/{section}/README.rst"] = f"Entries of section {section}.\n"
        return news


def make_toy(
    folder: Path,
    *,
    version: str = "3.13.5",
    released: date = date(2026, 6, 11),
) -> Path:
    """Make the git repositories under ``folder``: ``upstream.git``, ``fork.git``, ``cpython``.

    Returns ``cpython``, a clone with remotes ``origin`` (the fork) and ``upstream``, checked out
    on the branch that releases after ``version`` come from. ``version`` was tagged on the day
    ``released``, the version before it a month earlier; four commits with NEWS entries and
    ``next`` markers have followed. An alpha has only ``main``; any other version has its
    branch, and ``main`` is of the next series.
    """
    last = Version.parse(version)
    branch = "main" if last.level is Level.ALPHA else last.series
    upstream, fork, clone = folder / "upstream.git", folder / "fork.git", folder / "cpython"
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", upstream)
    _git(upstream, "fast-import", "--quiet", stdin=_history(last, branch, released))
    _git(folder, "clone", "--quiet", "--bare", "--no-hardlinks", upstream, fork)
    _git(folder, "clone", "--quiet", "--no-hardlinks", "--branch", branch, fork, clone)
    _git(clone, "remote", "add", "upstream", upstream)
    _git(clone, "fetch", "--quiet", "upstream")
    _git(clone, "config", "user.name", "Release Manager")
    _git(clone, "config", "user.email", "rm@example.org")
    return clone


def _history(last: Version, branch: str, released: date) -> bytes:
    """All commits, tags and branches as one stream for git fast-import."""
    before = _before(last)
    earlier = released - timedelta(days=30)
    on_main = branch == "main"
    first = Version(last.major, last.minor, 0)
    shipped = {before: earlier, last: released}
    if last.level is Level.FINAL:
        shipped = {first: date(earlier.year - 1, 10, 7), **shipped}
    news = {one: day for one, day in shipped.items() if one != last}
    old = _State(before, earlier.year, on_main=on_main, news=news)
    new = _State(last, released.year, on_main=on_main, news=shipped)
    stream = _Stream()
    stream.commit("main", earlier, f"Python {before}", old)
    stream.tag(before, earlier)
    stream.commit("main", earlier, f"Post {before}", replace(old, plus=True))
    stream.commit("main", released, f"Python {last}", new)
    stream.tag(last, released)
    after = replace(new, plus=True)
    stream.commit("main", released, f"Post {last}", after)
    if not on_main:
        stream.branch(branch)
        coming = Version(last.major, last.minor + 1, 0, Level.ALPHA, 0)
        main = _State(coming, released.year, on_main=True, news=shipped, entries=_ENTRIES[:2])
        stream.commit("main", released, f"{coming}", main)
    for number, entry in enumerate(_ENTRIES, start=1):
        after = replace(after, entries=(*after.entries, entry), next_markers=True)
        day = released + timedelta(days=number)
        stream.commit(branch, day, f"gh-{entry.issue}: {entry.text}", after)
    return bytes(stream.written)


def _before(version: Version) -> Version:
    """A version that may well have been released before this one."""
    if version.serial > 1:
        return replace(version, serial=version.serial - 1)
    match version.level:
        case Level.FINAL if version.micro:
            return replace(version, micro=version.micro - 1)
        case Level.ALPHA:
            return Version(version.major, version.minor - 1, 0)
        case level:
            return Version(version.major, version.minor, version.micro, Level(level - 1), 1)


class _Stream:
    """What git fast-import reads; ``written`` grows by one commit at a time."""

    def __init__(self) -> None:
        self.written = bytearray()
        self._seconds = 0

    def _stamp(self, day: date) -> str:
        # later lines of the history are later in time as well
        self._seconds += 60
        noon = datetime.combine(day, time(12), tzinfo=UTC)
        return f"Toy Maker <toy@example.org> {int(noon.timestamp()) + self._seconds} +0000"

    def commit(self, branch: str, day: date, message: str, state: _State) -> None:
        self._line(f"commit refs/heads/{branch}")
        self._line(f"committer {self._stamp(day)}")
        self._bytes(f"{message}\n".encode())
        self._line("deleteall")
        for name, file in sorted(state.files().items()):
            self._line(f"M {file.mode} inline {name}")
            self._bytes(file.content)

    def tag(self, version: Version, day: date) -> None:
        self._line(f"tag {version.tag}")
        self._line("from refs/heads/main")
        self._line(f"tagger {self._stamp(day)}")
        self._bytes(f"Python {version}\n".encode())

    def branch(self, name: str) -> None:
        self._line(f"reset refs/heads/{name}")
        self._line("from refs/heads/main")

    def _line(self, text: str) -> None:
        self.written += f"{text}\n".encode()

    def _bytes(self, content: bytes) -> None:
        self._line(f"data {len(content)}")
        self.written += content + b"\n"


def _sources() -> Iterable[Path]:
    return sorted(path for path in _DATA.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _name(path: Path) -> str:
    parts = path.relative_to(_DATA).parts
    dotted = (re.sub(r"^dot-", ".", part) for part in parts)
    return "/".join(dotted).removesuffix(".toy")


def _filled(text: str, words: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: words[found[1]], text)


def _pep_link(version: Version) -> str:
    """How the README of the series names its schedule: GitHub does not show a role."""
    number = series_of(version).release_pep or 9999
    if version.minor < 14:
        return f":pep:`{number}`"
    return f"`PEP {number} <https://peps.python.org/pep-{number:04}/>`__"


def _digests_filled(text: str, tree: Mapping[str, str]) -> str:
    return re.sub(
        r"\{\{(sha\w+):(.+?)\}\}",
        lambda found: hashlib.new(found[1], tree[found[2]].encode()).hexdigest(),
        text,
    )


def _configure_head(words: Mapping[str, str]) -> str:
    return (
        "#! /bin/sh\n"
        "# Guess values for system-dependent variables and create Makefiles.\n"
        f"# Generated by GNU Autoconf {words['autoconf']} for python {words['series']}.\n"
    )


def _git(folder: Path, *words: str | Path, stdin: bytes = b"") -> None:
    run(folder, "git", "-c", "gc.auto=0", *words, stdin=stdin)
