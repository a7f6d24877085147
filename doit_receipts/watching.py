"""Watching: whether anything of a release has changed since one looked, or how it is declared."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.declaration import readable
from doit_receipts.printable import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType

    from doit_receipts.plan import Plan

    Stand = tuple[int, int, int]
    """How a file stood: another one once it has changed."""

__all__ = ["Watch"]

_HEARTBEAT_S: Final = 60
"""What only time changes, an end of a waiver or of an approval, is as old as this at most."""
_MOST_LETTERS: Final = 300


class Watch:
    """A release that somebody looks at for long.

    ``plan`` is what is declared now: another one once dodo.py, one of its chapters or the file of
    the declaration was edited. What cannot be read leaves the plan of before, and ``problem`` says
    so; it is "" otherwise.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.problem = ""
        self._module = _module_of(plan)
        self._kept: list[Path] = []
        self._files = self._declared_in()
        self._before: tuple[object, ...] = ()
        self.changed()

    def changed(self) -> bool:
        """Whether what there is to see may be another than when this was asked last; cheap.

        It is once a task has begun or ended, an approval was given, a program wrote to its log, the
        declaration was edited, and every minute.
        """
        is_edited = self._read_anew()
        plan = self.plan
        folder = plan.folder
        watched = (folder.journal, folder.receipts, folder.running, folder.logs, folder.approvals)
        now = (
            int(plan.context.clock.now().timestamp() // _HEARTBEAT_S),
            *map(_stand, (*watched, *_newest(folder.logs), *_newest(folder.approvals))),
        )
        is_other = is_edited or now != self._before
        self._before = now
        return is_other

    def _read_anew(self) -> bool:
        """Whether what declares the release was edited; it was read anew then, if it can be."""
        now = {path: _stand(path) for path in self._files}
        edited = [path for path, stand in self._files.items() if now[path] != stand]
        if not edited or self._module is None:
            return False
        modules = dict(sys.modules)
        try:
            plan = _reloaded(self._module)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page goes on
            said = printable((str(error) or type(error).__name__).strip())
            problem = "this is as it was declared before; what is declared now cannot be read: "
            problem = cut(problem + said, _MOST_LETTERS)
        else:
            problem = ""
            self.plan.state.close()
            self.plan = plan
        self._kept += [each for each in edited if self._is_kept(each, modules)]
        if self._kept:
            remedy = f"{self._kept[0]} was changed since this began: Ctrl-C, then start it again"
            problem = f"{problem}; {remedy}" if problem else remedy
        self.problem = problem
        # As they were before they were read: an edit meanwhile is seen the next time.
        self._files = {**self._declared_in(), **now}
        return True

    def _is_kept(self, path: Path, before: Mapping[str, ModuleType]) -> bool:
        """Whether it is a module that was imported once and for all."""
        kept = (each for name, each in before.items() if sys.modules.get(name) is each)
        return any(
            each is not self._module and getattr(each, "__file__", None) == str(path)
            for each in kept
        )

    def _declared_in(self) -> dict[Path, Stand]:
        """The files of the declaration, dodo.py, and the modules beside it that were imported."""
        if self._module is None:
            return {}
        folder = Path(str(self._module.__file__)).parent
        names = (str(getattr(each, "__file__", None) or "") for each in sys.modules.values())
        inside, installed = f"{folder}{os.sep}", f"{sys.prefix}{os.sep}"
        own = (
            Path(name)
            for name in names
            if name.startswith(inside) and not name.startswith(installed)
        )
        files = self.plan.context.declared_in or (folder / self.plan.project.declaration,)
        return {path: _stand(path) for path in (*files, *own)}


def _reloaded(module: ModuleType) -> Plan:
    """The plan that dodo.py declares now. Raises whatever it raises."""
    importlib.invalidate_caches()
    gc.disable()
    try:
        with readable():
            plan: Plan = importlib.reload(module).plan
            list(plan.tasks)  # put in order, and refused where that cannot be
    finally:
        gc.enable()
    return plan


def _module_of(plan: Plan) -> ModuleType | None:
    """The dodo.py that declares it; None for one that no file declares.

    Chapters may have the plan as well. They are modules of a package, and Python has a module
    behind those that it imports.
    """
    for name, each in reversed(list(sys.modules.items())):
        if "." not in name and getattr(each, "plan", None) is plan and each.__file__:
            return each
    return None


def _stand(path: Path) -> Stand:
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_ino, found.st_size, found.st_mtime_ns)


def _newest(folder: Path) -> Iterable[Path]:
    """The files of the folder that were written to last."""
    try:
        with os.scandir(folder) as found:
            files = [(each.stat().st_mtime_ns, each.name) for each in found]
    except OSError:
        return []
    return [folder / name for _, name in sorted(files)[-3:]]
