"""Simulated PEPs: their repository's schedule, and what peps.python.org makes of it.

The repository's texts are in the document ``github``. People merge a pull request some time after
it was opened, and then the site is built anew: the document ``peps`` has the schedule that it was
built from, and ``polls``, how often its API is asked before that happens.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from plugins.model.next_schedule import OWNERS
from plugins.model.release import Phase, known_phase
from plugins.model.series import series_of
from plugins.model.version import Level, Version
from plugins.rehearsal import peps_generator
from plugins.rehearsal.peps_checks import complaints
from plugins.rehearsal.peps_generator import SCHEDULE
from plugins.rehearsal.sigstore import RELEASE_MANAGER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.requests import Request

    from plugins.rehearsal.store import Store

__all__ = ["FAULTS", "REPOSITORY", "app", "cycle", "phase_of", "put", "seed"]

FAULTS: Final = {
    "peps.500": "peps.python.org answers with status 500",
    "peps.malformed": "peps.python.org answers with incomplete JSON",
    "peps.endless": "peps.python.org answers without end",
    "peps.other_phase": "the branch is in the phase of the argument (security)",
    "peps.unknown_status": "the branch has an unknown status",
    "peps.other_day": "somebody records the release in the schedule on another day",
    "peps.never_merged": "nobody merges the pull request of the schedule",
}

REPOSITORY: Final = "python/peps"
_GENERATOR: Final = "release_management/__main__.py"
_EARLY: Final = [(Level.ALPHA, 7), (Level.BETA, 4), (Level.CANDIDATE, 3)]
_EXPECTED: Final = 3
_MANAGER: Final = RELEASE_MANAGER.email
_APART: Final = timedelta(days=35)
_HEAD: Final = """\
# The releases of Python, as the simulated PEPs know them.
#
# After an edit, run the following command to make the schedules of the PEPs anew:
#
#    python -m release_management update-peps
"""
_TEXT: Final = """\
PEP: {pep}
Title: Python {series} Release Schedule
Author: Romy Manager
Status: Active
Type: Informational
Created: 01-Apr-2021


Release manager and crew
========================

- {series} release manager: Romy Manager
- Windows installers: Wanda Windows


Release schedule
================

