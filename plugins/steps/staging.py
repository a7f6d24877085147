"""Staging: files gathered in a hidden folder on a host, then shown to users in one switch.

Every file of a release was public as soon as it was uploaded (release-tools#185). Here all of
them go to a folder that only the group can read, beside the final one. Their digests are
computed there, and renames put them into place, what describes a file before the file itself.
Nothing that is in the final folder is ever replaced.

Files of others may be in the final folder before anything of ours is: experts, and the pipeline
of Windows, upload straight to where users see it, some of them hours before the switch. What
follows from that:

* The final folder is made early, by us and for the group (``shared``), so that it is not made by
  somebody whose folder nobody else can write to. An empty folder shows nothing.
* The right bytes in the final folder count as in place, whoever put them there, before the hidden
  folder is looked at. Other bytes under a wanted name stop everything; they are never replaced.
* The mode of somebody else's file is never changed (``host_modes``). One that users cannot read
  stops the switch, with its owner's name; nothing else waits for that.
* The switch renames file by file then, descriptions first. Until all promised files are in place
  it is not done, and page and announcement come after it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ReleaseError, StepFailed
from doit_receipts.printable import share
from doit_receipts.probe import absent, identical
from plugins.model.content import Content, NamedFile
from plugins.ports.host import Kind, Upload
from plugins.ports.signing import Verdict
from plugins.steps.area_files import (
    AreaFiles,
    copy_of,
    few,
    inner_folders,
)
from plugins.steps.host_modes import CLOSED_MODE, FOLDER_MODE, HIDDEN_MODE, SHOWN_MODE
from plugins.steps.staging_folders import left_closed, reserve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from doit_receipts.artifact import Artifact
    from doit_receipts.probe import Probe
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import Host, HostReader
    from plugins.ports.progress import Progress
    from plugins.ports.signing import Signature, Signer

__all__ = [
    "known",
    "look_staged",
    "look_switched",
    "stage",
    "switch",
    "verify_staged",
    "wanted",
]


# What a watcher fetches first describes what it fetches next.
_DESCRIBING: Final = (".asc", ".sig", ".sigstore", ".crt", ".spdx.json", "SUMS", ".json")
_STAGED_AGAIN: Final = (
    "remove it there, then run doit forget stage_files, then the same command again"
)


def wanted(artifacts: Iterable[Artifact]) -> tuple[NamedFile, ...]:
    """Files of this machine that are to be on a host under their own names, sorted."""
    found = (
        NamedFile(made.path.name, Content(made.size_bytes, made.sha256), made.path)
        for made in artifacts
    )
    return tuple(sorted(found, key=lambda file: file.name))


def known(
    files: Iterable[NamedFile],
    area: StagingArea,
    docs_archives: Iterable[NamedFile],
    docs_area: StagingArea,
) -> dict[str, str]:
    """The sha256 that users have to get of each file, by its path below the host's root.

    ``docs_archives`` are those of the documentation, in an area of their own.
    """
    shown = ((area, files), (docs_area, docs_archives))
    return {f"{at.final}/{file.name}": file.content.sha256 for at, these in shown for file in these}


def look_staged(files: Sequence[NamedFile], area: StagingArea, host: HostReader) -> Probe:
    """Whether every file is in the hidden folder, or already in the final one, with its
    bytes, digests computed there.
    """
    found_files = AreaFiles.of(files, area, host)
    clash = found_files.closed.probe(host) or found_files.clash(files, area, host)
    if clash is not None:
        return clash
    missing = [file.name for file in files if found_files.place_of(file) is None]
    if missing:
        return absent(
            f"{share(len(files) - len(missing), len(files), 'file', 'is', 'are')} "
            f"staged: {few(missing)}"
        )
    wrong = found_files.wrong_modes(files, host).probe(host)
    if wrong is not None:
        return wrong
    if found_files.partials(files):
        return absent("a partial upload is left over")
    return identical({file.name: file.content.sha256 for file in files})


def stage(
    files: Sequence[NamedFile], area: StagingArea, host: Host, progress: Progress
) -> dict[str, str]:
    """Every file of this machine is in the hidden folder, complete, with its mode and group.

    Half an upload is continued. What is right already, there or in the final folder, is kept.
    """
    reserve(area, host)
    found_files = AreaFiles.of(files, area, host)
    uploads = [
        Upload(file.source, f"{area.staging}/{file.name}", file.content.size_bytes, file.mode)
        for file in files
        if file.source is not None
        and found_files.place_of(file) is None
        and not found_files.is_closed(file)
    ]
    if uploads:
        host.put(uploads, progress)
        progress.say("comparing digests on the host")
        found_files = AreaFiles.of(files, area, host)
    partials = found_files.partials(files)
    if partials:
        host.remove(partials)
    found_files.wrong_modes(files, host).mend(host)
    found_files.closed.refuse_others(host)
    return {}


def verify_staged(
    files: Sequence[NamedFile], area: StagingArea, host: HostReader, signer: Signer
) -> dict[str, str]:
    """Every signature verifies for the bytes that are there (U08).

    gpg there says so where it has the key; in any case it was said here, and the digests there
    are those of the files here. 3.8.20, 3.9.20 and 3.10.16 went out without signatures.
    """
    by_name = {file.name: file for file in files}
    found_files = AreaFiles.of(files, area, host)
    facts = {}
    for name, signature in sorted(by_name.items()):
        signed = by_name.get(name.removesuffix(".asc"))
        if not name.endswith(".asc") or signed is None or signature.source is None:
            continue
        places = found_files.place_of(signed), found_files.place_of(signature)
        if places[0] is None or places[1] is None:
            raise StepFailed(
                where=host.shown(area.staging),
                problem=f"{name} or its file is missing, or another one",
                remedy=f"find out who changed it; {_STAGED_AGAIN}",
            )  # fmt: skip
        if signed.source is not None and signature.source is not None:
            here = signer.verify(signed.source, signature.source)
            if here.problem:
                raise StepFailed(
                    where=host.shown(places[1].path),
                    problem=f"is not a valid signature: {here.problem}",
                    remedy=_signed_again(here, signer),
                )
        there = host.verify(places[0].path, places[1].path)
        if there is None or there.verdict is Verdict.UNREADABLE:
            objection = ""
        elif not there.problem and there.fingerprint != signer.fingerprint:
            objection = f"made by key {there.fingerprint}, wanted {signer.fingerprint}"
        else:
            objection = there.problem
        if there is not None and objection:
            raise StepFailed(
                where=host.shown(places[1].path),
                problem=f"is a valid signature here, but gpg there says: {objection}",
                remedy=_known_there(there, signer),
            )
        facts[name] = signer.fingerprint
    return facts


def _signed_again(here: Signature, signer: Signer) -> str:
    """The bytes there are ours, so what is wrong with the signature is wrong here."""
    if here.verdict is Verdict.EXPIRED and signer.fingerprint in here.problem:
        extend = f"gpg --quick-set-expire {signer.fingerprint} 2y"
        return (
            f"extend the key here: {extend}, then the same command again; where a subkey signs, "
            "put its fingerprint after 2y"
        )
    return (
        "check [signing] gpg_key, remove the signature there, then run doit forget sign_archives, "
        "then the same command again"
    )


def _known_there(there: Signature, signer: Signer) -> str:
    """Our own gpg accepts the same bytes, so what differs is what the keyring there knows."""
    if there.verdict is Verdict.EXPIRED:
        export = f"gpg --armor --export {signer.fingerprint}"
        return (
            f"the keyring there has an old copy of the key: write the key here with {export}, and "
            "gpg --import it there, then the same command again"
        )
    if there.verdict is Verdict.REVOKED:
        return (
            "find out who revoked the key: if you did, set [signing] gpg_key to another; if it is "
            "a mistake, delete the key from the keyring there, then the same command again"
        )
    return f"find out who replaced it or its file; {_STAGED_AGAIN}"


def look_switched(files: Sequence[NamedFile], area: StagingArea, host: HostReader) -> Probe:
    """Whether users see every file, with the right bytes and modes, and nothing is left over."""
    found_files = AreaFiles.of(files, area, host)
    clash = (
        found_files.closed.probe(host)
        or found_files.clash(files, area, host)
        or found_files.unexpected(files, area, host)
    )
    if clash is not None:
        return clash
    closed = found_files.closed_folders(area)
    hidden = [file.name for file in files if file.name not in found_files.final]
    if hidden:
        shut = f"; {left_closed(closed[0], host)}" if closed else ""
        return absent(
            f"{share(len(files) - len(hidden), len(files), 'file', 'is', 'are')} in "
            f"place: {few(hidden)}{shut}"
        )
    for wrong in (found_files.wrong_modes(files, host), found_files.wrong_folders(files, host)):
        if (probe := wrong.probe(host)) is not None:
            return probe
    if found_files.staging_folder is not None:
        return absent(f"{host.shown(area.staging)} still exists")
    return identical({"folder": area.final, **{file.name: file.content.sha256 for file in files}})


def switch(
    files: Sequence[NamedFile], area: StagingArea, host: Host, progress: Progress
) -> dict[str, str]:
    """Users see every file. This cannot be undone: what was seen is never replaced.

    The hidden folder is closed to all but us, then looked at once more, so that what is shown is
    what was judged. One rename of the folder if there is none yet, which users can read from then
    on, and the group can add to right afterwards; else one rename for each file;
    signatures, SBOMs and checksums come before the archives that they speak of. A colleague may
    still write to a file of theirs in it, so what is shown is a copy. A name that is taken stops
    it, unless the very same bytes are there. Where it stops, also by Ctrl-C or a signal, the group
    can use the folder again and no copy is left, as far as the host can still be reached.
    """
    found_files = _switchable(files, area, host)
    found_files.wrong_folders(files, host).mend(host)
    found_files.wrong_modes(files, host).mend(host)
    closed = _our_folders(found_files, host)
    copies = _copied(files, found_files, area, host)
    try:
        if closed:
            host.change(closed, CLOSED_MODE)
            found_files = _switchable(files, area, host)
            copies = _copied(files, found_files, area, host)
        host.remove(found_files.copies(files))  # of a run that was killed
        _copy(copies, area, host)
        _show(files, found_files, copies, closed, area, host, progress)
    except BaseException:
        # What went wrong is raised, and not what hinders this; the next look says what is left.
        left = [f"{area.staging}/{copy_of(name)}" for name in copies]
        with suppress(ReleaseError):
            host.remove([*left, *(f"{path}.partial" for path in left)])
        with suppress(ReleaseError):
            _open_again(closed, area, host)
        raise
    return {}


def _show(
    files: Sequence[NamedFile],
    found_files: AreaFiles,
    copies: Mapping[str, NamedFile],
    closed: Sequence[str],
    area: StagingArea,
    host: Host,
    progress: Progress,
) -> None:
    """The renames of a switch, and what is left of the hidden folder is gone."""
    if area.staging in closed and not copies and found_files.final_folder is None:
        progress.say(f"show {host.shown(area.final)}")
        # Before the rename, so that no user is ever refused. Its name is not public yet, all that
        # is in it was judged, and still nobody can add to it.
        host.change(closed, SHOWN_MODE)
        host.rename([(area.staging, area.final)])
        host.change(_final_names(closed, area), FOLDER_MODE)
        return
    if found_files.final_folder is None:
        host.make_folders([area.final], FOLDER_MODE)
    inner = inner_folders(files)
    _open_inner([file for file in files if file.name not in found_files.final], area, host)
    for group in _in_safe_order(files):
        moves = [
            (
                f"{area.staging}/{copy_of(file.name) if file.name in copies else file.name}",
                f"{area.final}/{file.name}",
            )
            for file in group
            if file.name not in found_files.final
        ]
        if moves:
            progress.say(f"show {few([new for _, new in moves])}")
            host.rename(moves)
    left = [*(file.name for file in files), *reversed(inner)]
    host.remove([*(f"{area.staging}/{name}" for name in left), area.staging])


def _switchable(files: Sequence[NamedFile], area: StagingArea, host: Host) -> AreaFiles:
    """What is on the host, as it may be shown. Raises StepFailed for anything else."""
    found_files = AreaFiles.of(files, area, host)
    found_files.closed.refuse_others(host)
    problem = found_files.clash(files, area, host) or found_files.unexpected(files, area, host)
    if problem is not None:
        raise StepFailed(
            where=host.shown(area.final), problem=problem.problem, remedy=problem.remedy,
            details=problem.details,
        )  # fmt: skip
    missing = [file.name for file in files if found_files.place_of(file) is None]
    if missing:
        raise StepFailed(
            where=host.shown(area.staging), problem=f"{few(missing)} not staged",
            remedy="stage them first",
        )  # fmt: skip
    return found_files


def _our_folders(found_files: AreaFiles, host: Host) -> list[str]:
    """Ours of the hidden folders, which we can close to all others; outer ones first."""
    top = found_files.staging_folder
    found = [each for each in (top, *found_files.staging.values()) if each is not None]
    user = host.login().user
    return [
        each.path for each in found if each.kind is Kind.FOLDER and user in (each.owner, "root")
    ]


def _open_again(closed: Sequence[str], area: StagingArea, host: Host) -> None:
    """The group can use the folders of ours that were closed, also those that users see by now."""
    hidden = [entry.path for entry in host.look(closed) if entry is not None]
    host.change(hidden, HIDDEN_MODE)
    user = host.login().user
    shown = [
        entry.path
        for entry in host.look(_final_names(closed, area))
        if entry is not None and user in (entry.owner, "root")
    ]
    host.change(shown, FOLDER_MODE)


def _final_names(hidden: Sequence[str], area: StagingArea) -> list[str]:
    return [area.final + path.removeprefix(area.staging) for path in hidden]


def _copied(
    files: Sequence[NamedFile], found_files: AreaFiles, area: StagingArea, host: Host
) -> dict[str, NamedFile]:
    """Those of colleagues' files, by name, that are still hidden: what is shown is a copy."""
    user = host.login().user
    return {
        file.name: file
        for file in files
        if (place := found_files.place_of(file)) is not None
        and place.path.startswith(f"{area.staging}/")
        and user not in (place.owner, "root")
    }


