"""Tests of the Python that runs the docs tools: real pip over a folder of wheels, no network."""

from __future__ import annotations

import html
import os
import sys
import threading
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from checks.docs_python import docs_python_is_here
from doit_receipts.finding import Severity
from plugins.model.local_settings import Docs
from plugins.ports.docs_python import candidates, python_for
from plugins.services.programs import MachinePrograms
from tests.lying_server import answer, lying
from tests.source_world import World, a_world

if TYPE_CHECKING:
    import socket

PROGRAMS = MachinePrograms()


def a_wheel(
    folder: Path,
    version: str,
    requires: str,
    name: str = "toy_tool",
    *,
    platform: str = "any",
    needs: str = "",
) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-{platform}.whl", "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            f"Requires-Python: {requires}\n" + (f"Requires-Dist: {needs}\n" if needs else ""),
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                       f"Tag: py3-none-{platform}\n")  # fmt: skip
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def doc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Doc folder whose one tool wants a Python of the future; pip is told where wheels are."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    made = tmp_path / "Doc"
    made.mkdir()
    a_wheel(tmp_path, "1.0", ">=3.9")
    a_wheel(tmp_path, "2.0", ">=3.29")
    (made / "requirements.txt").write_text("--no-index\ntoy_tool~=2.0\n-c constraints.txt\n")
    (made / "constraints.txt").write_text("toy_tool<3\n")
    return made


