"""Area files: what is in the hidden folder of a release on a host, and in the one that users see.

Each file is judged by the digest that the host computes; the final folder counts first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import ServiceFailed
from doit_receipts.frozen import frozen
from doit_receipts.probe import different
from plugins.ports.host import Kind, unserved
from plugins.steps.host_modes import (
    CLOSED_MODE,
    FOLDER_MODE,
    HIDDEN_MODE,
    SHOWN_MODE,
    WrongModes,
    opening,
    wrong_modes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from doit_receipts.probe import Probe
    from plugins.model.content import NamedFile
    from plugins.model.remote_layout import StagingArea
    from plugins.ports.host import Entry, HostReader

__all__ = [
    "AreaFiles", "copy_of", "few", "inner_folders", "is_left_closed", "parents_of",
    "refuse_no_folders", "rights_of",
]  # fmt: skip

_PARTIAL: Final = ".partial"  # as the port of hosts documents
_COPIED: Final = ".copied"
_GROUP_READS: Final = 0o050
_OTHERS_READ: Final = 0o005
_OTHERS: Final = 0o007


@frozen
class AreaFiles:
    """What is in both folders, by name, with the digests of what is wanted."""

    final: Mapping[str, Entry]
    staging: Mapping[str, Entry]
    digests: Mapping[str, str]
    final_folder: Entry | None
    staging_folder: Entry | None
    closed: WrongModes
    """Files of others under these names that users could not get as they are."""

    @classmethod
    def of(cls, files: Sequence[NamedFile], area: StagingArea, host: HostReader) -> AreaFiles:
        """What the host shows of these files now.

        Raises ServiceFailed where a colleague's run left the hidden folder closed, or a folder of
        theirs lets nobody else in, or something else than a folder has its place.
        """
        final_folder, staging_folder = _opened(area, host)
        final = _by_name(area.final, host) if final_folder else {}
        staging = _by_name(area.staging, host) if staging_folder else {}
        _refuse_closed_inside(files, final, area, host)
        modes = {file.name: file.mode for file in files}
        there = [
            (entry, modes[name])
            for folder in (final, staging)
            for name, entry in folder.items()
            if name in modes
        ]
        closed = wrong_modes(there, host).of_others()
        unreadable = {entry.path for entry, _ in closed.others}
        # Only a file of the right size can be the right one. The host computes no digest of a
        # file that is closed to us.
        compared = [
            entry
            for file in files
            for entry in (final.get(file.name), staging.get(file.name))
            if entry is not None
            and entry.kind is Kind.FILE
            and entry.size_bytes == file.content.size_bytes
            and entry.path not in unreadable
        ]
        digests = host.digests(compared) if compared else {}
        return cls(final, staging, digests, final_folder, staging_folder, closed)

    def is_right(self, file: NamedFile, entry: Entry | None) -> bool:
        """Whether the entry has the bytes that are wanted of the file."""
        return entry is not None and self.digests.get(entry.path) == file.content.sha256

    def place_of(self, file: NamedFile) -> Entry | None:
        """Where the right bytes are; the final folder counts first."""
        for entry in (self.final.get(file.name), self.staging.get(file.name)):
            if self.is_right(file, entry):
                return entry
        return None

    def is_closed(self, file: NamedFile) -> bool:
        """Whether a colleague's file has the name, and its bytes cannot be judged."""
        places = {entry.path for entry, _ in self.closed.others}
        return any(
            entry.path in places
            for entry in (self.final.get(file.name), self.staging.get(file.name))
            if entry is not None
        )

    def wrong_modes(self, files: Sequence[NamedFile], host: HostReader) -> WrongModes:
        """Which of the right files have modes that are not wanted."""
        places = ((self.place_of(file), file.mode) for file in files)
        return wrong_modes([(entry, mode) for entry, mode in places if entry is not None], host)

    def wrong_folders(self, files: Sequence[NamedFile], host: HostReader) -> WrongModes:
        """Which of the final folders that the files are in users cannot read, or are not shared."""
        inner = (self.final.get(name) for name in inner_folders(files))
        found = [each for each in (self.final_folder, *inner) if each is not None]
        wrong = wrong_modes([(each, FOLDER_MODE) for each in found], host)
        others = (each for each in wrong.others if not _is_for_users(each[0]))
        return WrongModes(wrong.ours, tuple(others))

    def closed_folders(self, area: StagingArea) -> list[Entry]:
        """The hidden folders that a run of ours has closed to the group."""
        found = [*([self.staging_folder] if self.staging_folder else []), *self.staging.values()]
        return [each for each in found if each.kind is Kind.FOLDER and is_left_closed(each, area)]

    def partials(self, files: Sequence[NamedFile]) -> list[str]:
        """Partial uploads of files that are complete: a killed run may leave both names."""
        names = [f"{file.name}{_PARTIAL}" for file in files if self.place_of(file) is not None]
        return [self.staging[name].path for name in names if name in self.staging]

    def copies(self, files: Sequence[NamedFile]) -> list[str]:
        """What an earlier run left of our own copies of colleagues' files, in part or complete."""
        names = [copy_of(file.name) for file in files]
        names += [f"{name}{_PARTIAL}" for name in names]
        return [self.staging[name].path for name in names if name in self.staging]

    def clash(
        self, files: Sequence[NamedFile], area: StagingArea, host: HostReader
    ) -> Probe | None:
        """Names that other bytes have; both sides are shown."""
        seen, details = [], []
        for file in files:
            for entry in (self.final.get(file.name), self.staging.get(file.name)):
                if entry is None or self.is_right(file, entry):
                    continue
                seen.append(entry)
                there = self.digests.get(
                    entry.path, f"{entry.kind.value} of {entry.size_bytes} bytes"
                )
                details += [
                    f"{file.name}",
                    f"  found:  {there} ({host.shown(entry.path)}, by {entry.owner})",
                    f"  wanted: {file.content.sha256} ({file.content.size_bytes} bytes)",
                ]
        if not seen:
            return None
        names = few([entry.path for entry in seen])
        public = [entry for entry in seen if entry.path.startswith(f"{area.final}/")]
        if public:
            remedy = "users may have fetched it: it is never replaced; find out who put it there"
        else:
            remedy = (
                "if the release was built again, remove what is there; "
                "if not, find out who replaced it"
            )
        return different(f"files with other content exist there: {names}", remedy, tuple(details))

    def unexpected(
        self, files: Sequence[NamedFile], area: StagingArea, host: HostReader
    ) -> Probe | None:
        """What is in the hidden folder but was not asked for: it would be shown as well."""
        known = {file.name for file in files} | set(inner_folders(files))
        known |= {path.removeprefix(f"{area.staging}/") for path in self.copies(files)}
        strange = sorted(set(self.staging) - known)
        if not strange:
            return None
        return different(
            f"{host.shown(area.staging)} also contains {few(strange)}",
            "remove what does not belong to the release, or declare it",
            tuple(f"found: {rights_of(self.staging[name])}" for name in strange),
        )


