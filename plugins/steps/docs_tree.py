"""The docs tree: one commit's sources under scratch, read once by Sphinx for all its builders.

Everything is kept in a folder that is named for what it was made from, under a name that
nothing unfinished ever has, with a seal over its contents. So a run that was killed goes on
with what was finished, and a folder that somebody touched is made again.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_receipts.cores import cores_here, some_cores
from doit_receipts.durable import write_whole
from doit_receipts.errors import ServiceFailed, StepFailed
from doit_receipts.frozen import frozen
from doit_receipts.memory import free_memory_mb, memory_mb
from plugins.model.docs_lock import DocsLock, read_docs_lock
from plugins.model.docs_requirements import gathered, refuse_building
from plugins.model.pylock import LOCK
from plugins.ports.foreign_folder import foreign_folder
from plugins.ports.programs import PIPE
from plugins.steps.docs_tools import DocsTools, make_environment
from plugins.steps.left_behind import see_plain
from plugins.steps.tree_links import make_links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from plugins.model.docs_source import DocsSource
    from plugins.model.release import Release
    from plugins.ports.programs import Programs
    from plugins.ports.progress import Progress

__all__ = [
    "DocsTree",
    "Machine",
    "finished",
    "open_tree",
    "run_sphinx",
    "telling_disk_trouble",
]

_START: Final = Path(__file__).with_name("sphinx_at_epoch.py")

# Made from the documentation, so it cannot be among what the documentation is made from.
_NOT_READ: Final = b"Lib/pydoc_data/"

# Sphinx reads a page again that is younger than its doctree. What we unpack is always older.
_UNPACKED_TIME_S: Final = 315_532_800

# Sphinx's own builder that writes nothing.
_READER: Final = "dummy"

_PROBLEM_LINES: Final = 8
_MOST_LOG_BYTES: Final = 4 << 20


@frozen
class Machine:
    """What builders may use of this machine."""

    cores: int
    memory_mb: int

    @classmethod
    def this(cls) -> Machine:
        """All cores that we may use, and three quarters of the memory, or what is there of it."""
        physical_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
        most_mb = (memory_mb() or physical_mb) * 3 // 4
        free_mb = free_memory_mb()
        return cls(cores_here(), most_mb if free_mb is None else min(most_mb, free_mb))


@frozen
class DocsTree:
    """A commit's sources, unpacked and read: ``doctrees`` is never written to again."""

    doc: Path
    room: Path
    """Where builders put what they make: everything in it depends on tools and epoch too."""
    doctrees: Path
    epoch_s: int
    tools: DocsTools


def open_tree(
    release: Release, source: DocsSource, programs: Programs, progress: Progress, *, cores: int
) -> DocsTree:
    """The commit's documentation sources are unpacked, and Sphinx has read them.

    What an earlier run read of the same tree, with the same tools, for the same day, is used
    again; Lib/pydoc_data alone does not count. Raises StepFailed if the tree is not of
    the release's version or does not read without a warning, ServiceFailed for git and pip.
    """
    layout = release.layout
    scratch = layout.scratch / "docs"
    tree = scratch / _tree_key(source, programs)
    _forget_others(tree)
    _unpack(source, tree / "source", programs)
    doc = tree / "source" / "Doc"
    tools = make_environment(
        source.tools or layout.work / "docs-tools", doc, programs, progress,
        constraints=source.constraints, python=source.python, lock=_approved(source, doc),
    )  # fmt: skip
    _check_version(release, doc, tools, programs)
    # What is read knows the day only, so the topics of a release and the pages of its tag,
    # which is hours younger, need one reading.
    day_s = source.epoch_s - source.epoch_s % 86_400
    read_here = tree / _reading_key(day_s, tools)
    _forget_others(read_here, keep="source")
    _make_news(doc, tools, programs)
    room = read_here / str(source.epoch_s)
    opened = DocsTree(doc, room, read_here / "doctrees", source.epoch_s, tools)

    def read(folder: Path) -> None:
        progress.say("reading the documentation's sources")
        of_day = replace(opened, epoch_s=day_s)
        _read_sources(of_day, folder, layout.log("docs-read"), programs, cores)

    finished(opened.doctrees, read)
    return opened


def _approved(source: DocsSource, doc: Path) -> DocsLock | None:
    """The lock that was approved, if there is one: those very bytes, and not others.

    A tree that has a lock of its own needs no other. Where no lock is asked for, pip reads what the
    tree requires, which nobody else may have looked at.
    """
    if (doc / LOCK).is_file():
        return None
    if source.lock is None:
        refuse_building(gathered(lambda name: _text(doc / name)))
        return None
    raw = source.lock.read_bytes() if source.lock.is_file() else b""
    if hashlib.sha256(raw).hexdigest() != source.lock_sha256:
        raise StepFailed(
            where=str(source.lock),
            problem="is not the lock that was approved",
            remedy="run the same command again",
        )
    return read_docs_lock(raw)


