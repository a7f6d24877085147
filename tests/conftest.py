"""What holds for all tests: a person's settings do not reach them, and no test is timed."""

from __future__ import annotations

import compileall
import contextlib
import gc
import importlib
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import hypothesis
import pytest

from plugins.model.layout import Layout
from plugins.model.release import Release, type_of
from plugins.model.series import series_of
from plugins.model.version import Version
from plugins.rehearsal.gnupg_home import GnupgHome, gnupg_home

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


class Builds(Protocol):
    def __call__(self, version: str = "3.13.6") -> Release: ...


# A busy machine is no failure, so examples have no deadline.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

# What tests start a thousand times is compiled once, also for whoever keeps no compiled files.
_OURS: Final = ("doit_receipts", "plugins", "checks", "chapters")
sys.dont_write_bytecode = False

_PERSONAL = (
    "GIT_",
    "GNUPGHOME",
    "PEP101_RELEASE",
    "XZ_",
    "GZIP",
    "TAR_OPTIONS",
    "SOURCE_DATE_EPOCH",
)


def pytest_configure(config: pytest.Config) -> None:
    """Our modules are compiled, by the one process that all workers of a session have."""
    if not hasattr(config, "workerinput"):
        for name in _OURS:
            compileall.compile_dir(Path(__file__).parents[1] / name, quiet=2)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected lives as long as the session, so no search for garbage looks at it."""
    gc.disable()
    try:
        _read_own_share(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _read_own_share(config: pytest.Config) -> None:
    """Each worker has read its own share of all modules, before those that others read.

    In a fresh clone each would rewrite the asserts of every module otherwise, at the same time.
    """
    place: dict[str, Any] | None = getattr(config, "workerinput", None)
    if place is None or config.args != config.getini("testpaths"):
        return
    root, worker = Path(__file__).parents[1], int(place["workerid"].removeprefix("gw"))
    for file in sorted(root.glob("tests/**/test_*.py"))[worker :: place["workercount"]]:
        # What cannot be read is told where it is collected.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))


@pytest.fixture(scope="session", autouse=True)
def _nobody_in_particular() -> Iterator[None]:
    """The environment holds nothing that changes what git, gpg, tar or doit do."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(_PERSONAL)]:
            patch.delenv(name)
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        # A dodo.py that a test writes twice in a second would be taken for the one before.
        patch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        before = os.umask(0o022)
        # A shell that runs us in the background ignores Ctrl-C for all that we start, and nohup
        # does so with the end of the terminal.
        interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
        hangup = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        yield
        signal.signal(signal.SIGINT, interrupt)
        signal.signal(signal.SIGHUP, hangup)
        os.umask(before)


def pytest_report_header() -> str:
    """The programs that the tests use as they are on this machine."""
    versions = [_version(name) for name in ("git", "gpg", "xz", "gzip", "autoconf", "makeinfo")]
    return "programs: " + ", ".join(versions)


def _version(name: str) -> str:
    if shutil.which(name) is None:
        return f"no {name}"
    ended = subprocess.run([name, "--version"], capture_output=True, text=True, check=False)
    first = ended.stdout.partition("\n")[0].split()
    return f"{name} {first[-1] if first else '?'}"


@pytest.fixture
def a_release(tmp_path: Path) -> Builds:
    """Make a release of any version whose files are below the test's own folder."""

    def build(version: str = "3.13.6") -> Release:
        parsed = Version.parse(version)
        layout = Layout(tmp_path / "build" / version, parsed)
        return Release(parsed, type_of(parsed), series_of(parsed), layout)

    return build


class _SharedHome(GnupgHome):
    """A home whose keys are made once: gpg makes no second one of a name, and the fixtures of a
    module are made again where a worker comes back to it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._made: dict[tuple[str, ...], str] = {}

    def key(
        self, name: str, *, expires: str = "never", made: str = "", passphrase: str = ""
    ) -> str:
        asked = (name, expires, made, passphrase)
        if asked not in self._made:
            how = {"expires": expires, "made": made, "passphrase": passphrase}
            self._made[asked] = super().key(name, **how)
        return self._made[asked]


@pytest.fixture(scope="session")
def keyring() -> Iterator[GnupgHome]:
    """A GnuPG home that the tests of a session share; keys are added and never changed."""
    with gnupg_home() as made:
        yield _SharedHome(made.folder)


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Add to a number that the summary of all tests ends with, such as kills that were survived."""

    def add(what: str, number: int) -> None:
        record_property(f"count {what}", number)

    return add


@pytest.fixture
def observed(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Add a line to the table that the summary of all tests ends with: a fault, and what
    was seen of it.
    """

    def add(fault: str, what: str) -> None:
        record_property(f"observed {fault}", what)

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the sums of what tests counted and what they saw, also those of other processes."""
    properties = [
        (str(name), what)
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, what in report.user_properties
    ]
    sums: Counter[str] = Counter()
    for name, number in properties:
        if name.startswith("count "):
            sums[name.removeprefix("count ")] += number
    if sums:
        terminalreporter.section("counted")
        for what, number in sums.items():
            terminalreporter.line(f"{number:6} {what}")
    seen = sorted((name[9:], what) for name, what in properties if name.startswith("observed "))
    if seen:
        terminalreporter.section("observed")
        for fault, what in seen:
            terminalreporter.line(f"{fault:<48}  {what}")
