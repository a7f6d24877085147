"""A dodo.py that uses the engine wrongly: one line with its place and what to do, and status 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from tests.engine.conftest import Project

GROUP: Final = '''
@plan.group(of=[])
def export():
    """Everything."""
'''

# What is declared, with HERE where the message has to point at; what is wrong; what to do.
WRONG: Final = {
    "two tasks wait for each other": (
        (
            '@plan.step(after="b")  # HERE\ndef a():\n    """A."""\n    return call(print)\n'
            '@plan.step(after="a")\ndef b():\n    """B."""\n    return call(print)\n'
        ),
        "a waits for b waits for a",
        "take one of these out of its after=",
    ),
    "a task that waits for itself": (
        '@plan.step(after="a")  # HERE\ndef a():\n    """A."""\n    return call(print)\n',
        "a waits for a",
        "take one of these out of its after=",
    ),
    "a shared step without a look": (
        '@plan.shared()  # HERE\ndef a():\n    """A."""\n    return call(print)\n',
        "a is SHARED and has no look",
        "give look= the function that finds out whether it was done: it gives a Probe",
    ),
    "a public step without a look": (
        (
            "@plan.step(effect=Effect.PUBLIC)  # HERE\n"
            'def a():\n    """A."""\n    return call(print)\n'
        ),
        "a is PUBLIC and has no look",
        "give look= the function that finds out whether it was done: it gives a Probe",
    ),
    "a local step with a look": (
        '@plan.step(look=print)  # HERE\ndef a():\n    """A."""\n    return call(print)\n',
        "a is LOCAL and has a look",
        "only what changes the world outside is looked at: use plan.shared or plan.public",
    ),
    "a look that needs what the act lacks": (
        (
            "def look(index): ...\n"
            "@plan.public(look=look)  # HERE\n"
            'def a():\n    """A."""\n    return call(fail, source=1)\n'
        ),
        "a looks by look, which needs index, and its act fail has no argument of that name",
        "call the argument the same in both",
    ),
    "a step with a look and two acts": (
        (
            "def look(source): ...\n"
            '@plan.public(look=look)  # HERE\ndef a():\n    """A."""\n'
            "    return [call(fail, 1), call(fail, 2)]\n"
        ),
        "a has a look and 2 calls",
        "return exactly one call",
    ),
    "a name that is used twice": (
        (
            '@plan.step()\ndef a():\n    """A."""\n    return call(print)\n'
            '@plan.step()  # HERE\ndef a():\n    """A."""\n    return call(print)\n'
        ),
        "a is declared a second time; the first is at dodo.py:",
        "give one of them another name",
    ),
    "after a task that nobody declared": (
        (
            '@plan.step()\ndef build():\n    """B."""\n    return call(print)\n'
            '@plan.step(after="biuld")  # HERE\ndef a():\n    """A."""\n    return call(print)\n'
        ),
        "a comes after biuld, which is no task",
        "did you mean build?",
    ),
    "after what is no task": (
        (
            "def build(): ...\n"
            '@plan.step(after=build)  # HERE\ndef a():\n    """A."""\n    return call(print)\n'
        ),
        "a comes after build, which is no task",
        "name a declared task, or write its name as text",
    ),
    "a chapter that is not there": (
        'plan.chapter("bfore")  # HERE\n',
        "there is no chapter 'bfore'",
        "chapters: before",
    ),
    "a module of a chapter that is not there": (
        'plan.read_chapters("acts")  # HERE\n',
        "there is no chapter 'before'",
        "chapters: before",
    ),
    "a part that no task has": (
        '@plan.step(afer="b")  # HERE\ndef a():\n    """A."""\n    return call(print)\n',
        "a is given afer=, which is neither a part of a task nor a label",
        "did you mean after?",
    ),
    "a name that no receipt can have": (
        '@plan.step(name="a/b")  # HERE\ndef a():\n    """A."""\n    return call(print)\n',
        "'a/b' is no name for a task",
        "letters, digits and . _ - make one, and it begins with a letter or a digit",
    ),
    "a task named like a command": (
        '@plan.step()  # HERE\ndef approve():\n    """A."""\n    return call(print)\n',
        "approve is a command of doit",
        "give the task another name",
    ),
    "a step that returns nothing": (
        '@plan.step()  # HERE\ndef a():\n    """A."""\n    call(print)\n',
        "a returns nothing",
        "end it with return call(function, its, arguments)",
    ),
    "a step that does its work at once": (
        '@plan.step()  # HERE\ndef a():\n    """A."""\n    return {"bytes": "1"}\n',
        "a returns a dict",
        "end it with return call(function, its, arguments)",
    ),
    "a value that cannot tell itself": (
        (
            "class Opaque: ...\n"
            '@plan.step()  # HERE\ndef a():\n    """A."""\n    return call(print, Opaque())\n'
        ),
        "a: Opaque stands in a call and has no __repr__ of its own",
        "give the call values that tell themselves, each as an argument of its own",
    ),
    "a deferred value within another": (
        (
            '@plan.step()  # HERE\ndef a():\n    """A."""\n'
            '    return call(print, [plan.fact("b", "digest")])\n'
        ),
        "a: <deferred digest of b> stands within another value, and is resolved only on its own",
        "give the call values that tell themselves, each as an argument of its own",
    ),
    "a call within a call": (
        '@plan.step()  # HERE\ndef a():\n    """A."""\n    return call(print, call(print))\n',
        "a: a call() nested in another one would never run: use deferred()",
        "give the call values that tell themselves, each as an argument of its own",
    ),
    "a deferred value in a text": (
        'digest = plan.fact("b", "digest")\nsaid = f"sha256 {digest}"  # HERE\n',
        "<deferred digest of b> is known only when its task runs",
        "hand it to call() or deferred() as an argument of its own",
    ),
    "a deferred value that is compared": (
        'digest = plan.fact("b", "digest")\nsame = digest == "abc"  # HERE\n',
        "<deferred digest of b> is known only when its task runs",
        "hand it to call() or deferred() as an argument of its own",
    ),
    "a deferred value that is asked for truth, in a task": (
        (
            '@plan.step()\ndef a():\n    """A."""\n'
            '    return call(print, 1 if plan.fact("b", "digest") else 2)  # HERE\n'
        ),
        "<deferred digest of b> is known only when its task runs",
        "hand it to call() or deferred() as an argument of its own",
    ),
    "a deferred value that is asked for a part": (
        "from doit_receipts.calls import deferred\ntext = deferred(input, 1).title()  # HERE\n",
        "<deferred result of input> is known only when its task runs",
        "hand it to call() or deferred() as an argument of its own",
    ),
    "a file that two tasks write": (
        (
            'file = plan.folder.work / "x"\n'
            '@plan.step(writes=[file])\ndef a():\n    """A."""\n    return call(print)\n'
            "@plan.step(writes=[file])  # HERE\n"
            'def b():\n    """B."""\n    return call(print)\n'
        ),
        "b writes x, which a writes as well; that one is at dodo.py:",
        "give each task files of its own",
    ),
    "a product outside of the release's folder": (
        (
            '@plan.step(writes=[Path("/srv/x")])  # HERE\n'
            'def a():\n    """A."""\n    return call(print)\n'
        ),
        "a writes /srv/x, which is outside of the release's folder",
        "what is elsewhere is changed by a SHARED or PUBLIC step",
    ),
    "a file that is no path": (
        ('@plan.step(reads="source")  # HERE\ndef a():\n    """A."""\n    return call(print)\n'),
        "reads= of a holds 's', which is no Path",
        "write reads=[Path(...)]",
    ),
    "an argument that the function does not take": (
        (
            "def build(source): ...\n"
            '@plan.step()  # HERE\ndef a():\n    """A."""\n    return call(build, sorce=1)\n'
        ),
        "a calls build, which takes other arguments: missing a required argument: 'source'",
        "build(source) is what it takes",
    ),
    "a task's function that wants arguments": (
        '@plan.step()  # HERE\ndef a(source):\n    """A."""\n    return call(print)\n',
        "a takes source, and is called without arguments",
        "name what it needs in the call that it returns",
    ),
    "a line that is no Python": (
        "def (  # HERE\n",
        "Python cannot read it: ",
        "mend that line",
    ),
    "a module that is not there": (
        "import nosuch  # HERE\n",
        "No module named 'nosuch'",
        "install what has it into this environment, or mend the import",
    ),
    "an approval by nobody": (
        '@plan.approval(who="Rm", of=[])  # HERE\ndef a():\n    """A."""\n',
        "a is approved by 'Rm', but no key is named that may approve as that person",
        "did you mean RM?",
    ),
    "an approval by somebody else": (
        '@plan.approval(who="editor", of=[])  # HERE\ndef a():\n    """A."""\n',
        "a is approved by 'editor', but no key is named that may approve as that person",
        "name their key in release.toml",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("words", [("list",)])
def test_a_wrong_declaration_is_one_line_with_its_place(
    kind: str, words: tuple[str, ...], project: Project
) -> None:
    text, problem, remedy = WRONG[kind]
    project.declare(text + GROUP)
    lines = (project.folder / "dodo.py").read_text().splitlines()
    line = next(number for number, each in enumerate(lines, start=1) if "# HERE" in each)
    ended = project.doit(*words)
    assert ended.status == 3, ended
    assert ended.out == ""
    (said,) = ended.err.splitlines()
    assert said.startswith(f"ERROR: dodo.py:{line}: {problem}"), said
    assert said.endswith(f"; {remedy}"), said


@pytest.mark.parametrize("words", [("run",), ("list", "--status"), ("why", "a"), ("a",)])
def test_every_command_says_so_and_does_nothing(words: tuple[str, ...], project: Project) -> None:
    project.declare(WRONG["two tasks wait for each other"][0] + GROUP)
    ended = project.doit(*words)
    assert (ended.status, ended.out) == (3, "")
    assert len(ended.err.splitlines()) == 1
    assert not project.work.exists()


def test_a_module_of_a_chapter_is_named_with_its_folder(project: Project) -> None:
    folder = project.folder / "acts"
    folder.mkdir()
    (folder / "before.py").write_text(
        "from doit_receipts.plan import OPENED\n\n@OPENED.get().step()\ndef a():\n    '''A.'''\n"
    )
    project.declare('plan.read_chapters("acts")\n' + GROUP)
    said = project.doit("list").err
    assert said.startswith("ERROR: acts/before.py:3: a returns nothing; "), said
