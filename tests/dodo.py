"""The project's own checks as tasks: ``python -m doit -f tests/dodo.py``.

Run from the top of the project. ``make check`` and ``make test`` do the same, set-up included.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

from doit.action import CmdAction

DOIT_CONFIG = {
    "default_tasks": ["format", "lint", "types", "test"],
    "reporter": "console",
    "verbosity": 2,
}

_PROJECT: Final = Path(__file__).resolve().parents[1]


def _python(*words: str) -> dict[str, Any]:
    """A task that runs a module of this Python in the project's folder, and is never up to date."""
    command = [sys.executable, "-m", *words]
    return {"actions": [CmdAction(command, shell=False, cwd=str(_PROJECT))], "uptodate": [False]}


def task_format() -> dict[str, Any]:
    """The formatter would change nothing."""
    return _python("ruff", "format", "--check", ".")


def task_lint() -> dict[str, Any]:
    """No rule of ruff is broken."""
    return _python("ruff", "check", ".")


def task_types() -> dict[str, Any]:
    """Every annotation holds."""
    return _python("mypy")


def task_test() -> dict[str, Any]:
    """The tests pass that need nothing but this machine."""
    return _python("pytest", "--numprocesses", "auto", "-m", "not slow and not real")


def task_test_slow() -> dict[str, Any]:
    """The tests pass that kill and interrupt exports of a toy, or fill their disk."""
    return _python(
        "pytest", "--numprocesses", "auto", "--dist", "worksteal", "-m", "slow and not real"
    )


def task_test_real() -> dict[str, Any]:
    """The tests pass on the real CPython source."""
    return _python("pytest", "-m", "real")
