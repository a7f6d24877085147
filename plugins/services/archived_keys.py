"""Archived keys: the public keys that a closing archive carries, as a keyring of their own."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from doit_receipts.errors import ServiceFailed
from doit_receipts.plain_file import open_plain
from plugins.model.closing_archive import MOST_BYTES, BrokenArchive, ClosingArchive
from plugins.services.gnupg_signer import keyring_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plugins.services.gnupg_signer import GnupgKeyring

__all__ = ["archived_keyring"]


@contextmanager
def archived_keyring(file: Path) -> Iterator[GnupgKeyring]:
    """A keyring of the keys in the archive until the block ends; what is no key is left out.

    It is empty for an archive that cannot be read.
    """
    with keyring_of(()) as keyring, tempfile.TemporaryDirectory() as folder:
        for number, key in enumerate(_keys(file).values()):
            path = Path(folder, f"{number}.asc")
            path.write_bytes(key)
            with suppress(ServiceFailed):
                keyring.add((path,))
        yield keyring


def _keys(file: Path) -> Mapping[str, bytes]:
    try:
        with open_plain(file) as stream:
            raw = stream.read(MOST_BYTES + 1)
        return ClosingArchive.from_bytes(raw, file.name).below("keys", ".asc")
    except (OSError, BrokenArchive):
        return {}
