"""Adoption: files that experts or the pipeline put straight where users see them, as they are.

Most of them never write a manifest. The pipeline of Windows uploads into the release's public
folder, and the macOS expert copies the installer there, as they did before this tool. Nothing of
that has to be done again: the host computes the digests, and whatever states them elsewhere is
compared with them, the tables of the pipeline first. What nothing else states is shown to the
expert, whose approval is of these very digests (see ``experts`` for signed manifests).

A file that is adopted is never moved, changed or replaced. From here on its digest counts like
that of one of ours: the switch, the website's rows, the bundles and the announcement all wait for
the same bytes. Where the bytes change after that, everything that was made from them stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.printable import share
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import MANIFEST, Manifest
from plugins.model.package_head import HEAD_BYTES, needed_bytes
from plugins.model.promise import parts_folders
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.host import Kind
from plugins.steps import experts
from plugins.steps.experts import FILE_MODE, few
from plugins.steps.host_modes import refuse_closed, wrong_modes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from plugins.model.awaited import Awaited
    from plugins.model.contract import Contract
    from plugins.model.release import Release
    from plugins.ports.clock import Clock
    from plugins.ports.host import Entry, HostReader
    from plugins.ports.signing import Verifier

__all__ = ["arrived"]


def arrived(
    release: Release,
    host: HostReader,
    verifier: Verifier,
    contract: Contract,
    awaited: Awaited,
    clock: Clock,
    *,
    commit: str,
    until: datetime | None = None,
) -> dict[str, str]:
    """Everything that this expert owes is on the host, and its digests are known (rule 23).

    A signed manifest in their inbox counts before anything else. Without one, their files are
    looked for in the public folder. Either way a file that has another digest than the pipeline
    reported is refused. Facts: size and sha256 of each file, and what proves them. Raises Waiting
    with who and what is missing, or is still being uploaded; StepFailed for other digests, for what
    is no plain file, and for anything that is missing at ``until``.
    """
    inbox = RemoteLayout(release.version).inbox(awaited.role)
    names = {entry.path.removeprefix(f"{inbox}/") for entry in host.listing(inbox)}
    try:
        if names & {MANIFEST, f"{MANIFEST}.asc", *awaited.files}:
            facts = experts.signed_for(release, host, verifier, contract, awaited, commit)
            _same_as_reported(experts.files_in(facts), _reported(awaited.reported), host)
            return facts
        return _in_public(release, host, contract, awaited)
    except Waiting as error:
        _refuse_late(error, awaited, clock, until)
        raise


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _refuse_late(error: Waiting, awaited: Awaited, clock: Clock, until: datetime | None) -> None:
    """Raise StepFailed if whoever is waited for is later than ``until``."""
    if until is None or clock.now() <= until:
        return
    raise StepFailed(
        where=f"{awaited.name} ({awaited.role})",
        problem=f"has not supplied everything by {until:%Y-%m-%d %H:%M} UTC: {error.problem}",
        remedy="ask them; or raise [work] wait_days; or release without, "
        "by a waiver that page and announcement state",
        details=error.details,
    ) from error


def _in_public(
    release: Release, host: HostReader, contract: Contract, awaited: Awaited
) -> dict[str, str]:
    found = _public_entries(release, host, contract, awaited)
    reported = _reported(awaited.reported)
    _complete(host, found, reported, awaited)
    digests = host.digests(list(found.values()))
    files = [
        NamedFile(path, Content(entry.size_bytes, digests.get(entry.path, "")))
        for path, entry in found.items()
    ]
    _same_as_reported(files, reported, host)
    by_pipeline = sum(file.name in reported for file in files)
    return {
        "evidence": f"{share(by_pipeline, len(files), 'digest', 'is', 'are')} the pipeline's; "
        "the approval is of all of them",
        **{file.name: file.content.fact for file in files},
    }


def _public_entries(
    release: Release, host: HostReader, contract: Contract, awaited: Awaited
) -> dict[str, Entry]:
    """What is in the public folder of all that the expert owes or may bring, by path."""
    folder = RemoteLayout(release.version).downloads.final
    parts = parts_folders(release) if awaited.role == Origin.WINDOWS.value else ()
    listed = host.listing(folder, fetches=bool(parts))
    refuse_closed(listed, host, parts.__contains__)
    found = {
        entry.path: entry
        for entry in listed
        if entry.kind is not Kind.FOLDER
        and (entry.path in awaited.files or experts.brings(contract, entry.path, awaited.role))
    }
    missing = [path for path in awaited.files if path not in found]
    if missing:
        count = len(awaited.files) - len(missing)
        raise Waiting(
            who=f"{awaited.name} ({awaited.role})",
            problem=(
                f"{share(count, len(awaited.files), 'file', 'has', 'have')} arrived; "
                f"missing {few(missing)}"
            ),
            remedy=f"they go to {host.shown(folder)} as always, or with a signed manifest to "
            f"{host.shown(RemoteLayout(release.version).inbox(awaited.role))}",
        )
    for path, entry in found.items():
        if entry.kind is not Kind.FILE:
            raise StepFailed(
                where=host.shown(path),
                problem=f"is a {entry.kind.value}, wanted a file",
                remedy=f"ask {entry.owner} for the file itself",
            )
    wrong = wrong_modes([(entry, FILE_MODE) for entry in found.values()], host)
    if wrong.others:
        entry, mode = wrong.others[0]
        raise Waiting(
            who=entry.owner,
            problem=f"{host.shown(entry.path)} belongs to {entry.owner} and has mode "
            f"{entry.mode:o}, wanted {mode:o}",
            remedy=f"{wrong.remedy(host)}; only the owner can change it",
        )
    return found


def _reported(file: Path | None) -> dict[str, NamedFile]:
    """The files that the pipeline reported, by path; none where there is no pipeline."""
    if file is None or not file.is_file():
        return {}
    return Manifest.from_bytes(file.read_bytes(), "digests of the pipeline").by_name


def _complete(
    host: HostReader,
    found: Mapping[str, Entry],
    reported: Mapping[str, NamedFile],
    awaited: Awaited,
) -> None:
    """Raise Waiting for files that are shorter than they have to be."""
    short = []
    for path, entry in found.items():
        if path in reported:
            wanted = reported[path].content.size_bytes
        elif path.endswith((".exe", ".pkg")):
            wanted = needed_bytes(path, host.read(path, HEAD_BYTES))
        else:
            wanted = 1
        if entry.size_bytes < wanted:
            short.append(f"{path} ({entry.size_bytes:,} of {wanted:,} bytes)")
    if short:
        raise Waiting(
            who=f"{awaited.name} ({awaited.role})",
            problem=f"{share(len(found) - len(short), len(found), 'file', 'is', 'are')} complete; "
            f"cut short {few(short)}",
            remedy="check whether their upload is still running",
        )


def _same_as_reported(
    files: Sequence[NamedFile], reported: Mapping[str, NamedFile], host: HostReader
) -> None:
    for file in files:
        by_pipeline = reported.get(file.name)
        if by_pipeline is None or by_pipeline.content.sha256 == file.content.sha256:
            continue
        raise StepFailed(
            where=host.shown(file.name),
            problem="does not match the digest of the pipeline that built it",
            remedy="do not announce the release; ask who uploaded it, and which of the two is "
            "right; doit forget fetch_windows_digests has the next run ask the pipeline once more",
            details=(
                f"pipeline {by_pipeline.content.sha256}",
                f"host     {file.content.sha256}",
            ),
        )
