"""Version files: every place of the tree that states which version this is, and of what year.

Each edit starts from the commit that the step ``after`` left and records its own, so it can be
done again at any time. Facts hold the commit, and what was changed in a few words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import BadVersion, StepFailed
from plugins.model import patchlevel
from plugins.model.readme import pep_of, with_series, with_title
from plugins.model.release import ReleaseType
from plugins.model.tree_rules import (
    NEXT_MARKER,
    NOTICE,
    NOTICES,
    README,
    SOURCE_URI,
    SOURCE_URI_FILE,
    documented_version,
    is_documentation,
)
from plugins.model.version import Version
from plugins.steps.release_clone import input_commit
from plugins.steps.tree_links import path_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from plugins.model.release import Release
    from plugins.ports.git import Base, Clone, Tag

__all__ = [
    "bump",
    "copyright_years",
    "last_release",
    "mark_next",
    "readme",
    "source_uri",
    "whatsnew_date",
]

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_RELEASED: Final = (
    r"Python {series} (?:was|will be|is scheduled to be|is expected to be) released (?:on|in) "
    r"(?P<date>[^\n.]*?)\."
)
_EXPLAINS: Final = (
    r"^This article explains the new features in Python {series}[^.]*(?:\d\.\d+)?\.\n"
)


def bump(release: Release, clone: Clone, *, after: str, step: str = "bump") -> dict[str, str]:
    """Include/patchlevel.h states this version and nothing after it (E09)."""
    previous = input_commit(clone, after)
    text = _content(clone, previous, patchlevel.PATH).decode()
    was = patchlevel.read_patchlevel(text)
    edited = patchlevel.written_patchlevel(text, release.version)
    made = _record(
        clone, previous, step, {patchlevel.PATH: edited.encode()}, f"Version {release.version}"
    )
    return {"commit": made, "was": f"{was.version}{was.suffix}"}


def readme(
    release: Release, clone: Clone, *, after: str, step: str = "readme", pep: int = 0
) -> dict[str, str]:
    """README.rst states this version, and links to the docs and schedule of its series (E10).

    The PEP of the schedule is the one that the tree names for this series; where it names that
    of another series, as on a branch that was never corrected, ``pep`` or the one that this tool
    knows. Links into the tree of main stay: they are the new branch's to change (M08).
    """
    previous = input_commit(clone, after)
    content = with_title(_content(clone, previous, README), release.version)
    series = release.version.series
    number = pep_of(content, series) or pep or release.series.release_pep
    content = with_series(content, series, number)
    made = _record(clone, previous, step, {README: content}, "Name the version in README")
    return {"commit": made, "pep": str(pep_of(content, series) or "none")}


def mark_next(
    release: Release, clone: Clone, *, after: str, step: str = "mark_next"
) -> dict[str, str]:
    """No ``versionadded:: next`` is left in the docs: each names this version (Z07)."""
    previous = input_commit(clone, after)
    wanted = documented_version(release.version).encode()
    edits = {}
    count = 0
    clone.checkout(previous)
    for name in clone.names(previous, "Doc"):
        file = clone.folder / name
        if not is_documentation(name) or file.is_symlink():
            continue
        content = file.read_bytes()
        if b"next" not in content:
            continue
        edited, found = NEXT_MARKER.subn(lambda marker: _marked(marker, wanted), content)
        if found:
            edits[name] = edited
            count += found
    made = _record(clone, previous, step, edits, f"Document changes of {wanted.decode()}")
    return {"commit": made, "markers": str(count), "files": str(len(edits))}


def copyright_years(
    release: Release,
    clone: Clone,
    base: Base,
    *,
    date: date,
    after: str,
    step: str = "years",
    wanted: bool = True,
) -> dict[str, str]:
    """The PSF's notice reaches to this year in all six files (E14-E20), if that is ``wanted``.

    The PEP dropped it in November 2024, and upstream's releases of 2025 kept their notices.
    Only for the first release of a year: the last one before it was in an earlier year. A
    notice that is up to date, or that names no last year, is left as it is. Raises StepFailed
    for a file without a notice.
    """
    previous = input_commit(clone, after)
    if not wanted:
        made = _record(clone, previous, step, {}, "Leave the copyright notices")
        return {"commit": made, "files": "none"}
    last = last_release(release.version, base.tags())
    edits = {}
    if last is None or last.made.year < date.year:
        for name in NOTICES:
            content = _content(clone, previous, name)
            edited = _up_to(content, date.year, name)
            if edited != content:
                edits[name] = edited
    made = _record(clone, previous, step, edits, f"Copyright until {date.year}")
    return {
        "commit": made,
        "last release": f"{last.name} in {last.made.year}" if last else "none",
        "files": " ".join(sorted(edits)) or "none",
    }


def last_release(version: Version, tags: Iterable[Tag]) -> Tag | None:
    """The release before this one: the highest of its series, or else the latest of any."""
    older = []
    for tag in tags:
        try:
            released = Version.parse(tag.name.removeprefix("v"))
        except BadVersion:
            continue
        if released < version:
            older.append((released, tag))
    same = [(released, tag) for released, tag in older if released.series == version.series]
    if same:
        return max(same, key=lambda pair: pair[0])[1]
    return max((tag for _, tag in older), key=lambda tag: tag.made, default=None)


def whatsnew_date(
    release: Release, clone: Clone, *, date: date, after: str, step: str = "whatsnew"
) -> dict[str, str]:
    """The first paragraph of What's New states the day of the release (E22; X.Y.0 only)."""
    previous = input_commit(clone, after)
    series = release.version.series
    name = f"Doc/whatsnew/{series}.rst"
    text = _content(clone, previous, name).decode()
    form = re.compile(_RELEASED.format(series=re.escape(series)))
    found = form.search(text)
    if found:
        day_first = found["date"][:1].isdigit()
        edited = form.sub(_sentence(series, date, day_first=day_first), text, count=1)
    else:
        explains = re.compile(_EXPLAINS.format(series=re.escape(series)), flags=re.MULTILINE)
        sentence = _sentence(series, date, day_first=False)
        edited, count = explains.subn(lambda line: f"{line[0]}{sentence}\n", text, count=1)
        if not count:
            raise StepFailed(
                where=name,
                problem="its first paragraph has no sentence that could state the date",
                remedy=f"write on the branch: {sentence}",
            )
    made = _record(clone, previous, step, {name: edited.encode()}, "State the day of the release")
    return {"commit": made, "date": f"{date:%Y-%m-%d}"}


