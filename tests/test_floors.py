"""The floors of the code base: who may import whom, and what may be done where.

The rules are those of docs/design.md. They are functions over a tree of files, so that every
rule is shown to catch a breach planted in a small tree, and then held against our own.
Late imports and those for typing only obey the same rules as the others.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PROJECT: Final = Path(__file__).resolve().parents[1]

# Folder = floor. Modules of one floor may import each other as long as there is no circle.
ARROWS: Final[Mapping[str, frozenset[str]]] = {
    "dodo": frozenset({"flow", "checks", "steps", "model"}),
    "flow": frozenset({"services", "ports", "model"}),
    "steps": frozenset({"ports", "model"}),
    "checks": frozenset({"ports", "model"}),
    "services": frozenset({"ports", "model"}),
    "ports": frozenset({"model"}),
    "rehearsal": frozenset({"model"}),
    "model": frozenset(),
}

# The one arrow that belongs to a single module, and only inside a function: a release that is
# real must not even load the world that imitates it.
REHEARSAL_COMMAND: Final = "plugins.flow.rehearsing"

# "*" is any package that pyproject.toml declares.
THIRD_PARTY: Final[Mapping[str, frozenset[str]]] = {
    "dodo": frozenset({"doit"}),
    "flow": frozenset({"doit", "rich"}),
    "services": frozenset({"*"}),
    "rehearsal": frozenset({"*"}),
}
SETTINGS: Final = "plugins.model.settings"

PROGRAMS: Final = "plugins.services.programs"
# The rehearsal imitates the other side, so it runs its programs without the client's code.
HOMES: Final = (PROGRAMS, "plugins.rehearsal.machine")
# A secret may be in the environment, and nobody but its place reads it there.
SECRETS: Final = "plugins.model.secret"

_STARTS_A_PROGRAM: Final = ("system", "popen", "exec", "spawn", "posix_spawn", "fork", "startfile")
_ENVIRONMENT: Final = ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")
_WORKING_FOLDER: Final = ("chdir", "fchdir")
_ASKS: Final = ("getpass.getpass", "from getpass import getpass")
_NOT_OURS_TO_READ: Final = ("plugins/rehearsal/toy/",)


@dataclass(frozen=True)
class Import:
    """One module that another one imports: where, and how."""

    target: str
    line: int
    late: bool
    typing: bool


@dataclass(frozen=True)
class Module:
    """One file of the tree: its dotted name, its path below the root and its syntax tree."""

    name: str
    path: str
    tree: ast.Module
    others: frozenset[str]

    @property
    def floor(self) -> str:
        """The floor it stands on: the folder's name, ``ports``, ``dodo``, or "" for none."""
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
        """Everything that is imported anywhere in the file, each with where it stands."""
        return tuple(_imports(self.tree, self, late=False, typing=False))

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """The modules that plain names stand for, through ``import x`` and ``import x as y``."""
        return {
            each.asname or each.name.partition(".")[0]: each.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import)
            for each in node.names
        }


