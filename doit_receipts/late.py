"""Late imports: what a chapter's tasks do is imported when it is done, not when it is named.

A listing judges every task by its receipt and by the arguments of its calls; their functions are
only named. So while chapters are read, ``from checks import tools`` gives a stand-in, and
``tools.tools_are_ready`` a function that knows where it is. Anything else that a chapter takes
from such a module, such as a constant, a class or an answer, imports it as ever.
"""

from __future__ import annotations

import builtins
import sys
from importlib.util import find_spec, module_from_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType

__all__ = ["LateFunction", "LateModule", "import_chapter", "resolved"]


class LateFunction:
    """A function or a class by its module and name; calling it imports that module."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self.__name__ = self.__qualname__ = name

    def __repr__(self) -> str:
        return f"<{self._module}.{self.__name__}, not imported yet>"

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """What the function itself gives."""
        return self.resolve()(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        # Of a class, which may have more than what it makes.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.resolve(), name)

    def resolve(self) -> Callable[..., Any]:
        """The function itself. Raises what importing its module raises."""
        try:
            found: Callable[..., Any] = getattr(_imported(self._module), self.__name__)
        except AttributeError as error:
            message = f"{self._module} has no function {self.__name__}"
            raise ImportError(message, name=self._module) from error
        return found


class LateModule:
    """Takes the place of a module in a chapter.

    By the names that Python gives things, only what is written in capitals is a value.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<{self._name}, imported when it is used>"

    def __getattr__(self, name: str) -> Any:
        if self._name not in sys.modules and not name.isupper() and not name.startswith("_"):
            return LateFunction(self._name, name)
        return getattr(_imported(self._name), name)


def _imported(name: str) -> ModuleType:
    # As the statement does it: the traceback of an error has no line of the import system.
    __import__(name)
    return sys.modules[name]


def resolved(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, imported if it was not yet. Raises what its import raises."""
    return function.resolve() if isinstance(function, LateFunction) else function


def import_chapter(name: str, late: Collection[str]) -> ModuleType:
    """The module is imported, and modules of the packages ``late`` that it names are not.

    So are the modules beside it that it names: a chapter may be more than one. Raises what
    importing it raises.
    """
    beside = f"{name.rpartition('.')[0]}."
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        message = f"No module named {name!r}"
        raise ModuleNotFoundError(message, name=name)

    def import_(
        wanted: str, globals_: Any = None, locals_: Any = None, names: Any = (), level: int = 0
    ) -> Any:
        if wanted in late and names and not level:
            return SimpleNamespace(**{each: LateModule(f"{wanted}.{each}") for each in names})
        if not level and beside != "." and wanted.startswith(beside) and wanted not in sys.modules:
            import_chapter(wanted, late)
        return builtins.__import__(wanted, globals_, locals_, names, level)

    module = module_from_spec(spec)
    # What a module sees as built in may be given to it: see exec() in the library reference.
    module.__dict__["__builtins__"] = {**vars(builtins), "__import__": import_}
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module
