"""Source test: the archives unpacked, configured, built and tested as a user would (B07 to B12)."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Final

from doit_receipts.cores import MakeJobs, jobs_of_make, some_cores
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.printable import counted
from plugins.model.release import ReleaseType
from plugins.steps.plain_path import plain_path
from plugins.steps.unpacking import tree_of, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from plugins.model.local_settings import SourceTest
    from plugins.model.release import Release
    from plugins.ports.programs import Completed, Programs
    from plugins.ports.progress import Progress

__all__ = ["run"]

# A few seconds in all, and each of them needs another part of what was built.
_QUICK: Final = (
    "test_dict", "test_grammar", "test_int", "test_json", "test_list", "test_os", "test_sys",
    "test_tarfile",
)  # fmt: skip
# What they try takes a second user or group, and a namespace has none; or no limit of a file.
_NOT_CONFINED: Final = (
    "test.test_os.ChownFileTests.test_chown_gid",
    "test.test_resource.ResourceTest.test_fsize_ismax",
    "test.test_subprocess.POSIXProcessTestCase.test_group",
    "test.test_subprocess.POSIXProcessTestCase.test_user",
)
_CONFIGURE_TIMEOUT_S: Final = 1800.0
_BUILD_TIMEOUT_S: Final = 2 * 3600.0
_TEST_TIMEOUT_S: Final = {"quick": 1800.0, "full": 8 * 3600.0}
_ASK_TIMEOUT_S: Final = 60.0
_LAST_LINES: Final = 20
# Our programs run with hashes that repeat; a user's Python does not.
_ENVIRONMENT: Final = {"PYTHONHASHSEED": "random"}
_NO_MAKE: Final = MakeJobs()
_EARLY: Final = (ReleaseType.ALPHA, ReleaseType.NEW_BRANCH, ReleaseType.BETA)


def run(
    release: Release, programs: Programs, level: SourceTest, progress: Progress
) -> dict[str, str]:
    """Both archives unpack to one tree; it configures, builds, is this version and passes tests.

    ``quick`` runs a handful of test modules; ``full`` the full suite, which for candidates and
    finals is that of the buildbots (B11, B12). ``none`` does nothing and says so: it is a
    waiver. What was built is thrown away, or left under ``scratch`` if something fails.
    """
    if level.value == "none":
        return {"level": "none", "waived": "the sources were not built or tested"}
    room = _room(release)
    if room.exists():
        shutil.rmtree(room)
    unpacked = _unpacked(release, room, progress)
    tree = _tree_of_test(release)
    with plain_path(tree) as plain:
        compiler = programs.find("cc")
        confined = programs.confined(writes=(plain,), reads=(compiler,) if compiler else ())
        test = _Test(release, confined, progress, plain)
        test.build()
        version = test.version()
        tests = test.quick() if level.value == "quick" else test.full()
    shutil.rmtree(room)
    return {
        "level": level.value,
        "python": version,
        "tests": tests,
        "confined": programs.confinement().fact,
        **unpacked,
    }


def _room(release: Release) -> Path:
    return release.layout.scratch / "source_test"


def _tree_of_test(release: Release) -> Path:
    return _room(release) / "tgz" / release.layout.folder_in_archive


class _Test:
    """One unpacked tree and what is done with it, each step in the step's log."""

    def __init__(
        self, release: Release, programs: Programs, progress: Progress, tree: Path
    ) -> None:
        self._release = release
        self._programs = programs
        self._progress = progress
        self._tree = tree
        is_confined = bool(programs.confinement().means)
        self._left_out = [word for name in _NOT_CONFINED for word in ("-i", name)] * is_confined

    def build(self) -> None:
        """The interpreter is built (B10)."""
        self._progress.say("configuring the unpacked sources")
        self._do(("./configure",), _CONFIGURE_TIMEOUT_S)
        with jobs_of_make(self._programs.version("make")) as jobs:
            self._progress.say("building the unpacked sources")
            self._do(("make",), _BUILD_TIMEOUT_S, jobs)

    def version(self) -> str:
        """The version that the built interpreter reports is the one that is released."""
        version = self._do((self._python(), "-V"), _ASK_TIMEOUT_S).stdout.strip()
        wanted = f"Python {self._release.version}"
        if version != wanted:
            raise self._failed(
                problem=f"the interpreter that was built reports {version!a}, wanted {wanted!a}"
            )
        return version.removeprefix("Python ")

    def quick(self) -> str:
        """A few modules pass."""
        there = self._tree / "Lib" / "test"
        names = [name for name in _QUICK if (there / f"{name}.py").exists()]
        if not names:
            raise self._failed(problem="Lib/test contains none of the quick tests")
        self._progress.say(f"testing {counted(len(names), 'module')}")
        with some_cores(len(names)) as cores:
            jobs = MakeJobs((f"-j{cores}", *self._left_out, *names))
            self._do((self._python(), "-m", "test"), _TEST_TIMEOUT_S["quick"], jobs)
        return " ".join(names)

    def full(self) -> str:
        """The full test suite passes."""
        target = "test" if self._release.type in _EARLY else "buildbottest"
        self._progress.say("waiting for more than half of the cores")
        # Without a number the suite takes all cores, whoever else has some.
        with some_cores(most_of_them=True, say=self._progress.say) as cores:
            self._progress.say(f"make {target}: the full test suite")
            options = f"EXTRATESTOPTS={' '.join((f'-j{cores}', *self._left_out))}"
            self._do(("make", target), _TEST_TIMEOUT_S["full"], MakeJobs((options,)))
        return f"make {target}"

    def _python(self) -> str:
        # On a file system that ignores case, python would be the folder Python.
        return "./python.exe" if (self._tree / "python.exe").is_file() else "./python"

    def _do(self, argv: Sequence[str], timeout_s: float, jobs: MakeJobs = _NO_MAKE) -> Completed:
        """It ended well. Errors do not name the words of ``jobs``, which differ from run to run."""
        try:
            ended = self._programs.run(
                (*argv, *jobs.words),
                folder=self._tree,
                env={**_ENVIRONMENT, **jobs.environment, "PWD": str(self._tree)},
                timeout_s=timeout_s,
                check=False,
                descriptors=jobs.descriptors,
            )
        except ServiceFailed as error:
            problem = f"{error.service}: {error.problem}"
            raise self._failed(problem=problem, details=error.details) from error
        if ended.status:
            said = f"{ended.stdout}\n{ended.stderr}".splitlines()
            last = tuple(line for line in said if line.strip())[-_LAST_LINES:]
            raise self._failed(
                problem=f"{' '.join(argv)} ended with status {ended.status}", details=last
            )
        return ended

    def _failed(self, *, problem: str, details: tuple[str, ...] = ()) -> StepFailed:
        work = self._release.layout.work
        return StepFailed(
            where=f"test of {self._release.layout.tarballs[0].name}",
            problem=problem,
            remedy=f"look at the step's log under {self._release.layout.logs.relative_to(work)}/"
            f" and at {_tree_of_test(self._release).relative_to(work)}, then find out why before"
            " anything else",
            details=details,
        )


