"""Floors of the code base: who may import whom, and what may be done where.

The rules are those of docs/design.md. They are functions over a tree of files; each gives one
line for each breach. Late imports and those for typing only obey the same rules as the others.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = [
    "ARROWS",
    "LINES_OF_A_MODULE",
    "LONGER",
    "NOT_OURS_TO_READ",
    "RULES",
    "Module",
    "arrows_that_go_up",
    "bound",
    "checks_that_could_write",
    "circles",
    "faceless_modules",
    "forbidden_acts",
    "imports_of_a_root",
    "imports_of_nothing",
    "interpreters_that_trust_a_folder",
    "long_chapters",
    "long_modules",
    "modules_of",
    "roots_with_code",
    "strangers",
    "threads_that_nobody_hears",
]

# Folder = floor. Modules of one floor may import each other as long as there is no circle.
ARROWS: Final[Mapping[str, frozenset[str]]] = {
    "dodo": frozenset({"command", "chapters"}),
    "chapters": frozenset({"command", "doit_receipts", "checks", "steps", "model"}),
    "doit_receipts": frozenset(),
    "command": frozenset({"doit_receipts", "services", "ports", "model"}),
    "worker": frozenset({"doit_receipts", "steps", "services", "ports", "model"}),
    "steps": frozenset({"doit_receipts", "ports", "model"}),
    "checks": frozenset({"doit_receipts", "ports", "model"}),
    "services": frozenset({"doit_receipts", "ports", "model"}),
    "ports": frozenset({"doit_receipts", "model"}),
    "rehearsal": frozenset({"doit_receipts", "model"}),
    "model": frozenset({"doit_receipts"}),
}

# The one arrow that belongs to a single module, and only inside a function: a release that is
# real must not even load the simulated environment.
REHEARSAL_COMMANDS: Final = tuple(
    f"plugins.command.{name}" for name in ("rehearse", "rehearsed", "rehearsed_train")
)

# "*" is any package that pyproject.toml declares.
THIRD_PARTY: Final[Mapping[str, frozenset[str]]] = {
    "dodo": frozenset({"doit"}),
    "doit_receipts": frozenset({"doit"}),
    "command": frozenset({"doit"}),
    "services": frozenset({"*"}),
    "rehearsal": frozenset({"*"}),
}
SETTINGS: Final = "plugins.model.settings"

PROGRAMS: Final = "plugins.services.programs"
FORKS: Final = ("doit_receipts.workers", "doit_receipts.sender")
"""Fork the run itself, and start no program."""
# The rehearsal imitates the other side, so it runs its programs without the client's code.
HOMES: Final = (
    PROGRAMS, "plugins.services.process", "plugins.services.environment",
    "plugins.rehearsal.machine", "doit_receipts.openpgp",
    "doit_receipts.command.waiting_run",  # starts doit again
)  # fmt: skip
# Two run the tree's own module, behind walls; one runs doit again where it was started.
OF_ITS_FOLDER: Final = (
    "plugins.steps.schedule", "plugins.steps.source_test", "doit_receipts.command.waiting_run",
)  # fmt: skip
# What they do in threads stays on this machine or asks the world.
ONLY_READ_IN_THREADS: Final = (
    "plugins.steps.clean_room", "plugins.steps.compressing", "plugins.steps.docs",
    "plugins.steps.sbom", "plugins.steps.source_test",
)  # fmt: skip
# A secret may be in the environment, and nobody but its place reads it there.
SECRETS: Final = "plugins.model.secret"

_STARTS_A_PROGRAM: Final = ("system", "popen", "exec", "spawn", "posix_spawn", "fork", "startfile")
_ENVIRONMENT: Final = ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")
_WORKING_FOLDER: Final = ("chdir", "fchdir")
_ASKS: Final = ("getpass.getpass", "from getpass import getpass")
LINES_OF_A_CHAPTER: Final = 170
LINES_OF_A_MODULE: Final = 460
"""More than the 250 that are wanted; what is longer still is named, and no other joins it."""
LONGER: Final = frozenset({
    "doit_receipts.plan", "doit_receipts.receipts", "plugins.command.opened_services",
    "plugins.model.gate_rules", "plugins.steps.experts",
})  # fmt: skip
NOT_OURS_TO_READ: Final = ("plugins/rehearsal/toy/", "doit_receipts/examples/")


@dataclass(frozen=True)
class Import:
    """One module that another one imports: where, and how."""

    target: str
    line: int
    late: bool
    typing: bool


@dataclass(frozen=True)
class Module:
    """One file of the tree: its dotted name, its path below the root and its text."""

    name: str
    path: str
    text: str
    others: frozenset[str]

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def lines(self) -> int:
        """How many lines the file has."""
        return len(self.text.splitlines())

    @property
    def floor(self) -> str:
        """The floor of the module: the folder's name, ``ports``, ``dodo``, or "" for none."""
        parts = self.name.split(".")
        if parts[0] == "plugins":
            return parts[1] if len(parts) > 1 else ""
        return parts[0]

    @property
    def is_package(self) -> bool:
        """Whether this is an ``__init__.py``."""
        return self.path.endswith("__init__.py")

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything that is imported anywhere in the file, each with its place."""
        return tuple(_imports(self.tree, self, late=False, typing=False))

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The modules that plain names mean, through ``import x`` and ``import x as y``."""
        return {
            each.asname or each.name.partition(".")[0]: each.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import)
            for each in node.names
        }


