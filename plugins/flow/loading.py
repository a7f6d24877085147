"""The loader: finds release.toml before dodo.py is read; receipts become doit's records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit.cmd_base import DodoTaskLoader
from doit.exceptions import InvalidDodoFile
from doit.globals import Globals

from plugins.flow.book import Book
from plugins.flow.durable import ReceiptRecords
from plugins.flow.opening import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ReleaseLoader", "book_of"]

_OPT_RELEASE = {
    "section": "task loader",
    "name": "release_file",
    "short": "",
    "long": "release",
    "type": str,
    "default": "",
    "env_var": "PEP101_RELEASE",
    "help": "the declaration of the release [default: release.toml beside dodo.py]",
}


class ReleaseLoader(DodoTaskLoader):
    """Loads dodo.py for the release that --release names."""

    cmd_options = (*DodoTaskLoader.cmd_options, _OPT_RELEASE)

    def setup(self, opt_values: Mapping[str, Any]) -> None:
        """Read dodo.py, which opens the release."""
        chosen = opt_values.get("release_file")
        if chosen:
            RELEASE_FILE.set(Path.cwd() / Path(chosen).expanduser())
        super().setup(opt_values)

    def load_tasks(self, cmd: Any, pos_args: list[str]) -> Any:
        """The tasks, with their receipts as the records of what is done."""
        book = self.namespace.get("book")
        if isinstance(book, Book):
            cmd.dep_manager = Globals.dep_manager = ReceiptRecords(book, cmd.dep_manager)
        return super().load_tasks(cmd, pos_args)


def book_of(cmd: Any) -> Book:
    """The book behind a command. Raises InvalidDodoFile for a dodo.py that has none."""
    if not isinstance(cmd.dep_manager, ReceiptRecords):
        message = "dodo.py declares no release; it needs `book` from open_release()"
        raise InvalidDodoFile(message)
    return cmd.dep_manager.book
