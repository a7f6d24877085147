"""Foreign folder: a temporary folder that code of others may write to, removed without its links.

Source: CVE-2023-6597; before 3.11.8 and 3.12.1 ``tempfile.TemporaryDirectory`` changes the modes of
what a link leads to, where something beside the link cannot be removed.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["foreign_folder"]


@contextmanager
def foreign_folder(prefix: str = "pep101-", *, below: Path | None = None) -> Iterator[Path]:
    """A new folder, of ours alone, until the block ends; what cannot be removed then stays."""
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay
    import tempfile  # noqa: PLC0415 - as above

    room = Path(tempfile.mkdtemp(prefix=prefix, dir=below))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