def modules_of(root: Path) -> dict[str, Module]:
    """Read ``dodo.py``, ``plugins/`` and ``checks/`` of a tree, by dotted name."""
    files = [
        root / "dodo.py",
        *root.glob("doit_receipts/**/*.py"),
        *root.glob("chapters/*.py"),
        *root.glob("plugins/**/*.py"),
        *root.glob("checks/**/*.py"),
    ]
    found = {
        path: path.relative_to(root).as_posix()
        for path in sorted(files)
        if path.is_file() and not path.relative_to(root).as_posix().startswith(NOT_OURS_TO_READ)
    }
    names = frozenset(_dotted(each) for each in found.values())
    return {
        _dotted(relative): Module(
            _dotted(relative), relative, path.read_text(encoding="utf-8"), names
        )
        for path, relative in found.items()
    }


def _dotted(relative: str) -> str:
    return relative.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(node: ast.AST, module: Module, *, late: bool, typing: bool) -> Iterator[Import]:
    """Walk the tree and remember whether a function or ``if TYPE_CHECKING`` is around."""
    for child in ast.iter_child_nodes(node):
        for target in _targets(child, module):
            yield Import(target, child.lineno, late, typing)  # type: ignore[attr-defined]
        in_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(child, ast.If) and _asks_for_typing(child.test):
            inner = ast.Module(body=child.body, type_ignores=[])
            yield from _imports(inner, module, late=late, typing=True)
            rest = ast.Module(body=child.orelse, type_ignores=[])
            yield from _imports(rest, module, late=late, typing=typing)
        else:
            yield from _imports(child, module, late=late or in_function, typing=typing)


