"""The docs tools: a virtual environment with what the tree's own Doc folder asks for.

That is Doc/pylock.toml, by hash, where the tree has one (3.15 and later), or requirements.txt.

Made once for the same requirements, constraints and Python, and then reused; what is in it,
to the exact version, is a fact of everything that is built with it.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.artifact import sha256_of
from doit_receipts.durable import write_whole
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.frozen import frozen
from plugins.model.docs_requirements import INCLUDES, REQUIREMENTS
from plugins.model.pylock import LOCK, NoLock, read_lock
from plugins.ports.docs_python import candidates, machine_of, our_pip, python_for
from plugins.ports.foreign_folder import foreign_folder
from plugins.steps.left_behind import see_plain
from plugins.steps.plain_path import plain_path
from plugins.steps.unpacking import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plugins.model.docs_lock import DocsLock
    from plugins.ports.programs import Completed, Programs
    from plugins.ports.progress import Progress

__all__ = ["DocsTools", "make_environment"]

_MARKER: Final = "pep101.json"
_TIMEOUT_S: Final = 3600.0
"""For each run of pip, which ends a silent connection itself; one that trickles never ends."""


@frozen
class DocsTools:
    """A virtual environment that is complete: its Python and what pip says is installed."""

    python: Path
    python_version: str
    installed: tuple[str, ...]
    """``name==version`` as ``pip freeze`` lists them, sorted without regard to case."""
    wheels: tuple[str, ...] = ()
    """The file of each and its sha256, with a colon between; none of an environment that a version
    of this tool made which did not record them."""

    def version(self, project: str) -> str:
        """The installed version of a project; "" if it is not installed."""
        wanted = project.lower().replace("_", "-")
        for line in self.installed:
            name, _, version = line.partition("==")
            if name.lower().replace("_", "-") == wanted:
                return version
        return ""

    def module_for_make(self, name: str) -> str:
        """The shell words that run a module of the environment, for a variable of make."""
        return f"{self.python_for_make()} -m {name}"

    def python_for_make(self) -> str:
        """The shell word that is the environment's Python, for a variable of make."""
        return shlex.quote(str(self.python)).replace("$", "$$")

    def facts(self) -> dict[str, str]:
        """What the bytes of the documentation depend on."""
        wheels = {"wheels": " ".join(self.wheels)} if self.wheels else {}
        return {
            "python": self.python_version,
            "requirements": " ".join(self.installed),
            **wheels,
        }


def make_environment(
    folder: Path,
    doc: Path,
    programs: Programs,
    progress: Progress,
    *,
    constraints: Path | None = None,
    python: Path | None = None,
    lock: DocsLock | None = None,
) -> DocsTools:
    """An environment of what ``doc``, the tree's Doc folder, asks for is in ``folder``.

    An environment of other requirements, of another Python, or partly made by a run that was
    killed is made again. ``constraints`` is a pip constraints file for trees whose pins have
    rotted: the Sphinx 4.5 of early 3.12 trees needs older sphinxcontrib projects than pip
    picks. ``python`` is the one to make it of; None for the first here that is new enough.
    With a ``lock`` it is of those packages alone, whatever the tree asks for by version.
    Raises StepFailed without requirements or without such a Python, and for a package that replaces
    a file of the environment, ServiceFailed if pip cannot install them.
    """
    source, requirements, least_minor = _required(doc, folder, lock)
    declared: tuple[Path, ...] = (python,) if python else ()
    if lock is not None:
        constraints = None
        declared = _made_for(lock, declared or tuple(candidates(programs)), programs)
    for each in declared or candidates(programs):
        found = _read(folder, _key(requirements, constraints, programs, each))
        if found is not None:
            return found
    locked = lock is not None or (doc / LOCK).is_file()
    chosen = python_for(
        requirements,
        programs,
        constraints=constraints,
        among=declared,
        least_minor=least_minor,
        locked=locked,
    )
    if chosen.python is None:
        raise StepFailed(where=source, problem=chosen.problem, remedy=chosen.remedy)
    interpreter = chosen.python
    wanted = _key(requirements, constraints, programs, interpreter)
    progress.say("installing the tree's documentation tools")
    made = _new_folder(folder)
    # Our own pip installs into it: Debian's Python may lack the one that venv would put there,
    # and it saves the seconds that this takes.
    # Nothing confines this one, so no module of the tree may pass for one of its own.
    programs.run([interpreter, "-I", "-m", "venv", "--without-pip", made], folder=Path("/"))
    in_it = made / "bin" / "python"
    # A wheel that is built on the way may fail for a dollar or a space in the path.
    with plain_path(made) as plain:
        pip = _Pip(programs, plain / "bin" / "python", doc)
        with _reported(source, locked=locked), foreign_folder(below=folder) as wheels:
            pip.fetch(requirements, constraints, wheels)
            see_plain(wheels)
            digests = sorted(f"{wheel.name}:{sha256_of(wheel)}" for wheel in wheels.glob("*.whl"))
            of_venv = tree_of(made)
            pip.install(plain, wheels)
        installed_tree = tree_of(made)
        _see_kept(of_venv, installed_tree, source, digests)
        # Nothing that was installed has run yet, and from now on it cannot change itself.
        digest = _digest(installed_tree)
        frozen = pip.frozen()
    installed = sorted(filter(None, frozen), key=str.lower)
    version = _python_version(programs.confined(reads=(in_it,)), in_it)
    content = {
        "key": wanted, "name": made.name, "python": version, "installed": installed,
        "sha256": digest, "wheels": digests,
    }  # fmt: skip
    write_whole(folder / _MARKER, json.dumps(content, indent=1).encode())
    return DocsTools(in_it, version, tuple(installed), tuple(digests))


