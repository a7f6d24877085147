"""Documentation archives: the tree's own docs in each format, read once, written side by side.

What is in them is what the tree's ``make dist-html dist-text dist-texinfo dist-epub`` puts
there (B03); unlike those, the same tag, tools and time give the same bytes on any machine.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from doit_receipts.cores import some_cores
from doit_receipts.errors import ServiceFailed, SettingsError, StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.printable import counted
from plugins.steps.docs_archives import compressors, write_epub, write_tar_bz2, write_zip
from plugins.steps.docs_tree import (
    DocsTree,
    Machine,
    finished,
    open_tree,
    run_sphinx,
    telling_disk_trouble,
)

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path
    from typing import IO

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release
    from plugins.ports.programs import Completed, Confinement, Programs
    from plugins.ports.progress import Progress

__all__ = ["FORMATS", "Machine", "build"]


@frozen
class _Form:
    """A format: what its builder needs, measured on 3.13 and rounded up."""

    peak_mb: int
    pages: str
    """The pattern of its files that count as pages."""


# The longest first: what is started last should be short.
_FORMS: Final = {
    "texinfo": _Form(2500, "*.texi"),
    "epub": _Form(1000, "*.xhtml"),
    "html": _Form(1000, "*.html"),
    "text": _Form(800, "*.txt"),
}

FORMATS: Final = tuple(sorted(_FORMS))
"""The formats that can be asked for."""


def build(
    release: Release,
    source: DocsSource,
    formats: Sequence[str],
    programs: Programs,
    progress: Progress,
    machine: Machine | None = None,
) -> dict[str, str]:
    """``layout.docs`` holds the archives of the wanted formats, and no others.

    Each is replaced at once. What was read and written before a run was killed is used by the
    next. Raises SettingsError for an unknown format, StepFailed with the end of
    the log and its path if a builder fails; archives that were not written yet are then as
    they were before.
    """
    forms = _in_order(formats)
    _need_makeinfo(forms, programs)
    for form in set(_FORMS) - set(forms):
        for archive in release.layout.docs_archives(form):
            archive.unlink(missing_ok=True)
    if not forms:
        return {"formats": ""}
    with telling_disk_trouble(release.layout.work):
        return _build(release, source, forms, (programs, progress), machine or Machine.this())


def _build(
    release: Release,
    source: DocsSource,
    forms: Sequence[str],
    ports: tuple[Programs, Progress],
    machine: Machine,
) -> dict[str, str]:
    programs, progress = ports
    tree = open_tree(release, source, programs, progress, cores=machine.cores)
    groups = _lanes(machine, forms)
    jobs = max(1, machine.cores // groups)
    own = _Stoppable(programs)

    def write_pages(form: str) -> None:
        log = release.layout.log(f"docs-{form}")
        finished(tree.room / form, lambda folder: _write(tree, form, folder, log, own, jobs))

    def on_a_core(write: Callable[[], None]) -> None:
        with some_cores(1):
            write()

    def archives(form: str) -> Iterator[Callable[[], None]]:
        return (partial(on_a_core, write) for write in _archives(release, tree, form))

    _run_all(forms, write_pages, archives, progress, _Lanes(groups, own.stop))
    return _facts(tree, forms, programs)


def _lanes(machine: Machine, forms: Sequence[str]) -> int:
    """How many of these formats can be written side by side; at least one."""
    peaks = sorted((_FORMS[form].peak_mb for form in forms), reverse=True)
    for groups in range(min(machine.cores, len(forms)), 1, -1):
        if sum(peaks[:groups]) <= machine.memory_mb:
            return groups
    return 1


def _in_order(formats: Sequence[str]) -> tuple[str, ...]:
    for form in formats:
        if form not in _FORMS:
            raise SettingsError(
                where="[docs] formats",
                problem=f"{form!a} is not a format of the documentation",
                remedy=f"the formats are {', '.join(FORMATS)}",
            )
    return tuple(form for form in _FORMS if form in formats)


def _need_makeinfo(forms: Sequence[str], programs: Programs) -> None:
    if "texinfo" in forms and programs.find("makeinfo") is None:
        raise StepFailed(
            where="docs texinfo",
            problem="makeinfo is not installed, and the info file is part of the archive",
            remedy="install texinfo (apt install texinfo, brew install texinfo), "
            "or leave texinfo out of [docs] formats",
        )


@frozen
class _Lanes:
    """How many things are worked on side by side, and what ends them all at once."""

    count: int
    stop: Callable[[], None]


def _run_all(
    forms: Sequence[str],
    write_pages: Callable[[str], None],
    archives: Callable[[str], Iterable[Callable[[], None]]],
    progress: Progress,
    groups: _Lanes,
) -> None:
    """All pages are written, and of each format all archives as soon as its pages are there."""
    from concurrent import futures  # noqa: PLC0415 - 25 ms, which `doit list` need not pay

    with futures.ThreadPoolExecutor(groups.count) as pool:
        # In the order of the queue, so the first ones are those that are worked on.
        queue: dict[Future[None], str] = {
            pool.submit(write_pages, form): f"{form} pages" for form in forms
        }
        try:
            while queue:
                working = ", ".join(list(queue.values())[: groups.count])
                progress.say(f"writing {working}; {len(queue)} to go")
                done, _ = futures.wait(queue, return_when=futures.FIRST_COMPLETED)
                for future in done:
                    future.result()
                    form, _, what = queue.pop(future).partition(" ")
                    for work in archives(form) if what == "pages" else ():
                        queue[pool.submit(work)] = f"{form} archive"
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            groups.stop()
            raise


def _archives(release: Release, tree: DocsTree, form: str) -> Iterator[Callable[[], None]]:
    """The work that is left when the pages of a format are there: one for each archive."""
    folder, epoch_s = tree.room / form, tree.epoch_s
    targets = release.layout.docs_archives(form)
    if form == "epub":
        (target,) = targets
        yield lambda: write_epub(_the_epub(folder), target, epoch_s)
        return
    top = targets[1].stem
    yield lambda: write_tar_bz2(folder, top, targets[0], epoch_s)
    yield lambda: write_zip(folder, top, targets[1], epoch_s)


def _the_epub(folder: Path) -> Path:
    found = sorted(folder.glob("*.epub"))
    if len(found) != 1:
        raise StepFailed(
            where="docs epub",
            problem=f"the builder made {counted(len(found), 'epub file')}, wanted one",
            remedy=f"look into {folder}",
        )
    return found[0]


def _write(
    tree: DocsTree, form: str, folder: Path, log: Path, programs: Programs, jobs: int
) -> None:
    """``folder`` holds what the archives of the format hold."""
    run_sphinx(tree, form, folder, log, programs, jobs=jobs)
    if form == "html":
        # Cards for other sites to show: hundreds of pictures that no reader of a file sees.
        _remove(folder / "_images" / "social_previews")
    elif form == "texinfo":
        _make_info(folder, log, programs)


def _remove(folder: Path) -> None:
    if folder.exists():
        import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

        shutil.rmtree(folder)


def _make_info(folder: Path, log: Path, programs: Programs) -> None:
    """The info file is beside the texinfo source, as ``make info`` makes it."""
    with log.open("ab") as stream, some_cores(1):
        try:
            # Perl orders its hashes anew in each process unless it is set not to.
            environment = {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}
            confined = programs.confined(writes=(folder,), reads=_makeinfo(programs))
            with confined.pipe(["make", "info"], folder=folder, env=environment, stdout=stream):
                pass
        except ServiceFailed as error:
            raise StepFailed(
                where="docs texinfo",
                problem=f"makeinfo {error.problem.rpartition(': ')[2]}",
                remedy=f"see {log}",
                details=error.details,
            ) from error


def _makeinfo(programs: Programs) -> tuple[Path, ...]:
    found = programs.find("makeinfo")
    return (found,) if found else ()


def _facts(tree: DocsTree, forms: Sequence[str], programs: Programs) -> dict[str, str]:
    """What the archives' bytes depend on, and how many pages each has."""
    makeinfo = {"makeinfo": programs.version("makeinfo")} if "texinfo" in forms else {}
    return {
        "formats": " ".join(sorted(forms)),
        "epoch_s": str(tree.epoch_s),
        "sphinx": tree.tools.version("Sphinx"),
        "theme": tree.tools.version("python-docs-theme"),
        "blurb": tree.tools.version("blurb"),
        **makeinfo,
        **compressors(),
        **tree.tools.facts(),
        "confined": programs.confinement().fact,
        **{f"pages.{form}": str(_count(tree.room / form, form)) for form in sorted(forms)},
    }


