"""The checkout that this tool runs from, and whether the environment is its own.

With the environment of one checkout and the folder of another, tasks would come from here and the
engine from there: a release that no commit of the tool made.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from pathlib import Path
from typing import Final

__all__ = ["foreign_environment", "refuse_foreign_environment"]

CHECKOUT: Final = Path(__file__).resolve().parents[2]


def foreign_environment(checkout: Path, prefix: Path, engine: Path) -> str:
    """The other checkout whose environment, or whose engine, is used here; "" if none is.

    ``make setup`` writes into an environment whose it is. ``prefix`` is the environment's folder,
    and ``engine`` the one that the engine was imported from; one that was installed with all its
    files, from a package, belongs to nobody.
    """
    try:
        owner = (prefix / "ready").read_text(encoding="utf-8").strip()
    except OSError:
        owner = ""
    if owner and Path(owner) != checkout:
        return owner
    beside = engine.resolve().parent
    return str(beside) if beside != checkout and (beside / "dodo.py").is_file() else ""


def refuse_foreign_environment() -> None:
    """Raise InvalidDodoFile in the environment of another checkout."""
    # late: who only asks where we are needs no doit
    from doit.exceptions import InvalidDodoFile

    engine = Path(importlib.import_module("doit_receipts.receipt").__file__ or "").parent
    other = foreign_environment(CHECKOUT, Path(sys.prefix), engine)
    if other:
        message = (
            f"{CHECKOUT}: this doit belongs to the checkout {other}; run `make setup` here, then"
            f" {shlex.quote(f'{CHECKOUT}/.venv/bin/doit')}"
        )
        raise InvalidDodoFile(message)
