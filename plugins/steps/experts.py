"""Experts: the arrival of what others built, by signed manifest and never by mere file name.

Each expert has an inbox on the downloads host, a hidden folder that users are not led to. What
is in it counts once a manifest lists every awaited file of this release, signed by a key of the
roster, and the host itself computes the digests that the manifest lists. Files that were put
straight into the public folder are adopted as they are there (``adoption``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from doit_receipts.durable import write_whole
from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.printable import counted, share
from doit_receipts.probe import Probe, absent, different, identical
from plugins.model.content import Content, NamedFile
from plugins.model.manifest import MANIFEST, Manifest
from plugins.model.promise import parts_folders
from plugins.model.published_file import Origin
from plugins.model.remote_layout import RemoteLayout
from plugins.ports.host import Kind
from plugins.ports.signing import Verdict
from plugins.steps.area_files import refuse_no_folders
from plugins.steps.host_modes import FOLDER_MODE, HIDDEN_MODE, WrongModes, wrong_modes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from plugins.model.awaited import Awaited
    from plugins.model.contract import Contract
    from plugins.model.layout import Layout
    from plugins.model.release import Release
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import Entry, Host, HostReader
    from plugins.ports.signing import Verifier

__all__ = [
    "FILE_MODE",
    "adopted_file",
    "brings",
    "few",
    "files_in",
    "keep_adopted",
    "look_inboxes",
    "look_taken",
    "manifest_file",
    "open_inboxes",
    "signed_for",
    "take",
    "with_brought",
    "with_extras",
]

FILE_MODE: Final = 0o644
"""Of what users download: nobody but its owner writes to what is public."""
_MOST_BYTES: Final = 1 << 20


def manifest_file(layout: Layout, role: str) -> Path:
    """Where the manifest is kept on this machine once it was judged; ``.asc`` beside it."""
    return layout.work / "experts" / role / MANIFEST


def adopted_file(layout: Layout, role: str) -> Path:
    """Where it is kept which files of the expert count, with their digests; whatever proves them.

    The expert's approval is of this file: it is what a person reads before they sign.
    """
    return layout.adopted(role)


def keep_adopted(
    release: Release, role: str, arrived: Mapping[str, str], *, commit: str
) -> dict[str, str]:
    """The files of the expert are on one list from now on, as they were found when they arrived.

    ``arrived`` are the facts of that: it is a task of its own, so that a release which an earlier
    version of this tool began gets its list without waiting for the expert once more.
    """
    files = files_in(arrived)
    manifest = Manifest.of(str(release.version), role, commit, files)
    write_whole(adopted_file(release.layout, role), manifest.to_bytes())
    return {"files": str(len(files))}


def files_in(arrived: Mapping[str, str]) -> tuple[NamedFile, ...]:
    """The files in the facts of an expert's arrival."""
    return tuple(
        NamedFile(name, Content.from_fact(fact)) for name, fact in arrived.items() if "/" in name
    )


def look_inboxes(release: Release, host: HostReader, roles: Sequence[str]) -> Probe:
    """Whether each expert has an inbox that they may write to.

    A run that was killed may have made folders whose rights are not given yet. Raises
    ServiceFailed where something else has the place of one.
    """
    paths = _inboxes(release, roles)
    found = host.look(paths)
    refuse_no_folders(found, host)
    missing = [path for path, entry in zip(paths, found, strict=True) if entry is None]
    if missing:
        return absent(f"{', '.join(host.shown(path) for path in missing)} not created yet")
    closed = [entry.path for entry in found if entry is not None and not _is_open(entry, host)]
    if closed:
        places = ", ".join(host.shown(path) for path in closed)
        return absent(f"not a folder with mode {HIDDEN_MODE:o} and its group yet: {places}")
    return identical({"inboxes": ", ".join(paths)})


def open_inboxes(release: Release, host: Host, roles: Sequence[str]) -> dict[str, str]:
    """Each expert has a hidden folder on the downloads host that the group may write to."""
    paths = _inboxes(release, roles)
    host.make_folders(paths, HIDDEN_MODE)
    return {"inboxes": ", ".join(paths)}


