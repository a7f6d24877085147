"""Which release a command is about: --release, PEP101_RELEASE, or release.toml beside dodo.py."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Final

import pytest

from tests.doit_section import DOIT_SECTION
from tests.engine.conftest import CHAIN, HEAD, PROJECT, Project
from tests.engine.test_approve import APPROVAL
from tests.warm_doit import doit

if TYPE_CHECKING:
    from pathlib import Path

RELEASE: Final = """\
version = "3.13.6"
[repository]
clone = "cpython"
[signing]
gpg_key = "0123456789012345678901234567890123456789"
"""

OPENED: Final = """\
from pathlib import Path
from doit_receipts.calls import call
from doit_receipts.durable import write_whole
from plugins.command.opening import open_release

HERE = Path(__file__).parent
release, settings, plan, services = open_release(HERE / "release.toml")
DOIT_CONFIG = plan.doit_config("export")
at = release.layout


"""


class PythonProject(Project):
    """A folder with a dodo.py that opens a release of Python."""

    def declare(self, text: str, release: str = RELEASE) -> None:
        steps = HEAD.partition("def ran(name)")[2]
        (self.folder / "dodo.py").write_text(f"{OPENED}def ran(name){steps}{text}")
        (self.folder / "release.toml").write_text(release)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A release of Python with invented steps."""
    (tmp_path / "pyproject.toml").write_text(DOIT_SECTION)
    made = PythonProject(tmp_path)
    made.write("input", "hello")
    return made


@pytest.fixture
def chain(project: Project) -> Project:
    """Three steps in a row."""
    project.declare(CHAIN)
    return project


