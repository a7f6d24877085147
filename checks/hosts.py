"""Hosts: whether the release's files can be put where users fetch them (P07, P08, P09)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import judges
from doit_receipts.finding import Finding, Severity
from plugins.ports.host import WRITE_IN, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.contract import Contract
    from plugins.ports.host import Entry, HostReader, Login

__all__ = [
    "files_of_others_are_readable",
    "host_has_room",
    "host_is_reached",
    "rights_are_usable",
]

_SKEW_S: Final = 120
_GROUP_WRITES: Final = 0o030
_HANDS_DOWN: Final = 0o2000
_ROOT: Final = "root"
_READERS: Final = {Kind.FILE: 0o444, Kind.FOLDER: 0o505}
"""Who has to be let in. A folder that is closed to the group alone is served; who has to look into
it says so (the pipeline of Windows leaves those of its own so)."""
_WANTED: Final = {Kind.FILE: "644", Kind.FOLDER: "2775"}
_SPARE: Final = 1.1
"""Room for what others upload meanwhile."""


@judges("hosts.group", "hosts.clock", blind="hosts.login")
def host_is_reached(host: HostReader) -> tuple[Finding, ...]:
    """We can log in, are of the group that its files belong to, and its clock is right.

    A clock that is off dates files wrongly and makes caches keep them for too long.
    """
    login = host.login()
    findings = []
    if host.group and host.group not in login.groups:
        findings.append(
            Finding(
                "hosts.group",
                Severity.BLOCK,
                f"{login.user} is not a member of group {host.group}, only of "
                f"{', '.join(login.groups)}",
                where=host.shown(),
                remedy=f"ask the host's administrators to add {login.user} to {host.group}",
            )
        )
    if abs(login.ahead_s) > _SKEW_S:
        way = "ahead of" if login.ahead_s > 0 else "behind"
        findings.append(
            Finding(
                "hosts.clock",
                Severity.WARN,
                f"its clock is {abs(login.ahead_s)} s {way} ours",
                where=host.shown(),
                remedy="find out which of the two is wrong, and inform the host's administrators",
            )
        )
    return tuple(findings)


@judges(blind="hosts.rights")
def rights_are_usable(host: HostReader, folders: Sequence[str]) -> tuple[Finding, ...]:
    """In each folder we can make, rename and delete; the host is asked, and nothing is tried.

    A folder that is not there yet is judged by the nearest that is. Owner, group, mode and our
    groups explain what the host's system says of us; where they contradict it, an access list
    decides, and that colleagues can work there as well is not known: a note says so. Source:
    P09; the rights of 3.14.4's folder were found to be wrong in the middle of the release
    (release-tools#391).
    """
    login = host.login()
    nearest = dict.fromkeys(_nearest(folder, host) for folder in folders)
    found = [entry for entry in host.look(list(nearest)) if entry is not None]
    usable = host.usable_folders([entry.path for entry in found])
    judged = (_judged(entry, login, host, usable=entry.path in usable) for entry in found)
    return tuple(finding for finding in judged if finding is not None)


@judges(blind="hosts.other_owner")
def files_of_others_are_readable(host: HostReader, folders: Sequence[str]) -> tuple[Finding, ...]:
    """What colleagues put into the release's folders has modes and groups that users can live with.

    Only its owner can change a file's mode, so a wrong one is reported to them before files
    are staged. Source: release-tools#391 and #406.
    """
    user = host.login().user
    found = [entry for folder in folders for entry in host.listing(folder)]
    return tuple(
        Finding(
            "hosts.other_owner",
            Severity.BLOCK,
            f"belongs to {entry.owner} and has mode {entry.mode:o}, wanted {wanted}",
            where=host.shown(entry.path),
            remedy=f"only {entry.owner} can change it: ask them to run `chmod {wanted}` on it",
        )
        for entry in found
        if user not in (entry.owner, _ROOT)
        and (wanted := _WANTED.get(entry.kind, ""))
        and not _lets_read(entry)
    )


@judges(blind="hosts.space")
def host_has_room(
    host: HostReader, folder: str, contract: Contract, gathered: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What is still to come of the release's files finds room there, and a tenth more.

    A file that users see came already, and so did one of that name in the hidden folders where
    the release is ``gathered``; what other releases have in the same folder did not. Of what
    colleagues gathered, the switch makes a copy first.
    """
    there = _nearest(folder, host)
    free = host.free_bytes(there)
    found = [entry for path in gathered for entry in host.listing(path)]
    hidden = {entry.path.rpartition("/")[2] for entry in found}
    user = host.login().user if found else ""
    copied_bytes = sum(
        entry.size_bytes
        for entry in found
        if entry.kind is Kind.FILE and user not in (entry.owner, _ROOT)
    )
    shown = host.look([file.remote for file in contract.files])
    needed_bytes = copied_bytes + sum(
        file.about_bytes
        for file, entry in zip(contract.files, shown, strict=True)
        if entry is None and file.name not in hidden
    )
    if free >= needed_bytes * _SPARE:
        return ()
    return (
        Finding(
            "hosts.space",
            Severity.BLOCK,
            f"{free // 1_000_000} MB are free, but {needed_bytes // 1_000_000} MB will be uploaded"
            f"{' or copied' if copied_bytes else ''}",
            where=host.shown(there),
            remedy="ask the host's administrators for more space",
        ),
    )


def _nearest(folder: str, host: HostReader) -> str:
    """The folder, or the nearest one above it that is there; "" is the root."""
    while folder and host.look([folder])[0] is None:
        folder = folder.rpartition("/")[0]
    return folder


def _judged(entry: Entry, login: Login, host: HostReader, *, usable: bool) -> Finding | None:
    """What is wrong with a folder that we have to work in; None if nothing is."""
    its = f"it belongs to {entry.owner}, group {entry.group}, mode {entry.mode:o}"
    explained = entry.allows(WRITE_IN, login)
    # The root is made for all releases; only what is in it has to be the group's.
    of_group = bool(entry.path and host.group)
    if entry.kind is not Kind.FOLDER:
        return _rights(host, entry, f"is a {entry.kind.value}, wanted a folder")
    if not usable:
        groups = f"groups: {', '.join(login.groups)}" if login.groups else "no group"
        why = "; an access list or a read-only disk prevents it" if explained else ""
        return _rights(host, entry, f"{login.user} ({groups}) cannot write there: {its}{why}")
    if of_group and entry.owner == login.user:
        return None  # as a killed run leaves it: who goes on gives it to the group
    if of_group and entry.group != host.group:
        return _rights(host, entry, f"its group has to be {host.group}: {its}")
    if of_group and entry.mode & _GROUP_WRITES != _GROUP_WRITES:
        return _rights(host, entry, f"its group cannot write there: {its}")
    return _doubt(host, entry, its, explained=explained)


def _rights(host: HostReader, entry: Entry, problem: str) -> Finding:
    return Finding(
        "hosts.rights",
        Severity.BLOCK,
        problem,
        where=host.shown(entry.path),
        remedy=f"ask {entry.owner} or the host's administrators for "
        f"group {host.group or 'ownership'} and g+rwxs on it",
    )


def _doubt(host: HostReader, entry: Entry, its: str, *, explained: bool) -> Finding | None:
    """What may be wrong for others than us in a folder where we can work."""
    if not explained:
        return Finding(
            "hosts.rights",
            Severity.NOTE,
            f"only an access list allows writing there: {its}; colleagues may not be on it",
            where=host.shown(entry.path),
            remedy="check it with getfacl on the host",
        )
    if entry.path and host.group and not entry.mode & _HANDS_DOWN:
        return Finding(
            "hosts.rights",
            Severity.WARN,
            f"new files there do not get its group: {its}",
            where=host.shown(entry.path),
            remedy=f"ask {entry.owner} to run `chmod g+s` on it",
        )
    return None


def _lets_read(entry: Entry) -> bool:
    return entry.mode & _READERS[entry.kind] == _READERS[entry.kind]
