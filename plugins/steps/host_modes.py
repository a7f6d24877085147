"""Modes of files on a host: which are wrong, and who can change them.

Only the owner of a file changes its mode. What is ours gets exactly the mode wanted; what is a
colleague's has to let in everybody whom the wanted mode lets in, and must not let every account
of the host write; else its owner is asked.
Source: release-tools#391 (3.14.4) and #406 (3.15.0b2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doit_receipts.errors import StepFailed, Waiting
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from doit_receipts.probe import absent, different
from plugins.ports.host import Kind, closed_folders, letting_in, unserved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from doit_receipts.probe import Probe
    from plugins.ports.host import Entry, Host, HostReader

__all__ = [
    "CLOSED_MODE", "FOLDER_MODE", "HIDDEN_MODE", "SHOWN_MODE", "WrongModes", "opening",
    "refuse_closed", "wrong_modes",
]  # fmt: skip

FOLDER_MODE: Final = 0o2775
"""Of a folder that users see: the group's, and so is what anybody makes in it (U04)."""
HIDDEN_MODE: Final = 0o2770
"""Of one that users do not see: a web server that is not of the group cannot serve it."""
CLOSED_MODE: Final = 0o2700
"""Of a hidden folder that is about to be switched: nobody but us can put anything into it."""
SHOWN_MODE: Final = 0o2755
"""Of one that is switched: users can read it, and still nobody but us can put anything into it."""

_ROOT: Final = "root"
_EVERYBODY: Final = 0o555
_WRITABLE_BY_ALL: Final = 0o002
_SHOWN: Final = 3


@frozen
class WrongModes:
    """Files and folders whose mode or group is not the one wanted, each with the mode wanted."""

    ours: tuple[tuple[Entry, int], ...]
    others: tuple[tuple[Entry, int], ...]
    """Those that a colleague has to change."""

    def probe(self, host: HostReader) -> Probe | None:
        """What a look makes of them: a colleague's stop it, ours are still to be changed."""
        if self.others:
            names = ", ".join(entry.path for entry, _ in self.others[:_SHOWN])
            return different(
                f"only their owners can change the modes of {names}",
                self.remedy(host),
                tuple(
                    f"{host.shown(entry.path)} belongs to {entry.owner} and has mode "
                    f"{entry.mode:o}, wanted {mode:o}"
                    for entry, mode in self.others
                ),
            )
        if self.ours:
            names = ", ".join(entry.path.rpartition("/")[2] for entry, _ in self.ours[:_SHOWN])
            are_folders = all(entry.kind is Kind.FOLDER for entry, _ in self.ours)
            count = counted(len(self.ours), "folder" if are_folders else "file")
            return absent(f"modes or groups of {count} are wrong: {names}")
        return None

    def remedy(self, host: HostReader) -> str:
        """Whom to ask for what; "" if nobody has to be asked."""
        asked = (
            f"ask {entry.owner} for `chmod {mode:o} {host.shown(entry.path).rpartition(':')[2]}`"
            for entry, mode in self.others[:_SHOWN]
        )
        return "; ".join(asked)

    def mend(self, host: Host) -> None:
        """Ours have their modes and the host's group. Raises StepFailed for a colleague's."""
        for mode in sorted({mode for _, mode in self.ours}):
            host.change([entry.path for entry, wanted in self.ours if wanted == mode], mode)
        self.refuse_others(host)

    def refuse_others(self, host: HostReader) -> None:
        """Raise StepFailed for the first that a colleague has to change; nothing is changed."""
        if self.others:
            entry, mode = self.others[0]
            raise StepFailed(
                where=host.shown(entry.path),
                problem=f"belongs to {entry.owner} and has mode {entry.mode:o}, wanted {mode:o}",
                remedy=f"{self.remedy(host)}; then run the same command again",
            )

    def of_others(self) -> WrongModes:
        """Those alone that a colleague has to change: they stop a step before it begins."""
        return WrongModes((), self.others)


def refuse_closed(listed: Iterable[Entry], host: HostReader, hides: Callable[[str], bool]) -> None:
    """Raise Waiting for the first closed folder that may hide what is looked for, by its path.

    One whose files were fetched as users get them is none of these.
    """
    for folder in closed_folders(listed, host):
        if hides(folder.path):
            raise Waiting(
                who=folder.owner,
                problem=f"{host.shown(folder.path)} belongs to {folder.owner}:{folder.group} and "
                f"has mode {folder.mode:o}, so we cannot look into it{unserved(folder, host)}",
                remedy=f"ask {folder.owner} for {letting_in(folder, host)}; "
                "then run the same command again",
            )


def opening(folder: Entry, mode: int, host: HostReader) -> str:
    """The command by which its owner gives the folder, and those in it, mode and group."""
    place = host.shown(folder.path).rpartition(":")[2]
    is_theirs = host.group and folder.group != host.group
    chgrp = f"-exec chgrp {host.group} {{}} + " if is_theirs else ""
    return f"`find {place} -type d {chgrp}-exec chmod {mode:o} {{}} +`"


def wrong_modes(wanted: Iterable[tuple[Entry, int]], host: HostReader) -> WrongModes:
    """Those of the entries that have not their mode or the host's group."""
    found = [
        (entry, mode)
        for entry, mode in wanted
        if entry.mode != mode or (host.group and entry.group != host.group)
    ]
    if not found:
        return WrongModes((), ())
    user = host.login().user
    return WrongModes(
        tuple(each for each in found if user in (each[0].owner, _ROOT)),
        tuple(each for each in found if user not in (each[0].owner, _ROOT) and _hinders(*each)),
    )


def _hinders(entry: Entry, mode: int) -> bool:
    everybody = mode & _EVERYBODY
    closed = entry.mode & everybody != everybody
    unsafe = entry.mode & _WRITABLE_BY_ALL & ~mode
    return entry.kind is not Kind.LINK and bool(closed or unsafe)
