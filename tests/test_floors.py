"""The floors of the code base are kept, and each rule catches a breach planted in a small tree."""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.floors import (
    ARROWS,
    LINES_OF_A_MODULE,
    LONGER,
    NOT_OURS_TO_READ,
    RULES,
    Module,
    arrows_that_go_up,
    bound,
    checks_that_could_write,
    circles,
    faceless_modules,
    forbidden_acts,
    imports_of_a_root,
    imports_of_nothing,
    interpreters_that_trust_a_folder,
    long_chapters,
    long_modules,
    modules_of,
    roots_with_code,
    strangers,
    threads_that_nobody_hears,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT: Final = Path(__file__).resolve().parents[1]


@functools.cache
def of_the_project() -> dict[str, Module]:
    """Every module of the project, read once for all rules."""
    return modules_of(PROJECT)


def test_files_of_the_toy_are_not_ours_to_hold_and_what_makes_them_is() -> None:
    assert all(each.endswith("/") for each in NOT_OURS_TO_READ)
    held = of_the_project()
    assert "plugins.rehearsal.toy_cpython" in held
    assert [name for name in held if name.startswith("plugins.rehearsal.toy.")] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: type) -> None:
    breaches = list(rule(of_the_project()))
    assert not breaches, "\n".join(breaches)


# That the rules catch what they should: one small tree for each way to break one.

_CLEAN: Final[Mapping[str, str]] = {
    "dodo.py": '"""The release."""\nfrom chapters import build\n',
    "chapters/__init__.py": '"""Chapters."""\n',
    "chapters/build.py": '"""Build."""\nfrom plugins.steps import tarball\n',
    "plugins/__init__.py": '"""Floors."""\n',
    "plugins/ports/__init__.py": '"""Ports."""\n',
    "plugins/ports/programs.py": '"""Programs."""\n__all__: list[str] = []\n',
    "plugins/model/__init__.py": '"""Values."""\n',
    "plugins/model/version.py": '"""Version."""\n__all__ = ["Version"]\nclass Version: ...\n',
    "plugins/steps/__init__.py": '"""Steps."""\n',
    "plugins/steps/tarball.py": (
        '"""Archives."""\nfrom plugins.ports import programs\n'
        "from plugins.model.version import Version\n"
        '__all__ = ["build"]\ndef build(version: Version) -> str: return programs.__name__\n'
    ),
    "plugins/services/__init__.py": '"""Services."""\n',
    "plugins/services/programs.py": (
        '"""Programs."""\nimport os\nimport subprocess\n__all__ = ["run"]\n'
        "def run() -> int: return subprocess.call([], env=dict(os.environ))\n"
    ),
    "doit_receipts/__init__.py": '"""Engine."""\n',
    "plugins/command/__init__.py": '"""Commands."""\n',
    "plugins/command/rehearse.py": (
        '"""The command."""\nimport doit\n__all__ = ["go"]\n'
        "def go() -> object:\n    from plugins.rehearsal import world\n    return doit, world\n"
    ),
    "plugins/rehearsal/__init__.py": '"""World."""\n',
    "plugins/rehearsal/world.py": '"""World."""\n__all__: list[str] = []\n',
    "checks/__init__.py": '"""Judgements."""\n',
    "checks/clone.py": '"""Clone."""\n__all__ = ["look"]\nimport plugins.ports.programs as look\n',
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
        ("plugins/model/a.py", "import plugins.ports.programs", "2: model imports plugins.ports"),
        ("plugins/services/a.py", "import plugins.steps.tarball", "2: services imports plugins.st"),
        (
            "doit_receipts/a.py",
            "import plugins.steps.tarball",
            "2: doit_receipts imports plugins.steps.tar",
        ),
        ("doit_receipts/a.py", "import checks.clone", "2: doit_receipts imports checks.clone"),
        ("doit_receipts/a.py", "import dodo", "2: doit_receipts imports dodo"),
        ("checks/a.py", "from plugins.steps.tarball import build", "2: checks imports plugins.st"),
        ("dodo.py", "import plugins.services.programs", "2: dodo imports plugins.services.progr"),
        (
            "plugins/rehearsal/a.py",
            "import plugins.ports.programs",
            "2: rehearsal imports plugins.ports",
        ),
        ("plugins/new/a.py", "import plugins.model.version", "2: new imports plugins.model.vers"),
    ],
)
def test_an_arrow_that_goes_up_is_found(path: str, code: str, breach: str, tmp_path: Path) -> None:
    (line,) = arrows_that_go_up(a_tree(tmp_path, {path: a_module(code)}))
    assert line.startswith(f"{path}:{breach}")


def test_a_check_that_could_write_is_found(tmp_path: Path) -> None:
    ports = a_module("class HostReader: ...\nclass Host: ...")
    check = a_module("def late():\n    from plugins.ports.host import Host, HostReader")
    changes = {"plugins/ports/host.py": ports, "checks/a.py": check}
    (line,) = checks_that_could_write(a_tree(tmp_path, changes))
    assert line == "checks/a.py:3: names Host, wanted HostReader"


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
        ("plugins/command/rehearse.py", "import plugins.rehearsal.world"),
        ("doit_receipts/command/run.py", "def late():\n    import plugins.rehearsal.world"),
    ],
)
def test_only_the_command_loads_the_rehearsal_and_only_late(
    path: str, code: str, tmp_path: Path
) -> None:
    (line,) = arrows_that_go_up(a_tree(tmp_path, {path: a_module(code)}))
    assert "imports plugins.rehearsal.world" in line


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
        ("doit_receipts/a.py", "import git", "doit_receipts imports git"),
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
        ("doit_receipts/a.py", "import doit.cmd_list"),
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
    (line,) = forbidden_acts(a_tree(tmp_path, {"doit_receipts/a.py": a_module(code)}))
    assert breach in line