def modules_of(root: Path) -> dict[str, Module]:
    """Read ``dodo.py``, ``plugins/`` and ``checks/`` of a tree, by dotted name."""
    files = [root / "dodo.py", *root.glob("plugins/**/*.py"), *root.glob("checks/**/*.py")]
    found = {
        path: path.relative_to(root).as_posix()
        for path in sorted(files)
        if path.is_file() and not path.relative_to(root).as_posix().startswith(_NOT_OURS_TO_READ)
    }
    names = frozenset(_dotted(each) for each in found.values())
    return {
        _dotted(relative): Module(
            _dotted(relative), relative, ast.parse(path.read_bytes(), relative), names
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
        if (module.name, floor, each.late) == (REHEARSAL_COMMAND, "rehearsal", True):
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
    told: set[frozenset[str]] = set()
    for start in sorted(arrows):
        ring = _way_back(start, arrows)
        if ring and frozenset(ring) not in told:
            told.add(frozenset(ring))
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


def roots_with_code(modules: Mapping[str, Module]) -> Iterator[str]:
    """``__init__.py`` files that hold anything but a docstring."""
    for module in modules.values():
        if module.is_package and (len(module.tree.body) != 1 or not _says_something(module)):
            yield f"{module.path}: holds something else than one docstring"


def faceless_modules(modules: Mapping[str, Module]) -> Iterator[str]:
    """Modules without docstring or ``__all__``, and names in ``__all__`` that are not there."""
    for module in modules.values():
        if not _says_something(module):
            yield f"{module.path}: has no docstring"
        if module.is_package or module.name == "dodo":
            continue
        public = _public(module)
        if public is None:
            yield f"{module.path}: has no __all__ of plain strings"
        else:
            for name in sorted(set(public) - _bound(module.tree.body)):
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


def _bound(body: Iterable[ast.stmt]) -> set[str]:
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
                names |= _bound(node.orelse)
            case ast.If() | ast.Try():
                names |= _bound([*node.body, *node.orelse])
                names |= _bound(getattr(node, "finalbody", []))
            case _:
                pass
    return names


def _every_import(modules: Mapping[str, Module]) -> Iterator[tuple[Module, Import]]:
    for module in modules.values():
        for each in module.imports:
            yield module, each


def _is_ours(target: str) -> bool:
    return target.partition(".")[0] in ("plugins", "checks", "dodo", "tests")


RULES: Final = (
    arrows_that_go_up,
    imports_of_a_root,
    imports_of_nothing,
    circles,
    strangers,
    forbidden_acts,
    roots_with_code,
    faceless_modules,
)


def test_files_of_the_toy_are_not_ours_to_hold_and_what_makes_them_is() -> None:
    assert all(each.endswith("/") for each in _NOT_OURS_TO_READ)
    held = modules_of(PROJECT)
    assert "plugins.rehearsal.toy_cpython" in held
    assert [name for name in held if name.startswith("plugins.rehearsal.toy.")] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: type) -> None:
    breaches = list(rule(modules_of(PROJECT)))
    assert not breaches, "\n".join(breaches)


# That the rules catch what they should: one small tree for each way to break one.

_CLEAN: Final[Mapping[str, str]] = {
    "dodo.py": '"""The release."""\nfrom plugins.steps import tarball\n',
    "plugins/__init__.py": '"""Floors."""\n',
    "plugins/ports.py": '"""Ports."""\n__all__: list[str] = []\n',
    "plugins/model/__init__.py": '"""Values."""\n',
    "plugins/model/version.py": '"""Version."""\n__all__ = ["Version"]\nclass Version: ...\n',
    "plugins/steps/__init__.py": '"""Steps."""\n',
    "plugins/steps/tarball.py": (
        '"""Archives."""\nfrom plugins import ports\n'
        "from plugins.model.version import Version\n"
        '__all__ = ["build"]\ndef build(version: Version) -> str: return ports.__name__\n'
    ),
    "plugins/services/__init__.py": '"""Services."""\n',
    "plugins/services/programs.py": (
        '"""Programs."""\nimport os\nimport subprocess\n__all__ = ["run"]\n'
        "def run() -> int: return subprocess.call([], env=dict(os.environ))\n"
    ),
    "plugins/flow/__init__.py": '"""Flow."""\n',
    "plugins/flow/rehearsing.py": (
        '"""The command."""\nimport doit\n__all__ = ["go"]\n'
        "def go() -> object:\n    from plugins.rehearsal import world\n    return doit, world\n"
    ),
    "plugins/rehearsal/__init__.py": '"""World."""\n',
    "plugins/rehearsal/world.py": '"""World."""\n__all__: list[str] = []\n',
    "checks/__init__.py": '"""Judgements."""\n',
    "checks/clone.py": '"""Clone."""\n__all__ = ["look"]\nimport plugins.ports as look\n',
}


def a_tree(root: Path, changes: Mapping[str, str]) -> dict[str, Module]:
    """The modules of a small clean project in which some files are different."""
    for path, text in {**_CLEAN, **changes}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return modules_of(root)


def a_module(code: str) -> str:
    """A module that is in order but for what the code does."""
    return f'"""Noun."""\n{code}\n__all__: list[str] = []\n'


def test_a_clean_tree_breaks_no_rule(tmp_path: Path) -> None:
    modules = a_tree(tmp_path, {})
    assert [line for rule in RULES for line in rule(modules)] == []


@pytest.mark.parametrize(
    ("path", "code", "breach"),
    [
        ("plugins/steps/a.py", "import plugins.services.programs", "2: steps imports plugins.serv"),
        ("plugins/steps/a.py", "from plugins.services import programs", "2: steps imports plugins"),
        ("plugins/steps/a.py", "from checks import clone", "2: steps imports checks.clone"),
        ("plugins/steps/a.py", "from ..services.programs import run", "2: steps imports plugins.s"),
        ("plugins/model/a.py", "import plugins.ports", "2: model imports plugins.ports"),
        ("plugins/services/a.py", "import plugins.steps.tarball", "2: services imports plugins.st"),
        ("plugins/flow/a.py", "import plugins.steps.tarball", "2: flow imports plugins.steps.tar"),
        ("plugins/flow/a.py", "import checks.clone", "2: flow imports checks.clone"),
        ("plugins/flow/a.py", "import dodo", "2: flow imports dodo"),
        ("checks/a.py", "from plugins.steps.tarball import build", "2: checks imports plugins.st"),
        ("dodo.py", "import plugins.services.programs", "2: dodo imports plugins.services.progr"),
        ("plugins/rehearsal/a.py", "import plugins.ports", "2: rehearsal imports plugins.ports"),
        ("plugins/new/a.py", "import plugins.model.version", "2: new imports plugins.model.vers"),
    ],
)
def test_an_arrow_that_goes_up_is_found(path: str, code: str, breach: str, tmp_path: Path) -> None:
    (line,) = arrows_that_go_up(a_tree(tmp_path, {path: a_module(code)}))
    assert line.startswith(f"{path}:{breach}")


@pytest.mark.parametrize(
    "code",
    [
        "def late():\n    from plugins.services.programs import run",
        "def late():\n    return importlib.import_module('plugins.services.programs')",
        "if TYPE_CHECKING:\n    from plugins.services.programs import run",
        "try:\n    import plugins.services.programs\nexcept ImportError: ...",
        "class Holder:\n    import plugins.services.programs",
        "late = lambda: __import__('plugins.services.programs')",
    ],
)
def test_an_arrow_is_found_however_it_is_hidden(code: str, tmp_path: Path) -> None:
    (line,) = arrows_that_go_up(a_tree(tmp_path, {"plugins/model/a.py": a_module(code)}))
    assert "model imports plugins.services.programs" in line


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("plugins/flow/rehearsing.py", "import plugins.rehearsal.world"),
        ("plugins/flow/running.py", "def late():\n    import plugins.rehearsal.world"),
    ],
)
def test_only_the_command_loads_the_rehearsal_and_only_late(
    path: str, code: str, tmp_path: Path
) -> None:
    (line,) = arrows_that_go_up(a_tree(tmp_path, {path: a_module(code)}))
    assert "flow imports plugins.rehearsal.world" in line


