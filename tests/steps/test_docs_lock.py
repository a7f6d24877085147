"""Tests of the docs lock: real pip over a folder of wheels, a real clone, no network."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from checks.docs_lock import tools_are_locked
from doit_receipts.artifact import sha256_of
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.finding import Severity
from plugins.model.docs_lock import read_docs_lock
from plugins.model.docs_source import LOCK_FILE, DocsSource
from plugins.model.local_settings import Docs
from plugins.services.programs import MachinePrograms
from plugins.steps import docs_lock
from plugins.steps.docs_tools import DocsTools, make_environment
from plugins.steps.docs_tree import open_tree
from tests.progress import Quiet
from tests.source_world import World, a_world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.ports.programs import Completed, Programs


pytestmark = pytest.mark.slow  # pip is started for each lock

PROGRAMS = MachinePrograms()


def a_wheel(folder: Path, name: str, version: str, code: str = "", requires: str = "") -> Path:
    info = f"{name}-{version}.dist-info"
    made = folder / f"{name}-{version}-py3-none-any.whl"
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
    files = {
        f"{name}.py": code,
        f"{info}/METADATA": about,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(made, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(file, text)
    return made


class Series:
    """A clone whose documentation needs what the folder of wheels has, and where its lock is."""

    def __init__(self, folder: Path) -> None:
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        a_wheel(self.wheels, "toy_tool", "1.0", requires="toy_part")
        a_wheel(self.wheels, "toy_part", "1.0")
        self.world: World = a_world(folder / "world")
        self.kept = folder / "docs-tools-3.13.lock"
        self.docs = Docs(lock=self.kept)
        self.require("toy_tool~=1.0")
        self.made = self.world.release.layout.made / LOCK_FILE

    def require(self, line: str) -> None:
        text = f"--no-index\n{line}\n-c constraints.txt\n"
        self.world.commit({"Doc/requirements.txt": text, "Doc/constraints.txt": "toy_tool<3\n"})
        shutil.rmtree(self.world.release.layout.clone, ignore_errors=True)
        self.world.make()

    def lock(self) -> dict[str, str]:
        return docs_lock.make(
            self.world.release, self.world.clone, self.docs, PROGRAMS, Quiet(), after="base"
        )

    def pins(self) -> dict[str, str]:
        return {pin.name: pin.version for pin in read_docs_lock(self.made.read_bytes()).pins}

    def installed(self, folder: Path) -> DocsTools:
        doc = folder / "tree" / "Doc"
        doc.mkdir(parents=True, exist_ok=True)
        (doc / "requirements.txt").write_text("whatever the tree says\n")
        lock = read_docs_lock(self.made.read_bytes())
        return make_environment(folder / "docs-tools", doc, PROGRAMS, Quiet(), lock=lock)


@pytest.fixture
def series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Series:
    made = Series(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(made.wheels))
    return made


def test_lock_names_every_package_and_is_the_same_again(series: Series) -> None:
    facts = series.lock()
    wheels = {each.name.partition("-")[0]: sha256_of(each) for each in series.wheels.iterdir()}
    found = read_docs_lock(series.made.read_bytes())
    assert {pin.name: pin.sha256 for pin in found.pins} == wheels
    assert facts == {
        "packages": "2", "sha256": sha256_of(series.made), "source": "Doc/requirements.txt",
    }  # fmt: skip
    # A newer one on the index changes nothing: what was made is waited with.
    a_wheel(series.wheels, "toy_tool", "1.1")
    assert series.lock() == facts


def test_kept_lock_counts_in_a_later_release_until_the_tree_asks_for_something_else(
    series: Series,
) -> None:
    series.lock()
    shutil.copy(series.made, series.kept)
    series.made.unlink()
    a_wheel(series.wheels, "toy_tool", "1.1")
    series.lock()
    assert series.pins() == {"toy_tool": "1.0", "toy_part": "1.0"}
    series.require("toy_tool~=1.1")
    series.lock()
    assert series.pins() == {"toy_tool": "1.1"}
    series.docs = Docs(lock=series.kept, constraints=series.kept.with_name("pins.txt"))
    series.docs.constraints.write_text("toy_tool<2\n")  # type: ignore[union-attr]
    before = series.made.read_bytes()
    series.lock()
    assert series.made.read_bytes() != before  # constraints are what is asked for, too


def test_lock_for_another_python_is_made_again(series: Series) -> None:
    series.lock()
    text = series.made.read_text()
    series.kept.write_text(text.replace("for CPython 3.", "for PyPy 3."))
    series.made.unlink()
    series.lock()
    assert series.made.read_text() == text


def test_package_that_pip_cannot_find_is_told(series: Series) -> None:
    series.require(f"toy_part @ {next(series.wheels.glob('toy_part*')).as_uri()}")
    series.lock()  # a wheel by its address has a hash all the same
    series.require("nobody-has-it==1.0")
    with pytest.raises(ServiceFailed, match=r"lock the tree's Doc/requirements\.txt"):
        series.lock()


class Failing:
    """The programs of this machine, of which pip is not run: this error is what comes of it."""

    def __init__(self, error: ServiceFailed) -> None:
        self.error = error
        self.waited_s: list[float | None] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(PROGRAMS, name)

    def confined(self, **_: Any) -> Failing:
        if self.error.service != "pip":
            raise self.error
        return self

    def run(self, argv: Sequence[str | Path], **more: Any) -> Completed:
        if "--report" in argv:
            self.waited_s.append(more["timeout_s"])
            raise self.error
        return PROGRAMS.run(argv, **more)

    def lock(self, series: Series) -> dict[str, str]:
        programs = cast("Programs", self)
        return docs_lock.make(
            series.world.release, series.world.clone, series.docs, programs, Quiet(), after="base"
        )


def test_pip_that_does_not_end_is_told_as_what_was_asked_of_it(series: Series) -> None:
    """It is not asked again, a slow line has half an hour, and the name of the file is told."""
    failing = Failing(
        ServiceFailed(service="pip", action="install", problem="did not end within 9 s")
    )
    with pytest.raises(ServiceFailed) as caught:
        failing.lock(series)
    assert str(caught.value).startswith(
        "pip: lock the tree's Doc/requirements.txt: did not end within 9 s; read the last lines of"
    )
    assert failing.waited_s == [1800.0]
    assert series.lock()["packages"] == "2"


def test_machine_that_cannot_confine_pip_is_not_laid_on_pip(series: Series) -> None:
    error = ServiceFailed(
        service="confinement", action="run foreign code", problem="no", remedy="install bubblewrap"
    )
    with pytest.raises(ServiceFailed, match=r"^confinement: .*; install bubblewrap$"):
        Failing(error).lock(series)


@pytest.mark.parametrize(
    "install",
    [
        "[]", "{}", "[1]", '[{"metadata": {"name": "a", "version": "1"}, "download_info": []}]',
        '[{"metadata": {"name": "a", "version": "1"}, "download_info": {"archive_info": null}}]',
    ],
)  # fmt: skip
def test_report_of_pip_that_cannot_be_a_lock_is_told_in_one_line(install: str) -> None:
    with pytest.raises(StepFailed, match="what pip reports of them cannot be read"):
        docs_lock.pins_of(f'{{"install": {install}}}')


def test_tree_that_has_pip_build_a_package_is_refused_before_pip_is_asked(series: Series) -> None:
    """An option in the tree's file counts more than ours, and pip would run code of the package."""
    series.require("--no-binary toy_part\ntoy_part")
    with pytest.raises(StepFailed, match=r"Doc/requirements\.txt:2: has a line by which"):
        series.lock()
    assert not series.made.exists()