def source_uri(
    release: Release, clone: Clone, *, after: str, step: str = "source_uri"
) -> dict[str, str]:
    """The docs link to the sources of the right branch (E07; E08 for a new branch).

    That is main for alphas and X.Y for all else. A tree without the literal computes it.
    """
    previous = input_commit(clone, after)
    alpha = release.type is ReleaseType.ALPHA
    wanted = "main" if alpha else release.version.series
    content = clone.read(previous, SOURCE_URI_FILE) or b""
    found = SOURCE_URI.search(content)
    edits = {}
    was = found["branch"].decode() if found else "computed"
    if found and was != wanted:
        edits[SOURCE_URI_FILE] = SOURCE_URI.sub(
            rb"\g<before>" + wanted.encode() + rb"\g<after>", content
        )
    made = _record(clone, previous, step, edits, f"Link the docs to {wanted}")
    return {"commit": made, "was": was, "branch": wanted if found else was}


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _content(clone: Clone, commit: str, path: str) -> bytes:
    found = clone.read(commit, path)
    if found is None:
        raise StepFailed(
            where=path, problem="does not exist in the tree", remedy="restore it on the branch"
        )
    return found


def _record(clone: Clone, previous: str, step: str, edits: dict[str, bytes], message: str) -> str:
    """The commit ``previous`` with these files' contents, under the step's name."""
    clone.checkout(previous)
    for name, content in edits.items():
        file = path_in(clone.folder, name)
        write_whole(file, content, mode=file.stat().st_mode & 0o777)
    return clone.record(step, previous, message)


def _marked(marker: re.Match[bytes], version: bytes) -> bytes:
    """The marker with its version; in a cell of a table, padding makes up for its length."""
    room = marker["room"] or b""
    return marker["before"] + version + (room[len(version) - len(b"next") :] or room[:1])


def _up_to(content: bytes, year: int, name: str) -> bytes:
    """The content with its notice reaching to the year."""

    def renewed(found: re.Match[bytes]) -> bytes:
        if found["last"] is not None:
            return b"%b-%d" % (found["head"], max(year, int(found["last"])))
        if found["list"] is not None:
            years = {int(digits) for digits in re.findall(rb"[0-9]{4}", found["list"])}
            more = b"".join(b", %d" % missing for missing in range(max(years) + 1, year + 1))
            return found[0] + more
        return found[0]

    edited, count = NOTICE.subn(renewed, content)
    if not count:
        raise StepFailed(
            where=name,
            problem="has no 'Copyright (c) 2001-YYYY Python Software Foundation'",
            remedy="correct the notice on the branch; or if it is right, report a bug of this tool",
        )
    return edited


def _sentence(series: str, day: date, *, day_first: bool) -> str:
    month = _MONTHS[day.month - 1]
    day_text = f"{day.day} {month} {day.year}" if day_first else f"{month} {day.day}, {day.year}"
    return f"Python {series} was released on {day_text}."
