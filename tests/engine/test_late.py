"""Late imports: what a chapter's tasks do is imported by a run that has something to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Project

DODO: Final = 'plan.read_chapters("acts", late=("deeds",))\n'
ACT: Final = """\
from deeds import copying, judging, looking
from doit_receipts.calls import call, deferred
from doit_receipts.plan import OPENED

plan = OPENED.get()
work = plan.folder.work


@plan.step(writes=[work / "a"])
def copy_a():
    "Copy to a."
    return call(copying.copy, deferred(copying.text_of, "x"), work / "a")


@plan.gate(after=[copy_a], extra_inputs={"a": call(copying.text_of, "a")})
def check_a():
    "Judge a."
    return call(judging.judge)


@plan.public(after=[check_a], look=looking.look)
def show_a():
    "Show a."
    return call(copying.show, source=work / "a", seen=work.parent.parent / "seen")


@plan.group(of=[show_a])
def export():
    "Everything."
"""
COPYING: Final = """\
from pathlib import Path

Path("imported").open("a").write("copying ")
NAME = "a"


def text_of(text):
    return text * 2


def copy(text, target):
    target.write_text(text)
    return {}


def show(source, seen):
    seen.write_bytes(source.read_bytes())
    return {}
"""
LOOKING: Final = """\
from pathlib import Path

from doit_receipts.probe import absent, identical

Path("imported").open("a").write("looking ")


def look(seen):
    return identical({}) if seen.exists() else absent("nobody sees it")
"""
JUDGING: Final = """\
from pathlib import Path

Path("imported").open("a").write("judging ")


def judge():
    return ()
"""


@pytest.fixture
def late(project: Project) -> Project:
    """A project of one chapter, whose three modules of deeds note that they were imported."""
    write(project, "acts/before.py", ACT)
    write(project, "deeds/__init__.py", "")
    write(project, "deeds/copying.py", COPYING)
    write(project, "deeds/judging.py", JUDGING)
    write(project, "deeds/looking.py", LOOKING)
    project.declare(DODO)
    return project


def write(project: Project, name: str, text: str) -> None:
    file = project.folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def imported(project: Project) -> list[str]:
    """What was imported since this was asked last."""
    file = project.folder / "imported"
    found = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return found


def test_a_listing_imports_nothing_and_a_run_what_it_does(late: Project) -> None:
    assert late.doit("list", "--status").status == 0
    assert imported(late) == []
    ended = late.doit("run")
    assert ended.status == 0, ended
    assert sorted(imported(late)) == ["copying", "judging", "looking"]
    assert (late.folder / "seen").read_text() == "xx"


def test_a_run_with_nothing_to_do_imports_what_its_inputs_come_from(late: Project) -> None:
    late.doit("run")
    imported(late)
    for words in (("run",), ("list", "--status")):
        ended = late.doit(*words)
        assert ended.status == 0, ended
        assert imported(late) == ["copying"]  # which says the extra input
    assert late.doit("list").status == 0
    assert imported(late) == []


def test_a_value_that_a_chapter_uses_is_there(late: Project) -> None:
    write(late, "acts/before.py", ACT.replace('work / "a"', "work / copying.NAME"))
    assert late.doit("list", "--status").status == 0
    assert imported(late) == ["copying"]
    assert late.doit("run").status == 0


def test_the_second_module_of_a_chapter_imports_as_late(late: Project) -> None:
    shared, tasks = ACT.split("\n\n\n", 1)
    write(late, "acts/shared.py", f"{shared}\nshow = (copying.show, looking.look)\n")
    imports = "from deeds import copying, judging, looking\nfrom doit_receipts.calls import call, "
    own = f"{imports}deferred\nfrom acts.shared import plan, show, work"
    write(late, "acts/before.py", f"{own}\n\n\n{tasks}")
    assert late.doit("list", "--status").status == 0
    assert imported(late) == []
    assert late.doit("run").status == 0


BROKEN: Final = {
    "a module that is no Python": (
        ("deeds/looking.py", "def look(seen:\n"),
        "looking.py:1: Python cannot read it: ",
        "; mend that line",
    ),
    "a module that imports what is not there": (
        ("deeds/looking.py", "import os\nimport nosuch\n"),
        "deeds/looking.py:2: No module named 'nosuch'",
        "; install what has it into this environment, or mend the import",
    ),
    "a module that is not there": (
        ("acts/before.py", ACT.replace("looking", "watching")),
        "acts/before.py:21: No module named 'deeds.watching'",
        "; install what has it into this environment, or mend the import",
    ),
    "a function that is not there": (
        ("acts/before.py", ACT.replace("text_of", "words_of")),
        "acts/before.py:9: deeds.copying has no function words_of",
        "; install what has it into this environment, or mend the import",
    ),
    "an argument that the function does not take": (
        ("deeds/copying.py", COPYING.replace("def copy(text", "def copy(words, text")),
        "acts/before.py:9: copy_a calls copy, which takes other arguments: ",
        "; copy(words, text, target) is what it takes",
    ),
    "a look that needs what the act lacks": (
        ("deeds/looking.py", LOOKING.replace("look(seen)", "look(seen, index)")),
        "acts/before.py:21: show_a looks by look, which needs index, and its act show has no arg",
        "; call the argument the same in both",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_stops_a_run_before_its_first_task(kind: str, late: Project) -> None:
    (name, text), problem, remedy = BROKEN[kind]
    write(late, name, text)
    assert late.doit("list", "--status").status == 0
    ended = late.doit("run")
    assert ended.status == 3, ended
    (said,) = ended.err.splitlines()
    assert said.startswith(f"ERROR: {problem}"), said
    assert said.endswith(remedy), said
    assert not (late.work / "a").exists()
    assert not (late.work / "receipts").exists()


@pytest.mark.parametrize("words", [("check", "check_a"), ("list", "--status")])
def test_what_is_broken_stops_a_command_that_needs_it(
    words: tuple[str, ...], late: Project
) -> None:
    late.doit("run", "check_a")
    for name in ("copying", "judging", "looking"):
        write(late, f"deeds/{name}.py", "import nosuch\n")
    ended = late.doit(*words)
    assert ended.status == 3, ended
    (said,) = ended.err.splitlines()
    assert ": No module named 'nosuch'; install what has it" in said
    assert said.startswith("ERROR: deeds/")