def signed_for(
    release: Release,
    host: HostReader,
    verifier: Verifier,
    contract: Contract,
    awaited: Awaited,
    commit: str,
) -> dict[str, str]:
    """Everything that this expert owes is in the inbox, with the bytes that they signed for.

    What ``take`` has moved out of the inbox already counts where it is now.
    Source: release-tools polls for three names (inventory S01). Facts: size and sha256 of each
    file, and the key. Raises Waiting with who and what is missing; StepFailed at once for a
    manifest by a key that may not sign, of another release, with names that nobody awaits, or
    with other digests than the host computes.
    """
    inbox = RemoteLayout(release.version).inbox(awaited.role)
    there = {
        entry.path.removeprefix(f"{inbox}/"): entry
        for entry in host.listing(inbox)
        if entry.kind is Kind.FILE
    }
    manifest, key = _manifest(release, host, verifier, awaited, there, inbox)
    _refuse_wrong(release, manifest, contract, awaited, commit)
    there |= _taken(release, host, manifest, there)
    _complete(host, manifest, awaited, there)
    files = {file.name: file.content.fact for file in manifest.files}
    digest = hashlib.sha256(manifest.to_bytes()).hexdigest()
    return {"key": key, "manifest": digest, **files}


def look_taken(release: Release, host: HostReader, role: str, area: StagingArea) -> Probe:
    """Whether all that the manifest lists is in the staging folder, or is public already."""
    manifest = _judged(release, role)
    staged = _entries_at(
        host, {file.name: _at(file, area, area.staging) for file in manifest.files}
    )
    public = _entries_at(host, {file.name: _at(file, area, area.final) for file in manifest.files})
    found = {**public, **staged}
    wrong = _wrong_modes(found.values(), host)
    # The host cannot compute digests of a colleague's file that is closed to us.
    closed = wrong.of_others().probe(host)
    if closed is not None:
        return closed
    digests = host.digests(list(found.values()))
    for file in manifest.files:
        entry = found.get(file.name)
        if entry is not None and digests.get(entry.path) != file.content.sha256:
            return different(
                f"{host.shown(entry.path)} does not match what {role} signed",
                "find out who put it there; it is not overwritten",
                (f"found  {digests.get(entry.path)}", f"wanted {file.content.sha256}"),
            )
    missing = [file.name for file in manifest.files if file.name not in found]
    if missing:
        return absent(f"{share(len(missing), len(manifest.files), 'file')} not taken over yet")
    originals = _left_behind(release, host, role, manifest, staged)
    if originals:
        return absent(
            counted(len(originals), "of the expert's own files is", "of the expert's own files are")
            + " still in the inbox"
        )
    unlike = wrong.probe(host)
    if unlike is not None:
        return unlike
    return identical({file.name: file.content.sha256 for file in manifest.files})


def take(release: Release, host: Host, role: str, area: StagingArea) -> dict[str, str]:
    """The expert's files are staged as copies of ours, made on the host, and their inbox is empty.

    A rename would keep the file itself, and whoever has another name of it, or has it open, could
    change it behind every check. The copies are compared with what was signed for before anything
    is removed. Files that are in the public folder stay there, and those of others keep their
    modes. Raises StepFailed if a file changed since it was judged.
    """
    manifest = _judged(release, role)
    inbox = RemoteLayout(release.version).inbox(role)
    public = _entries_at(host, {file.name: _at(file, area, area.final) for file in manifest.files})
    wanted = {
        file.name: _at(file, area, area.staging)
        for file in manifest.files
        if file.name not in public
    }
    present = _entries_at(host, wanted)
    left = {path: place for path, place in wanted.items() if path not in present}
    folders = {place.rpartition("/")[0] for place in left.values()} - {area.staging}
    if folders:
        host.make_folders(sorted(folders), FOLDER_MODE)
    host.copy([(f"{inbox}/{path}", place) for path, place in left.items()])
    staged = _entries_at(host, wanted)
    _refuse_changed(host, manifest, {path: staged[path] for path in left if path in staged})
    host.remove([entry.path for entry in _left_behind(release, host, role, manifest, staged)])
    _wrong_modes([*staged.values(), *public.values()], host).mend(host)
    return {file.name: file.content.sha256 for file in manifest.files}


def _refuse_changed(host: Host, manifest: Manifest, copies: Mapping[str, Entry]) -> None:
    """Each copy has the bytes that were signed for; one that has not is removed again."""
    digests = host.digests(list(copies.values()))
    for file in manifest.files:
        copy = copies.get(file.name)
        if copy is None or digests.get(copy.path) == file.content.sha256:
            continue
        host.remove([copy.path])
        raise StepFailed(
            where=file.name,
            problem="was changed after it was judged: found sha256 "
            f"{digests.get(copy.path, 'no file')[:16]}, signed {file.content.sha256[:16]}",
            remedy="ask the expert who changed it; nothing of it was published",
        )


