"""Hosts: whether the release's files can be put where users fetch them (P07, P08, P09)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from checks.looking import blocks_if_blind
from doit_receipts.errors import ReleaseError
from doit_receipts.finding import Finding, Severity
from plugins.ports.host import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plugins.model.contract import Contract
    from plugins.ports.host import Entry, Host

__all__ = ["host_has_room", "host_is_reached", "rights_are_usable"]

_SKEW_S: Final = 120
_PROBE: Final = ".pep101-probe"
_PROBE_MODE: Final = 0o2770
_FOLDER_MODE: Final = 0o2775
_GROUP_WRITES: Final = 0o030
_SPARE: Final = 1.1
"""Room for what others upload meanwhile."""


@blocks_if_blind("hosts.login")
def host_is_reached(host: Host) -> tuple[Finding, ...]:
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
                f"{login.user} is not of group {host.group} (of {', '.join(login.groups)})",
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
                remedy="look which of the two is wrong, and tell the host's administrators",
            )
        )
    return tuple(findings)


@blocks_if_blind("hosts.rights")
def rights_are_usable(host: Host, folders: Sequence[str]) -> tuple[Finding, ...]:
    """In each folder we can make, change, rename and delete; it is tried with an empty probe.

    A folder that is not there yet is tried in the nearest that is. Source: P09; the rights of
    3.14.4's folder were found to be wrong in the middle of the release (release-tools#391).
    """
    findings = []
    for there in dict.fromkeys(_nearest(folder, host) for folder in folders):
        entry = host.look([there])[0] if there else None
        if entry is not None and (problem := _foreign(entry, host)):
            findings.append(_rights(host, there, problem, entry))
            continue
        try:
            _probe(there, host)
        except ReleaseError as error:
            findings.append(_rights(host, there, error.problem, entry))
    return tuple(findings)


@blocks_if_blind("hosts.space")
def host_has_room(
    host: Host, folder: str, contract: Contract, gathered: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """What is still to come of the release's files finds room there, and a tenth more.

    A file that users see came already, and so did one of that name in the hidden folders where
    the release is ``gathered``; what other releases have in the same folder did not.
    """
    there = _nearest(folder, host)
    free = host.free_bytes(there)
    hidden = {entry.path.rpartition("/")[2] for path in gathered for entry in host.listing(path)}
    shown = host.look([file.remote for file in contract.files])
    needed_bytes = sum(
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
            f"{free // 1_000_000} MB are free, and {needed_bytes // 1_000_000} MB will come",
            where=host.shown(there),
            remedy="ask the host's administrators for room",
        ),
    )


def _nearest(folder: str, host: Host) -> str:
    """The folder, or the nearest one above it that is there; "" is the root."""
    while folder and host.look([folder])[0] is None:
        folder = folder.rpartition("/")[0]
    return folder


def _foreign(entry: Entry, host: Host) -> str:
    if entry.kind is not Kind.FOLDER:
        return f"is a {entry.kind.value}, wanted a folder"
    if host.group and entry.group != host.group:
        return f"was made by {entry.owner} and is of group {entry.group}, wanted {host.group}"
    if host.group and entry.mode & _GROUP_WRITES != _GROUP_WRITES:
        return f"was made by {entry.owner}, and group {entry.group} may not write there"
    return ""


def _probe(folder: str, host: Host) -> None:
    """Everything that staging and switch do, on an empty folder that nobody sees."""
    start = f"{folder}/" if folder else ""
    probe, moved = f"{start}{_PROBE}", f"{start}{_PROBE}-moved"
    host.remove([probe, moved])
    try:
        host.make_folders([probe], _PROBE_MODE)
        host.rename([(probe, moved)])
        host.change([moved], _FOLDER_MODE)
    finally:
        host.remove([probe, moved])


def _rights(host: Host, folder: str, problem: str, entry: Entry | None) -> Finding:
    whom = f"{entry.owner} or the host's administrators" if entry else "the host's administrators"
    return Finding(
        "hosts.rights",
        Severity.BLOCK,
        problem,
        where=host.shown(folder),
        remedy=f"ask {whom} for group {host.group or 'ownership'} and g+rwxs on it",
    )
