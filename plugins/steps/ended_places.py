"""Ended places: files of other repositories that name an ended series, mended by pull requests.

Source of the forms: python/buildmaster-config 860c070 and af48ad7 (master/custom/branches.py),
python/devguide 587de2e3 and 0d5fbc08 (getting-started/setup-building.rst).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed
from doit_receipts.printable import printable
from doit_receipts.probe import Probe, different, identical
from plugins.steps.pull_requests import branch_of, look_proposed

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Proposals
    from plugins.ports.progress import Progress

__all__ = [
    "BRANCHES",
    "BUILDING",
    "MENTIONS",
    "list_mentions",
    "look_forgotten",
    "propose",
    "without_builders",
    "without_tab",
]

BRANCHES: Final = "master/custom/branches.py"
"""The file of python/buildmaster-config that names the branches which builders test."""
BUILDING: Final = "getting-started/setup-building.rst"
"""The page of python/devguide with tabs for what older series need."""
MENTIONS: Final = "devguide.md"
"""The file below ``made/`` with the lines of the guide that name the series."""
_TAB: Final = re.compile(
    r"^(?P<space> *)\.\. tab:: Python (?P<first>3\.\d+)(?:-(?P<last>3\.\d+))?$"
)
_PAGES: Final = (".md", ".rst")
_BY_HAND: Final = {"pull request": "none", "url": "done by hand"}
_DONE: Final = {"pull request": "none", "url": "already up to date"}


def look_forgotten(release: Release, proposals: Proposals, path: str) -> Probe:
    """Whether the file names the series no more, or a pull request asks for that (NEW44, L12).

    A file that is gone, or of another form, is for a person, who may adopt what was done by hand.
    """
    try:
        before, after = _before_and_after(release, proposals, path)
    except StepFailed as error:
        return different(f"{path} {error.problem}", error.remedy, (), adopted=_BY_HAND)
    if after == before:
        return identical(_DONE)
    return look_proposed(release, proposals, path, after.encode())


def list_mentions(release: Release, guide: Proposals, progress: Progress) -> dict[str, str]:
    """``made/`` lists every line of the guide's pages that names the series (L12).

    Whether such a line is still right takes a person, who writes the guide. What the pull request
    of the guide takes out is not listed; nor are the tables that the schedule's data make.
    """
    guide, series = guide.pinned(), release.version.series
    pages = [path for path in guide.paths() if path.endswith(_PAGES)]
    named = re.compile(rf"(?<![\d.]){re.escape(series)}(?!\d)")
    found: list[tuple[str, int, str]] = []
    for number, path in enumerate(pages, 1):
        progress.say(f"reading page {number} of {len(pages)} of the guide")
        text = _text(guide, path)
        kept = without_tab(text, series) if path == BUILDING else text
        lines = enumerate(kept.splitlines(), 1)
        found += [(path, at, line.strip()) for at, line in lines if named.search(line)]
    told = [f"    {path}:{at}: {printable(line)}" for path, at, line in found]
    head = f"What else the guide says of {series}, to be judged by who writes it:"
    content = "\n".join([head, "", *told] if told else [f"No other page names {series}."])
    write_whole(release.layout.made / MENTIONS, f"{content}\n".encode())
    return {"lines": str(len(found)), "files": str(len({path for path, *_ in found}))}


def propose(
    release: Release, proposals: Proposals, path: str, progress: Progress, body: str = ""
) -> dict[str, str]:
    """A pull request takes the ended series out of the file (NEW44, L12).

    ``body`` names the file below ``made/`` that says what else there is; "" for none. Raises
    StepFailed for a file that is gone, or names the series in a form that is not known.
    """
    proposals = proposals.pinned()
    before, after = _before_and_after(release, proposals, path)
    if after == before:
        return _DONE
    progress.say(f"opening the pull request of {path}")
    series = release.version.series
    title = f"Remove {series}, which has reached its end of life"
    said = (release.layout.made / body).read_bytes().decode() if body else ""
    made = proposals.propose(branch_of(release), {path: after.encode()}, title, said)
    return {"pull request": str(made.number), "url": made.url}


def without_builders(text: str, series: str) -> str:
    """The text without the line that makes builders for the branch."""
    major, minor = series.split(".")
    call = rf"_maintenance_branch\({major}, {minor}(?:, [^\n]*)?\)"
    return re.sub(rf"(?m)^[ \t]+yield {call}(?:[ \t]*#[^\n]*)?\n", "", text)


def without_tab(text: str, series: str) -> str:
    """The text without the tab of the series; one of several series begins with the next."""
    found: list[str] = []
    lines = iter(text.splitlines(keepends=True))
    skipped = ""  # the white space before the tab that is left out
    rename = ("", "")
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        if skipped and (not line.strip() or depth > len(skipped)):
            continue
        skipped = ""
        tab = _TAB.match(line.rstrip("\n"))
        if line.strip() and not tab and depth <= len(rename[0]):
            rename = ("", "")
        if tab:
            rename = ("", "")
        if tab and tab["first"] == series and tab["last"] is None:
            skipped = tab["space"]
            continue
        if tab and tab["first"] == series:
            following = f"3.{int(series.partition('.')[2]) + 1}"
            named = following if following == tab["last"] else f"{following}-{tab['last']}"
            found.append(f"{tab['space']}.. tab:: Python {named}\n")
            rename = (tab["space"], f"{series} and ")
            continue
        found.append(line.replace(rename[1], "") if rename[1] else line)
    return "".join(found)


def _before_and_after(release: Release, proposals: Proposals, path: str) -> tuple[str, str]:
    """The file on the main branch, and without the series. Raises StepFailed as ``propose``."""
    series = release.version.series
    is_builders = path == BRANCHES
    before = _text(proposals, path)
    after = (without_builders if is_builders else without_tab)(before, series)
    if not before:
        problem = "does not exist, or is empty"
    elif is_builders and _named_in_code(after, series):
        problem = f"names {series} in a form that is not known"
    elif not is_builders and re.search(rf"(?m)^ *\.\. tab::.*{_whole(series)}", after):
        problem = f"has a tab of {series} in a form that is not known"
    else:
        return before, after
    who = "the administrators of the buildbots" if is_builders else "the authors of the guide"
    remedy = f"ask {who} to take {series} out, then run doit adopt"
    raise StepFailed(where=path, problem=problem, remedy=remedy)


def _text(proposals: Proposals, path: str) -> str:
    """The file on the main branch; "" for none."""
    return (proposals.text(path) or b"").decode(errors="surrogateescape")


def _named_in_code(text: str, series: str) -> bool:
    """Whether Python's code names the series, otherwise than to compare another one with it."""
    code = re.sub(r"#[^\n]*|[<>]=? *\(\d+, *\d+\)", "", text)
    return re.search(_whole(series), code) is not None


def _whole(series: str) -> str:
    """A pattern for 3.12 and 3, 12, and not for 3.12+, which are the later ones as well."""
    return r"(?<![\d.])" + re.escape(series).replace(r"\.", r"(?:\.|, *)") + r"(?![\d+])"