def _left_behind(
    release: Release,
    host: HostReader,
    role: str,
    manifest: Manifest,
    staged: Mapping[str, Entry],
) -> list[Entry]:
    """The originals of files that are staged, as far as they still are what was copied."""
    inbox = RemoteLayout(release.version).inbox(role)
    names = {file.name: f"{inbox}/{file.name}" for file in manifest.files if file.name in staged}
    found = _entries_at(host, names)
    digests = host.digests(list(found.values())) if found else {}
    return [
        found[file.name]
        for file in manifest.files
        if file.name in found and digests.get(found[file.name].path) == file.content.sha256
    ]


def with_brought(
    files: Sequence[NamedFile],
    release: Release,
    roles: Sequence[str],
    area: StagingArea,
    more: Sequence[NamedFile] = (),
) -> tuple[NamedFile, ...]:
    """These files, ``more`` and what the experts brought, as they are in the staging folder."""
    found = [*files, *more]
    for role in roles:
        for file in _judged(release, role).files:
            name = _at(file, area, "").removeprefix("/")
            found.append(NamedFile(name, file.content))
    return tuple(sorted(found, key=lambda file: file.name))


def with_extras(contract: Contract, files: Sequence[NamedFile], area: StagingArea) -> Contract:
    """The contract with what experts brought beyond what they must: parts, SBOMs, signatures.

    Users get these too, so they are purged, downloaded and compared, and rows name them.
    """
    return contract.with_extras(f"{area.final}/{file.name}" for file in files)


# ── inside ─────────────────────────────────────────────────────────────────────────────────


def _wrong_modes(entries: Iterable[Entry], host: HostReader) -> WrongModes:
    return wrong_modes([(entry, FILE_MODE) for entry in entries], host)


def _is_open(entry: Entry, host: HostReader) -> bool:
    """Whether it is a folder that its group writes to, and nobody else looks into.

    What is put into it has to get its group, or nobody but who brought it could move it on.
    """
    if entry.kind is not Kind.FOLDER or entry.mode & 0o077 != 0o070:
        return False
    return not host.group or (entry.group == host.group and bool(entry.mode & 0o2000))


def _inboxes(release: Release, roles: Sequence[str]) -> list[str]:
    """Every folder that experts find: were the inner one theirs, nobody else could move files."""
    paths = [RemoteLayout(release.version).inbox(role) for role in roles]
    inner = [f"{path}/{release.version.folder}" for path in paths]
    if Origin.WINDOWS.value in roles:
        inbox = RemoteLayout(release.version).inbox(Origin.WINDOWS.value)
        inner += [f"{inbox}/{folder}" for folder in parts_folders(release)]
    return [*dict.fromkeys(path.partition("/")[0] for path in paths), *paths, *inner]


def _taken(
    release: Release, host: HostReader, manifest: Manifest, there: Mapping[str, Entry]
) -> dict[str, Entry]:
    """Files of the manifest that have left the inbox for where they are staged, or public."""
    area = RemoteLayout(release.version).downloads
    gone = [file for file in manifest.files if file.name not in there]
    places = (area.final, area.staging)
    found: dict[str, Entry] = {}
    for folder in places if gone else ():
        found |= _entries_at(host, {file.name: _at(file, area, folder) for file in gone})
    return found


def _manifest(
    release: Release,
    host: HostReader,
    verifier: Verifier,
    awaited: Awaited,
    there: Mapping[str, Entry],
    inbox: str,
) -> tuple[Manifest, str]:
    """The manifest and the key that signed it, kept on this machine."""
    names = (MANIFEST, f"{MANIFEST}.asc")
    if not all(name in there for name in names):
        raise _waiting(awaited, host, there, "no signed manifest yet", inbox)
    kept = manifest_file(release.layout, awaited.role)
    files = (kept, kept.with_name(f"{kept.name}.asc"))
    for name, file in zip(names, files, strict=True):
        write_whole(file, host.read(f"{inbox}/{name}", _MOST_BYTES))
    found = verifier.verify_by(*files, awaited.keys)
    if found.verdict is not Verdict.GOOD:
        for file in files:
            file.unlink()
        raise StepFailed(
            where=f"manifest of {awaited.name} ({awaited.role})",
            problem=f"its signature: {found.problem}",
            remedy="ask them by another way than this whether it is theirs; a key that may sign "
            f"is listed in [experts.{awaited.role}] keys",
        )
    return Manifest.from_bytes(kept.read_bytes(), f"manifest of {awaited.name}"), found.fingerprint