{lists}
"""


def phase_of(version: Version) -> Phase:
    """The phase that the branch is in on the morning of this release."""
    known = known_phase(version, series_of(version))
    if known is not None:
        return known
    is_early = version.level is Level.ALPHA or (version.level, version.serial) == (Level.BETA, 1)
    return Phase.FEATURE if is_early else Phase.PRERELEASE


def seed(store: Store, version: Version, day: date) -> None:
    """The schedule has the release on this day, in repository and site, unless it has one already.

    A series before it is there and, but for alphas, one after it.
    """
    if store.load("peps", None) is None:
        put(store, [version], day)


def put(store: Store, versions: Sequence[Version], day: date) -> None:
    """The schedule has these releases on this day, in order of their series, and nothing else.

    There is a series before them and, but for alphas, one after them.
    """
    texts = _texts(versions, day)
    hub = store.load("github", {})
    theirs = {f"{REPOSITORY}/{path}": text for path, text in texts.items()}
    store.save("github", {**hub, "texts": {**hub["texts"], **theirs}})
    store.save("peps", {"version": str(versions[0]), "built from": texts[SCHEDULE], "polls": 0})


def app(store: Store) -> Starlette:
    """The API of the PEPs' site."""

    def answer(request: Request) -> Response:
        _let_time_pass(store)
        schedule = _schedule(store)
        if store.fault("peps.500") is not None:
            return Response("Internal Server Error", 500)
        if store.fault("peps.endless") is not None:
            return StreamingResponse(_endless(), media_type="application/json")
        make = {"release-cycle.json": _cycle, "python-releases.json": _releases}
        text = json.dumps(make[request.path_params["name"]](schedule), indent=2)
        if store.fault("peps.malformed") is not None:
            text = text[: len(text) // 2]
        return Response(text, media_type="application/json")

    async def named(request: Request) -> Response:
        known = request.path_params["name"] in ("release-cycle.json", "python-releases.json")
        return answer(request) if known else Response("Not Found", 404)

    return Starlette(routes=[Route("/api/{name}", named)])


def cycle(store: Store) -> dict[str, Any]:
    """What ``release-cycle.json`` has as the site was last built; nothing if there is no site."""
    known = store.load("peps", {})
    return _cycle(tomllib.loads(known["built from"])) if known else {}


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 65536
        await asyncio.sleep(0)  # a client that left is noticed


def _schedule(store: Store) -> dict[str, Any]:
    """What the site was built from, with what a fault makes of it."""
    known = store.load("peps", {})
    schedule = tomllib.loads(known["built from"])
    series = Version.parse(known["version"]).series
    phase = store.fault("peps.other_phase")
    if phase is not None:
        schedule["metadata"][series]["status"] = phase or Phase.SECURITY.value
    if store.fault("peps.unknown_status") is not None:
        schedule["metadata"][series]["status"] = "hibernating"
    return schedule


def _releases(schedule: dict[str, Any]) -> dict[str, Any]:
    about = {
        series: {key.replace("-", "_"): _plain(value) for key, value in each.items()}
        for series, each in schedule["metadata"].items()
    }
    releases = {
        series: [{"note": "", **{key: _plain(value) for key, value in each.items()}}
                 for each in listed]
        for series, listed in schedule["release"].items()
    }  # fmt: skip
    return {"metadata": about, "releases": releases}


def _cycle(schedule: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for series, each in schedule["metadata"].items():
        ends = each["end-of-life"].isoformat()
        if each["status"] != "end-of-life":
            ends = ends.removesuffix("-01")
        found[series] = {
            "branch": each["branch"], "pep": each["pep"], "status": each["status"],
            "first_release": each["first-release"].isoformat(), "end_of_life": ends,
            "release_manager": each["release-manager"],
        }  # fmt: skip
    return found


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


# ── what others do ─────────────────────────────────────────────────────────────────────────


def _let_time_pass(store: Store) -> None:
    """Somebody merges what is open, and the site is built from what is on the main branch."""
    hub = store.load("github", {})
    if store.fault("peps.other_day") is not None:
        hub["texts"][f"{REPOSITORY}/{SCHEDULE}"] = _on_another_day(store)
        store.save("github", hub)
    opened = [
        each
        for each in hub["pulls"]
        if each["repository"] == REPOSITORY
        and each["state"] == "open"
        # the plan of a series is talked about for days before it is merged
        and not each["head"].endswith("-schedule")
    ]
    known = store.load("peps", {})
    if opened and known["polls"]:
        store.save("peps", {**known, "polls": known["polls"] - 1})
    elif opened and store.fault("peps.never_merged") is None:
        for each in opened:
            owner, _, branch = each["head"].partition(":")
            name = REPOSITORY.partition("/")[2]
            texts = hub["branches"].get(f"{owner}/{name}:{branch}", {})
            theirs = {f"{REPOSITORY}/{path}": text for path, text in texts.items()}
            if _is_refused(store, each["number"], theirs, hub["texts"]):
                continue
            hub["texts"].update(theirs)
            each |= {"state": "closed", "merged_at": "2026-01-01T00:00:00Z"}
            store.record("peps", "merged", number=each["number"])
        store.save("github", hub)
    text = hub["texts"][f"{REPOSITORY}/{SCHEDULE}"]
    store.save("peps", {**store.load("peps", {}), "built from": text})


def _is_refused(store: Store, number: int, texts: dict[str, str], main: dict[str, str]) -> bool:
    """Whether the repository's checks fail for a pull request; then nobody merges it."""
    top = f"{REPOSITORY}/"
    changed = {
        path.removeprefix(top): text for path, text in texts.items() if main.get(path) != text
    }
    on_branch = {path.removeprefix(top): text for path, text in texts.items()}
    today = datetime.now(UTC).date()  # noqa: TID251 - the simulated side
    found = complaints(changed, on_branch, today)
    if found:
        store.record("peps", "refused", number=number, why=found)
    return bool(found)


def _on_another_day(store: Store) -> str:
    known = store.load("peps", {})
    name = _name(Version.parse(known["version"]))
    text: str = store.load("github", {})["texts"][f"{REPOSITORY}/{SCHEDULE}"]
    head, entry, rest = text.partition(f'stage = "{name}"\n')
    _, _, rest = rest.partition("date = ")
    return f'{head}{entry}state = "actual"\ndate = 2001-02-03{rest[10:]}'


# ── the repository ─────────────────────────────────────────────────────────────────────────


def _texts(versions: Sequence[Version], day: date) -> dict[str, str]:
    first, last = versions[0], versions[-1]
    before, after = Version(3, first.minor - 1, 5), Version(3, last.minor + 1, 0, Level.ALPHA, 1)
    is_main = phase_of(last) is Phase.FEATURE
    following = ("planned", "") if is_main else ("feature", "main")
    older = Phase.SECURITY if phase_of(first) is Phase.SECURITY else Phase.BUGFIX
    parts = [
        (before, (older.value, before.series), day - timedelta(days=20)),
        *(
            (each, (phase_of(each).value, "main" if is_main else each.series), day)
            for each in versions
        ),
        # as in most years: alphas come first, then somebody plans the series after them
        *([] if last.level is Level.ALPHA else [(after, following, day + timedelta(days=400))]),
    ]
    texts = {
        "release_management/__init__.py": '"""Release schedules of the rehearsal."""\n',
        _GENERATOR: inspect.getsource(peps_generator),
        OWNERS: "*  @python/pep-editors\npeps/pep-0001.rst  @warsaw\npeps/pep-3000.rst  @one\n",
        "peps/pep-0101.rst": f"* RM = Release Manager\n\n  - Romy Manager <{_MANAGER}>\n",
    }
    schedule = [_HEAD]
    for one, (status, branch), at in parts:
        schedule.append(_section(one, status, branch, at, is_out=one is before))
    texts[SCHEDULE] = "\n".join(schedule)
    content = tomllib.loads(texts[SCHEDULE])
    for series, about in content["metadata"].items():
        lists = "\n\n".join(
            f".. release schedule: {name}\n.. release schedule: ends"
            for name in ("feature", "bugfix", "security")
        )
        text = _TEXT.format(pep=about["pep"], series=series, lists=lists)
        releases = content["release"][series]
        made = peps_generator.updated(text, series, about, releases, day)
        texts[f"peps/pep-{about['pep']:04}.rst"] = made
    return texts


def _section(version: Version, status: str, branch: str, day: date, *, is_out: bool) -> str:
    """One series, whose release of this version is on this day."""
    listed = [*_until(version), *_following(version)]
    at = listed.index(version)
    days = {each: day + (count - at) * _APART for count, each in enumerate(listed)}
    first, freeze = Version(3, version.minor, 0), Version(3, version.minor, 0, Level.BETA, 1)
    last = day - timedelta(days=1) if status == "security" else max(days.values())
    pep = series_of(version).release_pep or 9000 + version.minor
    lines = [
        f'[metadata."{version.series}"]', f"pep = {pep}", f'status = "{status}"',
        f'branch = "{branch}"', 'release-manager = "Romy Manager"',
        f"start-of-development = {min(days.values()) - _APART}",
        f"feature-freeze = {days[freeze]}", f"first-release = {days[first]}",
        f"end-of-bugfix = {last}", f"end-of-life = {last.year + 3}-10-01",
    ]  # fmt: skip
    for each in listed if status != "security" else listed[: at + is_out]:
        state = "actual" if each < version or (is_out and each == version) else "expected"
        lines += ["", f'[[release."{version.series}"]]', f'stage = "{_name(each)}"',
                  f'state = "{state}"', f"date = {days[each]}"]  # fmt: skip
    return "\n".join(lines) + "\n"


def _until(version: Version) -> list[Version]:
    """Every version of the series up to this one."""
    minor = version.minor
    early = [Version(3, minor, 0, level, serial) for level, most in _EARLY
             for serial in range(1, most + 1)]  # fmt: skip
    finals = [Version(3, minor, micro) for micro in range(version.micro + 1)]
    return sorted({each for each in (*early, *finals) if each < version} | {version})


def _following(version: Version) -> list[Version]:
    """What is expected after it: all that leads to X.Y.0, then a few bugfix releases."""
    minor = version.minor
    early = [Version(3, minor, 0, level, serial) for level, most in _EARLY
             for serial in range(1, most + 1)]  # fmt: skip
    later = [Version(3, minor, version.micro + step) for step in range(_EXPECTED)]
    return [each for each in (*early, *later) if each > version]


def _name(version: Version) -> str:
    words = {Level.ALPHA: " alpha ", Level.BETA: " beta ", Level.CANDIDATE: " candidate "}
    if version.is_prerelease:
        return f"{version.folder}{words[version.level]}{version.serial}"
    return str(version) if version.micro else f"{version} final"
