"""Staging folders: the hidden and the final one, made for the group before a file is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.probe import absent, different, identical
from plugins.ports.host import Kind
from plugins.steps.area_files import is_left_closed, parents_of, refuse_no_folders, rights_of
from plugins.steps.host_modes import FOLDER_MODE, HIDDEN_MODE, SHOWN_MODE, opening

if TYPE_CHECKING:
    from doit_receipts.probe import Probe
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import Entry, Host, HostReader

__all__ = ["left_closed", "look_reserved", "reserve"]

_GROUP_MAY_WRITE: Final = 0o030


def look_reserved(area: StagingArea, host: HostReader, *, shared: bool = False) -> Probe:
    """Whether the hidden folder is there, and the final one, if it is, lets the group write.

    ``shared``: others upload into the final one, so it has to be there.

    Source: U03, U04; the folder of 3.14.4 had been made by another account, which was found
    out in the middle of the release (release-tools#391).
    """
    found = [entry for entry in host.look(_folders(area)) if entry is not None]
    wrong = [entry for entry in found if _unusable(entry, area, host)]
    for entry in wrong:
        if entry.kind is not Kind.FOLDER or entry.owner != host.login().user:
            return different(
                _unusable(entry, area, host),
                _cure(entry, area, host),
                (f"found:  {rights_of(entry)}", f"wanted: {_wanted_rights(entry, area, host)}"),
            )
    if wrong:
        later = "" if is_left_closed(wrong[0], area) else " yet"
        return absent(f"{_unusable(wrong[0], area, host)}{later}")
    staging = next((entry for entry in found if entry.path == area.staging), None)
    if staging is None or staging.mode not in (HIDDEN_MODE, FOLDER_MODE):
        return absent(f"{host.shown(area.staging)} does not exist yet")
    if shared and all(entry.path != area.final for entry in found):
        return absent(f"{host.shown(area.final)} does not exist yet")
    return identical({"folder": area.final, "staging": area.staging})


def reserve(
    area: StagingArea, host: Host, *, shared: bool = False, mode: int = HIDDEN_MODE
) -> dict[str, str]:
    """The hidden folder is there with this mode, the group's; users see nothing of it.

    ``shared``: so is the final one, empty, for what others upload. Raises ServiceFailed, and
    changes nothing, where something else has the place of one of them.
    """
    folders = _folders(area)
    there = host.look(folders)
    refuse_no_folders(there, host)
    parents = parents_of(area.staging)
    missing = [
        path
        for path, entry in zip(folders, there, strict=True)
        if entry is None and path in parents
    ]
    if missing:
        host.make_folders(missing, FOLDER_MODE)
    # A run that was killed may have made one of them, and not more.
    seen = host.look([*parents, area.final])
    wrong = [entry for entry in seen if entry is not None and _unusable(entry, area, host)]
    user = host.login().user if wrong else ""
    ours = [entry.path for entry in wrong if user in (entry.owner, "root")]
    if ours:
        host.change(ours, FOLDER_MODE)
    host.make_folders([area.staging], mode)
    if shared and host.look([area.final])[0] is None:
        host.make_folders([area.final], FOLDER_MODE)
    return {}


def left_closed(folder: Entry, host: HostReader) -> str:
    """What is said of a folder that a run has closed, and not opened again."""
    place = host.shown(folder.path)
    if folder.mode == SHOWN_MODE:
        return (
            f"{place} was left so that users can read it, and the group cannot write there: the "
            "same command, run again, ends that"
        )
    return (
        f"a run that did not end has closed {place} to the group: the same command,"
        " run again, opens it"
    )


def _folders(area: StagingArea) -> list[str]:
    return [*parents_of(area.staging), area.final, area.staging]


def _unusable(entry: Entry, area: StagingArea, host: HostReader) -> str:
    """Why nobody of the group could work in the folder; "" if they can."""
    place = host.shown(entry.path)
    if entry.kind is not Kind.FOLDER:
        return f"{place} is a {entry.kind.value}, wanted a folder"
    if host.group and is_left_closed(entry, area):
        return left_closed(entry, host)
    if host.group and entry.group != host.group:
        return f"{place} was made by {entry.owner} and is of group {entry.group}"
    if entry.mode & _GROUP_MAY_WRITE != _GROUP_MAY_WRITE and host.group:
        return f"{place} was made by {entry.owner}, and its group may not write there"
    return ""


def _cure(entry: Entry, area: StagingArea, host: HostReader) -> str:
    place = host.shown(entry.path).rpartition(":")[2]
    if entry.kind is not Kind.FOLDER:
        return (
            f"ask {entry.owner} or the host's administrators what {place} is, and to move it away"
        )
    mode = _wanted_mode(entry, area)
    if is_left_closed(entry, area):
        command = opening(entry, mode, host)
        return f"ask {entry.owner} to run the same command again, or to run {command}"
    rights = f"`chgrp {host.group} {place}` and `chmod {mode:o} {place}`"
    return f"ask {entry.owner} or the host's administrators for {rights}"


def _wanted_rights(entry: Entry, area: StagingArea, host: HostReader) -> str:
    return f"group {host.group or 'any'}, mode {_wanted_mode(entry, area):o}"


def _wanted_mode(entry: Entry, area: StagingArea) -> int:
    return HIDDEN_MODE if entry.path == area.staging else FOLDER_MODE
