"""Hosted documentation: the unpacked pages on the docs host, and the link to the newest archives.

The pages are unpacked there from the archive that was made and checked here, in a hidden folder
whose every file is compared by digest before one rename shows them. Unpacking over what is
there is not repeatable, and a page too many is never seen again.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from doit_receipts.errors import BadVersion, ReleaseError, StepFailed
from doit_receipts.printable import counted
from doit_receipts.probe import absent, different, identical, unknown
from plugins.model.version import Version
from plugins.ports.host import Kind, Upload
from plugins.steps.host_modes import CLOSED_MODE, FOLDER_MODE, HIDDEN_MODE, WrongModes, wrong_modes
from plugins.steps.staging_folders import reserve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from doit_receipts.artifact import Artifact
    from doit_receipts.probe import Probe
    from plugins.model.release import Release
    from plugins.model.remote_layout import RemoteLayout, StagingArea
    from plugins.ports.host import Entry, Host, HostReader
    from plugins.ports.progress import Progress

__all__ = [
    "host_docs",
    "look_current",
    "look_docs_hosted",
    "point_current",
]

_FILE_MODE: Final = 0o644
_SHOWN: Final = 6


def look_docs_hosted(archive: Artifact, area: StagingArea, host: HostReader) -> Probe:
    """Whether users see exactly the pages of the zip archive, each with its bytes (U12, U13)."""
    top, pages = _pages(archive.path, archive.sha256)
    final, staging = host.look([area.final, area.staging])
    if final is None:
        return absent(f"{host.shown(area.final)} does not exist yet")
    differences = _differences(pages, host.listing(area.final), area.final, host)
    if differences:
        return different(
            f"{host.shown(area.final)} contains other pages: {len(differences)} differ",
            "if it is to be replaced, move that folder away on the host, then run the same "
            "command again",
            tuple(differences[:_SHOWN]),
        )
    wrong = _wrong_modes(host.listing(area.final), host).probe(host)
    if wrong is not None:
        return wrong
    if staging is not None:
        return absent(f"{host.shown(area.staging)} still exists")
    return identical({"archive": archive.sha256, "pages": str(len(pages)), "top": top})


def host_docs(
    archive: Artifact, area: StagingArea, host: Host, progress: Progress
) -> dict[str, str]:
    """Users see the pages of the zip archive, which replace nothing.

    The archive is uploaded, unpacked and compared in a folder beside the final one that nobody
    but us can add anything to, and one rename shows its pages. Where it stops, also by Ctrl-C
    or a signal, the group can use the hidden folder again, as far as the host can be reached.
    """
    final, staging = host.look([area.final, area.staging])
    top, pages = _pages(archive.path, archive.sha256)
    if staging is not None and (final is None or not host.usable_folders([area.staging])):
        _refuse_of_others(staging, host)
    try:
        if final is None:
            _unpack(archive, area, host, progress)
            _show(pages, f"{area.staging}/{top}", area, host, progress)
        else:
            _straighten(area.final, host)
        left = [entry.path for entry in host.listing(area.staging)]
        host.remove([*reversed(left), area.staging])
    except BaseException:
        # What went wrong is raised, and not what hinders this.
        with suppress(ReleaseError):
            if any(host.look([area.staging])):
                host.change([area.staging], HIDDEN_MODE)
        raise
    return {}


def _refuse_of_others(staging: Entry, host: Host) -> None:
    """Only its owner can close it, so that what is shown is what was compared."""
    if host.login().user not in (staging.owner, "root"):
        place = host.shown(staging.path)
        raise StepFailed(
            where=place, problem=f"was left by a run of {staging.owner} that did not end",
            remedy=f"ask {staging.owner} to run the same command again, or to run `rm -r "
            f"{place.rpartition(':')[2]}`; then run the same command again",
        )  # fmt: skip


def _show(
    pages: Mapping[str, str], made: str, area: StagingArea, host: Host, progress: Progress
) -> None:
    """The unpacked pages are those of the archive, and users see them."""
    progress.say(f"comparing {counted(len(pages), 'page')} on the host")
    _straighten(made, host)
    differences = _differences(pages, host.listing(made), made, host)
    if differences:
        raise StepFailed(
            where=host.shown(made),
            problem=f"{counted(len(differences), 'page differs', 'pages differ')} from the archive",
            remedy="remove that folder on the host, then run the same command again",
            details=tuple(differences[:_SHOWN]),
        )  # fmt: skip
    host.rename([(made, area.final)])


def look_current(release: Release, layout: RemoteLayout, host: HostReader) -> Probe:
    """Whether ``doc/current`` points to this release's documentation, or rightly elsewhere.

    Only a final moves it, and never back to an older series or version (U10, U11).
    """
    version = release.version
    if version.is_prerelease:
        return identical({"current": "left unchanged: not a final release"})
    (link,) = host.look([layout.current_docs])
    if link is None:
        return absent(f"{host.shown(layout.current_docs)} does not exist yet")
    return _judged(link, version, host)


def point_current(release: Release, layout: RemoteLayout, host: Host) -> dict[str, str]:
    """``doc/current`` points to this release's documentation, in one step."""
    (folder,) = host.look([layout.docs_archives.final])
    if folder is None:
        raise StepFailed(
            where=host.shown(layout.docs_archives.final), problem="does not exist",
            remedy="run doit switch_docs, which puts the documentation archives there",
        )  # fmt: skip
    host.point(layout.current_docs, str(release.version))
    return {}