def _copy(copies: Mapping[str, NamedFile], area: StagingArea, host: Host) -> None:
    """Each of them has a copy of ours in the hidden folder, with the bytes that are wanted."""
    paths = {name: f"{area.staging}/{copy_of(name)}" for name in copies}
    host.copy([(f"{area.staging}/{name}", path) for name, path in paths.items()])
    for name, path in paths.items():
        host.change([path], copies[name].mode)
    made = [each for each in host.look(list(paths.values())) if each is not None]
    digests = host.digests(made)
    for name, path in paths.items():
        if digests.get(path) != copies[name].content.sha256:
            raise StepFailed(
                where=host.shown(f"{area.staging}/{name}"), problem="was changed meanwhile",
                remedy="find out who changed it; nothing of it was published",
            )  # fmt: skip


def _in_safe_order(files: Sequence[NamedFile]) -> tuple[list[NamedFile], list[NamedFile]]:
    describing = [file for file in files if file.name.endswith(_DESCRIBING)]
    return describing, [file for file in files if file not in describing]


def _open_inner(files: Sequence[NamedFile], area: StagingArea, host: Host) -> None:
    """The folders that these files move into are there; one that others made stays as it is."""
    paths = [f"{area.final}/{each}" for each in inner_folders(files)]
    there = host.look(paths) if paths else ()
    me = host.login().user if any(there) else ""
    ours = [
        path
        for path, entry in zip(paths, there, strict=True)
        if entry is None or me in (entry.owner, "root")
    ]
    if ours:
        host.make_folders(ours, FOLDER_MODE)