def _refuse_wrong(
    release: Release, manifest: Manifest, contract: Contract, awaited: Awaited, commit: str
) -> None:
    where = f"manifest of {awaited.name} ({awaited.role})"
    stated = (
        ("version", manifest.version, str(release.version)),
        ("role", manifest.role, awaited.role),
        ("commit", manifest.commit, commit),
    )
    for what, there, here in stated:
        if there != here:
            raise StepFailed(
                where=where,
                problem=f"is of another {what}: {there}",
                remedy="ask them to build this release and sign for it",
                details=(f"found  {there}", f"wanted {here}"),
            )
    for file in manifest.files:
        may = file.name in awaited.files or brings(contract, file.name, awaited.role)
        if not may:
            raise StepFailed(
                where=where,
                problem=f"lists {file.name}, which is not expected from them",
                remedy="ask the expert; if it belongs there, add it to plugins/model/binaries.py",
            )


def brings(contract: Contract, path: str, role: str) -> bool:
    """Whether the expert of this role may bring the file beyond what they must."""
    found = contract.brought(path)
    return found is not None and found.origin.value == role


def _complete(
    host: HostReader, manifest: Manifest, awaited: Awaited, there: Mapping[str, Entry]
) -> None:
    listed = {file.name for file in manifest.files}
    unlisted = [path for path in awaited.files if path not in listed]
    if unlisted:
        raise Waiting(
            who=f"{awaited.name} ({awaited.role})",
            problem=f"the manifest lists {len(awaited.files) - len(unlisted)} of "
            f"{counted(len(awaited.files), 'file')}; missing {few(unlisted)}",
            remedy="they upload the rest and sign for all of it",
        )
    short = [
        file.name
        for file in manifest.files
        if file.name not in there or there[file.name].size_bytes < file.content.size_bytes
    ]
    if short:
        raise Waiting(
            who=f"{awaited.name} ({awaited.role})",
            problem=f"{share(len(listed) - len(short), len(listed), 'file', 'is', 'are')} complete;"
            f" missing or cut short {few(short)}",
            remedy="check whether their upload is still running",
        )
    _same_bytes(host, manifest, awaited, there)


def _same_bytes(
    host: HostReader, manifest: Manifest, awaited: Awaited, there: Mapping[str, Entry]
) -> None:
    digests = host.digests([there[file.name] for file in manifest.files])
    for file in manifest.files:
        found = digests.get(there[file.name].path, "nothing")
        if found != file.content.sha256:
            raise StepFailed(
                where=f"{awaited.name} ({awaited.role})",
                problem=f"{file.name} does not match its digest in the manifest on the host",
                remedy="ask the expert to upload it again, or to sign a new manifest",
                details=(f"manifest {file.content.sha256}", f"host     {found}"),
            )


def _waiting(
    awaited: Awaited, host: HostReader, there: Mapping[str, Entry], problem: str, inbox: str
) -> Waiting:
    missing = [path for path in awaited.files if path not in there]
    count = len(awaited.files) - len(missing)
    arrived = f"{problem}; {share(count, len(awaited.files), 'file', 'has', 'have')} arrived"
    return Waiting(
        who=f"{awaited.name} ({awaited.role})",
        problem=f"{arrived}; missing {few(missing)}" if missing else arrived,
        remedy=f"they go to {host.shown(inbox)}",
    )


def _judged(release: Release, role: str) -> Manifest:
    file = adopted_file(release.layout, role)
    try:
        return Manifest.from_bytes(file.read_bytes(), f"list of the files of {role}")
    except FileNotFoundError as error:
        raise StepFailed(
            where=f"list of the files of {role}",
            problem="does not exist",
            remedy="run the same command again: the step that fetches it is stale",
        ) from error


def _at(file: NamedFile, area: StagingArea, folder: str) -> str:
    """Where a file is below one of the area's two folders."""
    top, _, rest = file.name.partition("/")
    if top != area.final:
        raise StepFailed(
            where=file.name,
            problem=f"is not below {area.final}",
            remedy="this is a bug of plugins/model/promise.py: please report it",
        )
    return f"{folder}/{rest}"


def _entries_at(host: HostReader, places: Mapping[str, str]) -> dict[str, Entry]:
    found = host.look(list(places.values()))
    return {path: entry for path, entry in zip(places, found, strict=True) if entry is not None}


def few(paths: Sequence[str]) -> str:
    """The first paths, and how many more there are: a line stays a line."""
    more = f" and {len(paths) - 2} more" if len(paths) > 2 else ""
    return ", ".join(paths[:2]) + more
