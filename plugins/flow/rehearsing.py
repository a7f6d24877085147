"""The rehearse command: a whole release in a world of its own on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from doit.exceptions import InvalidCommand

from plugins.flow.command_line import EndsAsTold
from plugins.model.errors import ReleaseError, StepFailed

__all__ = ["Rehearse"]

_OPT_VERSION: Final = {
    "name": "version",
    "short": "",
    "long": "version",
    "type": str,
    "default": "3.13.6",
    "help": "the version to rehearse; its kind decides what is done [default: %(default)s]",
}
_OPT_FOLDER: Final = {
    "name": "folder",
    "short": "",
    "long": "folder",
    "type": str,
    "default": "rehearsal",
    "help": "where the world and the release are made [default: %(default)s]",
}


class Rehearse(EndsAsTold):
    """Make a toy world and release in it; run again, it goes on where it stopped."""

    name = "rehearse"
    doc_purpose = "release a toy CPython in a world of its own, nothing real touched"
    doc_usage = ""
    doc_description = None
    cmd_options = (_OPT_VERSION, _OPT_FOLDER)

    def execute(self, opt_values: Any, pos_args: Any) -> int:
        """Rehearse `doit export`; the status is that of the run."""
        from plugins.model.version import Version
        from plugins.rehearsal.world import make_world

        if pos_args:
            message = "doit rehearse takes no task; it rehearses them all"
            raise InvalidCommand(message)
        try:
            version = Version.parse(opt_values["version"])
        except ReleaseError as error:
            raise InvalidCommand(str(error)) from error
        folder = Path(opt_values["folder"]).absolute() / str(version)
        try:
            declaration = make_world(folder, version)
        except OSError as error:
            raise StepFailed(
                where=str(folder),
                problem=f"the world of the rehearsal cannot be made: {error}",
                remedy="mend that, or name another --folder",
            ) from error
        _tell(f"rehearsing Python {version} in {folder}")
        status = _doit(declaration, "run", "export")
        _tell("")
        _doit(declaration, "list", "--status")
        _tell(f"\nlook around:  doit list --status --release {declaration}")
        return status


def _doit(declaration: Path, command: str, *words: str) -> int:
    from doit.doit_cmd import DoitMain

    status: int = DoitMain().run([command, "--release", str(declaration), *words])
    return status


def _tell(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
