"""Handover: a dodo.py that doit's own loader reads goes on with the commands of its own folder.

doit reads pyproject.toml of the folder in which it is started. ``doit -f /there/dodo.py`` elsewhere
has doit's own loader and commands, which know neither receipts nor what is done once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doit_receipts.typed import DODO

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["caller", "go_on_with_own_commands"]


def go_on_with_own_commands() -> None:
    """Nothing happens where the engine's loader reads dodo.py, or where no doit does.

    Else the command that doit was given is done by the commands that pyproject.toml beside dodo.py
    names, and SystemExit ends this process with its status. Raises InvalidDodoFile where that file
    names no loader.
    """
    main = sys.modules.get("doit.doit_cmd")
    if main is None:
        return
    # late: who is not run by doit needs none of its modules
    from doit import loader
    from doit.cmd_base import DodoTaskLoader

    run = caller(main.DoitMain.run.__code__)
    reading = caller(loader.get_module.__code__)
    if run is None or reading is None or type(run.f_locals["task_loader"]) is not DodoTaskLoader:
        return
    dodo = Path(reading.f_locals["dodo_path"])
    config = _config_beside(dodo)
    DODO.set((dodo, Path(loader.initial_workdir)))
    sys.path.insert(0, str(dodo.parent))
    sys.modules.pop(dodo.stem, None)  # it is read anew, and whole
    again = main.DoitMain(config_filenames=(), extra_config=config)
    raise SystemExit(again.run(run.f_locals["all_args"]))


def caller(code: CodeType) -> FrameType | None:
    """The newest call of this function that has not ended."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - who called is what is asked
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    return frame


def _config_beside(dodo: Path) -> dict[str, Any]:
    """What pyproject.toml beside dodo.py says to doit. Raises InvalidDodoFile."""
    from doit.doit_cmd import DoitConfig
    from doit.exceptions import InvalidDodoFile

    file = dodo.with_name("pyproject.toml")
    config: dict[str, Any] = DoitConfig().load_config_toml(str(file), "tool.doit")
    if "loader" not in config.get("GLOBAL", {}):
        message = (
            f"{file}: names no loader of doit, so steps would be done without looking;"
            " put the block [tool.doit] of doit-receipts into it"
        )
        raise InvalidDodoFile(message)
    return config