def _unpacked(release: Release, room: Path, progress: Progress) -> dict[str, str]:
    """Both archives are unpacked, and are one tree. The .xz alone was never looked at."""
    # threading is late: listing tasks unpacks nothing
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    root = release.layout.folder_in_archive
    tgz, xz = release.layout.tarballs
    progress.say("unpacking both archives")
    with some_cores(2) as cores, ThreadPoolExecutor(cores) as pool:
        trees = [
            pool.submit(_unpacked_tree, archive, room / name, root)
            for archive, name in ((tgz, "tgz"), (xz, "xz"))
        ]
        one, other = (tree.result() for tree in trees)
    if one != other:
        differing = sorted(name for name in {**one, **other} if one.get(name) != other.get(name))
        raise StepFailed(
            where=f"{tgz.name} and {xz.name}",
            problem=f"unpack to different trees, first at {differing[0]}",
            remedy="build both archives again",
            details=tuple(differing[:_LAST_LINES]),
        )
    shutil.rmtree(room / "xz")
    listing = "".join(f"{name} {what}\n" for name, what in sorted(one.items()))
    digest = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()
    return {"members": str(len(one)), "tree_sha256": digest}


def _unpacked_tree(archive: Path, folder: Path, root: str) -> dict[str, str]:
    if not archive.is_file():
        raise StepFailed(
            where=archive.name,
            problem="does not exist, so it cannot be tested",
            remedy="run doit build_tarballs",
        )
    unpack(archive, folder, root)
    return tree_of(folder)
