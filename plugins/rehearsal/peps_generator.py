"""Generator of the rehearsed PEPs: what ``python -m release_management update-peps`` does there.

The rehearsed repository has this very file as ``release_management/__main__.py``. As the real one
it is of the standard library alone, believes in its schedule file, and stops where that has a
release to come after the end of bugfixes, or a PEP has no markers.
"""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

__all__ = ["SCHEDULE", "update", "updated"]

SCHEDULE = "release_management/python-releases.toml"
_BEGINS = ".. release schedule: "
_ENDS = ".. release schedule: ends"


def update(root: Path, today: date) -> None:
    """Every PEP of the schedule, from 3.8 on, has its lists anew."""
    content = tomllib.loads((root / SCHEDULE).read_text(encoding="utf-8"))
    for series, about in content["metadata"].items():
        if tuple(map(int, series.split("."))) < (3, 8):
            continue
        file = root / "peps" / f"pep-{about['pep']:04}.rst"
        text = file.read_text(encoding="utf-8")
        made = updated(text, series, about, content["release"][series], today)
        file.write_bytes(made.encode())


def updated(
    text: str, series: str, about: dict[str, Any], releases: list[dict[str, Any]], today: date
) -> str:
    """The PEP's text with the part between its markers made from the schedule."""
    lists = _lists(series, about, releases, today)
    made: list[str] = []
    found = skipping = False
    for line in text.splitlines():
        if line == _ENDS:
            skipping = False
        if not skipping:
            made.append(line)
        if line.startswith(_BEGINS) and line != _ENDS:
            name = line.removeprefix(_BEGINS)
            made += _shown(name, lists[name], about["feature-freeze"])
            found = skipping = True
    if not found or skipping:
        message = "the markers of a schedule are not there, or do not end"
        raise ValueError(message)
    return "\n".join(made) + "\n"


def _lists(
    series: str, about: dict[str, Any], releases: list[dict[str, Any]], today: date
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    lists: dict[str, dict[str, list[dict[str, Any]]]] = {
        name: {"actual": [], "expected": []} for name in ("feature", "bugfix", "security")
    }
    begins = about["start-of-development"]
    first = {"stage": f"{series} development begins", "date": begins}
    lists["feature"]["actual" if today >= begins else "expected"].append(first)
    for each in releases:
        if each["stage"].startswith(f"{series}.0"):
            name = "feature"
        elif each["date"] <= about["end-of-bugfix"]:
            name = "bugfix"
        else:
            name = "security"
            if each["state"] != "actual":
                message = f"{each['stage']} is expected after the end of bugfixes"
                raise AssertionError(message)
        lists[name][each["state"]].append(each)
    return lists


def _shown(name: str, lists: dict[str, list[dict[str, Any]]], freeze: date) -> list[str]:
    shown: list[str] = []
    for state, listed in lists.items():
        if not listed:
            continue
        shown.append("")
        if name != "security":
            shown += [f"{state.title()}:", ""]
        for each in listed:
            shown.append(f"- {each['stage']}: {each['date']:%A, %Y-%m-%d}")
            if each.get("note"):
                shown.append(f"  ({each['note']})")
            if each["date"] == freeze:
                shown.append("  (No new features beyond this point.)")
    if name == "bugfix":
        shown.append("  (Final regular bugfix release with binary installers)")
    return [*shown, ""]


if __name__ == "__main__":
    if sys.argv[1:] != ["update-peps"]:
        sys.exit("usage: python -m release_management update-peps")
    update(Path(__file__).resolve().parents[1], date.today())  # noqa: DTZ011 - as the real one