def _text(file: Path) -> str | None:
    return file.read_text("utf-8", "replace") if file.is_file() else None


def run_sphinx(
    tree: DocsTree, builder: str, output: Path, log: Path, programs: Programs, *, jobs: int = 1
) -> None:
    """``output`` holds what the builder makes of the tree, with the options of its Makefile.

    The doctrees that it may rewrite are a copy of its own, so builders can run side by side.
    Raises StepFailed, with the end of the log, if Sphinx fails or warns, and if it leaves anything
    but files and folders.
    """
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    own = output.with_name(f"{output.name}.doctrees")
    try:
        try:
            shutil.copytree(tree.doctrees, own)
        except shutil.Error as error:
            # It goes on after a failure, and raises all of them as one list.
            _, target, reason = error.args[0][0]
            raise StepFailed(
                where=str(target),
                problem=f"cannot be written: {reason}",
                remedy=f"see to the disk of {own.parent}, then run the same command again",
            ) from error
        _sphinx(tree, builder, (output, own), log, programs, jobs=jobs)
        see_plain(output)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def finished(folder: Path, make: Callable[[Path], None]) -> None:
    """``folder`` holds what ``make`` puts into an empty folder, now or in an earlier run.

    It gets its name when it is complete. A sealed folder whose contents are as they were
    sealed is left alone.
    """
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    seal = folder.with_name(f"{folder.name}.seal")
    is_ours = folder.is_dir() and not folder.is_symlink()
    if seal.is_file() and is_ours and seal.read_bytes() == _digest(folder):
        return
    seal.unlink(missing_ok=True)
    if is_ours:
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own each time: programs of a run that was killed may still be writing.
    with foreign_folder(f"{folder.name}.", below=folder.parent) as room:
        making = room / folder.name
        making.mkdir()
        make(making)
        see_plain(making)
        content = _digest(making)
        making.rename(folder)
    write_whole(seal, content)


@contextmanager
def telling_disk_trouble(folder: Path) -> Iterator[None]:
    """What the disk of the folder refuses in the block is a StepFailed, not a bug."""
    try:
        yield
    except OSError as error:
        raise StepFailed(
            where=str(error.filename or folder),
            problem=error.strerror or str(error),
            remedy=f"see to the disk of {folder}, then run the same command again",
        ) from error