@frozen
class _Pip:
    """Our own pip, confined, for the environment of a Python."""

    programs: Programs
    python: Path
    doc: Path

    def fetch(self, requirements: Path, constraints: Path | None, wheels: Path) -> None:
        """The folder holds a wheel of each package, and no code of a package that has one ran."""
        words: list[str | Path] = ["wheel", "--no-input", "--wheel-dir", wheels]
        words += ["--only-binary", ":all:", "-r", requirements]
        words += ["-c", constraints] if constraints else []
        reads = [self.doc, requirements, *([constraints] if constraints else [])]
        self._run(words, writes=(wheels,), reads=reads, network=True)

    def install(self, environment: Path, wheels: Path) -> None:
        """The wheels are in the environment; nothing is fetched for it."""
        # By name: of a wheel that it is given by its path, pip would record the path.
        found = sorted(file.stem.split("-")[:2] for file in wheels.glob("*.whl"))
        if found:
            words: list[str | Path] = ["install", "--no-input", "--no-index", "--no-deps"]
            words += ["--find-links", wheels, *("==".join(each) for each in found)]
            self._run(words, writes=(environment,), reads=(wheels,))

    def frozen(self) -> list[str]:
        return self._run(["freeze"], reads=()).stdout.split("\n")

    def _run(
        self,
        words: list[str | Path],
        *,
        writes: Sequence[Path] = (),
        reads: Sequence[Path],
        network: bool = False,
    ) -> Completed:
        seen = (*reads, Path(sys.executable), self.python)
        confined = self.programs.confined(writes=writes, reads=seen, network=network)
        asked = our_pip(self.python, *words)
        return confined.run(asked, folder=Path("/"), timeout_s=_TIMEOUT_S)


def _made_for(lock: DocsLock, pythons: Sequence[Path], programs: Programs) -> tuple[Path, ...]:
    """Those Pythons that the lock's wheels are for. Raises StepFailed if there is none."""
    able = tuple(each for each in pythons if machine_of(each, programs) == lock.machine)
    if not able:
        raise StepFailed(
            where="docs tools",
            problem=f"the lock is for {lock.machine}, and no such Python is here",
            remedy="install it, or have the lock made again: doit forget lock_docs_tools, then "
            "run the same command again",
        )
    return able


