"""Here: the modules of the folder in which doit was started, for ``[tool.doit.plugins…]``.

doit's own script has the environment's folder on the path and not the project's, so a command that
a project keeps beside its dodo.py is found only if it is installed, and then by all other projects
of the environment as well. ``doit_receipts.here:package.module.Class`` names one without that.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    """What the dotted name stands for, imported from the folder that pyproject.toml is in."""
    module, _, attribute = name.rpartition(".")
    if not module:
        raise AttributeError(name)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return getattr(importlib.import_module(module), attribute)
