"""Purging: caches forget every address of the release, and what they serve then is checked.

Source: release-tools#156 and 3.5.9: the list of what to purge was incomplete and nobody looked
at what came out of the caches.
"""

from __future__ import annotations

import hashlib
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.printable import counted, share
from doit_receipts.probe import absent, identical
from plugins.model.site_pages import pages_of
from plugins.steps.served import published_bytes
from plugins.steps.site_release import public_listing, refresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeVar

    from doit_receipts.probe import Probe
    from plugins.model.content import Content
    from plugins.model.contract import Contract, Purge
    from plugins.ports.caches import Cdn
    from plugins.ports.fetched import Fetched
    from plugins.ports.host import HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.site import Site, SiteReader

    _Asked = TypeVar("_Asked")
    _Got = TypeVar("_Got")

__all__ = ["in_parallel", "look_purged", "purge", "stale"]

_AT_ONCE: Final = 6
_TRIES: Final = 4
_GIVES_UP: Final = 3
"""An edge that is down is not asked for hundreds of addresses, each a few times."""


def look_purged(
    contract: Contract,
    host: HostReader,
    cdn: Cdn,
    *,
    site: SiteReader | None = None,
    known: Mapping[str, str] | None = None,
) -> Probe:
    """Whether all that caches serve of the release is what it should be, on every edge.

    Right bytes are not enough: only some of the caches can be looked at, so every address has
    to have been purged by this run as well. Without the ``site``, files and listings only. A
    file on the host with other bytes than ``known`` says is an error: caches would keep it.
    """
    wanted = _wanted(contract, site)
    left = [address.url for address in wanted if not cdn.was_purged(address.url)]
    if left:
        return absent(f"{share(len(left), len(wanted), 'address', 'is', 'are')} still to be purged")
    wrong = stale(wanted, published_bytes(contract, host, known), cdn)
    if wrong:
        return absent(
            f"{counted(len(wrong), 'response of caches is', 'responses of caches are')} stale,"
            f" first {wrong[0]}",
            wrong,
        )
    addresses = "".join(f"{address.url}\n" for address in wanted)
    digest = hashlib.sha256(addresses.encode()).hexdigest()
    return identical({"addresses": str(len(wanted)), "list_sha256": digest})


def purge(
    contract: Contract,
    host: HostReader,
    cdn: Cdn,
    progress: Progress,
    *,
    site: Site | None = None,
    known: Mapping[str, str] | None = None,
    pause_s: float = 2.0,
) -> dict[str, str]:
    """Every address was purged, and every edge serves what it should.

    With the ``site``, its own pages show the release before. What is still stale is purged again
    a few times. Raises StepFailed then, naming address and edge: nothing may be announced while
    a user can get old bytes.
    """
    if site is not None:
        refresh(contract, site, progress)
    wanted = _wanted(contract, site)
    bytes_served = published_bytes(contract, host, known)
    to_purge: Sequence[Purge] = wanted
    wrong: tuple[str, ...] = ()
    for attempt in range(_TRIES):
        if attempt:
            progress.say(
                f"{counted(len(wrong), 'response is', 'responses are')} stale; "
                f"waiting {pause_s:g} s"
            )
            time.sleep(pause_s)
        progress.say(f"purging {counted(len(to_purge), 'address')}")
        in_parallel(lambda address: cdn.purge(address.url), to_purge)
        progress.say(
            f"checking {counted(len(wanted), 'address')} on {counted(len(cdn.edges), 'edge')}"
        )
        found = _stale(wanted, bytes_served, cdn)
        wrong = tuple(line for line, _ in found)
        if not wrong:
            return {}
        to_purge = list(dict.fromkeys(address for _, address in found))
    raise StepFailed(
        where="caches",
        problem=(
            f"{counted(len(wrong), 'response is', 'responses are')} still stale after "
            f"{_TRIES} purges, first {wrong[0]}"
        ),
        remedy="report it to the administrators of the CDN; run the same command again when "
        "they have purged it",
        details=wrong,
    )


def stale(wanted: Iterable[Purge], served: Mapping[str, Content], cdn: Cdn) -> tuple[str, ...]:
    """A line for each edge that serves something else than it should at one of the addresses."""
    return tuple(line for line, _ in _stale(wanted, served, cdn))


def in_parallel(do: Callable[[_Asked], _Got], these: Sequence[_Asked]) -> list[_Got]:
    """It was done for each, several at a time, and these are the results in order.

    Whoever hears of acts outside hears of these too. After an error no other one begins, and the
    error is raised.
    """
    # threading is late: listing tasks purges nothing
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = [pool.submit(copy_context().run, do, each) for each in these]
        try:
            return [each.result() for each in asked]
        finally:
            pool.shutdown(cancel_futures=True)


def _wanted(contract: Contract, site: SiteReader | None) -> tuple[Purge, ...]:
    """The addresses, files first; the pages follow from what else the site lists."""
    if site is None:
        return contract.file_purges
    return (*contract.file_purges, *pages_of(contract, public_listing(site)))


def _stale(
    wanted: Iterable[Purge], served: Mapping[str, Content], cdn: Cdn
) -> tuple[tuple[str, Purge], ...]:
    asked = [(address, edge) for address in wanted for edge in cdn.edges]
    failed_in_a_row = dict.fromkeys(cdn.edges, 0)

    def judge(pair: tuple[Purge, str]) -> str:
        address, edge = pair
        if failed_in_a_row[edge] >= _GIVES_UP:
            return f"was not asked, after {_GIVES_UP} in a row got no answer there"
        try:
            seen = cdn.look(address.url, edge)
        except ServiceFailed as error:
            failed_in_a_row[edge] += 1
            return error.problem
        failed_in_a_row[edge] = 0
        return _problem(address, seen, served)

    problems = in_parallel(judge, asked)
    return tuple(
        (f"{address.url} at {edge}: {problem}", address)
        for (address, edge), problem in zip(asked, problems, strict=True)
        if problem
    )


def _problem(address: Purge, seen: Fetched, served: Mapping[str, Content]) -> str:
    """What is wrong with an answer; "" if nothing is."""
    if address.file is not None:
        wanted = served[address.file.remote]
        if seen.status != 200:
            return f"answers {seen.status}"
        if seen.content != wanted:
            return f"serves {seen.content.brief}, wanted {wanted.brief}"
        return ""
    return address.problem(seen.status, seen.text, seen.leads_to)
