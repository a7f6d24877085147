"""Docs build of the simulated environment: pages that a timer makes from upstream's branches.

Nothing is stored: each page is what a build of this moment would give. ``/3/`` leads to the
newest series whose status is bugfix, ``/dev/`` to the newest that is begun, as the site of the PEPs
had it when it was last built.
Source: build_docs.py of python/docsbuild-scripts at 3c18032, and layout.html of CPython's docs.
"""

from __future__ import annotations

import re
import tomllib
from html import escape
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, Response

from plugins.model.tree_rules import changelog_title
from plugins.model.version import Version
from plugins.rehearsal.machine import run

if TYPE_CHECKING:
    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "page"]

FAULTS: Final = {
    "docs.late": "docs.python.org still has the pages of the release before",
    "docs.old_current": "docs.python.org/3/ still leads to the series before",
    "docs.500": "docs.python.org answers with status 500",
}
_PAGE: Final = re.compile(r"(?P<series>3(?:\.[0-9]+)?|dev)/(?P<name>|whatsnew/changelog\.html)")
_DEFINED: Final = re.compile(r'^#define\s+PY_VERSION\s+"([0-9a-z.]+)\+?', re.MULTILINE)
_BANNER: Final = (
    '<div id="outdated-warning">This document is for an old version of Python that is no longer '
    "supported.</div>"
)


def page(store: Store, path: str) -> Response | None:
    """A page of a branch; None for what no timer builds, such as the pages of one release."""
    found = _PAGE.fullmatch(path)
    if found is None:
        return None
    if store.fault("docs.500") is not None:
        return Response("Internal Server Error", 500)
    branches = _branches(store)
    series = found["series"]
    if series == "dev":
        series = _newest(branches)
    elif "." not in series:
        series = _current(store, branches)
    if series not in branches:
        return Response("Not Found", 404)
    status, branch = branches[series]
    version = _version(store, branch)
    if version is None:
        return Response("Not Found", 404)
    shown = "3.0.0" if store.fault("docs.late") is not None else str(version)
    banner = _BANNER if status == "end-of-life" else ""
    body = f"<h2>{escape(changelog_title(Version.parse(shown)))}</h2>" if found["name"] else ""
    return HTMLResponse(
        f"<html><head><title>{escape(shown)} Documentation</title></head>"
        f"<body>{banner}{body}</body></html>"
    )


def _branches(store: Store) -> dict[str, tuple[str, str]]:
    """Status and branch of each series that the schedule has."""
    text = store.load("peps", {}).get("built from", "")
    metadata = tomllib.loads(text).get("metadata", {})
    return {series: (each["status"], each["branch"]) for series, each in metadata.items()}


def _newest(branches: dict[str, tuple[str, str]]) -> str:
    begun = [series for series, (status, _) in branches.items() if status not in ("", "planned")]
    return max(begun, key=lambda series: int(series.partition(".")[2]), default="")


def _current(store: Store, branches: dict[str, tuple[str, str]]) -> str:
    stable = sorted(
        (int(series.partition(".")[2]), series)
        for series, (status, _) in branches.items()
        if status == "bugfix"
    )
    late = store.fault("docs.old_current") is not None
    return stable[-2 if late and len(stable) > 1 else -1][1] if stable else ""


def _version(store: Store, branch: str) -> Version | None:
    """What patchlevel.h of upstream's branch says, without the suffix of what follows a release."""
    upstream = store.folder.parent / "upstream.git"
    if not branch or not upstream.is_dir():
        return None
    # Of a branch that is gone, the last build stays: it was of what the tag names.
    named = (f"refs/heads/{branch}", f"refs/tags/{branch}")
    refs = run(upstream, "git", "for-each-ref", "--format=%(refname)", *named).split()
    found_ref = next((ref for ref in named if ref in refs), "")
    if not found_ref:
        return None
    header = run(upstream, "git", "show", f"{found_ref}:Include/patchlevel.h")
    found = _DEFINED.search(header)
    return Version.parse(found[1]) if found else None