@pytest.mark.parametrize(
    ("code", "breaches"),
    [
        ("words = [interpreter, '-m', 'venv', made]", 1),
        ("words = (sys.executable, '-s', '-m', 'pip')", 1),
        ("words = [interpreter, '-I', '-m', 'venv', made]", 0),
        ("words = ['git', 'commit', '-m', message]", 0),
    ],
)
def test_an_interpreter_that_trusts_its_folder_is_found(
    code: str, breaches: int, tmp_path: Path
) -> None:
    tree = a_tree(tmp_path, {"plugins/steps/a.py": a_module(code)})
    assert len(list(interpreters_that_trust_a_folder(tree))) == breaches


@pytest.mark.parametrize(
    ("code", "breaches"),
    [
        ("from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(6)", 1),
        ("import threading\nthreading.Thread(target=print).start()", 1),
        ("import threading\nthreading.Thread(target=contextvars.copy_context().run)", 0),
    ],
)
def test_a_thread_of_a_step_that_a_plan_does_not_hear_is_found(
    code: str, breaches: int, tmp_path: Path
) -> None:
    tree = a_tree(tmp_path, {"plugins/steps/a.py": a_module(code)})
    assert len(list(threads_that_nobody_hears(tree))) == breaches


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


def test_a_chapter_that_is_too_long_to_be_read_whole_is_found(tmp_path: Path) -> None:
    changes = {
        f"chapters/{name}.py": f'"""{name}."""\n' + "x = 1\n" * (lines - 1)
        for name, lines in (("stage", 170), ("build", 171))
    }
    (line,) = long_chapters(a_tree(tmp_path, changes))
    assert line == "chapters/build.py: 171 lines, at most 170"


def test_a_module_that_has_found_a_second_subject_is_found(tmp_path: Path) -> None:
    lines = "x = 1\n" * 460
    changes = {f"checks/{name}.py": f'"""Long."""\n{lines}' for name in ("long", "longer")}
    found = list(long_modules(a_tree(tmp_path, changes)))
    assert found == [f"checks/{name}.py: 461 lines, at most 460" for name in ("long", "longer")]


def test_what_is_named_as_longer_is_so_still() -> None:
    modules = of_the_project()
    assert [name for name in LONGER if modules[name].lines <= LINES_OF_A_MODULE] == []


def test_the_picture_of_the_design_has_the_arrows_that_are_held() -> None:
    """Each row of the table is one of ARROWS; the engine may be named by a part of it."""
    design = (PROJECT / "docs" / "design.md").read_text(encoding="utf-8")
    table = design.partition("| from | may import |\n| --- | --- |\n")[2].partition("\n\n")[0]
    shown = {}
    for row in table.splitlines():
        above, below = (cell.replace("`", "").lower() for cell in row.strip("| ").split(" | "))
        named = set(re.findall(r"[a-z_]+", below.replace("engine", "doit_receipts")))
        named |= {"doit_receipts"} if "frozen" in named else set()
        late = {"rehearsal"} if above == "command" else set()
        for floor in above.removesuffix(".py").removesuffix("/").split(", "):
            shown[floor] = named & ARROWS.keys() - late - {floor}
    assert shown == ARROWS


def test_the_picture_of_the_design_has_each_floor_once() -> None:
    design = (PROJECT / "docs" / "design.md").read_text(encoding="utf-8")
    picture = design.partition("```text\ndodo.py ")[2].partition("\n")[2].partition("```")[0]
    drawn = re.findall(r"^ *(?:plugins/)?([a-z_]+)/? ", picture, flags=re.MULTILINE)
    assert sorted(drawn) == sorted(ARROWS.keys() - {"dodo"})


# What is outside the three folders.


def test_every_plugin_of_doit_names_something_that_is_there() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    modules = of_the_project()
    missing = []
    for group in declared["tool"]["doit"]["plugins"].values():
        for reference in group.values():
            name, _, thing = reference.partition(":")
            if name == "doit_receipts.here":
                name, _, thing = thing.rpartition(".")
            if name not in modules or thing not in bound(modules[name].tree.body):
                missing.append(reference)
    assert missing == []


def test_nothing_of_ours_but_the_engine_is_installed() -> None:
    """A package called checks or plugins would be in the way of every other project."""
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    assert declared["tool"]["setuptools"] == {"packages": []}
    assert "entry-points" not in declared["project"]


def test_tests_print_nothing_but_benchmarks_and_programs() -> None:
    printing = [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in sorted(PROJECT.glob("tests/**/*.py"))
        if not {"bench", "cache", "moving"}
        & set(path.parts)  # the source of CPython is in tests/real/cache
        for top in ast.parse(path.read_bytes()).body
        if not (isinstance(top, ast.If) and ast.unparse(top.test) == "__name__ == '__main__'")
        for node in ast.walk(top)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]
    assert printing == []
