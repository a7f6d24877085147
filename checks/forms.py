"""Forms: what others' forms ask for today, against what this tool would put into them (NEW08).

Both are in python/release-tools: the workflow of GitHub that builds the tag, and the pipeline of
Windows. A name that a form does not offer is refused in the middle of the day; a box that was
renamed or that is new is never ticked, and a default that changed is never seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.errors import StepFailed
from doit_receipts.finding import Finding, Severity
from doit_receipts.printable import printable
from plugins.model.windows_build import LEFT_OUT, form_of, range_of, tells_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.model.release import Release
    from plugins.model.windows_build import Box
    from plugins.ports.github import Texts

__all__ = ["PIPELINE", "WORKFLOW", "ci_form_takes_the_fork", "windows_form_is_as_known"]

WORKFLOW: Final = ".github/workflows/build-release.yml"
PIPELINE: Final = "windows-release/azure-pipelines.yml"
_INPUTS: Final = ("git_remote", "git_commit", "cpython_release")
"""What ``start_build`` fills in. Source: build-release.yml, state of 2026-07-22."""
_BOXES: Final = "plugins/model/windows_build.py"
_PROGRAM: Final = "plugins/steps/ci.py"
_MOST_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"^ *- name: *['\"]?(?P<name>\w+)['\"]? *$")
_LABEL: Final = re.compile(r"^ *displayName: *(?P<label>.+?) *$")
_DEFAULT: Final = re.compile(r"^ *default: *['\"]?(?P<value>.*?)['\"]? *(?:#.*)?$")
_ITEM: Final = re.compile(r"^ *- *['\"]?(?P<item>[^'\"]+?)['\"]? *$")


@dataclass(slots=True)
class _Field:
    label: str = ""
    values: tuple[str, ...] = ()
    default: str = ""


@judges("forms.owner", "forms.changed", blind="forms.unseen")
def ci_form_takes_the_fork(tools: Texts, owner: str) -> tuple[Finding, ...]:
    """The workflow that builds the tag takes what is filled in, and offers the fork's owner.

    GitHub refuses an input that the workflow does not have, and a request without one that it
    demands.
    """
    inputs = _inputs(_text(tools, WORKFLOW))
    missing = [name for name in _INPUTS if name not in inputs]
    demanded = [
        name
        for name, lines in inputs.items()
        if name not in _INPUTS
        and _value(lines, "required") == "true"
        and not _value(lines, "default")
    ]
    found = [
        *(_unknown(WORKFLOW, f"has no input {name} any more", _PROGRAM) for name in missing),
        *(_unknown(WORKFLOW, f"demands {name}, which is new", _PROGRAM) for name in demanded),
    ]
    if "git_remote" in missing:
        return tuple(found)
    offered = _options(inputs["git_remote"])
    if not offered:
        return (
            *found,
            _unknown(WORKFLOW, "has no list of remotes (git_remote) any more", _PROGRAM),
        )
    if owner in offered:
        return tuple(found)
    return (
        *found,
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
    """The form of the Windows build has every box that is filled in, for the series known here.

    What is not filled in has the default that is known, and no box is new.
    """
    fields = _parameters(_text(tools, PIPELINE))
    form = form_of(release, owner, "0" * 40)
    known = {box.parameter for box in form}
    return (
        *_filled_in(release, form, fields),
        *(
            finding
            for name, field in fields.items()
            if name not in known
            for finding in _left_out(release, name, field)
        ),
    )


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _filled_in(
    release: Release, form: tuple[Box, ...], fields: Mapping[str, _Field]
) -> Iterator[Finding]:
    for box in form:
        field = fields.get(box.parameter)
        if field is None:
            yield _unknown(PIPELINE, f"has no field {box.parameter} ({box.label}) any more")
            continue
        if field.values and isinstance(box.value, str) and box.value not in field.values:
            values = ", ".join(field.values[:12])
            problem = f"{box.parameter} accepts {values}, but this tool enters {box.value}"
            yield _unknown(PIPELINE, problem)
        if tells_series(field.label) and range_of(field.label, release.version.minor) is None:
            yield _unclear(box.parameter, field)
        wanted = range_of(field.label, release.version.minor)
        if wanted is not None and isinstance(box.value, bool) and wanted is not box.value:
            now = "is for" if wanted else "is not for"
            entered = "ticks it" if box.value else "leaves it empty"
            problem = (
                f"{box.parameter} {now} {release.version.series} according to its label,"
                f' "{field.label}", but this tool {entered}'
            )
            yield _unknown(PIPELINE, problem)


def _left_out(release: Release, name: str, field: _Field) -> Iterator[Finding]:
    """What is wrong with leaving a field as it is."""
    series, wanted = release.version.series, range_of(field.label, release.version.minor)
    usual = LEFT_OUT.get(name)
    if usual and field.default and field.default != usual:
        problem = f"{name} is {field.default} by default, and was {usual}; this tool leaves it so"
        yield _unknown(PIPELINE, problem)
    elif wanted is not None and wanted is not (field.default == "true"):
        is_for = "is for" if wanted else "is not for"
        yield _unknown(
            PIPELINE,
            f'{name} {is_for} {series} according to its label, "{field.label}", but is '
            f"{field.default or 'empty'} by default, and this tool leaves it so",
        )
    elif usual is None and wanted is None and tells_series(field.label):
        yield _unclear(name, field)
    elif usual is None and wanted is None:
        problem = f"{name} ({field.label or 'no label'}) is new; this tool leaves its default, "
        yield _unknown(PIPELINE, problem + (field.default or "nothing"), severity=Severity.WARN)


def _unclear(name: str, field: _Field) -> Finding:
    problem = f'{name} names series in a way that this tool does not know: "{field.label}"'
    return _unknown(PIPELINE, problem)


def _text(tools: Texts, path: str) -> str:
    raw = tools.text(path)
    if raw is None or len(raw) > _MOST_BYTES:
        raise StepFailed(
            where=f"python/release-tools {path}",
            problem="no longer exists" if raw is None else "is too large to be a form",
            remedy="find out where it went; the page of values can still be typed by hand",
        )
    return "\n".join(printable(line) for line in raw.decode(errors="replace").splitlines())


def _unknown(
    path: str, problem: str, program: str = _BOXES, *, severity: Severity = Severity.BLOCK
) -> Finding:
    return Finding(
        "forms.changed",
        severity,
        problem,
        where=f"python/release-tools {path}",
        remedy=f"correct {program} by what the form says now, or waive "
        "forms.changed and fill it in by hand",
    )


def _inputs(text: str) -> dict[str, list[str]]:
    """The inputs of a workflow that is started by hand, each with the lines below its name."""
    lines = _below(_below(text.splitlines(), "workflow_dispatch:"), "inputs:")
    indent = min((_indent(line) for line in lines), default=0)
    names = [
        line.strip().removesuffix(":")
        for line in lines
        if _indent(line) == indent and line.rstrip().endswith(":")
    ]
    return {name: _below(lines, f"{name}:") for name in names}


def _options(lines: list[str]) -> tuple[str, ...]:
    """The values that an input offers."""
    items = map(_ITEM.match, _below(lines, "options:", level=True))
    return tuple(item["item"] for item in items if item is not None)


def _value(lines: list[str], key: str) -> str:
    form = re.compile(rf"^ *{key}: *['\"]?(?P<value>.*?)['\"]? *(?:#.*)?$")
    found = next(filter(None, map(form.match, lines)), None)
    return found["value"] if found else ""


def _below(lines: list[str], head: str, *, level: bool = False) -> list[str]:
    """The lines that belong to the first one that reads ``head``; ``level`` for a list's items.

    YAML lets the items of a list stand as far left as the key that they belong to.
    """
    start = next((at for at, line in enumerate(lines) if line.strip() == head), len(lines))
    found = []
    for line in lines[start + 1 :]:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        is_item = level and line.lstrip().startswith("- ")
        if _indent(line) + is_item <= _indent(lines[start]):
            break
        found.append(line)
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


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
        name, label, default = _NAME.match(line), _LABEL.match(line), _DEFAULT.match(line)
        item = _ITEM.match(line) if listing else None
        if begun and name is not None:
            now, listing = found.setdefault(name["name"], _Field()), False
        elif now is not None and label is not None:
            now.label = label["label"].strip("\"'")
        elif now is not None and default is not None:
            value = default["value"]
            now.default = value.lower() if value.lower() in ("true", "false") else value
            listing = False
        elif now is not None and line.strip() == "values:":
            listing = True
        elif now is not None and item is not None:
            now.values = (*now.values, item["item"])
        elif line.strip():
            listing = False
    return found