def _count(folder: Path, form: str) -> int:
    """Pages of the format; of texinfo, whose pages are in one file, the nodes."""
    files = list(folder.rglob(_FORMS[form].pages))
    if form != "texinfo":
        return len(files)
    return sum(file.read_bytes().count(b"\n@node ") for file in files)


class _Stoppable:
    """The programs, run from several threads and ended from another.

    Those that are confined are ended with ``others``.
    """

    def __init__(self, programs: Programs, others: _Stoppable | None = None) -> None:
        from threading import Lock  # noqa: PLC0415 - only when something is built

        self._programs = programs
        self._all = others or self
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        self._lock = Lock()

    def find(self, name: str) -> Path | None:
        return self._programs.find(name)

    def version(self, name: str) -> str:
        return self._programs.version(name)

    def confinement(self) -> Confinement:
        return self._programs.confinement()

    def confined(
        self, *, writes: Sequence[Path] = (), reads: Sequence[Path] = (), network: bool = False
    ) -> _Stoppable:
        inside = self._programs.confined(writes=writes, reads=reads, network=network)
        return _Stoppable(inside, self._all)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout_s: float | None = None,
        check: bool = True,
        descriptors: Sequence[int] = (),
    ) -> Completed:
        return self._programs.run(
            argv, folder=folder, env=env, stdin=stdin, timeout_s=timeout_s, check=check,
            descriptors=descriptors,
        )  # fmt: skip

    @contextmanager
    def pipe(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = None,
        stdout: int | IO[bytes] | None = None,
    ) -> Iterator[subprocess.Popen[bytes]]:
        started = self._programs.pipe(argv, folder=folder, env=env, stdin=stdin, stdout=stdout)
        with started as process, self._all.running(process):
            yield process
            process.wait()

    @contextmanager
    def running(self, process: subprocess.Popen[bytes]) -> Iterator[None]:
        """The process is ended by ``stop`` while the block lasts."""
        with self._lock:
            self._running.add(process)
            if self._stopped:
                process.kill()
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(process)

    def stop(self) -> None:
        """End what runs, and what is started from now on."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()