def test_an_import_through_a_package_root_is_found(tmp_path: Path) -> None:
    code = a_module("from plugins.model import Version")
    (line,) = imports_of_a_root(a_tree(tmp_path, {"plugins/steps/a.py": code}))
    assert line == "plugins/steps/a.py:2: imports the root plugins.model"


def test_a_late_import_of_a_module_that_is_not_there_is_found(tmp_path: Path) -> None:
    code = a_module("def late():\n    import plugins.model.vresion")
    (line,) = imports_of_nothing(a_tree(tmp_path, {"plugins/steps/a.py": code}))
    assert line == "plugins/steps/a.py:3: there is no plugins.model.vresion"


def test_a_circle_of_late_and_typing_imports_is_found_once(tmp_path: Path) -> None:
    tree = {
        "plugins/model/a.py": a_module("def late():\n    import plugins.model.b"),
        "plugins/model/b.py": a_module("if TYPE_CHECKING:\n    import plugins.model.c"),
        "plugins/model/c.py": a_module("import plugins.model.a"),
    }
    (line,) = circles(a_tree(tmp_path, tree))
    assert line == "plugins.model.a -> plugins.model.b -> plugins.model.c -> plugins.model.a"


@pytest.mark.parametrize(
    ("path", "code", "breach"),
    [
        ("plugins/steps/a.py", "import git", "steps imports git"),
        ("plugins/steps/a.py", "def late():\n    from git import Repo", "steps imports git"),
        ("plugins/steps/a.py", "if TYPE_CHECKING:\n    import git", "steps imports git"),
        ("plugins/model/a.py", "import toml", "model imports toml"),
        ("checks/a.py", "import gnupg", "checks imports gnupg"),
        ("plugins/flow/a.py", "import git", "flow imports git"),
        ("plugins/services/a.py", "def late():\n    import doit", "services imports doit"),
        ("plugins/services/a.py", "import git", "git is imported before it is needed"),
    ],
)
def test_a_stranger_is_found(path: str, code: str, breach: str, tmp_path: Path) -> None:
    (line,) = strangers(a_tree(tmp_path, {path: a_module(code)}))
    assert line.endswith(breach)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("plugins/model/settings.py", "import toml"),
        ("plugins/services/a.py", "def late():\n    import git"),
        ("plugins/services/a.py", "if TYPE_CHECKING:\n    import git"),
        ("plugins/flow/a.py", "import doit.cmd_list"),
    ],
)
def test_a_third_party_package_at_home_is_no_stranger(path: str, code: str, tmp_path: Path) -> None:
    assert list(strangers(a_tree(tmp_path, {path: a_module(code)}))) == []


