"""Site status: python.org shows visitors the new phase of a branch, from every cache that is seen.

The site takes it from peps.python.org, once an hour, and purges nothing then. Source:
download_tags.py of python/pythondotorg at 0a7e8d1f.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.printable import counted, share
from doit_receipts.probe import Probe, absent, identical
from plugins.model.published_file import SITE
from plugins.model.release import Phase
from plugins.model.schedule_edit import phase_entered
from plugins.model.site_status import (
    release_paths,
    status_problem,
    statuses,
    wanted_statuses,
    warned_since,
)
from plugins.ports.public import AROUND
from plugins.steps.afterwards import not_yet
from plugins.steps.purging import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from plugins.model.release import Release
    from plugins.ports.caches import Cdn
    from plugins.ports.clock import Clock
    from plugins.ports.fetched import Fetched
    from plugins.ports.progress import Progress
    from plugins.ports.public import PublicClient
    from plugins.ports.schedules import Schedules

    _Read = Callable[[str], Fetched]

__all__ = ["entered_with", "look_shown", "purge_shown"]

_TABLE: Final = f"{SITE}/downloads/"
_ALL: Final = f"{SITE}/downloads/source/"
"""The one page that links every release of a series, early ones too."""


def entered_with(release: Release, becomes: Phase | None) -> Phase:
    """The phase that the branch enters with such a release; ``becomes`` is the declared one."""
    return phase_entered(release.version, becomes) or Phase.BUGFIX


def look_shown(
    release: Release, enters: Phase, schedules: Schedules, client: PublicClient, cdn: Cdn
) -> Probe:
    """Whether visitors see the branch in its phase, after a purge by this process (NEW02, NEW41).

    Only some caches can be looked at, so what they serve is not enough.
    """
    series, ends = release.version.series, _end(release, enters, schedules)
    around = _around(client)
    wrong = _wrong(series, enters, ends, around)
    if wrong:
        return absent(wrong)
    urls = _urls(series, enters, around)
    left = [url for url in urls if not cdn.was_purged(url)]
    if left:
        return absent(f"{share(len(left), len(urls), 'page', 'is', 'are')} still to be purged")
    stale = _stale(series, enters, ends, urls, cdn)
    if stale:
        return absent(
            f"{counted(len(stale), 'response of caches is', 'responses of caches are')} stale,"
            f" first {stale[0]}",
            stale,
        )
    return identical({"series": series, "phase": enters.value, "pages": str(len(urls))})


def purge_shown(
    release: Release,
    enters: Phase,
    schedules: Schedules,
    client: PublicClient,
    cdn: Cdn,
    clock: Clock,
    progress: Progress,
    *,
    until: datetime,
) -> dict[str, str]:
    """The table of active releases has the branch in its phase, on every edge (NEW02, NEW41).

    At the end of life each page of its releases warns, with the day of the schedule. The pages are
    purged once the site itself has them right. Raises Waiting before that and while an edge is
    stale, StepFailed from ``until`` on; nothing else waits for it.
    """
    series, ends = release.version.series, _end(release, enters, schedules)
    around = _around(client)
    wrong = _wrong(series, enters, ends, around)
    if wrong:
        not_yet(
            wrong,
            _TABLE,
            clock,
            until=until,
            who="python.org, which asks the PEPs' site once an hour",
            remedy="see why it does not have the status that peps.python.org/api/release-cycle.json"
            " states",
        )
    urls = _urls(series, enters, around)
    progress.say(f"purging {counted(len(urls), 'page')}")
    in_parallel(cdn.purge, urls)
    stale = _stale(series, enters, ends, urls, cdn)
    if stale:
        not_yet(
            (
                f"{counted(len(stale), 'response is', 'responses are')} stale after a "
                f"purge, first {stale[0]}"
            ),
            _TABLE,
            clock,
            until=until,
            who="the administrators of the CDN",
            remedy="purge these pages from every cache",
        )
    return {}


def _end(release: Release, enters: Phase, schedules: Schedules) -> str:
    """The day that each page has to tell; "" unless the series ends."""
    if enters is not Phase.END_OF_LIFE:
        return ""
    entry = schedules.branch(release.version.series)
    return entry.end_of_life if entry is not None else ""


def _wrong(series: str, enters: Phase, ends: str, read: _Read) -> str:
    """What the pages lack first, as one reads them; "" if nothing."""
    problem = _table_problem(series, enters, read)
    if problem or enters is not Phase.END_OF_LIFE:
        return problem
    text, unseen = _page(read, _ALL)
    paths = release_paths(text, series)
    if not paths:
        return unseen or f"{_ALL} lists no release of {series}"
    return next(_unwarned(series, ends, [f"{SITE}{path}" for path in paths], read), "")


def _stale(
    series: str, enters: Phase, ends: str, urls: tuple[str, ...], cdn: Cdn
) -> tuple[str, ...]:
    """A line for each edge and page that still shows what was there before."""
    found = []
    for edge in cdn.edges:
        read = _at(cdn, edge)
        problem = _table_problem(series, enters, read)
        lines = [problem] if problem else []
        pages = [url for url in urls if url not in (_TABLE, _ALL)]
        found += [f"{edge}: {line}" for line in (*lines, *_unwarned(series, ends, pages, read))]
    return tuple(found)


def _table_problem(series: str, enters: Phase, read: _Read) -> str:
    text, unseen = _page(read, _TABLE)
    problem = status_problem(statuses(text), wanted_statuses(series, enters))
    return unseen or (f"{_TABLE} {problem}" if problem else "")


def _unwarned(series: str, ends: str, urls: list[str], read: _Read) -> Iterator[str]:
    """A line for each of these pages that does not warn of the end since that day."""
    pages = in_parallel(lambda url: _page(read, url), urls)
    for url, (text, unseen) in zip(urls, pages, strict=True):
        since = warned_since(text)
        if unseen:
            yield unseen
        elif since is None:
            yield f"{url} does not warn that {series} has reached its end of life"
        elif since != ends:
            yield f"{url} says that {series} ended on {since or 'no day'}, wanted {ends}"


def _urls(series: str, enters: Phase, read: _Read) -> tuple[str, ...]:
    """Every page that shows the phase."""
    if enters is not Phase.END_OF_LIFE:
        return (_TABLE,)
    return (_TABLE, *(f"{SITE}{path}" for path in release_paths(_page(read, _ALL)[0], series)))


def _page(read: _Read, url: str) -> tuple[str, str]:
    """The page's text, and why it could not be had: what nobody saw is not missing."""
    try:
        came = read(url)
    except ServiceFailed as error:
        return "", f"{url} could not be read: {error.problem}"
    return (came.text, "") if came.status == 200 else ("", f"{url} answers {came.status}")


def _around(client: PublicClient) -> _Read:
    return lambda url: client.read(url, AROUND)


def _at(cdn: Cdn, edge: str) -> _Read:
    return lambda url: cdn.look(url, edge)