def _by_name(folder: str, host: HostReader) -> dict[str, Entry]:
    return {entry.path.removeprefix(f"{folder}/"): entry for entry in host.listing(folder)}


def _opened(area: StagingArea, host: HostReader) -> tuple[Entry | None, Entry | None]:
    """The final and the hidden folder. Raises ServiceFailed for what a colleague has closed."""
    final, staging = tops = host.look([area.final, area.staging])
    refuse_no_folders(tops, host)
    _refuse_closed_by_others(tops, area, host)
    return final, staging


def _refuse_closed_inside(
    files: Sequence[NamedFile], final: Mapping[str, Entry], area: StagingArea, host: HostReader
) -> None:
    """As of the two folders themselves, of those in them that the files are in.

    A public one that lacks no file may be closed to the group: nothing has to be written there,
    and what the listing has of it is what users get.
    """
    inner = [f"{top}/{name}" for top in (area.final, area.staging) for name in inner_folders(files)]
    found = host.look(inner) if inner else ()
    refuse_no_folders(found, host)
    lacking = inner_folders([file for file in files if file.name not in final])
    whole = {f"{area.final}/{name}" for name in set(inner_folders(files)).difference(lacking)}
    in_use = [each for each in found if each and not (each.path in whole and _is_for_users(each))]
    _refuse_closed_by_others(in_use, area, host)


