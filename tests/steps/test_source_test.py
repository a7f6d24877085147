from __future__ import annotations

import gzip
import io
import itertools
import lzma
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from doit_receipts.cores import Cores, sharing
from doit_receipts.errors import StepFailed
from plugins.model.local_settings import SourceTest
from plugins.rehearsal.toy_cpython import make_toy
from plugins.services.programs import MachinePrograms
from plugins.steps import source_test
from tests.progress import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from plugins.model.release import Release

    Builds = Callable[..., Release]


def tar_of(folder: Path, root: str, changed: Mapping[str, bytes | None]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if name.startswith(".git/") or name == ".git":
                continue
            info = tar.gettarinfo(path, f"{root}/{name}")
            content = changed.get(name, path.read_bytes() if info.isreg() else b"")
            if content is None:
                continue
            info.size, info.mtime = len(content), 1_700_000_000
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy CPython, checked out."""
    return make_toy(tmp_path_factory.mktemp("toy"))


def with_archives(
    release: Release,
    toy: Path,
    changed: Mapping[str, bytes | None] | None = None,
    in_xz: Mapping[str, bytes | None] | None = None,
) -> Release:
    release.layout.src.mkdir(parents=True)
    root = release.layout.folder_in_archive
    header = b'#define PY_VERSION "3.13.6"\n'
    first = {"Include/patchlevel.h": header, **(changed or {})}
    tgz, xz = release.layout.tarballs
    tgz.write_bytes(gzip.compress(tar_of(toy, root, first)))
    xz.write_bytes(lzma.compress(tar_of(toy, root, {**first, **(in_xz or {})}), preset=0))
    return release


def run(release: Release, level: SourceTest = SourceTest.QUICK) -> dict[str, str]:
    return source_test.run(release, MachinePrograms(), level, Heard())


def test_archives_that_build_and_pass_are_told_with_their_version(
    a_release: Builds, toy: Path
) -> None:
    release = with_archives(a_release(), toy)
    told = Heard()
    facts = source_test.run(release, MachinePrograms(), SourceTest.QUICK, told)
    assert facts["level"] == "quick"
    assert facts["python"] == "3.13.6"
    assert "test_os" in facts["tests"].split()
    assert len(facts["tree_sha256"]) == 64
    assert str(release.layout.work) not in "".join(facts.values())
    assert any("building" in line for line in told.lines)
    assert not (release.layout.scratch / "source_test").exists()


TWO_JOBS = b"""
python: left right
left:
\t@touch L; until test -e R; do sleep 0.01; done
right:
\t@touch R; until test -e L; do sleep 0.01; done
"""


@pytest.mark.skipif(MachinePrograms().version("make")[:2] != "4.", reason="GNU make 4 is needed")
def test_the_sources_are_built_with_the_cores_that_other_tasks_leave(
    a_release: Builds, toy: Path
) -> None:
    """One by one the two jobs would never end; what make took, others may have again."""
    makefile = (toy / "Makefile.pre.in").read_bytes() + TWO_JOBS
    release = with_archives(a_release(), toy, {"Makefile.pre.in": makefile})
    with sharing(cores := Cores(3)):
        assert cores.take(1) == 1
        assert run(release)["level"] == "quick"
        assert cores.take(9) == 2


SUITE = b"\nbuildbottest:\n\t@echo $(EXTRATESTOPTS) >&2; exit 1\n"


@pytest.mark.parametrize(("others", "jobs"), [(0, 4), (1, 3)])
def test_the_full_suite_uses_the_cores_that_other_tasks_leave(
    a_release: Builds, toy: Path, others: int, jobs: int
) -> None:
    """By itself it would use all of the machine's. How many they are is not in what is reported."""
    makefile = (toy / "Makefile.pre.in").read_bytes() + SUITE
    release = with_archives(a_release(), toy, {"Makefile.pre.in": makefile})
    with sharing(cores := Cores(4)):
        assert cores.take(1 + others) == 1 + others
        with pytest.raises(StepFailed) as raised:
            run(release, SourceTest.FULL)
        assert cores.take(9) == 3 - others
    assert raised.value.problem == "make buildbottest ended with status 2"
    assert f"-j{jobs}" in " ".join(raised.value.details).split()


def test_the_full_suite_is_told_once_it_has_the_cores(a_release: Builds, toy: Path) -> None:
    """Until then it may wait for long, and what is told is that."""
    free: dict[str, int] = {}

    class Looking(Heard):
        def say(self, text: str) -> None:
            free[text] = cores.take(9)
            cores.give_back(free[text])

    release = with_archives(a_release(), toy)
    with sharing(cores := Cores(4)):
        assert cores.take(1) == 1
        source_test.run(release, MachinePrograms(), SourceTest.FULL, Looking())
    *_, waiting, suite = free
    assert (waiting, free[waiting]) == ("waiting for more than half of the cores", 3)
    assert (suite, free[suite]) == ("make buildbottest: the full test suite", 0)


def test_it_is_told_that_the_full_suite_waits_no_longer_for_more_cores(
    a_release: Builds, toy: Path
) -> None:
    """What has them may have been killed; why the suite takes so long is in the log."""
    heard = Heard()
    now_s = itertools.count(0, 1800)
    with sharing(cores := Cores(4, now_s=lambda: next(now_s))):
        assert cores.take(3) == 3
        source_test.run(with_archives(a_release(), toy), MachinePrograms(), SourceTest.FULL, heard)
    assert heard.lines[-3:] == [
        "waiting for more than half of the cores",
        "going on with 2 of 4 cores: no more became free",
        "make buildbottest: the full test suite",
    ]


@pytest.mark.parametrize(("others", "jobs"), [(0, 4), (3, 1)])
def test_quick_tests_use_the_cores_that_other_tasks_leave(
    a_release: Builds, toy: Path, others: int, jobs: int
) -> None:
    failing = b"import sys\nprint(*sys.argv[1:])\nsys.exit(2)\n"
    release = with_archives(a_release(), toy, {"Lib/test/__main__.py": failing})
    with sharing(cores := Cores(4)):
        assert cores.take(1 + others) == 1 + others
        with pytest.raises(StepFailed) as raised:
            run(release)
        assert cores.take(9) == 3 - others
    assert raised.value.problem.endswith("python -m test ended with status 2")
    assert {f"-j{jobs}", "test_os"} <= set(" ".join(raised.value.details).split())


def test_second_run_tells_the_same_facts(a_release: Builds, toy: Path) -> None:
    release = with_archives(a_release(), toy)
    assert run(release) == run(release)


@pytest.mark.parametrize(
    ("version", "target"),
    [
        ("3.13.6", "make buildbottest"),
        ("3.14.0rc1", "make buildbottest"),
        ("3.14.0b2", "make test"),
    ],
)
def test_full_level_runs_the_suite_of_the_release_type(
    a_release: Builds, toy: Path, version: str, target: str
) -> None:
    """B11 and B12: candidates and finals get what the buildbots run."""
    header = f'#define PY_VERSION "{version}"\n'.encode()
    release = with_archives(a_release(version), toy, {"Include/patchlevel.h": header})
    assert run(release, SourceTest.FULL)["tests"] == target


def test_no_test_is_a_waiver_and_says_so(a_release: Builds) -> None:
    facts = run(a_release(), SourceTest.NONE)
    assert facts["level"] == "none"
    assert "not built or tested" in facts["waived"]


FAILING: list[tuple[Mapping[str, bytes | None], str, str]] = [
    ({"configure": b"#!/bin/sh\necho no compiler >&2\nexit 77\n"}, "./configure", "no compiler"),
    ({"Programs/python.sh": None}, "make ended with", "python.sh"),
    ({"Lib/test/test_os.py": b"raise SystemExit('os is broken')\n"}, "-m test", "os is broken"),
    ({"Include/patchlevel.h": b'#define PY_VERSION "3.13.5"\n'}, "'Python 3.13.5', wanted", ""),
]


@pytest.mark.parametrize(("changed", "told", "said"), FAILING)
def test_failure_shows_the_last_lines_and_leaves_the_tree_to_look_at(
    a_release: Builds, toy: Path, changed: Mapping[str, bytes | None], told: str, said: str
) -> None:
    release = with_archives(a_release(), toy, changed)
    with pytest.raises(StepFailed) as raised:
        run(release)
    assert told in raised.value.problem
    assert said in "\n".join(raised.value.details)
    assert "scratch/source_test/tgz/Python-3.13.6" in raised.value.remedy
    assert "logs/" in raised.value.remedy
    assert (release.layout.scratch / "source_test/tgz/Python-3.13.6/configure").is_file()


def test_run_after_a_failure_starts_from_pristine_sources(a_release: Builds, toy: Path) -> None:
    release = with_archives(a_release(), toy)
    left = release.layout.scratch / "source_test" / "tgz" / "left"
    left.mkdir(parents=True)
    assert run(release)["python"] == "3.13.6"


def test_archives_with_different_trees_are_refused(a_release: Builds, toy: Path) -> None:
    release = with_archives(a_release(), toy, in_xz={"Lib/spam.py": b"evil\n"})
    with pytest.raises(StepFailed, match=r"unpack to different trees, first at .*/Lib/spam\.py"):
        run(release)


@pytest.mark.parametrize("suffix", [".tgz", ".tar.xz"])
def test_missing_archive_is_told(a_release: Builds, toy: Path, suffix: str) -> None:
    release = with_archives(a_release(), toy)
    release.layout.tarball(suffix).unlink()
    with pytest.raises(StepFailed, match="does not exist, so it cannot be tested"):
        run(release)


def test_damaged_archive_is_told(a_release: Builds, toy: Path) -> None:
    release = with_archives(a_release(), toy)
    path = release.layout.tarballs[1]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StepFailed, match=r"Python-3\.13\.6\.tar\.xz: cannot be decompressed"):
        run(release)


@pytest.mark.parametrize("name", ["a folder", "with $HOME", "it's (one) & more", "Ärger#1"])
def test_sources_are_tested_wherever_the_work_folder_is(
    a_release: Builds, toy: Path, tmp_path: Path, name: str
) -> None:
    """Neither make nor configure can quote a path."""
    release = a_release()
    work = tmp_path / name / "3.13.6"
    moved = replace(release, layout=replace(release.layout, work=work))
    assert run(with_archives(moved, toy))["python"] == "3.13.6"
