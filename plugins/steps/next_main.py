"""Next main: the edits that turn main into the series after a new branch (N01-N18 of PEP 101).

What a tree does not have, such as a tutorial or a Windows header, asks for no edit; a text that
is there and does not have the expected form is an error that names the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed
from doit_receipts.printable import counted
from plugins.model import patchlevel
from plugins.model.readme import pep_of, with_series, with_title
from plugins.model.series import series_of
from plugins.model.tree_rules import README, SOURCE_URI, SOURCE_URI_FILE
from plugins.model.version import Level, Version
from plugins.steps import new_series

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.git import Clone

__all__ = ["edits", "version_of"]

_LINK: Final = (
    rb"(?P<before>github\.com/python/cpython/(?:blob|tree|commits)/|[?&]branch(?:Name)?=)"
    rb"%s(?![0-9.])"
)
_INDEX: Final = "Doc/whatsnew/index.rst"
_TUTORIAL: Final = ("interpreter", "stdlib", "stdlib2", "appendix")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WINDOWS: Final = ("PC/", "PCbuild/")
_WINDOWS_FILES: Final = (".h", ".in", ".txt", ".rc", ".props", ".c", ".bat")


def version_of(release: Release) -> Version:
    """The version that main gets: X.Y+1.0a0, which is never released."""
    old = release.version
    return Version(old.major, old.minor + 1, 0, Level.ALPHA, 0)


def edits(release: Release, clone: Clone, commit: str, *, pep: int = 0) -> dict[str, bytes]:
    """The files of the commit that are other ones on the new main, with their contents.

    ``pep`` is the PEP that schedules the next series; 0 for the one that this tool knows, if it
    knows one. Source of the list: PEP 101 and release-tools' ``bump`` of 2026, which lists what
    upstream's own commits touched.
    """
    old, new = release.version.series, version_of(release).series
    found: dict[str, bytes] = {}
    found[patchlevel.PATH] = _patchlevel(release, clone, commit)
    found |= _readme(release, clone, commit, pep)
    found |= _source_uri(clone, commit)
    for chapter in _TUTORIAL:
        found |= _replaced(clone, commit, f"Doc/tutorial/{chapter}.rst", old, new)
    found |= _banner(found, new, clone.about(commit).committed)
    found |= _whatsnew(clone, commit, old, new)
    found |= _configure(clone, commit, old, new)
    found |= _windows(clone, commit, old, new)
    found |= new_series.magic_number(clone, commit, old, new)
    found |= new_series.issue_templates(clone, commit, old, new)
    return {name: each for name, each in found.items() if each != clone.read(commit, name)}


def _patchlevel(release: Release, clone: Clone, commit: str) -> bytes:
    text = _read(clone, commit, patchlevel.PATH).decode()
    return patchlevel.written_patchlevel(text, version_of(release)).encode()


def _readme(release: Release, clone: Clone, commit: str, pep: int) -> dict[str, bytes]:
    """Title, series, links and schedule of main (N02); links into the tree are main's already."""
    new = version_of(release)
    old = release.version.series
    content = with_title(_read(clone, commit, README), new)
    content = re.sub(_LINK % re.escape(old).encode(), rb"\g<before>main", content)
    content = with_series(content, new.series, pep or series_of(new).release_pep)
    return {README: _next_series_but_pep(content, old, new.series)}


def _next_series_but_pep(content: bytes, old: str, new: str) -> bytes:
    """Every X.Y of the new series, but for the old one's schedule where that is all there is."""
    kept = pep_of(content, old)
    edited = _next_series(content, old, new)
    return with_series(edited, old, kept) if kept else edited


def _source_uri(clone: Clone, commit: str) -> dict[str, bytes]:
    content = clone.read(commit, SOURCE_URI_FILE)
    if content is None:
        return {}
    return {SOURCE_URI_FILE: SOURCE_URI.sub(rb"\g<before>main\g<after>", content)}


def _replaced(clone: Clone, commit: str, name: str, old: str, new: str) -> dict[str, bytes]:
    content = clone.read(commit, name)
    return {} if content is None else {name: _next_series(content, old, new)}


def _banner(found: Mapping[str, bytes], new: str, day: datetime) -> dict[str, bytes]:
    """The interpreter that the tutorial shows was built on this day, at the hour that is there.

    Another day than the one of the series before, so that both fit (N05). Without a banner of that
    form the chapter stays as it is.
    """
    name = "Doc/tutorial/interpreter.rst"
    if name not in found:
        return {}
    date = f"{_MONTHS[day.month - 1]} {day.day} {day.year}"
    banner = rb"(?m)^(?P<before>[ \t]+Python %s \([^,\n]*, )[A-Z][a-z]+ \d{1,2} \d{4}(?=, )"
    written = re.sub(banner % re.escape(new).encode(), rb"\g<before>" + date.encode(), found[name])
    return {name: written}


