"""Forms: what others' forms ask for today, against what this tool would put into them (NEW08).

Both are in python/release-tools: the workflow of GitHub that builds the tag, and the pipeline of
Windows. A name that a form does not offer is refused in the middle of the day; a box that was
renamed is never ticked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable
from plugins.model.windows_build import form_of, range_of

if TYPE_CHECKING:
    from plugins.model.release import Release
    from plugins.ports.github import Texts

__all__ = ["PIPELINE", "WORKFLOW", "ci_form_takes_the_fork", "windows_form_is_as_known"]

WORKFLOW: Final = ".github/workflows/build-release.yml"
PIPELINE: Final = "windows-release/azure-pipelines.yml"
_MOST_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"^ *- name: *['\"]?(?P<name>\w+)['\"]? *$")
_LABEL: Final = re.compile(r"^ *displayName: *(?P<label>.+?) *$")
_ITEM: Final = re.compile(r"^ *- *['\"]?(?P<item>[^'\"]+?)['\"]? *$")


@dataclass(slots=True)
class _Field:
    label: str = ""
    values: tuple[str, ...] = ()


@judges("forms.owner", "forms.changed", blind="forms.unseen")
def ci_form_takes_the_fork(tools: Texts, owner: str) -> tuple[Finding, ...]:
    """The workflow that builds the tag offers the fork's owner as a remote."""
    offered = _options(_text(tools, WORKFLOW), "git_remote")
    if not offered:
        return (_unknown(WORKFLOW, "has no list of remotes (git_remote) any more"),)
    if owner in offered:
        return ()
    return (
        Finding(
            "forms.owner",
            Severity.BLOCK,
            f"offers no fork of {owner}; it offers {', '.join(offered[:12])}",
            where=f"python/release-tools {WORKFLOW}",
            remedy=f"add {owner} to git_remote there, or release from a fork that it offers",
        ),
    )


@judges("forms.changed", blind="forms.unseen")
def windows_form_is_as_known(release: Release, tools: Texts, owner: str) -> tuple[Finding, ...]:
    """The form of the Windows build has every box that is filled in, for the series known here."""
    fields = _parameters(_text(tools, PIPELINE))
    found = []
    for box in form_of(release, owner, "0" * 40):
        field = fields.get(box.parameter)
        if field is None:
            found.append(_unknown(PIPELINE, f"has no field {box.parameter} ({box.label}) any more"))
            continue
        if field.values and isinstance(box.value, str) and box.value not in field.values:
            values = ", ".join(field.values[:12])
            problem = f"{box.parameter} accepts {values}, but this tool enters {box.value}"
            found.append(_unknown(PIPELINE, problem))
        wanted = range_of(field.label, release.version.minor)
        if wanted is not None and isinstance(box.value, bool) and wanted is not box.value:
            now = "is for" if wanted else "is not for"
            entered = "ticks it" if box.value else "leaves it empty"
            problem = (
                f"{box.parameter} {now} {release.version.series} according to its label,"
                f' "{field.label}", but this tool {entered}'
            )
            found.append(_unknown(PIPELINE, problem))
    return tuple(found)


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _text(tools: Texts, path: str) -> str:
    raw = tools.text(path)
    if raw is None or len(raw) > _MOST_BYTES:
        raise StepFailed(
            where=f"python/release-tools {path}",
            problem="no longer exists" if raw is None else "is too large to be a form",
            remedy="find out where it went; the page of values can still be typed by hand",
        )
    return "\n".join(printable(line) for line in raw.decode(errors="replace").splitlines())


def _unknown(path: str, problem: str) -> Finding:
    return Finding(
        "forms.changed",
        Severity.BLOCK,
        problem,
        where=f"python/release-tools {path}",
        remedy="correct plugins/model/windows_build.py by what the form says now, or waive "
        "forms.changed and fill it in by hand",
    )


def _options(text: str, name: str) -> tuple[str, ...]:
    """The ``options`` of an input of a workflow."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.strip() == f"{name}:"), None)
    if start is None:
        return ()
    indent = len(lines[start]) - len(lines[start].lstrip())
    found: list[str] = []
    listing = False
    for line in lines[start + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        item = _ITEM.match(line)
        if line.strip() == "options:":
            listing = True
        elif listing and item is not None:
            found.append(item["item"])
        elif listing and line.strip():
            break
    return tuple(found)


def _parameters(text: str) -> dict[str, _Field]:
    """The parameters at the top of a pipeline, by name."""
    found: dict[str, _Field] = {}
    now: _Field | None = None
    listing = False
    begun = False
    for line in text.splitlines():
        if line.rstrip() == "parameters:":
            begun = True
        elif begun and line and not line[0].isspace() and line[0] not in "-#":
            break  # the next part of the file
        name, label = _NAME.match(line), _LABEL.match(line)
        item = _ITEM.match(line) if listing else None
        if begun and name is not None:
            now, listing = found.setdefault(name["name"], _Field()), False
        elif now is not None and label is not None:
            now.label = label["label"].strip("\"'")
        elif now is not None and line.strip() == "values:":
            listing = True
        elif now is not None and item is not None:
            now.values = (*now.values, item["item"])
        elif line.strip():
            listing = False
    return found
