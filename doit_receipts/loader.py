"""The loader: finds release.toml before dodo.py is read; receipts become doit's records."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import doit.loader
from doit.cmd_base import DodoTaskLoader
from doit.exceptions import InvalidDodoFile
from doit.globals import Globals

from doit_receipts.doit_records import ReceiptRecords
from doit_receipts.plan import Plan
from plugins.command.opening import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ReleaseLoader", "plan_of"]

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
        plan = self.namespace.get("plan")
        if isinstance(plan, Plan):
            cmd.dep_manager = Globals.dep_manager = ReceiptRecords(plan, cmd.dep_manager)
        with _knowing_first_lines():
            return super().load_tasks(cmd, pos_args)


class _FirstLines:
    """``inspect``, for doit 0.37, which sorts task creators by where they begin."""

    def __getattr__(self, name: str) -> Any:
        return getattr(inspect, name)

    @staticmethod
    def getsourcelines(creator: Any) -> tuple[list[str], int]:
        """No lines, and the number of the first: doit looks at nothing else."""
        return [], inspect.unwrap(creator).__code__.co_firstlineno


@contextmanager
def _knowing_first_lines() -> Iterator[None]:
    """Where a creator begins is told by its code: inspect reads and tokenizes the whole of it
    to say the same, which is a fifth of the time of ``doit list``.
    """
    doit.loader.inspect = _FirstLines()
    try:
        yield
    finally:
        doit.loader.inspect = inspect


def plan_of(cmd: Any) -> Plan:
    """The plan behind a command. Raises InvalidDodoFile for a dodo.py that has none."""
    if not isinstance(cmd.dep_manager, ReceiptRecords):
        message = "dodo.py declares no release; it needs `plan` from open_release()"
        raise InvalidDodoFile(message)
    return cmd.dep_manager.plan