def test_tree_with_a_lock_of_its_own_needs_no_other(series: Series) -> None:
    own = (
        'lock-version = "1.0"\n[[packages]]\nname = "toy_part"\nversion = "1.0"\n'
        f'wheels = [{{hashes = {{sha256 = "{"a" * 64}"}}}}]\n'
    )
    base = series.world.base
    (found,) = tools_are_locked(series.world.release, base, None)
    assert (found.rule, found.severity) == ("docs.unlocked", Severity.WARN)
    assert found.remedy.startswith('write lock = "docs-tools-3.13.lock"')
    series.world.commit({"Doc/pylock.toml": own})
    series.require("toy_tool")
    assert series.lock()["source"] == "Doc/pylock.toml"
    assert tools_are_locked(series.world.release, series.world.base, None) == ()


def test_rehearsal_has_nothing_to_lock(series: Series) -> None:
    rehearsed = replace(series.world.release, rehearsal=True)
    assert tools_are_locked(rehearsed, series.world.base, None) == ()
    assert tools_are_locked(series.world.release, series.world.base, series.kept) == ()


# ── what is installed ──────────────────────────────────────────────────────────────────────


def test_environment_has_what_is_locked_and_nothing_else(series: Series, tmp_path: Path) -> None:
    series.lock()
    tools = series.installed(tmp_path)
    assert tools.installed == ("toy_part==1.0", "toy_tool==1.0")
    assert series.installed(tmp_path) == tools


def test_poisoned_package_of_the_same_version_is_refused(series: Series, tmp_path: Path) -> None:
    series.lock()
    a_wheel(series.wheels, "toy_part", "1.0", code="import os; os.system('evil')")
    with pytest.raises(ServiceFailed) as caught:
        series.installed(tmp_path)
    assert any("DO NOT MATCH" in line or "hash" in line.lower() for line in caught.value.details)
    assert "constraints" not in caught.value.remedy  # which change nothing that is locked


def test_dependency_that_the_lock_lacks_is_refused(series: Series, tmp_path: Path) -> None:
    """A package that asks for one more since would bring whatever that is."""
    series.lock()
    text = series.made.read_text()
    series.made.write_text(
        "".join(each for each in text.splitlines(keepends=True) if "toy_part" not in each)
    )
    with pytest.raises(ServiceFailed):
        series.installed(tmp_path)


def test_lock_for_no_python_here_says_so(series: Series, tmp_path: Path) -> None:
    series.lock()
    series.made.write_text(series.made.read_text().replace("for CPython 3.", "for CPython 4."))
    with pytest.raises(StepFailed, match="no such Python is here"):
        series.installed(tmp_path)


def test_lock_that_was_changed_since_it_was_approved_is_not_used(series: Series) -> None:
    facts = series.lock()
    clone = series.world.clone.folder
    source = DocsSource(
        clone, "refs/release/base", 1_700_000_000, lock=series.made, lock_sha256=facts["sha256"]
    )
    series.made.write_text(series.made.read_text().replace("1.0", "1.1"))
    with pytest.raises(StepFailed, match="is not the lock that was approved"):
        open_tree(series.world.release, source, PROGRAMS, Quiet(), cores=1)