def _refuse_closed_by_others(
    found: Sequence[Entry | None], area: StagingArea, host: HostReader
) -> None:
    for each in found:
        if each is None or each.kind is not Kind.FOLDER:
            continue
        is_left = is_left_closed(each, area)
        if not is_left and _lets_in(each, [host.group]):
            continue
        login = host.login()
        if login.user in (each.owner, "root") or (not is_left and _lets_in(each, login.groups)):
            continue
        is_hidden = each.path == area.staging or each.path.startswith(f"{area.staging}/")
        remedy = f"run {opening(each, HIDDEN_MODE if is_hidden else FOLDER_MODE, host)}"
        whom = "its group" if _lets_in(each, []) else "all others"
        problem = f"{each.owner}, whose folder it is, has closed it to {whom}"
        if is_hidden and is_left:
            remedy = f"run the same command again, or to {remedy}"
            problem = f"a run of {each.owner} that did not end has closed it to all others"
            if each.mode == SHOWN_MODE:
                problem = (
                    f"{each.owner}, or a run of {each.owner} that did not end, has left it so that "
                    "users can read it and nobody else can write there"
                )
        raise ServiceFailed(
            service=host.shown(each.path),
            action=f"look into the {'hidden' if is_hidden else 'public'} folder",
            problem=f"{problem}{unserved(each, host)}",
            remedy=f"ask {each.owner} to {remedy}; then run the same command again",
        )


def _lets_in(folder: Entry, groups: Sequence[str]) -> bool:
    """Whether those of the groups can look into it: for them the bits for all others count not."""
    bits = _GROUP_READS if folder.group in groups else _OTHERS_READ
    return folder.mode & bits == bits


def _is_for_users(folder: Entry) -> bool:
    """Whether every account of the host can look into it, the group aside, and none can write."""
    return folder.mode & _OTHERS == _OTHERS_READ


def refuse_no_folders(found: Sequence[Entry | None], host: HostReader) -> None:
    """Raise ServiceFailed for the first that is no folder, in the place of one.

    Whoever of the group plants a link there would have us write where it leads.
    """
    for each in found:
        if each is not None and each.kind is not Kind.FOLDER:
            place = host.shown(each.path)
            raise ServiceFailed(
                service=place,
                action="use the folder",
                problem=f"is a {each.kind.value} of {each.owner}, wanted a folder",
                remedy=f"ask {each.owner} or the host's administrators what "
                f"{place.rpartition(':')[2]} is, and to move it away; then run the same command "
                "again",
            )


def is_left_closed(folder: Entry, area: StagingArea) -> bool:
    """Whether it has a mode that a switch gives a hidden folder, and leaves only if it is killed.

    Users can read the hidden one right before it gets its public name; what is within it they
    reach only then, whatever its mode is.
    """
    is_shown = folder.path == area.staging and folder.mode == SHOWN_MODE
    return is_shown or folder.mode == CLOSED_MODE


def copy_of(path: str) -> str:
    """The name of our own copy of a colleague's file in the hidden folder, until it is shown."""
    return f"{path}{_COPIED}"


def inner_folders(files: Sequence[NamedFile]) -> list[str]:
    """Folders within the release's own that contain files, outer ones first."""
    return sorted({folder for file in files for folder in parents_of(file.name)})


def parents_of(path: str) -> list[str]:
    """The folders above the path, outer ones first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def rights_of(entry: Entry) -> str:
    """Path, owner, group and mode, for a person."""
    return f"{entry.path} {entry.owner}:{entry.group} mode {entry.mode:o}"


def few(names: Sequence[str]) -> str:
    """The first three names, and how many there are besides."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