@pytest.mark.parametrize(
    ("code", "breach"),
    [
        ("import subprocess", "subprocess belongs to plugins.services.programs"),
        ("def late():\n    from subprocess import run", "subprocess belongs to plugins.services.p"),
        ("import os\nhome = os.environ['HOME']", "os.environ belongs to plugins.services.program"),
        ("import os as o\nhome = o.getenv('HOME')", "os.getenv belongs to plugins.services.progr"),
        ("from os import environ as e", "os.environ belongs to plugins.services.programs"),
        ("import os\nos.system('true')", "os.system belongs to plugins.services.programs"),
        ("import os\nos.execvp('true', [])", "os.execvp belongs to plugins.services.programs"),
        ("import os\nos.posix_spawn('true', [])", "os.posix_spawn belongs to plugins.services"),
        ("import os\nos.chdir('/')", "os.chdir changes the folder of everybody"),
        ("from os import fchdir", "os.fchdir changes the folder of everybody"),
        ("print('done')", "print() talks to the terminal"),
        ("say = print", "print() talks to the terminal"),
        ("answer = input('really?')", "input() talks to the terminal"),
        ("import getpass\nword = getpass.getpass()", "getpass() talks to the terminal"),
        ("from getpass import getpass", "getpass() talks to the terminal"),
    ],
)
def test_a_forbidden_act_is_found(code: str, breach: str, tmp_path: Path) -> None:
    (line,) = forbidden_acts(a_tree(tmp_path, {"plugins/flow/a.py": a_module(code)}))
    assert breach in line


def test_the_place_of_secrets_reads_the_environment_and_starts_nothing(tmp_path: Path) -> None:
    code = a_module("import os\nos.environ\nos.system('true')")
    (line,) = forbidden_acts(a_tree(tmp_path, {"plugins/model/secret.py": code}))
    assert line.endswith(":4: os.system belongs to plugins.services.programs")


def test_the_home_of_programs_still_may_not_change_the_working_folder(tmp_path: Path) -> None:
    code = a_module("import os\nimport subprocess\nos.environ\nos.chdir('/')")
    (line,) = forbidden_acts(a_tree(tmp_path, {"plugins/services/programs.py": code}))
    assert line.endswith(":5: os.chdir changes the folder of everybody")


@pytest.mark.parametrize(
    ("code", "breaches"),
    [("if TYPE_CHECKING:\n    import subprocess", 0), ("import subprocess", 1)],
)
def test_a_process_may_be_named_but_not_started(code: str, breaches: int, tmp_path: Path) -> None:
    found = forbidden_acts(a_tree(tmp_path, {"plugins/steps/a.py": a_module(code)}))
    assert len(list(found)) == breaches


@pytest.mark.parametrize("text", ["", "x = 1\n", '"""Doc."""\nimport os\n', '"""Doc."""\n"more"\n'])
def test_a_root_that_holds_more_or_less_than_a_docstring_is_found(
    text: str, tmp_path: Path
) -> None:
    (line,) = roots_with_code(a_tree(tmp_path, {"checks/__init__.py": text}))
    assert line.startswith("checks/__init__.py: ")


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ("__all__: list[str] = []\n", "has no docstring"),
        ('"""Noun."""\nx = 1\n', "has no __all__ of plain strings"),
        ('"""Noun."""\n__all__ = [name for name in dir()]\n', "has no __all__ of plain strings"),
        ('"""Noun."""\n__all__ = ["gone"]\n', "__all__ names gone, which is not there"),
        (
            '"""Noun."""\nif TYPE_CHECKING:\n    import os\n__all__ = ["os"]\n',
            "__all__ names os, which is not there",
        ),
    ],
)
def test_a_faceless_module_is_found(text: str, breach: str, tmp_path: Path) -> None:
    (line,) = faceless_modules(a_tree(tmp_path, {"checks/a.py": text}))
    assert line == f"checks/a.py: {breach}"


# What stands outside the three folders.


def test_every_entry_point_names_something_that_is_there() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    modules = modules_of(PROJECT)
    groups = declared["project"]["entry-points"].values()
    missing = [
        reference
        for reference in (value for group in groups for value in group.values())
        for name, _, thing in [reference.partition(":")]
        if name not in modules or thing not in _bound(modules[name].tree.body)
    ]
    assert missing == []


def test_tests_print_nothing_but_benchmarks_and_programs() -> None:
    printing = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in sorted(PROJECT.glob("tests/**/*.py"))
        if not {"bench", "cache"} & set(path.parts)  # the source of CPython is in tests/real/cache
        for top in ast.parse(path.read_bytes()).body
        if not (isinstance(top, ast.If) and ast.unparse(top.test) == "__name__ == '__main__'")
        for node in ast.walk(top)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert printing == []