def _asks_for_typing(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _targets(node: ast.AST, module: Module) -> list[str]:
    """The modules that this one statement or call imports."""
    match node:
        case ast.Import(names=names):
            return [each.name for each in names]
        case ast.ImportFrom(module=name, names=names, level=level):
            base = _absolute(name or "", level, module)
            return [
                f"{base}.{each.name}" if f"{base}.{each.name}" in module.others else base
                for each in names
            ]
        case ast.Call(
            func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
        case _:
            return []


def _absolute(name: str, level: int, module: Module) -> str:
    if not level:
        return name
    package = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    kept = package[: len(package) - level + 1]
    return ".".join([*kept, name] if name else kept)


# The rules. Each gives one line for each breach.


def arrows_that_go_up(modules: Mapping[str, Module]) -> Iterator[str]:
    """Imports of a floor that the importing floor may not know."""
    for module, each in _every_import(modules):
        if each.target not in modules:
            continue
        floor = modules[each.target].floor
        if floor == module.floor or floor in ARROWS.get(module.floor, frozenset()):
            continue
        if (module.name in REHEARSAL_COMMANDS, floor, each.late) == (True, "rehearsal", True):
            continue
        yield f"{module.path}:{each.line}: {module.floor or 'a root'} imports {each.target}"


def imports_of_a_root(modules: Mapping[str, Module]) -> Iterator[str]:
    """Imports of a package instead of the module that owns the thing."""
    for module, each in _every_import(modules):
        if each.target in modules and modules[each.target].is_package:
            yield f"{module.path}:{each.line}: imports the root {each.target}"


def imports_of_nothing(modules: Mapping[str, Module]) -> Iterator[str]:
    """Imports of a module of ours that is not there, which a late import would hide."""
    for module, each in _every_import(modules):
        if _is_ours(each.target) and each.target not in modules:
            yield f"{module.path}:{each.line}: there is no {each.target}"


def circles(modules: Mapping[str, Module]) -> Iterator[str]:
    """Modules that import each other in a ring, whichever way the imports are written."""
    arrows = {
        module.name: sorted({each.target for each in module.imports} & set(modules))
        for module in modules.values()
    }
    reported: set[frozenset[str]] = set()
    for start in sorted(arrows):
        ring = _way_back(start, arrows)
        if ring and frozenset(ring) not in reported:
            reported.add(frozenset(ring))
            yield " -> ".join([*ring, start])


def _way_back(start: str, arrows: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a module back to itself; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        for target in arrows[way[-1]]:
            if target == start:
                return way
            if target not in seen:
                seen.add(target)
                ways.append([*way, target])
    return []


def strangers(modules: Mapping[str, Module]) -> Iterator[str]:
    """Third-party packages outside their floor, and those of a service that load at once."""
    for module, each in _every_import(modules):
        package = each.target.partition(".")[0]
        if package in sys.stdlib_module_names or _is_ours(each.target):
            continue
        if (module.name, package) == (SETTINGS, "toml"):
            continue
        allowed = THIRD_PARTY.get(module.floor, frozenset())
        if package not in allowed and ("*" not in allowed or package == "doit"):
            yield f"{module.path}:{each.line}: {module.floor or 'a root'} imports {package}"
        elif module.floor == "services" and not (each.late or each.typing):
            yield f"{module.path}:{each.line}: {package} is imported before it is needed"


def forbidden_acts(modules: Mapping[str, Module]) -> Iterator[str]:
    """Programs, environment, working folder and terminal, used outside their one home."""
    for module in modules.values():
        for line, what in sorted(_acts(module)):
            yield f"{module.path}:{line}: {what}"


def _acts(module: Module) -> Iterator[tuple[int, str]]:
    at_home = module.name in HOMES
    for each in module.imports:
        package = each.target.partition(".")[0]
        # Naming the type of a process that a port gave starts none.
        if package in ("subprocess", "pty") and not at_home and not each.typing:
            yield each.line, f"{package} belongs to {PROGRAMS}"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name) and node.id in ("print", "input", "breakpoint"):
            yield node.lineno, f"{node.id}() talks to the terminal"
        if isinstance(node, ast.Attribute | ast.ImportFrom) and ast.unparse(node) in _ASKS:
            yield node.lineno, "getpass() talks to the terminal"
    for line, attr in _parts_of_os(module):
        what = _os_act(attr, at_home=at_home)
        if attr == "fork" and module.name in FORKS:
            continue
        if what and (module.name, attr) != (SECRETS, "environ"):
            yield line, what


def _parts_of_os(module: Module) -> Iterator[tuple[int, str]]:
    """Every use of a name of ``os``, under whatever name the module imported it."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=attr):
                if module.aliases.get(owner) == "os":
                    yield node.lineno, attr
            case ast.ImportFrom(module="os", names=names):
                yield from ((node.lineno, each.name) for each in names)
            case _:
                pass


def _os_act(attr: str, *, at_home: bool) -> str:
    """What is wrong with this part of ``os``; "" if nothing is."""
    if attr in _WORKING_FOLDER:
        return f"os.{attr} changes the folder of everybody"
    if at_home:
        return ""
    if attr in _ENVIRONMENT or attr.startswith(_STARTS_A_PROGRAM):
        return f"os.{attr} belongs to {PROGRAMS}"
    return ""


def interpreters_that_trust_a_folder(modules: Mapping[str, Module]) -> Iterator[str]:
    """``-m`` looks into the working folder first, where a tree may have a module of that name."""
    for module in modules.values():
        if module.name in OF_ITS_FOLDER or module.floor == "rehearsal":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.List | ast.Tuple) and node.elts:
                words = [each.value for each in node.elts if isinstance(each, ast.Constant)]
                of_a_variable = not isinstance(node.elts[0], ast.Constant)
                if of_a_variable and "-m" in words and "-I" not in words:
                    yield f"{module.path}:{node.lineno}: python -m without -I"


def threads_that_nobody_hears(modules: Mapping[str, Module]) -> Iterator[str]:
    """Threads of steps without the context: a plan would not hold back what they send."""
    for module in modules.values():
        if module.floor != "steps" or module.name in ONLY_READ_IN_THREADS:
            continue
        names = {each.id for each in ast.walk(module.tree) if isinstance(each, ast.Name)}
        names |= {each.attr for each in ast.walk(module.tree) if isinstance(each, ast.Attribute)}
        if names & {"ThreadPoolExecutor", "Thread"} and "copy_context" not in names:
            yield f"{module.path}: threads without copy_context; use purging.in_parallel"


def roots_with_code(modules: Mapping[str, Module]) -> Iterator[str]:
    """``__init__.py`` files that hold anything but a docstring."""
    for module in modules.values():
        if module.is_package and (len(module.tree.body) != 1 or not _says_something(module)):
            yield f"{module.path}: holds something else than one docstring"


def checks_that_could_write(modules: Mapping[str, Module]) -> Iterator[str]:
    """Checks that name a port which writes, where there is a reader of the same thing."""
    readers = {
        node.name.removesuffix("Reader")
        for module in modules.values()
        if module.floor == "ports"
        for node in module.tree.body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Reader")
    }
    for module in modules.values():
        for node in ast.walk(module.tree) if module.floor == "checks" else ():
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("plugins.ports"):
                for name in sorted(readers & {each.name for each in node.names}):
                    yield f"{module.path}:{node.lineno}: names {name}, wanted {name}Reader"


def faceless_modules(modules: Mapping[str, Module]) -> Iterator[str]:
    """Modules without docstring or ``__all__``, and names in ``__all__`` that are not there."""
    for module in modules.values():
        if not _says_something(module):
            yield f"{module.path}: has no docstring"
        if module.is_package or module.floor in ("dodo", "chapters"):
            continue
        public = _public(module)
        if public is None:
            yield f"{module.path}: has no __all__ of plain strings"
        else:
            for name in sorted(set(public) - bound(module.tree.body)):
                yield f"{module.path}: __all__ names {name}, which is not there"


def _says_something(module: Module) -> bool:
    return bool((ast.get_docstring(module.tree) or "").strip())


def _public(module: Module) -> list[str] | None:
    """What ``__all__`` lists; None if it is missing or computed."""
    for node in module.tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="__all__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__all__"), value=ast.expr() as value)
            ):
                try:
                    names = ast.literal_eval(value)
                except ValueError:
                    return None
                return [str(name) for name in names]
            case _:
                pass
    return None


def bound(body: Iterable[ast.stmt]) -> set[str]:
    """The names that statements at the top of a module bind; branches count, typing does not."""
    names: set[str] = set()
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                names |= {each.asname or each.name.partition(".")[0] for each in node.names}
            case ast.Assign() | ast.AnnAssign():
                names |= {
                    each.id
                    for each in ast.walk(node)
                    if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                }
            case ast.If() if _asks_for_typing(node.test):
                names |= bound(node.orelse)
            case ast.If() | ast.Try():
                names |= bound([*node.body, *node.orelse])
                names |= bound(getattr(node, "finalbody", []))
            case _:
                pass
    return names


def _every_import(modules: Mapping[str, Module]) -> Iterator[tuple[Module, Import]]:
    for module in modules.values():
        for each in module.imports:
            yield module, each


def _is_ours(target: str) -> bool:
    return target.partition(".")[0] in (
        "doit_receipts",
        "chapters",
        "plugins",
        "checks",
        "dodo",
        "tests",
    )


def long_modules(modules: Mapping[str, Module]) -> Iterator[str]:
    """A module has one subject: whoever needs more lines has found a second one."""
    for module in modules.values():
        if module.name not in LONGER and module.lines > LINES_OF_A_MODULE:
            yield f"{module.path}: {module.lines} lines, at most {LINES_OF_A_MODULE}"


def long_chapters(modules: Mapping[str, Module]) -> Iterator[str]:
    """A chapter is read whole: what is declared alike in several is declared once, and shared."""
    for module in modules.values():
        if module.floor == "chapters" and module.lines > LINES_OF_A_CHAPTER:
            yield f"{module.path}: {module.lines} lines, at most {LINES_OF_A_CHAPTER}"


RULES: Final = (
    arrows_that_go_up,
    imports_of_a_root,
    imports_of_nothing,
    circles,
    strangers,
    forbidden_acts,
    interpreters_that_trust_a_folder,
    threads_that_nobody_hears,
    roots_with_code,
    checks_that_could_write,
    faceless_modules,
    long_chapters,
    long_modules,
)