def test_options_may_stand_behind_the_task(chain: Project) -> None:
    chain.write("other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    ended = chain.doit("copy_a", "--release", "other.toml")
    assert (ended.status, chain.ran()) == (0, ["a"])
    assert (chain.folder / "build" / "3.13.7" / "src" / "a").exists()
    assert "Python 3.13.7" in chain.doit("list", "--status", "--release=other.toml").out
    refused = chain.doit("copy_a", "--relaese", "other.toml")
    assert (refused.status, chain.ran()) == (3, [])


@pytest.mark.parametrize("words", [("list",), ("run",), (), ("why", "copy_a")])
def test_misspelled_option_is_one_line_with_the_right_one(
    chain: Project, words: tuple[str, ...]
) -> None:
    refused = chain.doit(*words, "--relase", "other.toml", "-f", "dodo.py")
    assert refused.status == 3
    assert "option --relase not recognized; did you mean --release?" in refused.err
    assert "CmdOption" not in refused.err


def declare_broken(chain: Project, remedy: str) -> None:
    """The first step of the chain fails, and says so with this remedy."""
    chain.declare(CHAIN.replace('copy, HERE / "input", at.src / "a"', "broken"))
    dodo = chain.folder / "dodo.py"
    step = (
        "def broken():\n"
        "    from doit_receipts.errors import StepFailed\n"
        f'    raise StepFailed(where="a", problem="broke", remedy="{remedy}")\n'
    )
    dodo.write_text(dodo.read_text().replace("HERE = ", f"{step}\n\nHERE = ", 1))


def test_remedy_of_a_step_names_the_release_that_was_chosen(chain: Project) -> None:
    """A step says what to type without knowing which release is open (rule 22)."""
    declare_broken(chain, "see it, then run doit adopt")
    chain.write("other one.toml", RELEASE.replace("3.13.6", "3.13.7"))
    ended = chain.doit("copy_a", "--release", "other one.toml")
    assert ended.status == 1
    wanted = "see it, then run doit adopt copy_a --release 'other one.toml'"
    assert wanted in ended.out
    assert wanted in chain.doit("why", "copy_a", "--release", "other one.toml").out


def test_the_next_command_names_the_release_that_was_chosen(chain: Project) -> None:
    """Whoever copies the line from the terminal acts on the release that it was told of."""
    chain.write("other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    assert chain.doit("list", "--status").out.endswith("\nnext: doit export\n")
    shown = chain.doit("list", "--status", "--release", "other.toml").out
    assert shown.endswith("\nnext: doit export --release other.toml\n")
    shown = chain.doit("list", "--status", env={"PEP101_RELEASE": "other.toml"}).out
    assert "Python 3.13.7" in shown
    assert shown.endswith("\nnext: doit export\n")


def test_wrong_settings_are_one_line_and_status_3(project: Project) -> None:
    project.declare(CHAIN, release=RELEASE.replace("[signing]", "[signnig]"))
    ended = project.doit()
    assert ended.status == 3
    assert "Traceback" not in ended.err
    assert "[signnig] is not a section; did you mean signing?" in ended.err


def test_another_release_file_is_chosen_before_or_after_the_command(chain: Project) -> None:
    chain.write("other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    for words, env in (
        (("--release", "other.toml", "list", "--status"), {}),
        (("list", "--status", "--release", "other.toml"), {}),
        (("list", "--status"), {"PEP101_RELEASE": "other.toml"}),
    ):
        assert "Python 3.13.7" in chain.doit(*words, env=env).out


def test_options_may_stand_behind_a_name_of_why(chain: Project) -> None:
    (chain.folder / "release.toml").rename(chain.folder / "other.toml")
    told = chain.doit("why", "copy_a", "--release", "other.toml")
    assert told.status == 0, told.err
    assert told.out.startswith("copy_a: Copy the input to a.")
    wrong = chain.doit("why", "copy_a", "--nonsense", "--release", "other.toml")
    assert wrong.status == 3
    assert "nonsense" in wrong.err


@pytest.mark.parametrize("command", ["rehearse --folder input", "rehearse --folder input/more"])
def test_a_file_in_place_of_the_rehearsal_is_one_line(project: Project, command: str) -> None:
    ended = project.doit(*command.split())
    assert (ended.status, ended.out) == (1, ""), ended
    (line,) = ended.err.splitlines()
    assert line.startswith(f"{project.folder / 'input'}")
    assert "the simulated environment cannot be created" in line


def test_release_without_a_key_starts_and_says_so_when_an_approval_is_asked_for(
    project: Project,
) -> None:
    """From 3.14 on no key has to be declared (PEP 761); only approvals need one."""
    project.declare(APPROVAL, 'version = "3.14.1"\n[repository]\nclone = "cpython"\n')
    assert project.doit("list", "--status").status == 0
    waiting = project.doit("export")
    assert waiting.status == 4, waiting.out + waiting.err
    assert "[signing] gpg_key names no key that may approve; write the full" in waiting.out
    refused = project.doit("approve", "approve_a")
    assert refused.status == 1
    assert "release.toml: [signing] gpg_key names no key that may approve" in refused.out


def test_remedy_that_forgets_a_task_can_be_typed_as_it_is_told(chain: Project) -> None:
    """Doit's own forget takes what stands behind a task for more tasks."""
    declare_broken(chain, "run doit forget copy_a")
    chain.write("other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    told = chain.doit("copy_a", "--release", "other.toml").out
    assert "run doit forget copy_a --release other.toml" in told
    for words in (("copy_a", "--release", "other.toml"), ("--release=other.toml", "copy_a")):
        ended = chain.doit("forget", *words)
        assert (ended.status, ended.out) == (0, "forgetting copy_a\n")


def test_remedy_that_is_told_in_another_folder_can_be_typed_there(
    chain: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """There doit's own commands read the words first, and know no --release."""
    elsewhere, release = tmp_path_factory.mktemp("else where"), chain.folder / "my other.toml"
    chain.write("my other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    named = ("-f", str(chain.folder / "dodo.py"), "next", "--release", str(release))
    env = {**os.environ, "PYTHONPATH": str(PROJECT)}
    shown = doit(*named, folder=elsewhere, env=env)
    assert (shown.status, shown.err) == (0, "")
    line = next(each for each in shown.out.splitlines() if "PEP101_RELEASE=" in each)
    chosen, _, *words = shlex.split(line[line.index("PEP101_RELEASE=") :])
    env["PEP101_RELEASE"] = chosen.partition("=")[2]
    assert doit(*words, folder=elsewhere, env=env).done == ["copy_a", "halve_b", "copy_c"]
    assert (chain.folder / "build" / "3.13.7" / "src" / "a").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("x=1", "copy_a"), "'x=1' is not a task of this release; an option is written --x=1"),
        (
            ("release=o.toml", "copy_a"),
            "'release=o.toml' is not a task of this release; an option is written --release=o.toml",
        ),
        (
            ("run", "copy_a", "a=b"),
            "'a=b' is not a task of this release; an option is written --a=b",
        ),
        (("why", "a=b"), "'a=b' is not a task of this release; an option is written --a=b"),
        (("list", "a=b"), "'a=b' is not a task."),
        (("next", "x=1"), "doit next takes no task; doit why TASK explains one"),
    ],
)
def test_word_with_an_equals_sign_is_a_word_like_any_other(
    chain: Project, words: tuple[str, ...], told: str
) -> None:
    """It was a variable of doit, and the command was done as if it had not been typed."""
    ended = chain.doit(*words)
    assert (ended.status, ended.err, chain.ran()) == (3, f"ERROR: {told}\n", [])


def test_value_of_an_option_may_have_an_equals_sign(project: Project) -> None:
    project.declare(APPROVAL)
    ended = project.doit("approve", "approve_a", "--note", "sha256=0123")
    assert "needs a value" not in ended.err
    assert "not a task" not in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("--release", "other.toml", "copy_a", "--release", "release.toml"),
        ("copy_a", "--release=other.toml", "--releas", "release.toml"),
    ],
)
def test_two_releases_for_one_command_are_refused(chain: Project, words: tuple[str, ...]) -> None:
    chain.write("other.toml", RELEASE.replace("3.13.6", "3.13.7"))
    ended = chain.doit(*words)
    told = "--release names two files, other.toml and release.toml; leave one out\n"
    assert (ended.status, ended.err, chain.ran()) == (3, f"ERROR: {told}", [])
    again = chain.doit("--release", "other.toml", "copy_a", "--release=other.toml")
    assert (again.status, chain.ran()) == (0, ["a"])