def _next_series(content: bytes, old: str, new: str) -> bytes:
    """The text with every X.Y and pythonXY of the old series those of the new one."""
    text = re.sub(rb"(?<![0-9.])%s(?![0-9])(?!\.[0-9])" % re.escape(old).encode(),
                  new.encode(), content)  # fmt: skip
    return re.sub(rb"(?i)(python)%s(?![0-9])" % old.replace(".", "").encode(),
                  rb"\g<1>" + new.replace(".", "").encode(), text)  # fmt: skip


def _whatsnew(clone: Clone, commit: str, old: str, new: str) -> dict[str, bytes]:
    """A new document, first in the list of them (N08-N10); what main has of both already, stays."""
    name = f"Doc/whatsnew/{new}.rst"
    document = clone.read(commit, name)
    if document is None:
        document = new_series.whatsnew(old, new, clone.names(commit, "Doc/deprecations")).encode()
    index = _read(clone, commit, _INDEX).decode()
    if re.search(rf"^[ \t]+{re.escape(new)}(?:\.rst)?$", index, flags=re.MULTILINE):
        return {name: document}
    entry = re.search(
        rf"^(?P<space>[ \t]+){re.escape(old)}(?P<end>\.rst)?$", index, flags=re.MULTILINE
    )
    if entry is None:
        raise StepFailed(
            where=_INDEX,
            problem=f"does not list {old}.rst",
            remedy="add it on the branch; or if it is there, report a bug of this tool",
        )
    line = f"{entry['space']}{new}{entry['end'] or ''}\n"
    listed = index[: entry.start()] + line + index[entry.start() :]
    return {_INDEX: listed.encode(), name: document}


def _configure(clone: Clone, commit: str, old: str, new: str) -> dict[str, bytes]:
    """The version in configure.ac, and in what autoconf makes of it (N11, N12).

    autoconf puts the version into a handful of lines as it is, so the new ``configure`` is the
    old one with those lines changed; the check of the next release compares it with autoconf's.
    """
    found = {}
    source = clone.read(commit, "configure.ac")
    if source is None:
        return {}
    form = rb"(m4_define\(\[PYTHON_VERSION\],\s*\[)%s(\]\))" % re.escape(old).encode()
    edited, count = re.subn(form, rb"\g<1>%s\g<2>" % new.encode(), source)
    if count != 1:
        raise StepFailed(
            where="configure.ac",
            problem=f"defines PYTHON_VERSION as {old} {counted(count, 'time')}, wanted once",
            remedy="correct it on the branch; or if it is right, report a bug of this tool",
        )
    # python3.13 python3.12 ...: interpreters that may run the build, the newest first
    edited = edited.replace(
        f"[python$PACKAGE_VERSION python{old} ".encode(),
        f"[python$PACKAGE_VERSION python{new} python{old} ".encode(),
    )
    found["configure.ac"] = edited
    script = clone.read(commit, "configure")
    if script is not None:
        texts = (
            (f"for python {old}.", f"for python {new}."),
            (f"PACKAGE_VERSION='{old}'", f"PACKAGE_VERSION='{new}'"),
            (f"PACKAGE_STRING='python {old}'", f"PACKAGE_STRING='python {new}'"),
            (f"configures python {old} to", f"configures python {new} to"),
            (f"of python {old}:", f"of python {new}:"),
            (f"python configure {old}", f"python configure {new}"),
            (f"python $as_me {old},", f"python $as_me {new},"),
            (f"python config.status {old}", f"python config.status {new}"),
            (f"VERSION={old}", f"VERSION={new}"),
            (f"--with-build-python=python{old}\n", f"--with-build-python=python{new}\n"),
            (f"_bootstrap_python or python{old})", f"_bootstrap_python or python{new})"),
            (
                f"python$PACKAGE_VERSION python{old} ",
                f"python$PACKAGE_VERSION python{new} python{old} ",
            ),
        )
        for before, after in texts:
            script = script.replace(before.encode(), after.encode())
        found["configure"] = script
    return found


def _windows(clone: Clone, commit: str, old: str, new: str) -> dict[str, bytes]:
    """References to pythonXY in the files of the Windows build (N14)."""
    number = old.replace(".", "")
    found = {}
    for name in clone.names(commit):
        if name.startswith(_WINDOWS) and name.endswith(_WINDOWS_FILES):
            content = clone.read(commit, name) or b""
            if f"python{number}".encode() in content.lower():
                found[name] = re.sub(
                    rb"(?i)(python)%s(?![0-9])" % number.encode(),
                    rb"\g<1>" + new.replace(".", "").encode(),
                    content,
                )
    return found


def _read(clone: Clone, commit: str, path: str) -> bytes:
    found = clone.read(commit, path)
    if found is None:
        raise StepFailed(
            where=path, problem="does not exist in the tree", remedy="restore it on the branch"
        )
    return found