def _digest(folder: Path) -> bytes:
    """A digest of all names and contents below the folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{len(name)} {name} {len(content)} ".encode("utf-8", "surrogateescape"))
        digest.update(content)
    return digest.hexdigest().encode()


def _tree_key(source: DocsSource, programs: Programs) -> str:
    """A digest of every file of the commit that its documentation may be made from."""
    listed = programs.run(
        ["git", "ls-tree", "-r", "-z", "--full-tree", source.commit], folder=source.clone
    ).stdout.encode()
    entries = (entry for entry in listed.split(b"\0") if entry)
    read = b"\0".join(
        entry for entry in entries if not entry.partition(b"\t")[2].startswith(_NOT_READ)
    )
    return hashlib.sha256(read).hexdigest()[:16]


def _reading_key(day_s: int, tools: DocsTools) -> str:
    # By their wheels too: two of one version may be different programs.
    said = "\n".join((str(day_s), tools.python_version, *tools.installed, *tools.wheels))
    return hashlib.sha256(said.encode() + _START.read_bytes()).hexdigest()[:16]


def _forget_others(kept: Path, keep: str = "") -> None:
    """Nothing is left beside ``kept`` but a folder named ``keep``: old trees are large."""
    if not kept.parent.is_dir():
        return
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    for other in kept.parent.iterdir():
        if other.name not in (kept.name, keep):
            shutil.rmtree(other, ignore_errors=True)


def _unpack(source: DocsSource, folder: Path, programs: Programs) -> None:
    """``folder`` holds the commit's files as ``git archive`` gives them, all equally old."""
    import shutil  # noqa: PLC0415 - 20 ms, which `doit list` need not pay
    import tarfile  # noqa: PLC0415 - 20 ms, which `doit list` need not pay

    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    words = ["git", "archive", "--format=tar", source.commit]
    links = []
    with (
        programs.pipe(words, folder=source.clone, stdout=PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        # Pythons before 3.11.4 have no filters, and git makes no archive that would need one.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        for member in tar:
            member.mtime = _UNPACKED_TIME_S
            # Where a disk refuses a link, tarfile makes nothing and says nothing, or stumbles over
            # the copy that it wants to make instead.
            if member.issym():
                links.append((member.name, member.linkname))
            else:
                tar.extract(member, folder)
    make_links(folder, links)


def _check_version(release: Release, doc: Path, tools: DocsTools, programs: Programs) -> None:
    """The tree says that it is the release: archives of other pages must not carry its name."""
    found = _ask_makefile(doc, "$(DISTVERSION)", (), tools, programs)
    if found != [str(release.version)]:
        raise StepFailed(
            where="Doc",
            problem=f"its pages are those of version {' '.join(found) or 'no version'}, "
            f"not of {release.version}",
            remedy="set the version in Include/patchlevel.h before the documentation is built",
        )


def _make_news(doc: Path, tools: DocsTools, programs: Programs) -> None:
    """Doc/build/NEWS is there, made as the Makefile makes it before any builder runs."""
    words = [
        "make", "build", "BUILDER=news", "SPHINXBUILD=true",
        f"BLURB={tools.module_for_make('blurb')}", f"PYTHON={tools.python_for_make()}",
    ]  # fmt: skip
    _confined(programs, doc, tools, doc).run(words, folder=doc)
    see_plain(doc / "build")
    for made in (doc / "build").iterdir():
        os.utime(made, (_UNPACKED_TIME_S, _UNPACKED_TIME_S))


def _read_sources(tree: DocsTree, folder: Path, log: Path, programs: Programs, cores: int) -> None:
    """``folder`` holds the doctrees of all pages and the environment.

    The builder is one that writes nothing and changes nothing while it reads, so that all
    others find what they would have read themselves. (A tree whose conf.py excludes some
    builder from smart quotes gets them nevertheless, as it does from `make dist`, where
    the first builder reads for all.)
    """
    root = next((name for name in ("contents.rst", "index.rst") if (tree.doc / name).is_file()), "")
    nothing = folder.with_name("nothing")
    _sphinx(tree, _READER, (nothing, folder), log, programs, jobs=cores, pages=(root,))


def _sphinx(
    tree: DocsTree,
    builder: str,
    folders: tuple[Path, Path],
    log: Path,
    programs: Programs,
    *,
    jobs: int,
    pages: Sequence[str] = (),
) -> None:
    output, doctrees = folders
    words = list(_makefile_words(tree, builder, output, pages, programs))
    start = (tree.tools.python, _START, str(tree.epoch_s))
    confined = _confined(programs, tree.doc, tree.tools, output.parent)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream, some_cores(jobs) as cores:
        # Of options that are given twice, the last one counts.
        words += ["-d", str(doctrees), "-j", str(cores)]
        try:
            environment = {"SOURCE_DATE_EPOCH": str(tree.epoch_s)}
            with confined.pipe([*start, *words], folder=tree.doc, env=environment, stdout=stream):
                pass
        except ServiceFailed as error:
            raise StepFailed(
                where=f"docs {'sources' if builder == _READER else builder}",
                problem=f"Sphinx {error.problem.rpartition(': ')[2]}",
                remedy=f"see {log}",
                details=tuple(_telling_lines(log, tree.doc)),
            ) from error


def _makefile_words(
    tree: DocsTree, builder: str, output: Path, pages: Sequence[str], programs: Programs
) -> Iterator[str]:
    """The words that the tree's Makefile gives to sphinx-build, with our output folder."""
    settings = (f"BUILDER={builder}", f"SOURCES={' '.join(pages)}")
    asked = _ask_makefile(tree.doc, "$(ALLSPHINXOPTS)", settings, tree.tools, programs)
    its_output = f"build/{builder}"
    if its_output not in asked:
        raise StepFailed(
            where="Doc/Makefile",
            problem=f"ALLSPHINXOPTS does not name {its_output}: {' '.join(asked)}",
            remedy="compare it with the release before; if it is right, report a bug of this tool",
        )
    for word in asked:
        yield str(output) if word == its_output else word


def _ask_makefile(
    doc: Path, variable: str, settings: Sequence[str], tools: DocsTools, programs: Programs
) -> list[str]:
    """The shell's words of a variable, as the tree's Makefile sets it."""
    programs = _confined(programs, doc, tools)
    words = [
        "make", "--no-print-directory", "-s", "-f", "Makefile", "-f", "-", "pep101-show",
        f"PYTHON={tools.python_for_make()}", *settings,
    ]  # fmt: skip
    rule = f"pep101-show:\n\t@printf '%s\\n' {variable}\n"
    return programs.run(words, folder=doc, stdin=rule.encode()).stdout.split("\n")[:-1]


def _confined(programs: Programs, doc: Path, tools: DocsTools, *writes: Path) -> Programs:
    """The programs for the tree's own code, which reads the tree and its tools."""
    return programs.confined(writes=writes, reads=(doc.parent, tools.python, _START))


def _telling_lines(log: Path, doc: Path) -> Iterator[str]:
    """The log's last lines; warnings and errors before them rather than tales of progress."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - _MOST_LOG_BYTES))
        text = stream.read().decode("utf-8", "replace")
    lines = text.replace(f"{doc}/", "Doc/").splitlines()
    problems = [line for line in lines if "WARNING" in line or "ERROR" in line or "rror:" in line]
    yield from problems[-_PROBLEM_LINES:]
    yield from (line for line in lines[-3:] if line and line not in problems)