def _judged(link: Entry, version: Version, host: HostReader) -> Probe:
    if link.kind is not Kind.LINK:
        return different(
            f"{host.shown(link.path)} is a {link.kind.value}, wanted a link",
            "ask the host's administrators what it is",
            (f"found:  {link.kind.value} of {link.owner}", f"wanted: link to {version}"),
        )
    try:
        there = Version.parse(link.target.rstrip("/").rpartition("/")[2])
    except BadVersion:
        return unknown(
            f"{host.shown(link.path)} points to {link.target!a}, which is not a version",
            f"if {version} is the newest, point the link to it by hand; then run the same "
            "command again",
        )
    if there == version:
        return identical({"current": str(version)})
    if there > version:
        return identical({"current": "left unchanged: it points to a newer version"})
    return absent(f"{host.shown(link.path)} points to {there}")


def _unpack(archive: Artifact, area: StagingArea, host: Host, progress: Progress) -> None:
    """The archive and what it holds are in the hidden folder, which is closed to all others."""
    reserve(area, host, mode=CLOSED_MODE)
    _refuse_planted(area, host)
    there = f"{area.staging}/{archive.path.name}"
    entry = _entry(there, area.staging, host)
    if entry is not None and host.digests([entry]).get(there) != archive.sha256:
        host.remove([there])
        entry = None
    if entry is None:
        upload = Upload(archive.path, there, archive.size_bytes, _FILE_MODE)
        host.put([upload], progress)
        entry = _entry(there, area.staging, host)
        found = host.digests([entry]).get(there, "nothing") if entry is not None else "nothing"
        if found != archive.sha256:
            raise StepFailed(
                where=host.shown(there), problem="differs from the archive that was sent",
                remedy="remove it on the host, then run the same command again",
                details=(f"found:  {found}", f"wanted: {archive.sha256}"),
            )  # fmt: skip
    progress.say(f"unpacking {archive.path.name} on the host")
    host.unzip(there, area.staging)


def _refuse_planted(area: StagingArea, host: Host) -> None:
    """Raise StepFailed for what others put there: pages would be written where it leads.

    Who went into a folder of an earlier run can put nothing more into it either. What is right in
    a closed folder stays what it is, and a path beyond it may lead through a link that came since:
    so they are closed depth by depth, each after another look.
    """
    user, depth = host.login().user, area.staging.count("/")
    folders = [area.staging]
    while folders:
        depth += 1
        found = [each for each in host.listing(area.staging) if each.path.count("/") == depth]
        for entry in found:
            if entry.kind in (Kind.FILE, Kind.FOLDER) and entry.owner == user:
                continue
            raise StepFailed(
                where=host.shown(entry.path),
                problem=f"is a {entry.kind.value} of {entry.owner}, "
                "where only your own files may be",
                remedy=f"ask {entry.owner} or the host's administrators what it is, and to move "
                "it away; then run the same command again",
            )
        folders = [each.path for each in found if each.kind is Kind.FOLDER]
        if folders:
            host.change(folders, CLOSED_MODE)


def _entry(path: str, folder: str, host: HostReader) -> Entry | None:
    return next((entry for entry in host.listing(folder) if entry.path == path), None)


def _straighten(folder: str, host: Host) -> None:
    """Everything in the folder is the group's, and so is the folder (U13)."""
    (top,) = host.look([folder])
    found = [*([top] if top is not None else []), *host.listing(folder)]
    _wrong_modes(found, host).mend(host)


def _wrong_modes(entries: Sequence[Entry], host: HostReader) -> WrongModes:
    modes = {Kind.FOLDER: FOLDER_MODE, Kind.FILE: _FILE_MODE}
    return wrong_modes([(entry, modes.get(entry.kind, entry.mode)) for entry in entries], host)


def _differences(
    pages: Mapping[str, str], entries: Sequence[Entry], folder: str, host: HostReader
) -> list[str]:
    """A line for each page that is missing, too many or of other bytes."""
    files = [entry for entry in entries if entry.kind is not Kind.FOLDER]
    digests = host.digests([entry for entry in files if entry.kind is Kind.FILE])
    found = {
        entry.path.removeprefix(f"{folder}/"): digests.get(entry.path, entry.kind.value)
        for entry in files
    }
    return [
        f"{name}: found {found.get(name, 'nothing')}, wanted {pages.get(name, 'nothing')}"
        for name in sorted(pages.keys() | found.keys())
        if found.get(name) != pages.get(name)
    ]


@lru_cache(maxsize=2)
def _pages(archive: Path, sha256: str) -> tuple[str, Mapping[str, str]]:  # noqa: ARG001 - a key
    """The one folder at the top of the archive, and the digest of each page below it."""
    import hashlib  # noqa: PLC0415 - with zipfile
    import zipfile  # noqa: PLC0415 - 40 ms, which `doit list` need not pay

    pages = {}
    tops = set()
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            top, _, rest = name.partition("/")
            tops.add(top)
            if rest and not rest.endswith("/"):
                with opened.open(name) as page:
                    pages[rest] = hashlib.file_digest(page, "sha256").hexdigest()  # type: ignore[arg-type]
    if len(tops) != 1 or not pages:
        raise StepFailed(
            where=archive.name,
            problem=f"contains {counted(len(tops), 'top-level folder')}, wanted one",
            remedy="delete it, then run doit export: it is made again",
        )  # fmt: skip
    return tops.pop(), pages
