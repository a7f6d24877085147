"""Rights: which files of a host may be changed by us, and which of others' are as users need them.

On the downloads host several people put files into one folder. Only its owner can change the mode
of a file, so nobody else tries to: python/release-tools did, and stopped in the middle of 3.14.4
and 3.15.0b2 (its issues 391 and 406). A file of another owner is taken as it is if users can read
it and nobody but its owner and group can change it; if not, its owner is named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plugins.ports.host import Entry, Host

__all__ = ["is_usable", "trouble_with"]

_ALL_READ: Final = 0o004
_ALL_WRITE: Final = 0o002


def is_usable(entry: Entry, mode: int, host: Host, me: str) -> bool:
    """Whether the file needs no change: ours has this mode and the host's group, others' serve.

    ``me`` is who is logged in.
    """
    if entry.owner == me:
        return entry.mode == mode and (not host.group or entry.group == host.group)
    return not trouble_with(entry, host, me)


def trouble_with(entry: Entry, host: Host, me: str) -> str:
    """What is wrong with a file of somebody else, with their name; "" if it serves, or is ours."""
    if entry.owner == me:
        return ""
    place = f"{host.shown(entry.path)} belongs to {entry.owner} and has mode {entry.mode:04o}"
    if not entry.mode & _ALL_READ:
        return f"{place}: users cannot read it"
    if entry.mode & _ALL_WRITE:
        return f"{place}: everybody on the host could change it"
    return ""