@pytest.fixture
def python_of_the_future(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A python3.29 on PATH: the one that runs us, which says another version."""
    lies = tmp_path / "installed" / "lib"
    lies.mkdir(parents=True)
    (lies / "sitecustomize.py").write_text(
        "import sys\nfrom collections import namedtuple\n"
        "fields = namedtuple('version', 'major minor micro releaselevel serial')\n"
        "sys.version_info = fields(*sys.version_info[:2], 99, 'final', 0)\n"
    )
    place = tmp_path / "installed" / "bin"
    place.mkdir()
    python = place / "python3.29"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={lies} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return python


def test_our_own_python_is_taken_where_it_will_do(doc: Path) -> None:
    (doc / "requirements.txt").write_text(
        (doc / "requirements.txt").read_text().replace("~=2.0", "~=1.0")
    )
    assert python_for(doc / "requirements.txt", PROGRAMS).python == Path(sys.executable)


def test_python_that_is_needed_is_named_where_there_is_none(doc: Path) -> None:
    found = python_for(doc / "requirements.txt", PROGRAMS, among=(Path(sys.executable),))
    assert found.python is None
    assert "needs Python 3.29 or later" in found.problem
    assert "python3.29 is on PATH" in found.remedy


def wants_a_little_more(doc: Path) -> None:
    """The tool wants a later Python of our own series, as which another can pass before pip."""
    major, minor = sys.version_info[:2]
    a_wheel(doc.parent, "2.0", f">={major}.{minor}.90")


def test_newer_python_on_path_is_found(doc: Path, python_of_the_future: Path) -> None:
    """What the message told is done, and the stop is gone."""
    wants_a_little_more(doc)
    assert python_of_the_future in candidates(PROGRAMS)
    assert python_for(doc / "requirements.txt", PROGRAMS).python == python_of_the_future


def test_what_a_tool_needs_itself_counts(doc: Path, python_of_the_future: Path) -> None:
    """MarkupSafe, which Jinja asks for and no requirements file of the docs names."""
    major, minor = sys.version_info[:2]
    a_wheel(doc.parent, "2.0", ">=3.9", needs="toy_part==1.0")
    a_wheel(doc.parent, "1.0", f">={major}.{minor}.90", "toy_part")
    assert python_for(doc / "requirements.txt", PROGRAMS).python == python_of_the_future


def test_python_that_pip_calls_too_old_is_not_taken_for_a_wheel_that_it_lacks_as_well(
    doc: Path, python_of_the_future: Path, tmp_path: Path
) -> None:
    """Nothing is resolved for the older one, whatever is ignored; the later one has all."""
    major, minor = sys.version_info[:2]
    a_wheel(doc.parent, "2.0", f">={major}.{minor}.90", needs="toy_middle")
    a_wheel(doc.parent, "1.0", ">=3.9", "toy_middle", needs="toy_part==1.0")
    a_wheel(doc.parent, "1.0", ">=3.9", "toy_part", platform="toy_box")
    lies = tmp_path / "installed" / "lib" / "sitecustomize.py"
    box = "import sysconfig\nsysconfig.get_platform = lambda: 'toy-box'\n"
    lies.write_text(lies.read_text() + box)
    both = (Path(sys.executable), python_of_the_future)
    found = python_for(doc / "requirements.txt", PROGRAMS, among=both)
    assert found.python == python_of_the_future
    # Alone, it is left to the step: what pip says there is whole.
    assert python_for(doc / "requirements.txt", PROGRAMS, among=both[:1]).python == both[0]


@pytest.fixture
def python_elsewhere(tmp_path: Path) -> Path:
    """A Python for which wheels are that have the platform toy_box in their names."""
    lies = tmp_path / "elsewhere"
    lies.mkdir()
    (lies / "sitecustomize.py").write_text(
        "import sysconfig\nsysconfig.get_platform = lambda: 'toy-box'\n"
    )
    python = lies / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={lies} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    return python


def test_python_that_has_a_wheel_of_everything_is_taken(doc: Path, python_elsewhere: Path) -> None:
    a_wheel(doc.parent, "2.0", ">=3.9", needs="toy_part==1.0")
    a_wheel(doc.parent, "1.0", ">=3.9", "toy_part", platform="toy_box")
    both = (Path(sys.executable), python_elsewhere)
    assert python_for(doc / "requirements.txt", PROGRAMS, among=both).python == python_elsewhere


def lacks_a_part(doc: Path, *, others: bool = True) -> None:
    """The tool needs what has a wheel for another machine alone; ``others`` are for any."""
    a_wheel(doc.parent, "2.0", ">=3.9", needs="toy_part==1.0")
    a_wheel(doc.parent, "1.0", ">=3.9", "toy_part", platform="toy_box")
    if others:
        a_wheel(doc.parent, "0.5", ">=3.9", "toy_part")


def by_an_index(doc: Path, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, str]) -> None:
    """The wheels are on an index's pages alone, with the Requires-Python of these versions."""
    monkeypatch.delenv("PIP_FIND_LINKS")
    for wheel in doc.parent.glob("*.whl"):
        wheel.rename(doc / wheel.name)
    for page in ("toy_tool", "toy_part"):
        place = doc / "simple" / page.replace("_", "-") / "index.html"
        place.parent.mkdir(parents=True)
        lines = ["<!DOCTYPE html>"]
        for wheel in sorted(doc.glob(f"{page}*.whl")):
            bound = html.escape(bounds.get(wheel.name.split("-")[1], ">=3.9"))
            lines.append(
                f'<a href="{wheel.as_uri()}" data-requires-python="{bound}">{wheel.name}</a>'
            )
        place.write_text("\n".join(lines))
    (doc / "requirements.txt").write_text(
        f"--index-url {(doc / 'simple').as_uri()}/\ntoy_tool~=2.0\n"
    )


def test_package_that_has_no_wheel_for_any_python_is_named(doc: Path) -> None:
    lacks_a_part(doc)
    found = python_for(doc / "requirements.txt", PROGRAMS, among=(Path(sys.executable),))
    assert found.python is None
    assert "toy_part==1.0 has no wheel for " in found.problem.replace("-", "_")
    (doc.parent / "mine.txt").write_text("toy_tool<2\n")  # what the line says
    requirements = doc / "requirements.txt"
    requirements.write_text(requirements.read_text().replace("~=2.0", ">=1"))
    found = python_for(
        requirements,
        PROGRAMS,
        constraints=doc.parent / "mine.txt",
        among=(Path(sys.executable),),
    )
    assert found.python == Path(sys.executable)


def test_package_of_which_nothing_was_seen_is_left_to_the_step(
    doc: Path, python_of_the_future: Path
) -> None:
    """Pip says the same of an index that does not answer, so nothing is known to be absent."""
    lacks_a_part(doc, others=False)
    both = (Path(sys.executable), python_of_the_future)
    assert python_for(doc / "requirements.txt", PROGRAMS, among=both).python == both[0]


@pytest.mark.parametrize("status", [403, 429, 503])
def test_index_that_fails_halfway_says_nothing_of_the_pythons(
    doc: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions of the tool that want another Python were passed over, for one that will do."""
    monkeypatch.setenv("PIP_RETRIES", "0")
    major, minor = sys.version_info[:2]
    a_wheel(doc.parent, "2.0", ">=3.9", needs="nobody_has_it==1.0")
    a_wheel(doc.parent, "2.1", f">={major}.{minor + 1}")
    by_an_index(doc, monkeypatch, {"2.1": f">={major}.{minor + 1}"})
    page = (doc / "simple" / "toy-tool" / "index.html").read_text()
    page = page.replace(doc.as_uri(), "/wheels")

    def half(talk: socket.socket, path: str) -> None:
        if path.endswith(".whl"):
            talk.sendall(answer((doc / path.rpartition("/")[2]).read_bytes()))
        elif path.endswith("/toy-tool/"):
            talk.sendall(answer(page.encode(), content_type="text/html"))
        else:
            talk.sendall(answer(b"busy", f"{status} Busy"))

    with lying(half) as base:
        (doc / "requirements.txt").write_text(f"--index-url {base}/simple/\ntoy_tool~=2.0\n")
        found = python_for(doc / "requirements.txt", PROGRAMS, among=(Path(sys.executable),))
    assert found.python == Path(sys.executable)


@pytest.mark.parametrize("status", [403, 429, 503])
def test_index_that_does_not_answer_is_left_to_the_step(
    doc: Path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_RETRIES", "0")
    with lying(lambda talk, _: talk.sendall(answer(b"busy", f"{status} Busy"))) as base:
        (doc / "requirements.txt").write_text(f"--index-url {base}/simple/\nnobody-has-it==1.0\n")
        found = python_for(doc / "requirements.txt", PROGRAMS, among=(Path(sys.executable),))
    assert found.python == Path(sys.executable)


def waits(over: threading.Event) -> None:
    over.wait(60)


def test_index_that_is_slow_is_left_to_the_step(doc: Path) -> None:
    """That it is has nothing to do with the clone, or with the Pythons that are here."""
    over = threading.Event()
    with lying(lambda *_: waits(over)) as base:
        (doc / "requirements.txt").write_text(f"--index-url {base}/simple/\nnobody-has-it==1.0\n")
        only = (Path(sys.executable),)
        found = python_for(doc / "requirements.txt", PROGRAMS, among=only, timeout_s=8)
        over.set()
    assert found.python == only[0]


def test_python_that_is_new_enough_and_lacks_a_wheel_is_told_of(
    doc: Path, python_of_the_future: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version that was passed over for an older Python is not why pip finds nothing for it."""
    lacks_a_part(doc)
    major, minor = sys.version_info[:2]
    a_wheel(doc.parent, "0.9", ">=3.9", "toy_part")
    by_an_index(doc, monkeypatch, {"0.9": f">={major}.{minor}.90"})
    both = (Path(sys.executable), python_of_the_future)
    found = python_for(doc / "requirements.txt", PROGRAMS, among=both)
    assert found.python is None
    assert f"has no wheel for {sys.executable}, {python_of_the_future}" in found.problem
    assert "[docs] constraints" in found.remedy
    locked = python_for(doc / "requirements.txt", PROGRAMS, among=both, locked=True)
    assert locked.problem == found.problem
    assert "constraints" not in locked.remedy  # the versions come from the lock


@pytest.mark.parametrize("bound", [">=3.6,<3.9", "<3.9,>=3.6", ">=3.6,!=3.8.*,<=3.9"])
def test_bound_that_a_python_meets_and_an_upper_one_ask_for_no_newer_python(
    doc: Path, bound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pip tells the Requires-Python of each version that it passed over, of every project."""
    lacks_a_part(doc)
    a_wheel(doc.parent, "2.1", bound)
    by_an_index(doc, monkeypatch, {"2.1": bound})
    found = python_for(doc / "requirements.txt", PROGRAMS, among=(Path(sys.executable),))
    assert found.python is None
    assert "toy_part==1.0 has no wheel for " in found.problem.replace("-", "_")


def test_other_troubles_of_pip_are_left_to_the_step(doc: Path) -> None:
    (doc / "requirements.txt").write_text("--no-index\n-r nothing.txt\n")
    assert python_for(doc / "requirements.txt", PROGRAMS).python == Path(sys.executable)


# ── at the start ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def world(tmp_path: Path, doc: Path) -> World:
    made = a_world(tmp_path / "world")
    made.commit({f"Doc/{each.name}": each.read_text() for each in doc.iterdir()}, "Raise the tools")
    return made


def test_old_python_blocks_before_anything_is_made(world: World) -> None:
    (finding,) = docs_python_is_here(
        world.release, world.base, PROGRAMS, Docs(python=Path(sys.executable))
    )
    assert (finding.rule, finding.severity) == ("docs.python", Severity.BLOCK)
    assert "needs Python 3.29 or later" in finding.message


def test_tree_that_has_pip_build_a_package_blocks_and_pip_is_not_asked(world: World) -> None:
    world.commit({"Doc/requirements.txt": "-e ./evil\n"}, "Build one more")
    (finding,) = docs_python_is_here(world.release, world.base, PROGRAMS, Docs())
    assert (finding.rule, finding.severity) == ("docs.python", Severity.BLOCK)
    assert finding.message.endswith("a package's own code: '-e ./evil'")


def test_constraints_are_no_remedy_for_what_the_tree_locks(world: World, doc: Path) -> None:
    lacks_a_part(doc)
    lock = (
        'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "toy_part"\n'
        'version = "1.0"\n[[packages.wheels]]\n'
        'url = "https://files.example/toy_part-1.0-py3-none-toy_box.whl"\n'
        f'hashes.sha256 = "{"0" * 64}"\n'
    )
    world.commit({"Doc/pylock.toml": lock}, "Lock the tools")
    (finding,) = docs_python_is_here(
        world.release, world.base, PROGRAMS, Docs(python=Path(sys.executable))
    )
    assert "toy_part==1.0 has no wheel for " in finding.message.replace("-", "_")
    assert "name a Python in [docs] python" in finding.remedy
    assert "constraints" not in finding.remedy


def test_python_of_the_future_passes(world: World, doc: Path, python_of_the_future: Path) -> None:
    wants_a_little_more(doc)
    assert python_of_the_future.exists()
    assert docs_python_is_here(world.release, world.base, PROGRAMS, Docs()) == ()
