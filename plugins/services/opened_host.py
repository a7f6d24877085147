"""Opened host: the file host that an address of release.toml names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.errors import SettingsError

if TYPE_CHECKING:
    from plugins.services.folder_host import FolderHost
    from plugins.services.ssh_host import SshHost

__all__ = ["open_host"]


def open_host(
    url: str, group: str = "", *, ssh_config: Path | None = None, setting: str = "downloads"
) -> FolderHost | SshHost:
    """The host of ``ssh://user@host/folder`` or ``folder:///folder``; connects at first use.

    ``group`` is whose files those there are; a folder of this machine has none. ``ssh_config``
    is read in place of the person's own. Raises SettingsError for an address that is missing
    or wrong.
    """
    if url.startswith("folder://"):
        from plugins.services.folder_host import FolderHost

        return FolderHost(Path(url.removeprefix("folder://")))
    if url:
        from plugins.services.ssh_host import SshHost
        from plugins.services.ssh_line import Address

        return SshHost(Address.parse(url), group, ssh_config=ssh_config)
    raise SettingsError(
        where=f"[hosts] {setting}",
        problem="is missing",
        remedy=f'write {setting} = "ssh://user@host/folder"',
    )