def _required(doc: Path, folder: Path, lock: DocsLock | None) -> tuple[str, Path, int]:
    """Where the tree says what it needs, that as a file for pip, and the least Python 3."""
    own, requirements = doc / LOCK, doc / REQUIREMENTS
    as_locked = folder.with_name(f"{folder.name}-locked.txt")
    if lock is not None:
        write_whole(as_locked, lock.content)
        return "the lock of its documentation tools", as_locked, 0
    if own.is_file():
        source = f"the tree's Doc/{LOCK}"
        try:
            locked = read_lock(own.read_bytes())
        except NoLock as error:
            raise StepFailed(
                where=source,
                problem=f"cannot be read as a lock: {error}",
                remedy="have it made again on the branch",
            ) from error
        write_whole(as_locked, locked.requirements.encode())
        return source, as_locked, locked.least_minor
    if not requirements.is_file():
        raise StepFailed(
            where="docs tools",
            problem="the tree has no Doc/requirements.txt",
            remedy="release from a commit that can build its documentation",
        )
    return "the tree's Doc/requirements.txt", requirements, 0


@contextmanager
def _reported(source: str, *, locked: bool) -> Iterator[None]:
    """What pip cannot do in the block is a ServiceFailed that names what it was asked for."""
    pin = "" if locked else "pin the packages in conflict by [docs] constraints in release.toml, "
    try:
        yield
    except ServiceFailed as error:
        if error.service != "pip":
            raise
        raise ServiceFailed(
            service="pip",
            action=f"install {source}",
            problem=error.problem.rpartition(": ")[2],
            remedy=f"read the last lines of pip's output; check the network, {pin}or, if one has "
            "no wheel for this Python, choose another by [docs] python",
            details=error.details,
        ) from error


def _key(
    requirements: Path, constraints: Path | None, programs: Programs, interpreter: Path
) -> str:
    """A digest of all that says which environment is wanted."""
    digest = hashlib.sha256(_python_version(programs, interpreter).encode())
    for file in (*_with_included(requirements, set()), constraints):
        # A file that is missing is pip's to complain about.
        content = file.read_bytes() if file is not None and file.is_file() else b"none"
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _with_included(file: Path, seen: set[Path]) -> Iterator[Path]:
    """The requirements file and those that it names with -r and -c."""
    if file in seen:
        return
    seen.add(file)
    yield file
    if file.is_file():
        for name in INCLUDES.findall(file.read_text("utf-8", "replace")):
            yield from _with_included(file.parent / name, seen)


def _python_version(programs: Programs, interpreter: Path) -> str:
    show = "import platform as p; print(p.python_implementation(), p.python_version())"
    return programs.run([interpreter, "-c", show], folder=Path("/")).stdout.strip()


def _read(folder: Path, wanted: str) -> DocsTools | None:
    """The environment if it is complete and the one that is wanted."""
    try:
        content = json.loads((folder / _MARKER).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    python = folder / str(content.get("name")) / "bin" / "python"
    if content.get("key") != wanted or not python.exists():
        return None
    if content.get("sha256") != _digest(tree_of(python.parents[1])):
        return None
    wheels = tuple(content.get("wheels", ()))
    return DocsTools(python, str(content["python"]), tuple(content["installed"]), wheels)


def _see_kept(
    before: Mapping[str, str], after: Mapping[str, str], source: str, wheels: Sequence[str]
) -> None:
    """All that was in the environment is as it was: walls show what its Python needs.

    Raises StepFailed.
    """
    for name, what in before.items():
        if after.get(name) != what:
            raise StepFailed(
                where=source,
                problem=f"one of its packages replaces {name} of its own environment",
                remedy="find the one among these wheels that brings a file of that name, and have "
                "the branch ask for another version; nothing of it has run",
                details=tuple(wheels),
            )


def _digest(environment: Mapping[str, str]) -> str:
    """A digest of all that is in the environment: what runs is what was installed."""
    listing = "".join(f"{name} {what}\n" for name, what in sorted(environment.items()))
    return hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()


def _new_folder(folder: Path) -> Path:
    """An empty folder in ``folder``, where there is nothing else.

    Its name is new each time: the pip of a run that was killed may still be at work.
    """
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARKER).unlink(missing_ok=True)
    for other in folder.iterdir():
        shutil.rmtree(other, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix="environment-", dir=folder))
